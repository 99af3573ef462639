"""Long spot, short the perpetual above it: the gap closes, and funding is received meanwhile.

Its row is in `docs/DOMAIN.md` section 6.
"""

from __future__ import annotations

from exchanges.domain import Side
from trading.strategies.base import PERPETUAL, SPOT, LegShape
from trading.strategies.carry import Carry

CASH_AND_CARRY = Carry(
    key="cash_and_carry",
    shape=(LegShape(side=Side.BUY, kinds=SPOT), LegShape(side=Side.SELL, kinds=PERPETUAL)),
)
