"""Sets of rules worth comparing on the recorded past: values of the real configuration, named.

The order they are in is the story: the bare threshold, then what each further rule adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from trading.core.parameters import Parameters

ALWAYS: Final = "0.1"
"""A target spread that every spread is below: the position closes at the next settlement."""
DEFAULTS = "defaults"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One row of the comparison. `values` differ from the defaults, by outer key."""

    name: str
    title: str
    values: Mapping[str, str] = field(default_factory=dict)

    def parameters(self, given: Mapping[str, object]) -> Parameters:
        """Return the parameters, `given` values under its own. Raise ParameterErrors.

        Values that contradict each other are let through: some rows show what such rules cost.
        """
        return Parameters.from_stored({**given, **self.values})


FUNDING_RULES: tuple[Rules, ...] = (
    Rules(
        name="one_settlement",
        title="bare threshold, out after one settlement",
        values={"entry_policy": "spread_only", "target_spread": ALWAYS},
    ),
    Rules(
        name="exit_on_flip",
        title="bare threshold, out on each flip",
        values={"entry_policy": "spread_only", "negative_spread_tolerance": "conservative"},
    ),
    Rules(
        name="bare_threshold",
        title="bare threshold, cost-aware exit",
        values={"entry_policy": "spread_only"},
    ),
    Rules(
        name="predicted",
        title="predicted rate believed, 3 settlements",
        values={"carry_estimator": "predicted"},
    ),
    Rules(name=DEFAULTS, title="defaults (cost-aware exit)"),
    Rules(
        name="conservative",
        title="defaults, out on each flip",
        values={"negative_spread_tolerance": "conservative"},
    ),
    Rules(
        name="moderate",
        title="defaults, out below -1 bp after 3 d",
        values={"negative_spread_tolerance": "moderate"},
    ),
    Rules(
        name="aggressive",
        title="defaults, out below -3 bp after 3 d",
        values={"negative_spread_tolerance": "aggressive"},
    ),
)

# Spot against its perpetual, opened whenever the settled average is above nothing.
ANY_FUNDING: Final = {
    "entry_policy": "spread_only",
    "min_spread_base": "0",
    "min_spread_per_10k": "0",
    "min_opening_arbitrage_pct": "100",
}
CARRY_RULES: tuple[Rules, ...] = (
    Rules(
        name="any_funding_flip",
        title="any positive funding, out on each flip",
        values={**ANY_FUNDING, "negative_spread_tolerance": "conservative"},
    ),
    Rules(
        name="any_funding_held",
        title="any positive funding, cost-aware exit",
        values={**ANY_FUNDING, "negative_spread_tolerance": "cost_aware"},
    ),
    Rules(
        name="closed_on_basis",
        title="opened on funding, closed on the basis",
        values={"min_opening_arbitrage_pct": "-100", "min_closing_arbitrage_pct": "0.2"},
    ),
    Rules(
        name="basis",
        title="opened on the basis from 0.2 %",
        values={"min_opening_arbitrage_pct": "0.2", "min_closing_arbitrage_pct": "-0.1"},
    ),
    Rules(name=DEFAULTS, title="defaults"),
)

RULES: Final[Mapping[str, tuple[Rules, ...]]] = {
    "funding_spread": FUNDING_RULES,
    "cash_and_carry": CARRY_RULES,
}
