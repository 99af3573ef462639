"""The streams of each venue against the simulator's sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from redis import Redis

from exchanges import registry
from exchanges.board import Board, Channel
from exchanges.domain import (
    BookTop,
    Fill,
    FundingRate,
    Instrument,
    InstrumentKind,
    OrderReport,
    OrderRequest,
    Quote,
    VenueOrderStatus,
    VenuePosition,
)
from exchanges.errors import CredentialRefused
from exchanges.feeds import MarketFeed
from exchanges.modes import Mode
from tests.protocol.conftest import (
    DATED,
    DERIVATIVES,
    VENUES,
    Desk,
    OpenDesk,
    Simulator,
    assert_exact,
    run,
)
from tests.rehearsal import RunningRedis

pytestmark = pytest.mark.protocol

# The venue of this session settles every minute; only OKX says so in its stream.
STREAMED_INTERVAL = {"okx": 60}


# What of a contract no socket depends on.
CHANGED: dict[str, Any] = {
    "funding_cap": Decimal("0.02"),
    "max_leverage": Decimal(3),
    "funding_interval_seconds": 28_800,
}


class Heard:
    """Facts as they come, and a way to wait for the one a test is about."""

    def __init__(self) -> None:
        self.facts: asyncio.Queue[Any] = asyncio.Queue()
        self.opened = asyncio.Event()

    async def first(self, is_it: Callable[[Any], bool]) -> Any:
        async with asyncio.timeout(10):
            while True:
                fact = await self.facts.get()
                if is_it(fact):
                    return fact


@asynccontextmanager
async def market_of(venue: str) -> AsyncIterator[Heard]:
    heard = Heard()
    symbols = [i.symbol for i in await instruments_of(venue)]
    stream = registry.market_stream(venue, Mode.REHEARSAL)
    task = asyncio.create_task(stream.run(symbols, heard.facts.put_nowait))
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def account_of(desk: Desk) -> AsyncIterator[Heard]:
    heard = Heard()
    stream = registry.account_stream(desk.key)
    task = asyncio.create_task(stream.run(heard.facts.put_nowait, heard.opened.set))
    try:
        async with asyncio.timeout(10):
            await heard.opened.wait()
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def instruments_of(venue: str) -> list[Instrument]:
    return list(await registry.market_data(venue, Mode.REHEARSAL).instruments())


def is_of(desk_symbol: str, kind: type[Any]) -> Callable[[Any], bool]:
    return lambda fact: isinstance(fact, kind) and fact.symbol == desk_symbol


@pytest.mark.parametrize("venue", VENUES)
def test_books_are_exact_and_plausible(simulator: Simulator, venue: str) -> None:
    async def story() -> None:
        async with market_of(venue) as heard:
            top = await heard.first(lambda fact: isinstance(fact, BookTop))

        assert_exact(top)
        assert top.venue == venue
        assert 0 < top.bid < top.ask

    run(story())


# Hyperliquid streams a rate without its settlement, and no positions.
@pytest.mark.parametrize("venue", DATED)
def test_streamed_rate_is_the_one_that_rest_tells(simulator: Simulator, venue: str) -> None:
    async def story() -> None:
        async with market_of(venue) as heard:
            rate = await heard.first(lambda fact: isinstance(fact, FundingRate))
            quote = await heard.first(is_of(rate.symbol, Quote))

        read = await registry.market_data(venue, Mode.REHEARSAL).funding_rates()
        asked = next(one for one in read if one.symbol == rate.symbol)
        assert_exact(rate)
        assert_exact(quote)
        assert rate.next_funding_at is not None
        assert asked.next_funding_at is not None
        assert abs(rate.next_funding_at - asked.next_funding_at).total_seconds() in (0, 60)
        assert rate.interval_seconds == STREAMED_INTERVAL.get(venue)

    run(story())


# Kraken's socket may add executions up: there they are read.
@pytest.mark.parametrize("desk", [name for name in VENUES if name != "kraken"], indirect=True)
def test_own_order_is_reported_filled_once_and_to_the_last_digit(desk: Desk) -> None:
    async def story() -> None:
        async with account_of(desk) as heard:
            request = desk.order("0.01")
            await desk.trading.submit(request)

            fill = await heard.first(lambda fact: isinstance(fact, Fill))

        (read,) = await desk.account.fills(desk.symbol, since=fill.filled_at.replace(minute=0))
        # Binance names our id in the stream and not in the list of executions.
        assert fill == replace(read, client_order_id=request.client_order_id)
        assert_exact(fill)

    run(story())


def test_resting_order_and_its_cancel_are_reported(desk: Desk) -> None:
    request = desk.resting()

    async def story() -> None:
        async with account_of(desk) as heard:
            await desk.trading.submit(request)
            opened = await heard.first(lambda fact: isinstance(fact, OrderReport))
            await desk.trading.cancel(request.client_order_id, desk.symbol)
            ended = await heard.first(
                lambda fact: (
                    isinstance(fact, OrderReport) and fact.status is VenueOrderStatus.CANCELED
                )
            )

        assert opened.status is VenueOrderStatus.OPEN
        assert opened.client_order_id == ended.client_order_id == request.client_order_id
        # Of an order that ends Kraken Futures tells the names alone.
        filled = None if desk.venue == "krakenfutures" else 0
        assert (opened.base_quantity, ended.filled_base_quantity) == (Decimal("0.01"), filled)

    run(story())


@pytest.mark.parametrize("futures_desk", DATED, indirect=True)
def test_position_comes_with_its_sign(futures_desk: Desk) -> None:
    async def story() -> None:
        async with account_of(futures_desk) as heard:
            await futures_desk.trading.submit(futures_desk.order("0.01", price=None))
            long = await heard.first(lambda fact: isinstance(fact, VenuePosition))

        assert (long.symbol, long.base_quantity) == (futures_desk.symbol, Decimal("0.01"))
        assert not long.is_hedge_mode

    run(story())


@pytest.mark.parametrize("venue", ["binance", "bybit", "okx", "krakenfutures", "deribit"])
def test_wrong_secret_ends_the_stream(open_desk: OpenDesk, venue: str) -> None:
    # In base64, as those of Kraken Futures are.
    desk = open_desk(venue, secret="bm90LXRoZS1zZWNyZXQ=")

    async def story() -> None:
        with pytest.raises(CredentialRefused):
            await registry.account_stream(desk.key).run(lambda fact: None, lambda: None)

    run(story())


@pytest.mark.parametrize("venue", VENUES)
def test_socket_closed_by_the_venue_is_opened_again(undisturbed: Simulator, venue: str) -> None:
    async def story() -> None:
        async with market_of(venue) as heard:
            await heard.first(lambda fact: isinstance(fact, BookTop))
            await asyncio.to_thread(undisturbed.disturb, "socket_close", venue=venue)
            while not heard.facts.empty():
                heard.facts.get_nowait()

            await heard.first(lambda fact: isinstance(fact, BookTop))

    run(story())


def test_an_account_stream_that_was_lost_is_opened_again_and_what_it_missed_is_read(
    undisturbed: Simulator, desk: Desk
) -> None:
    """While it is stalled and closed an order fills; the venue's list of fills has it, once."""
    missed, heard_of = desk.order("0.01"), desk.order("0.02")

    async def story() -> None:
        async with account_of(desk) as heard:
            heard.opened.clear()
            began = datetime.now(UTC) - timedelta(minutes=2)
            await asyncio.to_thread(undisturbed.disturb, "socket_stall", venue=desk.venue)
            await desk.trading.submit(missed)
            await asyncio.to_thread(undisturbed.disturb, "socket_close", venue=desk.venue)
            async with asyncio.timeout(10):
                while not await asyncio.to_thread(has_closed, undisturbed):
                    await asyncio.sleep(0.05)
                await asyncio.to_thread(undisturbed.ask, "DELETE", "/faults")
                await heard.opened.wait()
            assert not [fact for fact in told(heard) if is_about(fact, missed)]

            [fill] = await desk.account.fills(desk.symbol, since=began)
            assert fill.base_quantity == missed.base_quantity
            assert whose(await desk.account.trace(fill)) == missed.client_order_id

            await desk.trading.submit(heard_of)
            await heard.first(lambda fact: is_about(fact, heard_of))

    run(story())


def has_closed(simulator: Simulator) -> bool:
    rules = simulator.ask("GET", "/faults")["faults"]
    return any(rule["action"] == "socket_close" and rule["fired"] for rule in rules)


def told(heard: Heard) -> list[Any]:
    return [heard.facts.get_nowait() for _ in range(heard.facts.qsize())]


def whose(fact: Fill | OrderReport) -> str | None:
    return fact.client_order_id


def is_about(fact: Any, request: OrderRequest) -> bool:
    return isinstance(fact, Fill | OrderReport) and whose(fact) == request.client_order_id


@pytest.fixture
def redis() -> Iterator[Redis]:
    running = RunningRedis()
    with Redis.from_url(running.url) as client:
        yield client
    running.stop()


def test_feed_joins_streams_and_intervals_and_publishes_them(
    simulator: Simulator, redis: Redis
) -> None:
    changed: set[str] = set()

    async def story() -> list[Instrument]:
        instruments = [
            i
            for venue in DERIVATIVES
            for i in await instruments_of(venue)
            if i.kind is InstrumentKind.PERPETUAL
        ]
        feed = MarketFeed(instruments, dict.fromkeys(DERIVATIVES, Mode.REHEARSAL), redis)
        task = asyncio.create_task(feed.run(changed.update))
        async with asyncio.timeout(15):
            while not is_complete(feed.board, instruments):
                await asyncio.sleep(0.05)
        await feed.flush()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return instruments

    instruments = run(story())

    published = Board.load(redis, DERIVATIVES)
    assert "BTC" in changed
    assert is_complete(published, instruments)
    rates = [row.funding for row in published.rows.values() if row.funding is not None]
    # The simulator of this session settles every minute, Deribit every hour.
    hourly = {rate.interval_seconds for rate in rates if rate.venue == "deribit"}
    others = {rate.interval_seconds for rate in rates if rate.venue != "deribit"}
    assert (hourly, others) == ({3600}, {60})


def test_only_the_venue_whose_listing_changed_opens_its_sockets_anew_and_the_board_stays(
    simulator: Simulator, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    venues = ("bybit", "binanceusdm")
    modes = dict.fromkeys(venues, Mode.REHEARSAL)

    def opened() -> list[str]:
        return [row.__dict__["feed"] for row in caplog.records if row.message == "stream open"]

    async def story() -> None:
        before = [i for venue in venues for i in await instruments_of(venue)]
        feed = MarketFeed(before, modes, redis)
        task = asyncio.create_task(feed.run(lambda _: None))
        perpetuals = [i for i in before if i.kind is InstrumentKind.PERPETUAL]
        async with asyncio.timeout(15):
            while not is_complete(feed.board, perpetuals):
                await asyncio.sleep(0.05)
        board = feed.board
        first = len(opened())

        feed.relist([replace(i, lot=i.lot * 10, **CHANGED) for i in before], modes)
        assert not any(task.cancelling() for task in asyncio.all_tasks())

        left = next(i for i in perpetuals if i.venue == "bybit" and i.base == "DOGE")
        feed.relist([i for i in before if i != left], modes)
        async with asyncio.timeout(15):
            while "bybit tickers" not in opened()[first:]:
                await asyncio.sleep(0.05)
        assert {name.partition(" ")[0] for name in opened()[first:]} == {"bybit"}
        assert feed.board is board
        assert is_complete(feed.board, perpetuals)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with caplog.at_level("INFO"):
        run(story())


def is_complete(board: Board, instruments: list[Instrument]) -> bool:
    rows = [board.row(i.venue, i.symbol) for i in instruments]
    return all(
        row is not None
        and all(row.fact(channel) is not None for channel in Channel)
        and row.funding is not None
        and row.funding.is_tradable
        for row in rows
    )
