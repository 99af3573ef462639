"""How much of each perpetual is held, and was traded of it and of spot: kept by minute and hour."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import F, QuerySet

from exchanges import activity, loop, registry, selectors
from exchanges.domain import InstrumentKind, Symbol
from exchanges.limits.lanes import Lane, asking
from exchanges.models import Activity, ActivityBar, Exchange, HourlyActivity, Instrument
from exchanges.modes import Mode
from exchanges.services import good_answers

READ_SECONDS = 55.0
PATIENCE_SECONDS = 40.0
# Of a venue that tells open interest one by one: 600 contracts are told within six minutes.
ASKED_AT_ONCE = 100


def poll_activity(now: datetime) -> int:
    """Read and store open interest of perpetuals and what was traded; return of how many."""
    symbols = _longest_untold()
    reads = [_read(exchange, symbols.get(exchange.pk, ())) for exchange in _exchanges()]
    with asking(Lane.POLL, within=PATIENCE_SECONDS):
        answers = good_answers(loop.call_all(reads, READ_SECONDS))
    return sum(store_activity(exchange, told, now) for exchange, told in answers)


def _exchanges() -> list[Exchange]:
    """Return the exchanges in use that list perpetuals or spot now."""
    return list(Exchange.objects.filter(pk__in=_recorded().values("exchange")))


def _recorded() -> QuerySet[Instrument]:
    return selectors.active_instruments().exclude(kind=InstrumentKind.FUTURE)


def _longest_untold() -> Mapping[UUID, Sequence[Symbol]]:
    """Return by exchange the perpetuals whose open interest was told longest ago, or never."""
    found: dict[UUID, list[Symbol]] = {}
    oldest_first = F("activity__open_interest_at").asc(nulls_first=True)
    for row in selectors.perpetuals().order_by(oldest_first, "symbol"):
        asked = found.setdefault(row.exchange_id, [])
        if len(asked) < ASKED_AT_ONCE:
            asked.append(Symbol(row.symbol))
    return found


async def _read(
    exchange: Exchange, symbols: Sequence[Symbol]
) -> tuple[Exchange, Sequence[activity.Activity]]:
    """Ask for the lists, and one by one for what no list tells; one refusal costs no other."""
    data = registry.market_data(exchange.code, Mode(exchange.mode))
    told = list(await data.activity())
    known = {fact.symbol for fact in told if fact.open_interest is not None}
    missing = [data.open_interest(symbol) for symbol in symbols if symbol not in known]
    answers = good_answers(await asyncio.gather(*missing, return_exceptions=True))
    return exchange, [*told, *(fact for fact in answers if fact is not None)]


def store_activity(exchange: Exchange, told: Iterable[activity.Activity], now: datetime) -> int:
    """Keep the last of each figure with its time, this minute's and this hour's; return how many.

    What an answer leaves out stays as it was told before, with the age it has.
    """
    listed = {row.symbol: row.pk for row in _recorded().filter(exchange=exchange)}
    known = {
        row.instrument_id: row for row in Activity.objects.filter(instrument__exchange=exchange)
    }
    bars: dict[UUID, ActivityBar] = {}
    rows: dict[UUID, Activity] = {}
    minute_at = now.replace(second=0, microsecond=0)
    for fact in told:
        pk = listed.get(fact.symbol)
        if pk is None:
            continue
        row = rows.setdefault(pk, known.get(pk) or Activity(instrument_id=pk))
        bar = bars.setdefault(pk, ActivityBar(instrument_id=pk, minute_at=minute_at))
        if fact.open_interest is not None:
            row.open_interest = bar.open_interest = fact.open_interest
            row.open_interest_at = fact.observed_at
        if fact.turnover_usd is not None:
            row.turnover_usd = bar.turnover_usd = fact.turnover_usd
            row.turnover_at = fact.observed_at
    Activity.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["instrument"],
        update_fields=["open_interest", "open_interest_at", "turnover_usd", "turnover_at"],
        batch_size=200,
    )
    ActivityBar.objects.bulk_create(bars.values(), ignore_conflicts=True, batch_size=200)
    _store_hours(rows.values(), now)
    return len(rows)


def _store_hours(rows: Iterable[Activity], now: datetime) -> None:
    """Write what was told within this hour over what was told before in it."""
    hour_at = now.replace(minute=0, second=0, microsecond=0)
    hours = [
        HourlyActivity(
            instrument_id=row.instrument_id,
            hour_at=hour_at,
            open_interest=row.open_interest if _is_since(row.open_interest_at, hour_at) else None,
            turnover_usd=row.turnover_usd if _is_since(row.turnover_at, hour_at) else None,
        )
        for row in rows
    ]
    HourlyActivity.objects.bulk_create(
        hours,
        update_conflicts=True,
        unique_fields=["instrument", "hour_at"],
        update_fields=["open_interest", "turnover_usd"],
        batch_size=200,
    )


def _is_since(told_at: datetime | None, hour_at: datetime) -> bool:
    return told_at is not None and told_at >= hour_at
