"""What market streams cost: 10 venues x 500 symbols once a second, and 40 live books.

The adapters' own feeds read real sockets of a sender in another process into one board, which is
published as the streams process does. Counted are messages, the processor's share of one core, and
how late the event loop is.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import aiohttp
import numpy as np

from arbsite.launcher.ports import LOOPBACK, free_port
from exchanges.board import Board
from exchanges.ccxt_adapter.feeds import binance_market as binance_market_feeds
from exchanges.ccxt_adapter.feeds import bybit as bybit_feeds
from exchanges.ccxt_adapter.feeds import okx as okx_feeds
from exchanges.ccxt_adapter.feeds.facts import fixed
from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.sockets import Feed, Socket
from exchanges.domain import Instrument, InstrumentKind, Symbol
from exchanges.feeds import PUBLISH_EVERY
from exchanges.venues.okx import PROFILE as OKX
from tests.benchmarks.feed_server import BOOKS, SYMBOLS, name
from tests.machine import ROOT
from tests.market import D
from tests.simulation.memory import MemoryRedis

Result = dict[str, dict[str, Any]]

SECONDS, WARM_UP = 15.0, 5.0
KINDS = ("binance", "bybit", "okx")
VENUES = 10
STALL_EVERY = 0.005


class Reader:
    """All feeds into one board, with what they cost."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._redis = MemoryRedis()
        self.board = Board()
        self.messages = 0
        self.late: list[float] = []

    async def run(self) -> tuple[float, float]:
        """Return messages a second and the share of one core, after the warm-up."""
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
            tasks = [group.create_task(Socket(session, feed).run()) for feed in self._feeds()]
            tasks.append(group.create_task(self._publish()))
            tasks.append(group.create_task(self._stall()))
            await asyncio.sleep(WARM_UP)
            self.messages, started, spent = 0, time.monotonic(), time.process_time()
            self.late.clear()
            await asyncio.sleep(SECONDS)
            lasted = time.monotonic() - started
            rates = self.messages / lasted, (time.process_time() - spent) / lasted
            for task in tasks:
                task.cancel()
        return rates

    def _feeds(self) -> Iterator[Feed]:
        for number in range(VENUES):
            kind = KINDS[number % len(KINDS)]
            listings = _listings(f"{kind}{number}", SYMBOLS)
            yield from self._of_kind(kind, listings)
        yield from self._of_kind("live", _listings("live", BOOKS))

    def _of_kind(self, kind: str, listings: dict[str, Listing]) -> Iterator[Feed]:
        emit = self.board.apply
        if kind == "bybit":
            yield self._at("bybit-tickers", _only(bybit_feeds.market_feeds, listings, emit))
        elif kind == "okx":
            feeds = list(okx_feeds.market_feeds(_Addresses(), listings, emit))  # type: ignore[arg-type]
            yield self._at("okx-marks", feeds[0])
            yield self._at("okx-tickers", feeds[1])
        else:
            feeds = list(binance_market_feeds.usdm_market_feeds(_Addresses(), listings, emit))  # type: ignore[arg-type]
            yield self._at("live-books" if kind == "live" else "binance-books", feeds[0])
            if kind != "live":
                yield self._at("binance-marks", feeds[-1])

    def _at(self, stream: str, feed: Feed) -> Feed:
        def handle(message: Any) -> bool:
            self.messages += 1
            return feed.handle(message)

        url = fixed(f"ws://{LOOPBACK}:{self._port}/{stream}")
        return replace(feed, url=url, handle=handle, upkeep=None, pings=False)

    async def _publish(self) -> None:
        while True:
            await asyncio.sleep(PUBLISH_EVERY)
            changes = self.board.take_changes()
            await asyncio.to_thread(changes.write, self._redis)  # type: ignore[arg-type]

    async def _stall(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + STALL_EVERY
            await asyncio.sleep(STALL_EVERY)
            self.late.append(loop.time() - due)


def measure() -> Result:
    """Return messages/s, the share of one core in %, and stalls of the loop in ms."""
    port = free_port()
    sender = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "tests.benchmarks.feed_server", "--port", str(port)], cwd=ROOT
    )
    reader = Reader(port)
    try:
        rate, share = asyncio.run(reader.run())
    finally:
        # It keeps nothing that a quiet end would save.
        sender.kill()
        sender.wait(10)
    if len(reader.board.rows) < VENUES * SYMBOLS:
        raise RuntimeError(f"only {len(reader.board.rows)} instruments arrived")
    p50, p99 = np.percentile([late * 1000 for late in reader.late], [50, 99]).tolist()
    count = int(rate * SECONDS)
    return {
        "feed_messages": {"p50": rate, "p99": rate, "unit": "/s", "n": count},
        "feed_cpu": {"p50": share * 100, "p99": share * 100, "unit": "%", "n": count},
        "feed_stall": {"p50": p50, "p99": p99, "unit": "ms", "n": len(reader.late)},
    }


class _Addresses:
    """As much of a client as a feed asks for its address; `_at` replaces it."""

    def __init__(self) -> None:
        self.exchange = self
        self.urls = {"api": {"ws": _Any()}}

    def get_ws_url(self, *_: str) -> str:
        return ""

    def implode_hostname(self, _: object) -> str:
        return ""


class _Any(str):
    def __getitem__(self, _: object) -> _Any:
        return self


def _only(
    make: Callable[..., Iterator[Feed]], listings: dict[str, Listing], emit: Callable[..., bool]
) -> Feed:
    (feed,) = make(_Addresses(), listings, emit)
    return feed


def _listings(venue: str, count: int) -> dict[str, Listing]:
    return {name(number): _listing(venue, number) for number in range(count)}


def _listing(venue: str, number: int) -> Listing:
    base = f"B{number:03}"
    instrument = Instrument(
        venue=venue,
        symbol=Symbol(f"{base}/USDT:USDT"),
        venue_symbol=name(number),
        kind=InstrumentKind.PERPETUAL,
        base=base,
        quote="USDT",
        settle="USDT",
        contract_base=D(1),
        price_tick=D("0.1"),
        lot=D("0.001"),
        min_base_quantity=D("0.001"),
        min_notional=D(5),
    )
    market = {"info": {OKX.index_key: f"{base}-USDT"}}
    return Listing(instrument=instrument, price_multiplier=D(1), market=market)


if __name__ == "__main__":
    print(measure())
