"""Gates on the facts behind legs of any kind: missing, stale, crossed, or too good to be true."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from exchanges.domain import Instrument, InstrumentKind, Side
from trading.core.basis import GapPrices
from trading.core.funding import funding_spread_8h
from trading.core.parameters import Parameters
from trading.core.refusal import Refusal
from trading.core.risk import (
    refuse_bad_book,
    refuse_bad_funding,
    refuse_implausible,
    refuse_near_expiry,
    refuse_slow_venue,
)
from trading.strategies.base import CandidateLeg, LegShape, funded_legs


def refuse_data(
    legs: Sequence[CandidateLeg], shape: Sequence[LegShape], parameters: Parameters, now: datetime
) -> Refusal | None:
    """Refuse legs whose facts cannot be trusted, or that cannot be the legs of `shape`."""
    for leg, place in zip(legs, shape, strict=True):
        refusal = _refuse_leg(leg, place, parameters, now)
        if refusal is not None:
            return refusal
    names = "/".join(leg.facts.instrument.venue for leg in legs)
    pair = f"{legs[0].facts.instrument.base} {names}"
    gap = GapPrices.of(leg.priced for leg in legs).gap
    return refuse_implausible(
        f"the price gap of {pair}", gap, parameters.max_spread
    ) or refuse_implausible(
        f"the 8 h funding spread of {pair}",
        funding_spread_8h(funded_legs(legs)),
        parameters.max_spread,
    )


def _refuse_leg(
    leg: CandidateLeg, place: LegShape, parameters: Parameters, now: datetime
) -> Refusal | None:
    facts, book = leg.facts, leg.facts.book
    instrument = facts.instrument
    name = f"{instrument.symbol} on {instrument.venue}"
    if instrument.kind not in place.kinds or not instrument.is_active:
        kinds = " or ".join(kind for kind in InstrumentKind if kind in place.kinds)
        return Refusal(code="not_tradable", sentence=f"{name} is not a tradable {kinds}.")
    if instrument.limits_only:
        sentence = f"{name} takes limit orders only now: nothing is opened on it."
        return Refusal(code="limits_only", sentence=sentence)
    if book is None:
        return Refusal(code="no_data", sentence=f"No book of {name} has arrived yet.")
    return (
        _refuse_funding(leg, parameters, now)
        or refuse_bad_book(book, now, parameters.max_book_age)
        or _refuse_dates(instrument, parameters, now)
        or _refuse_loan(leg)
        or (
            refuse_slow_venue(instrument.venue, facts.latency, parameters.max_venue_latency)
            if facts.latency is not None
            else None
        )
    )


def _refuse_funding(leg: CandidateLeg, parameters: Parameters, now: datetime) -> Refusal | None:
    instrument, rate = leg.facts.instrument, leg.facts.funding
    if instrument.kind is not InstrumentKind.PERPETUAL:
        return None
    if rate is None:
        name = f"{instrument.symbol} on {instrument.venue}"
        return Refusal(code="no_data", sentence=f"No funding rate of {name} has arrived yet.")
    return refuse_bad_funding(rate, now, parameters.max_funding_age)


def _refuse_dates(instrument: Instrument, parameters: Parameters, now: datetime) -> Refusal | None:
    # A contract without an end is given one when its venue announces that it delists it.
    if instrument.kind is not InstrumentKind.FUTURE and instrument.expires_at is None:
        return None
    return refuse_near_expiry(
        f"{instrument.symbol} on {instrument.venue}",
        instrument.expires_at,
        now,
        parameters.expiry_lead,
    )


def _refuse_loan(leg: CandidateLeg) -> Refusal | None:
    instrument = leg.facts.instrument
    is_borrowed = leg.side is Side.SELL and instrument.kind is InstrumentKind.SPOT
    if not is_borrowed or leg.facts.borrow_rate_per_hour is not None:
        return None
    return Refusal(
        code="not_borrowable",
        sentence=f"{instrument.base} cannot be borrowed at {instrument.venue}.",
    )
