"""Long spot, short half of it as a perpetual and half as a dated future.

Its row is in `docs/DOMAIN.md` section 6. Half of the carry floats with funding, half is fixed until
the expiry; every cost and rate counts by its leg's ratio.
"""

from __future__ import annotations

from exchanges.domain import Side
from trading.core.basis import HALF
from trading.strategies.base import DATED, PERPETUAL, SPOT, LegShape
from trading.strategies.carry import Carry

SPLIT_CARRY = Carry(
    key="split_carry",
    shape=(
        LegShape(side=Side.BUY, kinds=SPOT),
        LegShape(side=Side.SELL, kinds=PERPETUAL, ratio=HALF),
        LegShape(side=Side.SELL, kinds=DATED, ratio=HALF),
    ),
)
