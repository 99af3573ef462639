"""Entry gates of strategies, each a Refusal with its value, or None to pass."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain import InstrumentKind, SettlementKind
from trading.core.funding import STAMP_SLACK, CarryEstimator, entry_window
from trading.core.money import for_display, plain
from trading.core.parameters import EntryPolicy, Parameters
from trading.core.refusal import Refusal
from trading.core.sentence import hours, percent, usd
from trading.core.sizing import max_safe_leverage, recommended_leverage
from trading.strategies.base import (
    ZERO,
    Candidate,
    CandidateLeg,
    EntryTrigger,
    LegShape,
    OpenReason,
)
from trading.strategies.data_gates import refuse_data


def refuse_entry(
    candidate: Candidate,
    shape: Sequence[LegShape],
    own: Refusal | None,
    parameters: Parameters,
    now: datetime,
) -> Refusal | None:
    """Return the first shut gate of those that all strategies share; `own` is the strategy's."""
    return (
        refuse_strategy(candidate, parameters)
        or refuse_symbol(candidate, parameters)
        or refuse_data(candidate.legs, shape, parameters, now)
        or own
        or refuse_leverage(candidate, parameters)
        or refuse_warning(candidate, parameters)
        or refuse_return(candidate, parameters)
        or refuse_persistence(candidate, parameters)
    )


def refuse_strategy(candidate: Candidate, parameters: Parameters) -> Refusal | None:
    if candidate.strategy in parameters.strategies:
        return None
    return Refusal(
        code="strategy_off", sentence=f"The strategy {candidate.strategy} is switched off."
    )


def refuse_symbol(candidate: Candidate, parameters: Parameters) -> Refusal | None:
    if candidate.base in parameters.bases:
        return None
    return Refusal(
        code="not_whitelisted", sentence=f"{candidate.base} is not among the configured symbols."
    )


def refuse_spread(candidate: Candidate) -> Refusal | None:
    if candidate.spread_8h >= candidate.threshold:
        return None
    return Refusal(
        code="spread_too_small",
        sentence=(
            f"The 8 h spread is {percent(candidate.spread_8h)}; {usd(candidate.size_usd)} need "
            f"{percent(candidate.threshold)}."
        ),
    )


def refuse_gap(candidate: Candidate) -> Refusal | None:
    """Refuse a price gap below what opens it."""
    least = candidate.gap_threshold
    if least is None or candidate.opening_gap >= least:
        return None
    return Refusal(
        code="gap_too_small",
        sentence=f"The price gap is {percent(candidate.opening_gap)}; {percent(least)} are needed.",
    )


def refuse_gap_and_spread(candidate: Candidate) -> Refusal | None:
    """Refuse what neither its price gap nor its funding opens."""
    gap, spread = refuse_gap(candidate), refuse_spread(candidate)
    if gap is None or spread is None:
        return None
    return Refusal(code=spread.code, sentence=f"{gap.sentence} {spread.sentence}")


def refuse_leverage(candidate: Candidate, parameters: Parameters) -> Refusal | None:
    """Refuse a leverage above what the asset's daily moves recommend; unknown moves pass."""
    known = [leg.facts.daily_volatility for leg in candidate.legs]
    volatility = max((each for each in known if each), default=None)
    if volatility is None:
        return None
    leverage = highest_leverage(candidate.legs, parameters)
    recommended = recommended_leverage(volatility, parameters.leverage_cap)
    if leverage <= recommended:
        return None
    return Refusal(
        code="leverage_too_high",
        sentence=(
            f"{candidate.base} moves {percent(volatility, 2)} a day: "
            f"{for_display(max_safe_leverage(volatility), 2)}x is the most that is safe, half of "
            f"it, {plain(recommended)}x, is recommended; {plain(leverage)}x is set."
        ),
    )


def highest_leverage(legs: Sequence[CandidateLeg], parameters: Parameters) -> Decimal:
    """Return the highest leverage of the legs; spot has none."""
    listed = [leg.facts.instrument for leg in legs]
    against_spot = any(one.kind is InstrumentKind.SPOT for one in listed)
    return max(
        parameters.leverage_at(
            venue=one.venue, pair=f"{one.base}/{one.quote}", against_spot=against_spot
        )
        for one in listed
        if one.kind is not InstrumentKind.SPOT
    )


def refuse_warning(candidate: Candidate, parameters: Parameters) -> Refusal | None:
    """Refuse what too often came near its liquidation in the past; too short a past passes."""
    chance, most = candidate.warning_probability, parameters.max_warning_probability
    if chance is None or chance <= most:
        return None
    return Refusal(
        code="warning_likely",
        sentence=(
            f"In {percent(chance, 1)} of the recorded past a leg of {candidate.base} came near its "
            f"liquidation within {hours(candidate.horizon)} at "
            f"{plain(highest_leverage(candidate.legs, parameters))}x; the most is "
            f"{percent(most, 1)}."
        ),
    )


def refuse_return(candidate: Candidate, parameters: Parameters) -> Refusal | None:
    if parameters.entry_policy is EntryPolicy.SPREAD_ONLY:
        return None
    if candidate.net_return is None:
        by_premium = parameters.carry_estimator is CarryEstimator.PREMIUM_INDEX
        missing = "known premium" if by_premium else "settled funding"
        return Refusal(
            code="no_history",
            sentence=f"{candidate.base} has no {missing} to estimate carry from.",
        )
    if candidate.net_return < parameters.min_net_return:
        return Refusal(
            code="net_return_too_small",
            sentence=(
                f"Held {hours(candidate.horizon)} it would bring "
                f"{percent(candidate.net_return)} after costs; the least is "
                f"{percent(parameters.min_net_return)}."
            ),
        )
    slowest = max((leg.interval_seconds for leg in candidate.funded_legs), default=0)
    even = candidate.break_even
    if even is None or even.hold + timedelta(seconds=slowest) > candidate.horizon:
        when = "never" if even is None else f"after {hours(even.hold)}"
        return Refusal(
            code="breaks_even_too_late",
            sentence=(
                f"It breaks even {when}; with one more settlement that is beyond the hold time "
                f"of {hours(candidate.horizon)}."
            ),
        )
    return None


def refuse_persistence(candidate: Candidate, parameters: Parameters) -> Refusal | None:
    believes = parameters.carry_estimator.believes_the_present
    on_funding = candidate.open_reason is OpenReason.FUNDING
    if not (believes and on_funding) or candidate.persistence >= parameters.persistence:
        return None
    return Refusal(
        code="not_persistent",
        sentence=(
            "Settlements in a row with the spread above the threshold: "
            f"{candidate.persistence}; it takes {parameters.persistence}."
        ),
    )


def refuse_moment(
    candidate: Candidate, parameters: Parameters, now: datetime, trigger: EntryTrigger
) -> Refusal | None:
    """Keep to the window before a lump settlement that we receive, away from one that we pay."""
    lumps = [
        leg
        for each in candidate.legs
        if each.facts.instrument.settlement is SettlementKind.LUMP
        and (leg := each.funding_leg) is not None
    ]
    if trigger is EntryTrigger.MANUAL or not lumps:
        return None
    first = min(lumps, key=lambda leg: leg.next_funding_at)
    window = entry_window(
        first.next_funding_at,
        first.interval_seconds,
        opens=parameters.entry_window_opens,
        tries=parameters.entry_buffer,
        closes=parameters.entry_window_closes,
    )
    together = [leg for leg in lumps if leg.next_funding_at - first.next_funding_at <= STAMP_SLACK]
    received = sum((leg.weight * leg.predicted_rate for leg in together), ZERO)
    settles = f"{first.next_funding_at:%H:%M:%S} UTC"
    if received <= 0:
        if now < window.opens_at:
            return None
        return Refusal(
            code="would_pay_first",
            sentence=f"The settlement at {settles} would be paid by us; entry is after it.",
        )
    starts = window.tries_at if trigger is EntryTrigger.SCHEDULE else window.opens_at
    if starts <= now <= window.closes_at:
        return None
    return Refusal(
        code="outside_window",
        sentence=(
            f"The entry window of the settlement at {settles} is {starts:%H:%M:%S} to "
            f"{window.closes_at:%H:%M:%S} UTC."
        ),
    )
