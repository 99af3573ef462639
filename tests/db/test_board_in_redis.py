from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from redis import Redis

from arbsite.launcher.redis_server import server_program
from exchanges.board import CHANGES_CHANNEL, Board, Channel
from exchanges.domain import BookTop, FundingRate, IntervalSource, Quote, Symbol
from tests.machine import wait_until

pytestmark = pytest.mark.db

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BTC = Symbol("BTC/USDT:USDT")
BOOK = BookTop(
    venue="bybit",
    symbol=BTC,
    bid=Decimal("99.50"),
    bid_quantity=Decimal("0.000000000000000001"),
    ask=Decimal("100.5"),
    ask_quantity=Decimal("3"),
    observed_at=NOW,
)
RATE = FundingRate(
    venue="bybit",
    symbol=BTC,
    funding_rate=Decimal("-0.00012345"),
    interval_seconds=240,
    interval_source=IntervalSource.VENUE,
    next_funding_at=NOW + timedelta(minutes=3),
    observed_at=NOW,
    mark_price=Decimal("100.1"),
)
QUOTE = Quote(
    venue="binanceusdm", symbol=BTC, mark_price=Decimal(100), index_price=None, observed_at=NOW
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("redis")
    socket = folder / "redis.sock"
    process = subprocess.Popen(  # noqa: S603 - our own server
        [str(server_program()), "--port", "0", "--unixsocket", str(socket), "--save", ""],
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )
    wait_until(socket.exists, timeout=10, what="Redis has its socket")
    yield socket
    process.terminate()
    process.wait(10)


@pytest.fixture
def redis(server: Path) -> Iterator[Redis]:
    with Redis(unix_socket_path=str(server)) as client:
        client.flushall()
        yield client


def test_facts_come_back_to_the_last_digit(redis: Redis) -> None:
    board = Board()
    for fact in (BOOK, RATE, QUOTE):
        board.apply(fact)

    board.publish(redis)

    loaded = Board.load(redis, ["bybit", "binanceusdm"])
    assert loaded.rows[("bybit", BTC)].book == BOOK
    assert loaded.rows[("bybit", BTC)].funding == RATE
    assert loaded.rows[("binanceusdm", BTC)].quote == QUOTE
    assert loaded.age("bybit", Channel.BOOK, NOW) == timedelta(0)


def test_only_the_rows_asked_for_are_read(redis: Redis) -> None:
    board = Board()
    board.apply(BOOK)
    board.apply(QUOTE)
    board.publish(redis)

    loaded = Board.load_rows(redis, [("bybit", BTC), ("bybit", Symbol("ETH/USDT:USDT"))])

    assert list(loaded.rows) == [("bybit", BTC)]
    assert loaded.rows[("bybit", BTC)].book == BOOK


def test_change_is_announced_by_base_once(redis: Redis) -> None:
    listener = redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]  # redis-py
    listener.subscribe(CHANGES_CHANNEL)
    listener.get_message(timeout=1)
    pepe = Symbol("1000PEPE/USDT:USDT")
    board = Board({("bybit", pepe): "PEPE"})
    for fact in (BOOK, RATE, replace(BOOK, symbol=pepe)):
        board.apply(fact)

    assert board.publish(redis) == ["BTC", "PEPE"]

    message = listener.get_message(timeout=1)
    assert message is not None
    assert orjson.loads(message["data"]) == ["BTC", "PEPE"]
    listener.close()


def test_nothing_new_is_not_announced(redis: Redis) -> None:
    board = Board()
    board.apply(BOOK)
    board.publish(redis)

    assert board.publish(redis) == []


def test_refused_fact_disappears_for_everyone(redis: Redis) -> None:
    board = Board()
    board.apply(BOOK)
    board.publish(redis)

    board.apply(replace(BOOK, bid=Decimal(200), observed_at=NOW + timedelta(seconds=1)))
    board.publish(redis)

    assert Board.load(redis, ["bybit"]).rows == {}


def test_poller_adds_only_what_is_newer_than_the_stream(redis: Redis) -> None:
    board = Board()
    board.apply(BOOK)
    board.publish(redis)

    poller = Board.load(redis, ["bybit"])
    poller.apply(replace(BOOK, bid=Decimal(1), observed_at=NOW - timedelta(seconds=1)))
    poller.apply(RATE)

    assert poller.publish(redis) == ["BTC"]
    assert Board.load(redis, ["bybit"]).rows[("bybit", BTC)].book == BOOK
