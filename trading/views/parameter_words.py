"""The words for units and choices on the configuration page."""

from __future__ import annotations

from trading.core.parameter_field import Unit

UNIT_WORDS = {
    Unit.FRACTION: "fraction",
    Unit.PERCENT: "%",
    Unit.USD: "USD",
    Unit.BASE: "of the base",
    Unit.MULTIPLE: "×",
    Unit.MILLISECONDS: "ms",
    Unit.SECONDS: "s",
    Unit.MINUTES: "min",
    Unit.HOURS: "h",
    Unit.SYMBOLS: "pairs",
    Unit.LEVERAGES: "a line each",
}
CHOICE_WORDS = {
    "net": "Return after all costs",
    "spread_only": "Bare threshold",
    "net_profit": "Net profit, USD",
    "net_bps": "Net return",
    "spread": "Funding spread",
    "ewma": "Average of settled rates",
    "predicted": "The venue's next rate",
    "premium_index": "The venue's formula on the premium",
    "limit_at_mid": "Limit at the mid",
    "maker": "Maker, follows the touch",
    "both_at_once": "Both legs at once",
    "auto": "The harder one to fill",
    "perp": "Perpetual",
    "perp_first": "Perpetual first",
    "spot_first": "Spot first",
    "simultaneous": "Both at once",
    "by_strategy": "By strategy: cost-aware for spreads, moderate for carries",
    "conservative": "Conservative: close at once",
    "moderate": "Moderate: bear −0.01 %, 24 h mean",
    "aggressive": "Aggressive: a tolerance of your own",
    "cost_aware": "Cost-aware: close when staying costs more",
    "cash_and_carry": "Cash and carry",
    "reverse_cash_and_carry": "Reverse cash and carry",
}


def word_for(value: str) -> str:
    """Return what people read for a choice."""
    return CHOICE_WORDS.get(value) or value.replace("_", " ").capitalize()
