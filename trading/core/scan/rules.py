"""Which instruments each strategy looks at, and what must be large to open a position of them.

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
class Rule:
    """`gap` names the parameter that a price gap must reach; with `spread` either will do."""

    strategy: str
    spread: bool = False
    gap: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRule(Rule):
    """The kinds of two legs."""

    longs: frozenset[InstrumentKind]
    shorts: frozenset[InstrumentKind]

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
BUNDLE_RULES = (Rule(strategy="split_carry", spread=True, gap="min_opening_arbitrage"),)
"""Of strategies with more legs, whose kinds are in the strategy's shape."""
RULES: tuple[Rule, ...] = (*PAIR_RULES, *BUNDLE_RULES)
"""What candidates are numbered by: the rules of pairs first."""
