"""Fit anew, once a month, what part of its average the carry of each pair of venues keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

from django.db import transaction

from arbsite.accounts import audit
from arbsite.accounts.models import User
from exchanges.models import Instrument
from exchanges.selectors import perpetuals
from trading.core.funding import SettledRate, settled_spreads_8h
from trading.core.history import fitted_beta
from trading.core.money import for_display, plain
from trading.core.parameters import BETA_DAYS, Parameters
from trading.models import FittedBeta, Position
from trading.services import configure
from trading.services.settled_past import InstrumentPast, settled_past

REFIT_AFTER = timedelta(days=30)
HalfLives = Collection[timedelta]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """What one perpetual received per 8 h, or two against each other."""

    perpetual: Instrument
    other: Instrument | None
    spreads: tuple[SettledRate, ...]


def refit_betas(now: datetime) -> int:
    """Fit what is traded and was not fitted for a month; return how many betas were written.

    Too short a history writes nothing: what is configured counts, and it is asked again.
    """
    return sum(
        _refit(base, half_lives, now)
        for base, half_lives in sorted(_in_use().items())
        if _is_due(base, half_lives, now)
    )


def _in_use() -> dict[str, set[timedelta]]:
    """Return the half-lives in use by base: of every whitelist, and of what is held."""
    found: defaultdict[str, set[timedelta]] = defaultdict(set)
    for user in User.objects.filter(is_active=True):
        parameters = configure.current(user).parameters
        for base in parameters.bases:
            found[base].add(parameters.carry_half_life)
    for base, values in Position.objects.live().values_list("base", "parameters"):
        found[base].add(Parameters.from_stored(values).carry_half_life)
    return found


def _is_due(base: str, half_lives: HalfLives, now: datetime) -> bool:
    listed = sorted(perpetuals().filter(base=base).values_list("pk", flat=True))
    wanted = {(one, None) for one in listed} | set(combinations(listed, 2))
    fitted = _fitted(base, now)
    return any((pair, half_life) not in fitted for pair in wanted for half_life in half_lives)


def _fitted(base: str, now: datetime) -> set[tuple[tuple[object, object], timedelta]]:
    """Return the pairs, the smaller id first, that were fitted within the month."""
    rows = FittedBeta.objects.filter(perpetual__base=base, fitted_at__gt=now - REFIT_AFTER)
    return {
        ((one, other), half_life)
        for one, other, half_life in rows.values_list("perpetual_id", "other_id", "half_life")
    }


def _refit(base: str, half_lives: HalfLives, now: datetime) -> int:
    fitted = _fitted(base, now)
    due = [
        (series, half_life)
        for series in _series(settled_past(base, now))
        for half_life in sorted(half_lives)
        if ((series.perpetual.pk, series.other and series.other.pk), half_life) not in fitted
    ]
    fits = [fit for series, half_life in due for fit in _fits(series, half_life, now)]
    if fits:
        _write(base, fits, now)
    return len(fits)


def _series(pasts: list[InstrumentPast]) -> Iterator[_Series]:
    ordered = sorted(pasts, key=lambda past: past.instrument.pk)
    for past in ordered:
        yield _Series(perpetual=past.instrument, other=None, spreads=past.rates)
    for first, second in combinations(ordered, 2):
        yield _Series(
            perpetual=first.instrument,
            other=second.instrument,
            spreads=settled_spreads_8h(first.rates, second.rates),
        )


def _fits(series: _Series, half_life: timedelta, now: datetime) -> Iterator[FittedBeta]:
    for days in BETA_DAYS:
        kept = fitted_beta(series.spreads, timedelta(days=days), half_life=half_life)
        if kept is not None:
            yield FittedBeta(
                perpetual=series.perpetual,
                other=series.other,
                half_life=half_life,
                days=days,
                beta=for_display(kept.part, 6),
                windows=kept.windows,
                settlements=len(series.spreads),
                fitted_at=now,
            )


@transaction.atomic
def _write(base: str, fits: list[FittedBeta], now: datetime) -> None:
    """Replace the fits of these pairs and tell the audit log from what to what."""
    details = {}
    for fit in fits:
        same = FittedBeta.objects.filter(
            perpetual=fit.perpetual, other=fit.other, half_life=fit.half_life, days=fit.days
        )
        before = same.first()
        details[_name(fit)] = [None if before is None else plain(before.beta), plain(fit.beta)]
        same.delete()
    FittedBeta.objects.bulk_create(fits)
    audit.record(actor="schedule", action="betas fitted", subject=base, details=details, now=now)


def _name(fit: FittedBeta) -> str:
    pair = " and ".join(str(one) for one in (fit.perpetual, fit.other) if one is not None)
    return f"{pair}, {fit.days} days, half-life {fit.half_life}"
