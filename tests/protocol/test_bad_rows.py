"""One bad row of a list costs no other row its fact, is counted, and never passes in silence."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Generator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from exchanges.ccxt_adapter.bad_rows import BAD_ROW, take_each
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Surroundings
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.ccxt_adapter.sockets import HANDLER_FAILURES, LOST, Feed
from exchanges.ccxt_adapter.streams import MARKET_FEEDS
from exchanges.domain import MarketFact, Quote
from exchanges.errors import UnexpectedPayload
from exchanges.simulator.deliveries import Delivery
from exchanges.simulator.wire import WireRequest, WireResponse
from exchanges.venues import PROFILES
from tests.simulation.transport import InProcessSession
from tests.simulator.nearby import Nearby, call
from tests.simulator.world import World, bitcoin

pytestmark = pytest.mark.protocol

NUMBER = re.compile(r"-?[0-9.]+(e-?[0-9]+)?")
MARK = {"i": "100", "r": "0.0001", "T": 1_800_000_000_000}
GATE = {"index_price": "100", "funding_rate": "0.0001"}
OKX = {"channel": "mark-price"}
# Two rows of each venue that tells many contracts at once; the mark of the first may be spoilt.
SENT: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "binanceusdm": (
        "binanceusdm mark",
        lambda mark: [{"s": "BTCUSDT", "p": mark, **MARK}, {"s": "ETHUSDT", "p": "100", **MARK}],
    ),
    "gate": (
        "gate tickers",
        lambda mark: {
            "channel": "futures.tickers",
            "event": "update",
            "result": [
                {"contract": "BTC_USDT", "mark_price": mark, **GATE},
                {"contract": "ETH_USDT", "mark_price": "100", **GATE},
            ],
        },
    ),
    "okx": (
        "okx marks",
        lambda mark: {
            "arg": OKX,
            "data": [
                {"instId": "BTC-USDT-SWAP", "markPx": mark},
                {"instId": "ETH-USDT-SWAP", "markPx": "100"},
            ],
        },
    ),
}


class Spoilt(Nearby):
    """The other end of a wire that spoils the row of one contract in every list it is in."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.name = ""

    def answer(self, request: WireRequest, rule: Any) -> Delivery:
        delivery = super().answer(request, rule)
        told = delivery.response
        if not self.name or told is None:
            return delivery
        body = orjson.dumps(self._spoilt(orjson.loads(told.body)))
        response = WireResponse(status=told.status, body=body, outcome=told.outcome)
        return Delivery(ending=delivery.ending, response=response)

    def _spoilt(self, payload: Any) -> Any:
        if isinstance(payload, list):
            return [self._spoilt(row) for row in payload]
        if not isinstance(payload, dict):
            return payload
        if self.name in payload.values():
            return {key: _no_number(one) for key, one in payload.items()}
        return {key: self._spoilt(inner) for key, inner in payload.items()}


def _no_number(told: Any) -> Any:
    is_number = NUMBER.fullmatch(str(told)) is not None
    return "no number" if is_number else told


class Bench:
    def __init__(self, folder: Path, venue: str) -> None:
        self.world, self.venue = World(folder, watched=True), venue
        self.far = Spoilt(self.world)
        near = Surroundings(
            now=lambda: self.world.at, session=lambda: InProcessSession(lambda: self.far)
        )
        self.client = VenueClient(Catalogue(PROFILES[venue]), surroundings=near)
        self.data = CcxtMarketData(self.client)
        self.facts: list[MarketFact] = []

    def feed(self, name: str) -> Feed:
        part = self.client.profile.parts[0]
        listings = call(self.client.ready()).of(is_spot=part.is_spot)
        feeds = MARKET_FEEDS[part.name, part.is_spot](self.client, listings, self.facts.append)
        return next(feed for feed in feeds if feed.name == name)


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Bench]:
    made = Bench(tmp_path, request.param)
    yield made
    call(made.client.close())


def heard_by(feed: Feed, sent: Any) -> bool:
    return feed.handle(feed.decode(orjson.dumps(sent)))


@pytest.mark.parametrize("bench", SENT, indirect=True)
@pytest.mark.parametrize("mark", ["", None, "NaN", "1e400", True])
def test_a_mark_that_is_none_costs_no_other_contract_its_facts(bench: Bench, mark: Any) -> None:
    name, sent = SENT[bench.venue]
    feed, before = bench.feed(name), LOST[name, BAD_ROW]

    assert heard_by(feed, sent(mark))

    marks = [fact for fact in bench.facts if isinstance(fact, Quote)]
    assert [str(fact.symbol)[:3] for fact in marks] == ["ETH"]
    # Gate's empty mark says that there is none.
    is_said = bench.venue == "gate" and not mark
    assert LOST[name, BAD_ROW] == before + (not is_said)


@pytest.mark.parametrize("bench", ["binanceusdm"], indirect=True)
def test_an_array_without_a_good_row_is_a_failure_of_the_socket(bench: Bench) -> None:
    feed, row = bench.feed("binanceusdm mark"), {"s": "BTCUSDT", "p": "", **MARK}

    with pytest.raises(HANDLER_FAILURES):
        feed.handle([row, {**row, "s": "ETHUSDT"}, {"s": "NOTOURS", "p": "100", **MARK}])

    assert bench.facts == []


READS: Mapping[str, Callable[[CcxtMarketData], Coroutine[Any, Any, Any]]] = {
    "quotes": lambda data: data.quotes(),
    "book tops": lambda data: data.book_tops(),
    "funding rates": lambda data: data.funding_rates(),
}
CONTRACTS = (
    "binanceusdm",
    "bybit",
    "okx",
    "bitget",
    "gate",
    "kucoin",
    "krakenfutures",
    "hyperliquid",
)


@pytest.mark.parametrize("bench", CONTRACTS, indirect=True)
@pytest.mark.parametrize("read", READS)
def test_a_row_of_nonsense_in_a_list_costs_no_other_contract_its_fact(
    bench: Bench, read: str
) -> None:
    sound = {fact.symbol for fact in call(READS[read](bench.data))}
    spoilt = {
        listing.symbol
        for listing in call(bench.client.ready()).by_symbol.values()
        if listing.instrument.venue_symbol == bitcoin(bench.venue)
    }
    counted = LOST.total()
    bench.far.name = bitcoin(bench.venue)

    told = {fact.symbol for fact in call(READS[read](bench.data))}

    assert spoilt & sound
    assert told == sound - spoilt
    assert LOST.total() > counted


@pytest.mark.parametrize("bench", ["binance"], indirect=True)
def test_a_list_without_a_good_row_is_a_failure_of_the_venue(bench: Bench) -> None:
    call(bench.client.ready())
    bench.far._spoilt = lambda payload: [{**row, "bidPrice": "x"} for row in payload]  # type: ignore[method-assign]
    bench.far.name = "all"

    with pytest.raises(UnexpectedPayload):
        call(bench.data.book_tops())


def test_rows_are_counted_as_they_are_left_out_and_told_of_at_each_doubling(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[int] = []

    def take(row: str, now: datetime) -> bool:
        heard.append(int(row))
        return True

    for _ in range(5):
        take_each(["1", "x", "2"], take, datetime.now(UTC), "some list")

    assert heard == [1, 2] * 5
    assert LOST["some list", BAD_ROW] == 5
    # The first, the second and the fourth.
    assert [record.__dict__["times"] for record in caplog.records] == [1, 2, 4]
