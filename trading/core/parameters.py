"""One user's configuration: a set of values that is valid as a whole or refused as a whole.

Names ending in `_pct` outside are percent and become fractions here, durations become timedeltas.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from trading.core.contradictions import contradictions
from trading.core.funding import NO_BETAS, CarryModel, FittedBetas, beta_at
from trading.core.leverage import overridden
from trading.core.parameter_table import PARAMETER_FIELDS, ParameterTable
from trading.core.policies import EntryPolicy, Ranking, Tolerance

__all__ = [
    "BETA_DAYS",
    "PARAMETER_FIELDS",
    "EntryPolicy",
    "ParameterErrors",
    "Parameters",
    "Ranking",
    "Tolerance",
]

BETA_DAYS = (3, 7, 14)
"""The hold times between which beta is interpolated."""


@dataclass(frozen=True, kw_only=True)
class Parameters(ParameterTable):
    """One user's configuration, checked. Build it with `from_values`."""

    @classmethod
    def from_values(
        cls, values: Mapping[str, object], *, may_contradict: bool = False
    ) -> Parameters:
        """Return checked parameters; absent keys take their default.

        Raise ParameterErrors with every error at once, by outer key.
        """
        known = {described.key for described in PARAMETER_FIELDS}
        parameters, errors = cls._read(values)
        errors |= {key: f"There is no parameter {key!r}." for key in values if key not in known}
        # The checks across fields read defaults where a field is broken; its own error stays.
        if not may_contradict:
            errors = {**contradictions(parameters), **errors}
        if errors:
            raise ParameterErrors(errors)
        return parameters

    @classmethod
    def from_stored(cls, values: Mapping[str, object]) -> Parameters:
        """Return parameters that were checked before they were stored; parsed once per process.

        A rule that is newer than a row never makes it unreadable: contradictions are not looked
        for, a parameter that exists no more is passed over, a value that is allowed no more counts
        as the default.
        """
        return _parsed(json.dumps(values, sort_keys=True))

    @classmethod
    def _read(cls, values: Mapping[str, object]) -> tuple[Parameters, dict[str, str]]:
        """Return the values that can be read, defaults for the rest, and why by outer key."""
        errors: dict[str, str] = {}
        inner: dict[str, Any] = {}
        for described in PARAMETER_FIELDS:
            if described.key not in values:
                continue
            try:
                inner[described.name] = described.parse(values[described.key])
            except ValueError as error:
                errors[described.key] = f"{described.label}: {error}"
        return replace(cls(), **inner), errors

    def to_values(self) -> dict[str, str | bool | list[str]]:
        """Return every field by outer key: decimals and durations as strings in their unit."""
        return {
            described.key: described.dump(getattr(self, described.name))
            for described in PARAMETER_FIELDS
        }

    @property
    def bases(self) -> frozenset[str]:
        """Return the base assets of the whitelist."""
        return frozenset(pair.partition("/")[0] for pair in self.symbols)

    @property
    def carry_betas(self) -> tuple[tuple[timedelta, Decimal], ...]:
        """Return what is kept of the settled average, by hold time in ascending order."""
        configured = (self.carry_beta_3d, self.carry_beta_7d, self.carry_beta_14d)
        return tuple(
            (timedelta(days=days), beta) for days, beta in zip(BETA_DAYS, configured, strict=True)
        )

    @property
    def carry_model(self) -> CarryModel:
        """Return the carry estimate over the hold time, of a pair that nothing is fitted to."""
        return self.carry_model_over(self.hold_horizon)

    def carry_model_over(self, horizon: timedelta, fitted: FittedBetas = NO_BETAS) -> CarryModel:
        """Return the estimate over `horizon`: a shorter hold keeps more of the average.

        What is fitted to the pair's own history counts before what is configured.
        """
        known = fitted.get(self.carry_half_life, {})
        configured = (self.carry_beta_3d, self.carry_beta_7d, self.carry_beta_14d)
        points = [
            (timedelta(days=days), known.get(days, beta))
            for days, beta in zip(BETA_DAYS, configured, strict=True)
        ]
        return CarryModel(estimator=self.carry_estimator, beta=beta_at(horizon, points))

    def leverage_at(self, *, venue: str, pair: str, against_spot: bool) -> Decimal:
        """Return the leverage of a perpetual or future of `pair` (like BTC/USDT) at `venue`."""
        usual = self.spot_perp_leverage if against_spot else self.leverage
        chosen = overridden(self.leverage_overrides, venue=venue, pair=pair, otherwise=usual)
        return min(chosen, self.leverage_cap)

    def asked_usd(self, price: Decimal) -> Decimal | None:
        """Return the size of one leg that automation asks for, None where limits decide.

        A user gives one amount; of both, where staff bounds the other one, the smaller rules.
        """
        in_base = None if self.order_amount is None else self.order_amount * price
        given = [usd for usd in (in_base, self.order_amount_usd) if usd is not None]
        return min(given, default=None)

    def uses_venue(self, code: str) -> bool:
        """Tell whether positions may be opened at the venue; an empty list allows all."""
        return not self.venues or code in self.venues


class ParameterErrors(ValueError):
    """A set of values is not valid. `errors`: one sentence per outer key."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


@lru_cache(maxsize=2048)
def _parsed(stored: str) -> Parameters:
    parameters, _ = Parameters._read(json.loads(stored))
    return parameters
