"""An answer that was long on its way is as old as its request, by a clock that only waits move."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Credential, Surroundings
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.client_order_ids import in_venue_form
from exchanges.domain import OrderRequest, Side, Symbol
from exchanges.errors import RateLimited
from exchanges.limits.lanes import Lane, asking
from exchanges.limits.limiter import Limiter
from exchanges.simulator.listings import BYBIT, USDM
from exchanges.venues import PROFILES
from tests.paper_desk import order
from tests.protocol.conftest import DERIVATIVES, DOLLARS
from tests.simulation.timeline import Timeline, TimelineLoop
from tests.simulation.transport import InProcessSession
from tests.simulator.nearby import Nearby
from tests.simulator.world import World
from trading.core.risk import refuse_bad_book

pytestmark = pytest.mark.protocol

T = TypeVar("T")
# Less than an order may take; several requests one after the other take it each.
LATE = 3
MOST = timedelta(seconds=2)
# How late the limiter may look again.
JUST = timedelta(milliseconds=50)


class Line:
    """A client of one account at a venue whose every answer may be seconds on its way."""

    def __init__(self, folder: Path, venue: str) -> None:
        self.timeline = Timeline()
        self.loop = TimelineLoop(self.timeline)
        self.world, self.venue = World(folder, watched=True), venue
        self.timeline.listener = self._pass_time
        keys, far = self.world.account(venue), Nearby(self.world)
        self.limiter = Limiter(share=1, now=lambda: self.now.timestamp())
        self.client = VenueClient(
            Catalogue(PROFILES[venue]),
            credential=Credential(
                name="one", api_key=keys.api_key, secret=keys.secret, passphrase=keys.passphrase
            ),
            surroundings=Surroundings(
                now=lambda: self.now,
                monotonic=lambda: self.timeline.seconds,
                session=lambda: InProcessSession(lambda: far),
                limiter=self.limiter,
            ),
        )
        self.data = CcxtMarketData(self.client)
        self.account, self.trading = CcxtAccount(self.client), CcxtTrading(self.client)
        dollar = DOLLARS.get(venue, "USDT")
        self.symbol = Symbol(f"BTC/{dollar}:{dollar}")
        self.world.place(venue, Side.BUY, "0.1")

    @property
    def now(self) -> datetime:
        return self.timeline.at

    def _pass_time(self, at: datetime) -> None:
        self.world.at = at

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        # With all of each limit, so that nothing waits for room.
        with asking(Lane.CLOSE, within=30):
            return self.loop.run_until_complete(coroutine)

    def delay(self, **rule: Any) -> None:
        """Let every answer be on its way for three seconds, as it was when it left."""
        late = {"action": "delay", "after_accept": True, "seconds": LATE, "count": None}
        self.world.venues.faults.add(late | rule)

    def order(self) -> OrderRequest:
        request = order(Side.BUY, "0.01", symbol=self.symbol)
        own_id = in_venue_form(request.client_order_id, self.venue)
        return replace(request, client_order_id=own_id)


OpenLine = Callable[[str], Line]


@pytest.fixture
def open_line(tmp_path: Path) -> Iterator[OpenLine]:
    opened: list[Line] = []

    def make(venue: str) -> Line:
        line = Line(tmp_path, venue)
        opened.append(line)
        # What is asked once for good is asked now: the list, who we are, when it settled last.
        line.run(line.client.ready())
        line.run(line.data.funding_rates())
        line.run(line.account.positions())
        line.limiter.forget()
        return line

    yield make
    for line in opened:
        line.run(line.client.close())
        line.loop.close()


@pytest.fixture(params=DERIVATIVES)
def late(request: pytest.FixtureRequest, open_line: OpenLine) -> Line:
    """A line to each venue in turn on which everything is late from now on."""
    line = open_line(request.param)
    line.delay()
    return line


async def _depth(line: Line) -> Any:
    return [await line.data.depth(line.symbol, levels=5)]


async def _interest(line: Line) -> Any:
    told = await line.data.open_interest(line.symbol)
    return [] if told is None else [told]


READS: dict[str, Callable[[Line], Coroutine[Any, Any, Any]]] = {
    "book": _depth,
    "touches": lambda line: line.data.book_tops(),
    "marks": lambda line: line.data.quotes(),
    "rates": lambda line: line.data.funding_rates(),
    "activity": lambda line: line.data.activity(),
    "open interest": _interest,
    "positions": lambda line: line.account.positions(),
    "balances": lambda line: line.account.balances(),
}


# Where a list does not tell them, or no call tells them one by one.
UNTOLD = {("deribit", "touches")} | {
    (venue, "open interest") for venue in DERIVATIVES if PROFILES[venue].open_interest is None
}


@pytest.mark.parametrize("what", READS)
def test_what_an_answer_tells_is_as_old_as_its_first_request(late: Line, what: str) -> None:
    asked_at = late.now

    told = late.run(READS[what](late))

    if (late.venue, what) in UNTOLD:
        assert told == []
        return
    assert {fact.observed_at for fact in told} == {asked_at}
    assert late.now - asked_at >= timedelta(seconds=LATE)


def test_what_a_venue_says_of_an_order_is_as_old_as_the_question(open_line: OpenLine) -> None:
    line = open_line(USDM)
    line.delay()
    sent_at = line.now
    placed = line.run(line.trading.submit(line.order()))
    assert placed.client_order_id is not None
    asked_at = line.now

    found = line.run(line.trading.find_order(placed.client_order_id, line.symbol))

    assert (placed.observed_at, found.observed_at) == (sent_at, asked_at)
    assert asked_at - sent_at >= timedelta(seconds=LATE)


def test_a_book_whose_answer_took_three_seconds_is_refused_as_three_seconds_old(
    open_line: OpenLine,
) -> None:
    line = open_line(USDM)
    [top] = [one for one in line.run(line.data.book_tops()) if one.symbol == line.symbol]
    assert refuse_bad_book(top, line.now, MOST) is None
    line.delay()

    [top] = [one for one in line.run(line.data.book_tops()) if one.symbol == line.symbol]

    refusal = refuse_bad_book(top, line.now, MOST)
    assert refusal is not None
    assert refusal.sentence == (
        "The book of BTC/USDT:USDT on binanceusdm is 3.0 s old; the most is 2.0 s."
    )


def test_waiting_for_room_within_our_own_limits_makes_no_fact_older_or_younger(
    open_line: OpenLine,
) -> None:
    line = open_line(USDM)
    line.world.venues.faults.add({"action": "rate_limit", "retry_after": 5})
    with pytest.raises(RateLimited):
        line.run(line.data.depth(line.symbol, levels=5))
    line.delay()
    asked_at = line.now

    book = line.run(line.data.depth(line.symbol, levels=5))

    # Five seconds until it might be sent, and three on its way.
    assert book.observed_at - asked_at == pytest.approx(timedelta(seconds=5), abs=JUST)
    assert line.now - book.observed_at == pytest.approx(timedelta(seconds=3), abs=JUST)


def test_a_list_of_several_requests_is_as_old_as_the_first_of_them(open_line: OpenLine) -> None:
    # Bybit lists positions by the coin that they settle in.
    line = open_line(BYBIT)
    assert len(PROFILES[BYBIT].positions.parts) > 1  # type: ignore[union-attr]  # it has some
    line.delay()
    asked_at = line.now

    held = line.run(line.account.positions())

    assert line.now - asked_at >= timedelta(seconds=2 * LATE)
    assert [one.observed_at for one in held] == [asked_at]


def test_reads_at_the_same_time_keep_their_own_moments(open_line: OpenLine) -> None:
    line = open_line(USDM)
    line.delay()
    asked_at = line.now

    async def both() -> tuple[Any, Any]:
        first = asyncio.ensure_future(line.data.depth(line.symbol, levels=5))
        await asyncio.sleep(1)
        second = await line.data.depth(line.symbol, levels=5)
        return await first, second

    first, second = line.run(both())

    assert first.observed_at == asked_at
    assert second.observed_at - asked_at == timedelta(seconds=1)
