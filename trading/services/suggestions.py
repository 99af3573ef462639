"""What recorded settlements and prices suggest for configuration fields, beside what is typed.

A suggestion is read, never applied by itself. Nothing is suggested from too little history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from itertools import product
from statistics import median

from exchanges.domain import InstrumentKind
from exchanges.selectors import active_instruments
from trading.core.history import (
    LEAST_OBSERVATIONS,
    Frequency,
    PriceBar,
    fitted_beta,
    percentile,
    probability_of_warning,
)
from trading.core.money import for_display, plain
from trading.core.parameters import BETA_DAYS, Parameters
from trading.core.sentence import hours, percent
from trading.core.sizing import max_safe_leverage, recommended_leverage
from trading.core.volatility import daily_volatility
from trading.services.settled_past import InstrumentPast, PairPast, settled_pairs, settled_past
from trading.services.usual_gaps import WEEK

ONE = Decimal(1)
OF_A_CARRY = (InstrumentKind.SPOT, InstrumentKind.PERPETUAL)
BETA_HORIZONS = {f"carry_beta_{days}d": timedelta(days=days) for days in BETA_DAYS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """`value` as the field is typed, in its own unit; `sentence` says from what and why."""

    value: str
    sentence: str
    observations: int
    since: datetime
    until: datetime


def suggestions_for(base: str, *, parameters: Parameters, now: datetime) -> dict[str, Suggestion]:
    """Return a suggestion by parameter key, for those keys of which enough was settled on `base`.

    `parameters` are what the user has now: hold time, half-life and leverage cap count.
    """
    pasts = settled_past(base, now)
    pairs = settled_pairs(pasts)
    found = {
        "min_spread_base": _least_spread(base, pairs),
        "min_price_gap": _least_gap(base, pairs),
        "min_opening_arbitrage_pct": _least_basis(base, now),
        "leverage": _leverage(base, pasts, parameters),
        **{
            key: _beta(base, pairs, horizon, parameters.carry_half_life)
            for key, horizon in BETA_HORIZONS.items()
        },
    }
    return {key: suggestion for key, suggestion in found.items() if suggestion is not None}


def _least_spread(base: str, pairs: Iterable[PairPast]) -> Suggestion | None:
    spreads = [spread for pair in pairs for spread in pair.spreads]
    least = percentile([abs(spread.rate_8h) for spread in spreads])
    if least is None or len(spreads) < LEAST_OBSERVATIONS:
        return None
    return _suggestion(
        plain(for_display(least, 6)),
        f"Three quarters of the 8 h spreads of {base} were below {percent(least)}",
        [spread.settled_at for spread in spreads],
    )


def _least_gap(base: str, pairs: Iterable[PairPast]) -> Suggestion | None:
    gaps = [gap for pair in pairs for gap in _gaps(pair)]
    least = percentile([size for _, size in gaps])
    if least is None or len(gaps) < LEAST_OBSERVATIONS:
        return None
    return _suggestion(
        plain(for_display(least, 6)),
        f"Three quarters of the price gaps of {base} between venues were below {percent(least)}",
        [at for at, _ in gaps],
    )


def _least_basis(base: str, now: datetime) -> Suggestion | None:
    """Return what spot and perpetual were apart in three quarters of the hours of a week."""
    mids: dict[InstrumentKind, list[dict[datetime, Decimal]]] = {kind: [] for kind in OF_A_CARRY}
    for instrument in active_instruments().filter(base=base, kind__in=OF_A_CARRY):
        hours = instrument.mids.filter(hour_at__gte=now - WEEK)
        mids[InstrumentKind(instrument.kind)].append({row.hour_at: row.mid for row in hours})
    gaps = [
        (at, abs(perpetual[at] / spot[at] - 1))
        for spot, perpetual in product(*(mids[kind] for kind in OF_A_CARRY))
        for at in spot.keys() & perpetual.keys()
    ]
    least = percentile([size for _, size in gaps])
    if least is None or len({at for at, _ in gaps}) < LEAST_OBSERVATIONS:
        return None
    return _suggestion(
        plain(for_display(least * 100, 4)),
        f"Spot and perpetuals of {base} were less than {percent(least)} apart in three quarters of "
        "the hours",
        [at for at, _ in gaps],
    )


def _gaps(pair: PairPast) -> list[tuple[datetime, Decimal]]:
    """Return the size of the gap where both venues settled at one instant and told a price."""
    others = {bar.at.replace(microsecond=0): bar.price for bar in pair.high.prices}
    return [
        (bar.at, abs(others[at] / bar.price - 1))
        for bar in pair.low.prices
        if (at := bar.at.replace(microsecond=0)) in others
    ]


def _leverage(
    base: str, pasts: Iterable[InstrumentPast], parameters: Parameters
) -> Suggestion | None:
    """Return the most that neither the daily moves nor the share of margin warnings forbid."""
    prices = max((past.prices for past in pasts), key=len, default=())
    volatility = daily_volatility([(bar.at, bar.price) for bar in prices])
    if volatility is None or volatility == 0:
        return None
    most = recommended_leverage(volatility, parameters.leverage_cap)
    sentence = (
        f"{base} moves {percent(volatility, 2)} a day; half of the safe "
        f"{for_display(max_safe_leverage(volatility), 2)}x, within the cap, is {plain(most)}x"
    )
    warned = _within_warnings(prices, most, parameters)
    if warned is not None:
        leverage, frequency = warned
        sentence += (
            f"; at {plain(leverage)}x {percent(frequency.share, 1)} of the windows of "
            f"{hours(parameters.hold_horizon)} reached a margin warning"
        )
        most = leverage
    return _suggestion(plain(most), sentence, [bar.at for bar in prices])


def _within_warnings(
    prices: Sequence[PriceBar], most: Decimal, parameters: Parameters
) -> tuple[Decimal, Frequency] | None:
    """Return the highest whole leverage whose warnings are rare enough, at least 1."""
    leverage = most.to_integral_value(ROUND_FLOOR)
    while True:
        frequency = probability_of_warning(prices, leverage, parameters.hold_horizon)
        if frequency is None:
            return None
        if leverage <= ONE or frequency.share <= parameters.max_warning_probability:
            return leverage, frequency
        leverage -= 1


def _beta(
    base: str, pairs: Iterable[PairPast], horizon: timedelta, half_life: timedelta
) -> Suggestion | None:
    """Return the middle of what the pairs of venues kept."""
    fitted = [
        (kept.part, pair.spreads)
        for pair in pairs
        if (kept := fitted_beta(pair.spreads, horizon, half_life=half_life)) is not None
    ]
    if not fitted:
        return None
    middle = median(beta for beta, _ in fitted)
    return _suggestion(
        plain(for_display(middle, 2)),
        f"Of the average settled spread of {base} the next {horizon.days} days kept "
        f"{percent(middle, 0)}, the middle of {len(fitted)} pairs of venues",
        [spread.settled_at for _, spreads in fitted for spread in spreads],
    )


def _suggestion(value: str, sentence: str, moments: Sequence[datetime]) -> Suggestion:
    since, until = min(moments), max(moments)
    return Suggestion(
        value=value,
        sentence=(
            f"{sentence} ({len(moments)} observations, {since:%Y-%m-%d} to {until:%Y-%m-%d})."
        ),
        observations=len(moments),
        since=since,
        until=until,
    )
