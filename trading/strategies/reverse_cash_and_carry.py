"""Long the perpetual below spot, short spot that is borrowed: `cash_and_carry` the other way.

Its row is in `docs/DOMAIN.md` section 6. The gap is minus the basis, so that one sign opens and
closes both; the loan is paid by the hour begun.
"""

from __future__ import annotations

from exchanges.domain import Side
from trading.strategies.base import PERPETUAL, SPOT, LegShape
from trading.strategies.carry import Carry, gap_over_short

REVERSE_CASH_AND_CARRY = Carry(
    key="reverse_cash_and_carry",
    shape=(LegShape(side=Side.BUY, kinds=PERPETUAL), LegShape(side=Side.SELL, kinds=SPOT)),
    measure=gap_over_short,
)
