"""Cards of the port `MarketData`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from exchanges.domain import IntervalSource
from tests.conformance.bench import Bench
from tests.conformance.cards import card
from tests.protocol.conftest import assert_exact
from tests.simulator.nearby import call

pytestmark = pytest.mark.protocol

SAID = {IntervalSource.VENUE, IntervalSource.SETTLEMENT_SPACING}


class TestMarketData:
    @card("C21")
    def test_instruments(self, bench: Bench) -> None:
        instrument = bench.of_subject(call(bench.market.instruments()))

        assert_exact(instrument)
        assert instrument.is_active
        assert instrument.price_tick > 0
        assert instrument.min_base_quantity % instrument.lot == 0
        assert (instrument.maintenance_margin_rate > 0) is bench.subject.is_contract

    @card("C22")
    def test_funding_interval(self, bench: Bench) -> None:
        rate = bench.of_subject(call(bench.market.funding_rates()))

        assert (rate.interval_seconds, rate.is_tradable) == (3600, True)
        assert rate.interval_source in SAID
        assert_exact(rate)

    @card("C23")
    def test_quote_book_and_depth(self, bench: Bench) -> None:
        quote = bench.of_subject(call(bench.market.quotes()))
        top = bench.of_subject(call(bench.market.book_tops()))
        depth = call(bench.market.depth(bench.subject.symbol, levels=5))

        assert (depth.bids[0].price, depth.asks[0].price) == (top.bid, top.ask)
        sizes = (top.bid_quantity, depth.bids[0]), (top.ask_quantity, depth.asks[0])
        for told, touch in sizes:
            assert 0 < told <= touch.base_quantity
            assert told == touch.base_quantity or not bench.subject.tells_whole_tops
        assert abs(quote.mark_price - top.mid) < 60

    @card("C24")
    def test_settlements(self, bench: Bench) -> None:
        since = bench.world.at - timedelta(hours=12)

        settled = call(bench.market.settled_funding(bench.subject.symbol, since=since))

        moments = [one.settled_at for one in settled]
        assert len(moments) == 12
        assert moments == sorted(set(moments))
