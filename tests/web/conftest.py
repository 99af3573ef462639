"""A small desk for tests of screens: two venues, two symbols, a market in a real Redis."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from arbsite.accounts.models import User
from exchanges.board import Board
from exchanges.domain import BookTop, FundingRate, IntervalSource, Quote, Symbol
from exchanges.models import Instrument
from exchanges.selectors import board_redis
from tests.rehearsal import RunningRedis
from tests.web import rows
from trading.models import Position

D = Decimal
RATES = {"binanceusdm": D("0.0001"), "bybit": D("0.0004")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the owner has: accounts at two venues, a hedged BTC position, an ETH opportunity."""

    user: User
    client: Client
    now: datetime
    position: Position
    instruments: dict[tuple[str, str], Instrument]


@pytest.fixture(scope="session")
def redis_server() -> Generator[RunningRedis]:
    running = RunningRedis()
    yield running
    running.stop()


@pytest.fixture
def own_board(redis_server: RunningRedis, settings: Settings) -> Generator[None]:
    """Read an empty board of our own; forget cached figures of other tests."""
    settings.REDIS_URL = redis_server.url
    board_redis.cache_clear()
    board_redis().flushdb()
    cache.clear()
    yield
    board_redis.cache_clear()


@pytest.fixture
def desk(owner: User, own_board: None) -> Desk:
    now = timezone.now()
    instruments: dict[tuple[str, str], Instrument] = {}
    for code, short_code, name in (("binanceusdm", "BIN", "Binance"), ("bybit", "BYB", "Bybit")):
        exchange = rows.make_exchange(code, short_code, name)
        for base in ("BTC", "ETH"):
            instruments[code, base] = rows.make_instrument(exchange, base, now)
        rows.make_account(owner, exchange, now)
    long, short = instruments["binanceusdm", "BTC"], instruments["bybit", "BTC"]
    position = rows.make_position(owner, long, short, now)
    rows.make_opportunity(
        owner, instruments["binanceusdm", "ETH"], instruments["bybit", "ETH"], now, "Owner's why."
    )
    rows.make_event(owner, "Owner's alert.", now, "critical")
    client = Client()
    client.force_login(owner)
    publish_market(instruments, now)
    return Desk(user=owner, client=client, now=now, position=position, instruments=instruments)


def publish_market(instruments: dict[tuple[str, str], Instrument], now: datetime) -> None:
    """Put fresh facts on the board: marks at 100, books one tick wide, funding in two hours."""
    board = Board()
    for (venue, _), instrument in instruments.items():
        symbol = Symbol(instrument.symbol)
        board.apply(
            FundingRate(
                venue=venue,
                symbol=symbol,
                funding_rate=RATES[venue],
                interval_seconds=rows.HOURS_8,
                interval_source=IntervalSource.VENUE,
                next_funding_at=now + timedelta(hours=2),
                observed_at=now,
            )
        )
        board.apply(
            Quote(
                venue=venue,
                symbol=symbol,
                mark_price=rows.PRICE,
                index_price=rows.PRICE,
                observed_at=now,
            )
        )
        board.apply(
            BookTop(
                venue=venue,
                symbol=symbol,
                bid=D("99.99"),
                bid_quantity=D(10_000),
                ask=D("100.01"),
                ask_quantity=D(10_000),
                observed_at=now,
            )
        )
    board.publish(board_redis())
