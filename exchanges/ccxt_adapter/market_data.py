"""Public reads by REST: instruments, rates with their intervals, prices, books, settlements."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from exchanges.access import Maintenance
from exchanges.activity import Activity
from exchanges.ccxt_adapter import parse
from exchanges.ccxt_adapter.bad_rows import take_each
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.listed_rows import (
    Pair,
    known,
    list_name,
    perpetuals_of,
    read_each,
    without_end,
)
from exchanges.ccxt_adapter.listing import Listing, Listings
from exchanges.ccxt_adapter.risk_tiers import read_ladders
from exchanges.ccxt_adapter.rows import Row, all_of, fetch_rows, naming
from exchanges.ccxt_adapter.settled import read_accrued, read_settled
from exchanges.ccxt_adapter.spacing import SettlementSpacing
from exchanges.domain import (
    BookTop,
    BorrowRate,
    Depth,
    FundingRate,
    Instrument,
    InstrumentKind,
    IntervalSource,
    Quote,
    SettledFunding,
    Symbol,
)
from exchanges.funding_intervals import (
    UNKNOWN,
    FundingInterval,
    from_hours,
    from_minutes,
    from_next_two,
    from_spaced_hours,
    from_told_hours,
)
from exchanges.risk_tiers import TierLadder
from exchanges.venues.profile import UNASKED, IntervalRule, StatusCall, VenueProfile
from exchanges.venues.rows import Rows

T = TypeVar("T")

TOLD_WITH_THE_RATE = frozenset(
    {
        IntervalRule.NEXT_TWO_SETTLEMENTS,
        IntervalRule.LISTED_MINUTES,
        IntervalRule.HOURS_WITH_THE_RATE,
        IntervalRule.HOURS_BY_SETTLEMENTS,
    }
)

# Listed intervals change; two sources that disagree are worth a fresh list, but not every second.
RELIST_AFTER = timedelta(minutes=1)
# They change between settlements, and the venue counts each question against a small quota.
ADJUSTED_LAST = timedelta(minutes=1)


class CcxtMarketData:
    """`exchanges.ports.MarketData` of one venue."""

    def __init__(self, client: VenueClient) -> None:
        self._client = client
        self._profile = client.profile
        self._relisted_at: datetime | None = None
        self._adjusted: dict[str, Row] = {}
        self._adjusted_hours: dict[str, FundingInterval] = {}
        self._adjusted_at: datetime | None = None
        settled = client.profile.settled_funding
        self._spacing = SettlementSpacing(client.exchange, settled) if settled else None

    async def instruments(self) -> Sequence[Instrument]:
        listings = await self._client.refresh()
        return [listing.instrument for listing in listings.by_symbol.values()]

    async def funding_rates(self) -> Sequence[FundingRate]:
        if self._profile.interval_rule is IntervalRule.NONE:
            return []
        listings = await self._client.ready()
        return await self._read(self._funding_rates(listings))

    async def quotes(self) -> Sequence[Quote]:
        marks = self._of_parts(lambda part: part.quotes, parse.quote)
        indexes = self._profile.index_prices
        if indexes is None:
            return await marks
        listings = await self._client.ready()
        told = self._client.dated(fetch_rows(self._client.exchange, indexes))
        quotes, (rows, sent_at) = await asyncio.gather(marks, self._read(told))
        prices: dict[str, Decimal | None] = {}

        def take(row: Row, columns: parse.Columns) -> bool:
            prices[row[columns["index"]]] = parse.optional(row, columns["index_price"])
            return True

        take_each(rows, take, indexes.columns, list_name(self._profile, indexes))
        return [self._with_index(quote, listings, prices, sent_at) for quote in quotes]

    def _with_index(
        self,
        quote: Quote,
        listings: Listings,
        prices: Mapping[str, Decimal | None],
        sent_at: datetime,
    ) -> Quote:
        """Return the quote with the price of its listing's index; spot has none."""
        listing = listings.by_symbol[quote.symbol]
        told = prices.get(str(listing.market["info"].get(self._profile.index_key)))
        if not told or listing.instrument.kind is InstrumentKind.SPOT:
            return quote
        observed_at = min(quote.observed_at, sent_at)
        return replace(quote, index_price=listing.price(told), observed_at=observed_at)

    async def book_tops(self) -> Sequence[BookTop]:
        return await self._of_parts(lambda part: part.book_tops, parse.book_top)

    async def borrow_rates(self) -> Sequence[BorrowRate]:
        rows, listings = self._profile.borrow_rates, await self._client.ready()
        if rows is None:
            return []
        assets = {listing.instrument.base for listing in listings.of(is_spot=True).values()}

        async def read() -> list[BorrowRate]:
            answer, sent_at = await self._client.dated(fetch_rows(self._client.exchange, rows))
            found: list[BorrowRate] = []

            def take(row: Row, columns: parse.Columns) -> bool:
                is_lent = "is_lent" not in columns or row[columns["is_lent"]]
                if row[columns["asset"]] not in assets or not is_lent:
                    return False
                found.append(parse.borrow_rate(row, columns, self._profile.name, sent_at))
                return True

            take_each(answer, take, rows.columns, list_name(self._profile, rows))
            return found

        return await self._read(read())

    async def activity(self) -> Sequence[Activity]:
        await self._client.ready()
        reads = [
            self._activity(part, rows) for part in self._profile.parts for rows in part.activity
        ]
        told = await self._read(all_of(reads))
        return [fact for facts in told for fact in facts]

    async def open_interest(self, symbol: Symbol) -> Activity | None:
        rows = self._profile.open_interest
        if rows is None:
            return None
        listing = await self._client.listing(symbol)
        asked = self._activity(self._profile, rows, **naming(rows, self._profile, listing))
        return next(iter(await self._read(asked)), None)

    async def risk_tiers(self, symbols: Collection[Symbol]) -> Mapping[Symbol, TierLadder]:
        return await read_ladders(self._client, self._profile.risk_tiers, symbols)

    async def depth(self, symbol: Symbol, *, levels: int) -> Depth:
        listing = await self._client.listing(symbol)
        sizes = self._profile.depth_sizes
        size = next((known for known in sizes if known >= levels), sizes[-1])

        async def read() -> Depth:
            asked = self._client.exchange.fetch_order_book(symbol, size)
            book, sent_at = await self._client.dated(asked)
            return parse.depth(book, listing, sent_at)

        return await self._read(read())

    async def settled_funding(self, symbol: Symbol, *, since: datetime) -> Sequence[SettledFunding]:
        return await read_settled(self._client, symbol, since=since)

    async def accrued_rate(
        self, symbol: Symbol, *, since: datetime, until: datetime
    ) -> Decimal | None:
        return await read_accrued(self._client, symbol, since=since, until=until)

    async def maintenance(self) -> Sequence[Maintenance]:
        status = self._profile.status
        if status is None:
            return []

        async def read() -> list[Maintenance]:
            rows, now = status.call, self._client.now()
            answer = await fetch_rows(self._client.exchange, rows)
            found: list[Maintenance] = []

            def take(row: Row, columns: parse.Columns) -> bool:
                if str(row[columns["state"]]) in status.live and _concerns(row, status):
                    found.append(parse.maintenance(row, columns, self._profile.name, now))
                return True

            take_each(answer, take, rows.columns, list_name(self._profile, rows))
            return found

        return await self._read(read())

    async def server_time(self) -> datetime:
        async def read() -> datetime:
            return parse.moment(await self._client.exchange.fetch_time())

        return await self._read(read())

    async def close(self) -> None:
        await self._client.close()

    async def _of_parts(
        self,
        rows_of: Callable[[VenueProfile], Rows],
        parsed: Callable[[Row, parse.Columns, Listing, datetime], T | None],
    ) -> list[T]:
        """Return a fact of each listing; contracts and spot are lists of their own.

        A venue that is asked nothing has proven nothing of its health.
        """
        listings = await self._client.ready()
        asked = [part for part in self._profile.parts if rows_of(part) != UNASKED]
        if not asked:
            return []

        async def read(part: VenueProfile) -> list[T]:
            rows, listed = rows_of(part), listings.of(is_spot=part.is_spot)
            answer, sent_at = await self._client.dated(fetch_rows(self._client.exchange, rows))
            return read_each(
                known(part, answer, rows, listed),
                lambda row, listing: parsed(row, rows.columns, listing, sent_at),
                list_name(part, rows),
            )

        parts = await self._read(all_of(map(read, asked)))
        return [fact for part in parts for fact in part]

    async def _activity(self, part: VenueProfile, rows: Rows, **params: object) -> list[Activity]:
        listed = self._client.listings.of(is_spot=part.is_spot)
        asked = fetch_rows(self._client.exchange, rows, **params)
        answer, sent_at = await self._client.dated(asked)
        return read_each(
            without_end(known(part, answer, rows, listed)),
            lambda row, listing: parse.activity(row, rows.columns, listing, sent_at),
            list_name(part, rows),
        )

    async def _read(self, call: Awaitable[T]) -> T:
        return await self._client.reading(call)

    async def _funding_rates(self, listings: Listings) -> list[FundingRate]:
        rates = await self._rates_once(listings)
        if self._may_relist(rates):
            self._relisted_at = self._client.now()
            rates = await self._rates_once(await self._client.refresh())
        return rates

    def _may_relist(self, rates: list[FundingRate]) -> bool:
        """Tell whether a listed interval is contradicted and the list not fresh."""
        if self._profile.interval_rule is not IntervalRule.LISTED_MINUTES:
            return False
        is_fresh = (
            self._relisted_at is not None and self._client.now() - self._relisted_at < RELIST_AFTER
        )
        conflicting = (rate.interval_source is IntervalSource.CONFLICTING for rate in rates)
        return not is_fresh and any(conflicting)

    async def _rates_once(self, listings: Listings) -> list[FundingRate]:
        rows = self._rates
        answer, sent_at = await self._client.dated(fetch_rows(self._client.exchange, rows))
        contracts = listings.of(is_spot=False)
        perpetuals = perpetuals_of(known(self._profile, answer, rows, contracts))
        intervals = await self._intervals(perpetuals, sent_at)

        def rate(row: Row, listing: Listing) -> FundingRate | None:
            bounds = self._bounds_row(row, listing)
            return parse.funding_rate(
                row,
                rows.columns,
                listing,
                intervals.get(listing.instrument.venue_symbol, UNKNOWN),
                parse.funding_bounds(bounds, self._profile.funding_bounds),
                sent_at,
            )

        return read_each(perpetuals, rate, list_name(self._profile, rows))

    def _bounds_row(self, row: Row, listing: Listing) -> Row:
        """Return where the venue names cap and floor, beside the interval."""
        match self._profile.interval_rule:
            case (
                IntervalRule.NEXT_TWO_SETTLEMENTS
                | IntervalRule.HOURS_WITH_THE_RATE
                | IntervalRule.HOURS_BY_SETTLEMENTS
            ):
                return row
            case IntervalRule.LISTED_MINUTES:
                info: Row = listing.market["info"]
                return info
            case _:
                return self._adjusted.get(listing.instrument.venue_symbol, {})

    async def _intervals(
        self, perpetuals: list[tuple[Row, Listing]], now: datetime
    ) -> dict[str, FundingInterval]:
        """Return the interval of each venue symbol by the rule of the venue."""
        if self._profile.interval_rule in TOLD_WITH_THE_RATE:
            return self._of_each(perpetuals, self._told_interval)
        adjusted = await self._adjusted_intervals()
        missing = [pair for pair in perpetuals if pair[1].instrument.venue_symbol not in adjusted]
        columns = self._rates.columns
        upcoming = self._of_each(missing, lambda row, _: parse.next_funding_at(row, columns))
        spaced = await self._spacing.intervals(upcoming, now) if self._spacing else {}
        return adjusted | spaced

    def _told_interval(self, row: Row, listing: Listing) -> FundingInterval:
        """Return the interval that a rate comes with, or that its contract is listed with."""
        columns = self._rates.columns
        match self._profile.interval_rule:
            case IntervalRule.NEXT_TWO_SETTLEMENTS:
                return from_next_two(
                    parse.next_funding_at(row, columns),
                    parse.next_funding_at(row, columns, "following_at"),
                )
            case IntervalRule.LISTED_MINUTES:
                listed = parse.optional(listing.market["info"], "fundingInterval")
                return from_minutes(listed, parse.optional(row, columns["hours"]))
            case IntervalRule.HOURS_WITH_THE_RATE:
                return from_told_hours(parse.optional(row, columns["hours"]))
            case _:
                return from_spaced_hours(parse.optional(row, columns["hours"]))

    @property
    def _rates(self) -> Rows:
        return self._profile.funding_rates or self._profile.quotes

    def _of_each(self, pairs: Sequence[Pair], read: Callable[[Row, Listing], T]) -> dict[str, T]:
        """Return what is read of each row by venue symbol; a bad row is left out."""
        name = list_name(self._profile, self._rates)
        return dict(
            read_each(pairs, lambda row, one: (one.instrument.venue_symbol, read(row, one)), name)
        )

    async def _adjusted_intervals(self) -> dict[str, FundingInterval]:
        rows, now = self._profile.adjusted_intervals, self._client.now()
        if rows is None:
            return {}
        if self._adjusted_at is None or abs(now - self._adjusted_at) >= ADJUSTED_LAST:
            found: dict[str, Row] = {}
            hours: dict[str, FundingInterval] = {}

            def take(row: Row, columns: parse.Columns) -> bool:
                symbol = row[columns["symbol"]]
                hours[symbol] = from_hours(parse.optional(row, columns["hours"]))
                found[symbol] = row
                return True

            answer = await fetch_rows(self._client.exchange, rows)
            take_each(answer, take, rows.columns, list_name(self._profile, rows))
            self._adjusted, self._adjusted_hours, self._adjusted_at = found, hours, now
        return dict(self._adjusted_hours)


def _concerns(row: Row, status: StatusCall) -> bool:
    """Tell whether an announcement is of what is traded here; a key may hold a list."""
    for key, ours in status.concerns.items():
        stated = row[key] if isinstance(row[key], list) else [row[key]]
        if not ours & {str(value) for value in stated}:
            return False
    return True
