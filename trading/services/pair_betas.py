"""The fitted betas of pairs of venues in memory, as counting asks for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median

from django.db.models import Max

from exchanges.board import Key
from exchanges.selectors import instrument_key
from trading.core.forecast_basis import Fit
from trading.core.funding import NO_BETAS, FittedBetas, beta_at
from trading.models import FittedBeta


class PairBetas:
    """`refresh` reads what was fitted anew, the rest asks memory."""

    def __init__(self) -> None:
        self._by_pair: Mapping[frozenset[Key], FittedBetas] = {}
        self._fits: dict[tuple[frozenset[Key], timedelta], Fit] = {}
        self._usual: dict[tuple[Key, timedelta, timedelta], Decimal | None] = {}
        self._fitted_at: datetime | None = None

    def refresh(self) -> bool:
        """Read the fits if there are newer ones; tell whether there were."""
        newest = FittedBeta.objects.aggregate(at=Max("fitted_at"))["at"]
        if newest == self._fitted_at:
            return False
        found: dict[frozenset[Key], dict[timedelta, dict[int, Decimal]]] = {}
        fits: dict[tuple[frozenset[Key], timedelta], Fit] = {}
        rows = FittedBeta.objects.select_related("perpetual__exchange", "other__exchange")
        for row in rows:
            settling = [one for one in (row.perpetual, row.other) if one is not None]
            pair = frozenset(map(instrument_key, settling))
            found.setdefault(pair, {}).setdefault(row.half_life, {})[row.days] = row.beta
            fits[pair, row.half_life] = Fit(fitted_at=row.fitted_at, settlements=row.settlements)
        self._by_pair, self._fits = found, fits
        self._usual, self._fitted_at = {}, newest
        return True

    def of(self, perpetuals: Collection[Key]) -> FittedBetas:
        """Return the betas of legs of which these settle."""
        return self._by_pair.get(frozenset(perpetuals), NO_BETAS)

    def fit(self, perpetuals: Collection[Key], half_life: timedelta) -> Fit | None:
        """Return when the betas of legs of which these settle were fitted, and to what."""
        return self._fits.get((frozenset(perpetuals), half_life))

    def usual(self, key: Key, half_life: timedelta, horizon: timedelta) -> Decimal | None:
        """Return the middle of the betas of all pairs that a perpetual is in; None without any."""
        known = (key, half_life, horizon)
        if known not in self._usual:
            self._usual[known] = self._middle(key, half_life, horizon)
        return self._usual[known]

    def _middle(self, key: Key, half_life: timedelta, horizon: timedelta) -> Decimal | None:
        fitted = [
            beta_at(horizon, [(timedelta(days=days), beta) for days, beta in sorted(fit.items())])
            for pair, by_half_life in self._by_pair.items()
            if key in pair and (fit := by_half_life.get(half_life))
        ]
        return median(fitted) if fitted else None
