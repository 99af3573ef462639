"""Index prices that a venue tells in a list, and on a channel, of their own: OKX.

The streamed messages are from its documentation (channels mark-price and index-tickers).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.ccxt_adapter.client import Catalogue
from exchanges.ccxt_adapter.feeds import okx as okx_feeds
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import InstrumentKind, MarketFact, Quote, Symbol
from exchanges.simulator.listings import OKX
from exchanges.venues import PROFILES
from tests.simulator.nearby import call, client_at
from tests.simulator.world import World

pytestmark = pytest.mark.protocol


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_contracts_have_the_price_of_their_index_and_spot_has_none(world: World) -> None:
    client = client_at(world, OKX, Catalogue(PROFILES[OKX]))
    quotes = {one.symbol: one for one in call(CcxtMarketData(client).quotes())}
    kinds = {
        symbol: listing.instrument.kind for symbol, listing in client.listings.by_symbol.items()
    }
    swap = world.simulator.listings_at(OKX)["BTC-USDT-SWAP"]
    call(client.close())

    bitcoin = quotes[Symbol("BTC/USDT:USDT")]
    assert bitcoin.index_price == world.simulator.market.index(swap, world.at)
    assert bitcoin.index_price != bitcoin.mark_price
    for symbol, quote in quotes.items():
        assert (quote.index_price is None) is (kinds[symbol] is InstrumentKind.SPOT), symbol


class TestStream:
    @pytest.fixture
    def handle(self, world: World) -> tuple[Callable[[Any], bool], list[MarketFact]]:
        """Return what takes the messages of the marks' socket, and the facts it makes of them."""
        client = client_at(world, OKX, Catalogue(PROFILES[OKX]))
        listed = call(client.ready()).of(is_spot=False)
        facts: list[MarketFact] = []
        some = {"BTC-USDT-SWAP": listed["BTC-USDT-SWAP"]}
        marks = next(okx_feeds.market_feeds(client, some, facts.append))
        call(client.close())
        return marks.handle, facts

    @staticmethod
    def mark() -> dict[str, Any]:
        row = {"instType": "SWAP", "instId": "BTC-USDT-SWAP", "markPx": "60010.5", "ts": "1"}
        return {"arg": {"channel": "mark-price", "instId": "BTC-USDT-SWAP"}, "data": [row]}

    @staticmethod
    def index(price: str) -> dict[str, Any]:
        row = {"instId": "BTC-USDT", "idxPx": price, "ts": "1"}
        return {"arg": {"channel": "index-tickers", "instId": "BTC-USDT"}, "data": [row]}

    def test_mark_comes_with_the_index_that_was_told_last(
        self, handle: tuple[Callable[[Any], bool], list[MarketFact]]
    ) -> None:
        take, facts = handle
        # An index alone is no mark: the channel of marks may be dead beside it.
        heard = [take(self.mark()), take(self.index("60001")), take(self.mark())]

        assert heard == [True, False, True]
        quotes = [fact for fact in facts if isinstance(fact, Quote)]
        assert [one.index_price for one in quotes] == [None, Decimal(60_001)]
        assert quotes[1].mark_price == Decimal("60010.5")

    def test_index_that_nobody_has_told_for_long_is_none(self, world: World) -> None:
        client = client_at(world, OKX, Catalogue(PROFILES[OKX]))
        swap = call(client.ready()).of(is_spot=False)["BTC-USDT-SWAP"]
        call(client.close())
        row = self.mark()["data"][0]
        told = {
            seconds: world.at - timedelta(seconds=seconds)
            # It rests for a minute and is told again.
            for seconds in (89, 91)
        }

        found = {
            seconds: next(okx_feeds.mark_facts(row, swap, world.at, ("60001", at)))
            for seconds, at in told.items()
        }

        assert {seconds: quote.index_price for seconds, quote in found.items()} == {
            89: Decimal(60_001),
            91: None,
        }
