"""Which pairs of instruments each two-leg strategy looks at, and what must be large to open one.

What must be true besides is the strategy's own business; the scan only has to miss nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from exchanges.domain import InstrumentKind

SPOT = frozenset({InstrumentKind.SPOT})
PERPETUAL = frozenset({InstrumentKind.PERPETUAL})
DATED = frozenset({InstrumentKind.FUTURE})
CONTRACTS = PERPETUAL | DATED


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRule:
    """`gap` names the parameter that a price gap must reach; with `spread` either will do."""

    strategy: str
    longs: frozenset[InstrumentKind]
    shorts: frozenset[InstrumentKind]
    spread: bool = False
    gap: str = ""

    def covers(self, long: InstrumentKind, short: InstrumentKind) -> bool:
        return long in self.longs and short in self.shorts


PAIR_RULES = (
    PairRule(strategy="funding_spread", longs=PERPETUAL, shorts=PERPETUAL, spread=True),
    PairRule(strategy="price_convergence", longs=PERPETUAL, shorts=PERPETUAL, gap="min_price_gap"),
    PairRule(
        strategy="cash_and_carry",
        longs=SPOT,
        shorts=PERPETUAL,
        spread=True,
        gap="min_opening_arbitrage",
    ),
    PairRule(
        strategy="reverse_cash_and_carry",
        longs=PERPETUAL,
        shorts=SPOT,
        spread=True,
        gap="min_opening_arbitrage",
    ),
    PairRule(strategy="calendar_spread", longs=DATED, shorts=CONTRACTS),
    PairRule(strategy="calendar_spread", longs=CONTRACTS, shorts=DATED),
)
