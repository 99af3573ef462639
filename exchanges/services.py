"""Keep what we know of venues up to date: listings and settled funding.

Reads only. A venue that does not answer never keeps the others waiting or out.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import transaction

from exchanges import domain, loop, registry, selectors
from exchanges.domain import (
    FundingRate,
    IntervalSource,
    SettledFunding,
    Symbol,
)
from exchanges.errors import VenueError
from exchanges.fact_changes import LISTED_COLUMNS, changes_between, notice_intervals, unlisted
from exchanges.limits.lanes import Lane, asking
from exchanges.models import Exchange, Instrument, SettledFundingRate
from exchanges.models.notices import FactChange
from exchanges.modes import Mode
from exchanges.ports import MarketData

logger = logging.getLogger(__name__)
T = TypeVar("T")

POLL_SECONDS = 8.0
# Of fewer instruments half may well be delisted at once.
MANY = 10
REFRESH_SECONDS = 120.0
SETTLEMENTS_SECONDS = 50.0
HISTORY = timedelta(days=30)
# A venue publishes a settlement some seconds after it; asking sooner only costs a call.
PUBLISHED_AFTER = timedelta(seconds=5)

RATE_COLUMNS = (
    "funding_interval_seconds",
    "interval_source",
    "funding_cap",
    "funding_floor",
    "refreshed_at",
)


def market_data(exchange: Exchange) -> MarketData:
    return registry.market_data(exchange.code, Mode(exchange.mode))


# --- Listings -------------------------------------------------------------------------------------


def refresh_instruments(now: datetime) -> dict[str, list[str]]:
    """Store what each venue lists; return per venue the sentences about what has changed."""
    exchanges = selectors.enabled_exchanges()
    listings = _ask_all(exchanges, _read_listing, REFRESH_SECONDS)
    return {
        exchange.code: store_listing(exchange, instruments, rates, now)
        for exchange, (instruments, rates) in listings
    }


def refresh_venue(exchange: Exchange, now: datetime) -> list[str]:
    """Store what one venue lists, when it refused what we know; return what has changed.

    Raise VenueError when it cannot be read in time.
    """
    instruments, rates = loop.call(_read_listing(exchange), POLL_SECONDS)
    return store_listing(exchange, instruments, rates, now)


def store_listing(
    exchange: Exchange,
    instruments: Sequence[domain.Instrument],
    rates: Sequence[FundingRate],
    now: datetime,
) -> list[str]:
    """Write the listing of one venue; what is listed no more becomes inactive, never deleted.

    A list that lacks most of what is traded is a broken answer: nothing is written of it.
    """
    known = {instrument.symbol: instrument for instrument in exchange.instruments.all()}
    rate_of = {rate.symbol: rate for rate in rates}
    rows = [_row(exchange, listed, rate_of.get(listed.symbol), now) for listed in instruments]
    listed = {row.symbol for row in rows}
    traded = {row.symbol for row in known.values() if row.is_active}
    if len(traded) >= MANY and len(traded & listed) * 2 < len(traded):
        sentence = f"only {len(traded & listed)} of {len(traded)} instruments are listed"
        logger.error("listing not taken", extra={"venue": exchange.code, "reason": sentence})
        return []
    changed = [
        change
        for row in rows
        if row.symbol in known
        for change in changes_between(known[row.symbol], row, now)
    ]
    changed += [
        unlisted(row, now) for row in known.values() if row.is_active and row.symbol not in listed
    ]
    with transaction.atomic():
        Instrument.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["exchange", "symbol"],
            update_fields=[*LISTED_COLUMNS, *RATE_COLUMNS],
            batch_size=200,
        )
        exchange.instruments.exclude(refreshed_at=now).update(is_active=False)
        FactChange.objects.bulk_create(changed, batch_size=200)
    for change in changed:
        logger.warning(
            "instrument changed", extra={"venue": exchange.code, "change": change.sentence}
        )
    return [change.sentence for change in changed]


async def _read_listing(
    exchange: Exchange,
) -> tuple[Sequence[domain.Instrument], Sequence[FundingRate]]:
    data = market_data(exchange)
    instruments = await data.instruments()
    has_funding = any(i.settlement is not domain.SettlementKind.NONE for i in instruments)
    return instruments, await data.funding_rates() if has_funding else ()


def _row(
    exchange: Exchange, listed: domain.Instrument, rate: FundingRate | None, now: datetime
) -> Instrument:
    interval, source = listed.funding_interval_seconds, IntervalSource.VENUE
    if rate is not None:
        interval, source = rate.interval_seconds, rate.interval_source
    elif interval is None:
        source = IntervalSource.UNKNOWN
    return Instrument(
        exchange=exchange,
        symbol=listed.symbol,
        funding_interval_seconds=interval,
        interval_source=source,
        funding_cap=None if rate is None else rate.cap,
        funding_floor=None if rate is None else rate.floor,
        refreshed_at=now,
        **{name: getattr(listed, name) for name in LISTED_COLUMNS},
    )


# --- Settled funding ------------------------------------------------------------------------------


def poll_settlements(now: datetime, *, within: float = SETTLEMENTS_SECONDS) -> int:
    """Store the settlements that have passed since the last stored ones; return how many.

    What a venue's quota lets be asked only after `within` seconds is left to a later round.
    A spacing that the market's facts contradict is put right first: by the old one, settlements of
    a contract that pays more often now would be looked for hours late.
    """
    notice_intervals(selectors.perpetuals(), selectors.market_board(), now)
    last = selectors.last_settlements()
    due = [
        (instrument, last.get(selectors.instrument_key(instrument)))
        for instrument in selectors.perpetuals()
    ]
    calls = [
        _read_settled(instrument, since or now - HISTORY)
        for instrument, since in due
        if since is None or _has_settled_since(instrument, since, now)
    ]
    # One request for each contract: they come as each venue's quota lets them.
    with asking(Lane.HISTORY, within=within):
        answers = loop.as_they_come(calls, REFRESH_SECONDS)
    return sum(_store_settled(*found) for found in each_good(answers))


def _has_settled_since(instrument: Instrument, since: datetime, now: datetime) -> bool:
    # Without an interval nothing says when; asking costs one call a minute.
    interval = timedelta(seconds=instrument.funding_interval_seconds or 0)
    return now >= since + interval + PUBLISHED_AFTER


async def _read_settled(
    instrument: Instrument, since: datetime
) -> tuple[Instrument, Sequence[SettledFunding]]:
    data = market_data(instrument.exchange)
    return instrument, await data.settled_funding(Symbol(instrument.symbol), since=since)


def _store_settled(instrument: Instrument, settled: Sequence[SettledFunding]) -> int:
    rows = [
        SettledFundingRate(
            instrument=instrument,
            settled_at=row.settled_at,
            funding_rate=row.funding_rate,
            settlement_price=row.settlement_price,
        )
        for row in settled
    ]
    return len(SettledFundingRate.objects.bulk_create(rows, ignore_conflicts=True))


# --- Asking several venues at once ----------------------------------------------------------------


def _ask_all(
    exchanges: Sequence[Exchange],
    question: Callable[[Exchange], Awaitable[T]],
    timeout: float,
) -> list[tuple[Exchange, T]]:
    async def asked(exchange: Exchange) -> tuple[Exchange, T]:
        return exchange, await question(exchange)

    return good_answers(loop.call_all([asked(exchange) for exchange in exchanges], timeout))


def good_answers(answers: Iterable[T | BaseException]) -> list[T]:
    """Return the answers; say which venue failed and raise what is no failure of a venue."""
    return list(each_good(answers))


def each_good(answers: Iterable[T | BaseException]) -> Iterator[T]:
    """Yield the answers as they come, as `good_answers` returns them."""
    for answer in answers:
        if isinstance(answer, VenueError | TimeoutError):
            logger.warning("venue not read", extra={"reason": str(answer) or "too slow"})
        elif isinstance(answer, BaseException):
            raise answer
        else:
            yield answer
