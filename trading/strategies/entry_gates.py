"""Entry gates of funding strategies, each a Refusal with its value, or None to pass."""

from __future__ import annotations

from datetime import datetime, timedelta

from exchanges.domain import InstrumentKind, SettlementKind, Side
from trading.core.basis import price_gap
from trading.core.funding import STAMP_SLACK, CarryEstimator, entry_window, funding_spread_8h
from trading.core.money import for_display, plain
from trading.core.parameters import EntryPolicy, Parameters
from trading.core.refusal import Refusal
from trading.core.risk import (
    refuse_bad_book,
    refuse_bad_funding,
    refuse_implausible,
    refuse_slow_venue,
)
from trading.core.sentence import hours, percent, usd
from trading.core.sizing import max_safe_leverage, recommended_leverage
from trading.strategies.base import ZERO, Candidate, EntryTrigger, InstrumentFacts


def refuse_data(
    long: InstrumentFacts, short: InstrumentFacts, parameters: Parameters, now: datetime
) -> Refusal | None:
    """Refuse legs whose facts are missing, stale, crossed, too slow or too good to be true."""
    refusal = _refuse_instrument(long, parameters, now) or _refuse_instrument(
        short, parameters, now
    )
    if refusal is not None:
        return refusal
    legs = (long.funding_leg(Side.BUY), short.funding_leg(Side.SELL))
    pair = f"{long.instrument.base} {long.instrument.venue}/{short.instrument.venue}"
    return refuse_implausible(
        f"the price gap of {pair}", price_gap(long.mid, short.mid), parameters.max_spread
    ) or refuse_implausible(
        f"the 8 h funding spread of {pair}", funding_spread_8h(legs), parameters.max_spread
    )


def _refuse_instrument(
    facts: InstrumentFacts, parameters: Parameters, now: datetime
) -> Refusal | None:
    instrument, rate, book = facts.instrument, facts.funding, facts.book
    name = f"{instrument.symbol} on {instrument.venue}"
    if instrument.kind is not InstrumentKind.PERPETUAL or not instrument.is_active:
        return Refusal(code="not_tradable", sentence=f"{name} is not a tradable perpetual.")
    if rate is None or book is None:
        missing = "funding rate" if rate is None else "book"
        return Refusal(code="no_data", sentence=f"No {missing} of {name} has arrived yet.")
    refusal = refuse_bad_funding(rate, now, parameters.max_funding_age) or refuse_bad_book(
        book, now, parameters.max_book_age
    )
    if refusal is None and facts.latency is not None:
        return refuse_slow_venue(instrument.venue, facts.latency, parameters.max_venue_latency)
    return refusal


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


def refuse_leverage(candidate: Candidate, parameters: Parameters) -> Refusal | None:
    """Refuse a leverage above what the asset's daily moves recommend; unknown moves pass."""
    known = [leg.facts.daily_volatility for leg in candidate.legs]
    volatility = max((each for each in known if each), default=None)
    if volatility is None:
        return None
    recommended = recommended_leverage(volatility, parameters.leverage_cap)
    if parameters.leverage <= recommended:
        return None
    return Refusal(
        code="leverage_too_high",
        sentence=(
            f"{candidate.base} moves {percent(volatility, 2)} a day: "
            f"{for_display(max_safe_leverage(volatility), 2)}x is the most that is safe, half of "
            f"it, {plain(recommended)}x, is recommended; {plain(parameters.leverage)}x is set."
        ),
    )


def refuse_return(candidate: Candidate, parameters: Parameters) -> Refusal | None:
    if parameters.entry_policy is EntryPolicy.SPREAD_ONLY:
        return None
    if candidate.net_return is None:
        return Refusal(
            code="no_history",
            sentence=f"{candidate.base} has no settled funding to estimate carry from.",
        )
    if candidate.net_return < parameters.min_net_return:
        return Refusal(
            code="net_return_too_small",
            sentence=(
                f"Held {hours(parameters.hold_horizon)} it would bring "
                f"{percent(candidate.net_return)} after costs; the least is "
                f"{percent(parameters.min_net_return)}."
            ),
        )
    slowest = max(leg.funding_leg.interval_seconds for leg in candidate.legs)
    even = candidate.break_even
    if even is None or even.hold + timedelta(seconds=slowest) > parameters.hold_horizon:
        when = "never" if even is None else f"after {hours(even.hold)}"
        return Refusal(
            code="breaks_even_too_late",
            sentence=(
                f"It breaks even {when}; with one more settlement that is beyond the hold time "
                f"of {hours(parameters.hold_horizon)}."
            ),
        )
    return None


def refuse_persistence(candidate: Candidate, parameters: Parameters) -> Refusal | None:
    believes = parameters.carry_estimator is CarryEstimator.PREDICTED
    if not believes or candidate.persistence >= parameters.persistence:
        return None
    return Refusal(
        code="not_persistent",
        sentence=(
            f"The spread was above the threshold at {candidate.persistence} settlements in a row; "
            f"{parameters.persistence} are needed."
        ),
    )


def refuse_moment(
    candidate: Candidate, parameters: Parameters, now: datetime, trigger: EntryTrigger
) -> Refusal | None:
    """Keep to the window before a lump settlement that we receive, away from one that we pay."""
    lumps = [
        leg.funding_leg
        for leg in candidate.legs
        if leg.facts.instrument.settlement is SettlementKind.LUMP
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
    received = sum((-leg.side.sign * leg.predicted_rate for leg in together), ZERO)
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
