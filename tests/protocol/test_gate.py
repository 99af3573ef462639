"""Gate through the real adapter; payloads from its documentation (APIv4, Futures)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import IntervalSource, SettlementKind, Symbol
from tests.protocol.canned import NOW, CannedVenue
from tests.protocol.conftest import assert_exact

pytestmark = pytest.mark.protocol

BITCOIN = Symbol("BTC/USDT:USDT")
NEXT = datetime(2026, 3, 1, 16, tzinfo=UTC)
CONTRACT = {
    "name": "BTC_USDT",
    "type": "direct",
    "quanto_multiplier": "0.0001",
    "order_price_round": "0.1",
    "order_price_deviate": "0.5",
    "order_size_min": 1,
    "order_size_max": 1000000,
    "market_order_size_max": "300000",
    "enable_decimal": False,
    "leverage_min": "1",
    "leverage_max": "100",
    "maintenance_rate": "0.004",
    "mark_price": "60010.5",
    "index_price": "60001",
    "funding_rate": "0.000135",
    "funding_interval": 28800,
    "funding_next_apply": int(NEXT.timestamp()),
    "funding_rate_limit": "0.003",
    "position_size": 32323904,
    "in_delisting": False,
    "is_pre_market": False,
    "status": "trading",
}
TICKER = {
    "contract": "BTC_USDT",
    "last": "60010",
    "total_size": "32323904",
    "volume_24h_quote": "184040233284",
    "mark_price": "60010.5",
    "highest_bid": "60009.9",
    "highest_size": "2500",
    "lowest_ask": "60010.1",
    "lowest_size": "100",
}
BOOK = {
    "current": 1623898993.123,
    "update": 1623898993.121,
    "asks": [{"p": "60010.1", "s": 100}, {"p": "60010.4", "s": 5000}],
    "bids": [{"p": "60009.9", "s": 2500}],
}


def venue(**changes: Any) -> CannedVenue:
    payloads = {
        "/futures/usdt/contracts": [CONTRACT],
        "/futures/usdt/tickers": [TICKER],
        "/futures/usdt/order_book": BOOK,
        "/futures/usdt/funding_rate": [
            {"t": int((NEXT - timedelta(hours=8 * back)).timestamp()), "r": f"0.000{back}"}
            for back in (1, 2, 3)
        ],
        "/spot/time": {"server_time": int(NOW.timestamp() * 1000)},
    }
    return CannedVenue("gate", payloads | changes)


SOON = int(NEXT.timestamp())


@pytest.mark.parametrize(
    ("reduced", "gone", "ends_at"),
    [
        (0, 0, None),
        (None, None, None),
        (0, SOON, NEXT),
        # From there on it is only reduced: it must be left before.
        (SOON, SOON + 3600, NEXT),
        (SOON, 0, NEXT),
    ],
)
def test_contract_that_will_be_delisted_ends_when_it_may_only_be_reduced(
    reduced: int | None, gone: int | None, ends_at: datetime | None
) -> None:
    leaving = CONTRACT | {"delisting_time": reduced, "delisted_time": gone}
    of_one = venue(**{"/futures/usdt/contracts": [leaving]})

    assert of_one.one(BITCOIN, CcxtMarketData.instruments).expires_at == ends_at


@pytest.mark.parametrize(
    ("since", "ends_at"),
    [(int(NOW.timestamp()) - 60, NOW - timedelta(minutes=1)), (0, NOW.replace(hour=0, minute=0))],
)
def test_contract_that_may_only_be_reduced_trades_and_its_end_has_come(
    since: int, ends_at: datetime
) -> None:
    """Closing is what it is still for: an exit that waited would wait until it is settled."""
    reduced = CONTRACT | {"status": "delisting", "in_delisting": True, "delisting_time": since}
    gone = reduced | {"name": "ETH_USDT", "status": "delisted"}
    of_two = venue(**{"/futures/usdt/contracts": [reduced, gone]})

    found = {one.symbol: one for one in of_two.ask(CcxtMarketData.instruments)}

    assert (found[BITCOIN].is_active, found[BITCOIN].expires_at) == (True, ends_at)
    assert not found[Symbol("ETH/USDT:USDT")].is_active


def test_contract_of_a_ten_thousandth_coin_is_counted_in_coins() -> None:
    instrument = venue().one(BITCOIN, CcxtMarketData.instruments)

    assert (instrument.contract_base, instrument.lot) == (Decimal("0.0001"), Decimal("0.0001"))
    # 300,000 contracts in one market order.
    assert (instrument.min_base_quantity, instrument.max_base_quantity) == (Decimal("0.0001"), 30)
    assert (instrument.price_tick, instrument.max_leverage) == (Decimal("0.1"), 100)
    assert instrument.maintenance_margin_rate == Decimal("0.004")
    assert instrument.settlement is SettlementKind.LUMP
    assert_exact(instrument)


def test_what_is_not_issued_is_left_out_and_what_is_suspended_inactive() -> None:
    others = [
        CONTRACT | {"name": "NEW_USDT", "is_pre_market": True},
        CONTRACT | {"name": "OLD_USDT", "status": "suspend"},
    ]
    found = venue(**{"/futures/usdt/contracts": [CONTRACT, *others]}).ask(
        CcxtMarketData.instruments
    )

    assert {one.symbol: one.is_active for one in found} == {
        BITCOIN: True,
        "OLD/USDT:USDT": False,
    }


def test_rate_with_interval_next_settlement_bounds_and_marks() -> None:
    rate = venue().one(BITCOIN, CcxtMarketData.funding_rates)

    assert rate.funding_rate == Decimal("0.000135")
    assert (rate.interval_seconds, rate.interval_source) == (28_800, IntervalSource.VENUE)
    assert rate.next_funding_at == NEXT
    assert (rate.cap, rate.floor) == (Decimal("0.003"), Decimal("-0.003"))
    assert (rate.mark_price, rate.index_price) == (Decimal("60010.5"), 60_001)
    assert_exact(rate)


def test_contract_that_settles_hourly_is_taken_at_its_word() -> None:
    hourly = CONTRACT | {"funding_interval": 3600}
    rate = venue(**{"/futures/usdt/contracts": [hourly]}).one(BITCOIN, CcxtMarketData.funding_rates)

    assert rate.interval_seconds == 3600


def test_touch_depth_and_activity_are_in_coins() -> None:
    top, activity = venue().one(BITCOIN, CcxtMarketData.book_tops, CcxtMarketData.activity)
    book = venue().ask(lambda data: data.depth(BITCOIN, levels=5))

    assert (top.bid, top.bid_quantity) == (Decimal("60009.9"), Decimal("0.25"))
    assert (top.ask, top.ask_quantity) == (Decimal("60010.1"), Decimal("0.01"))
    assert activity.open_interest == Decimal("3232.3904")
    assert activity.turnover_usd == 184_040_233_284
    assert (book.asks[1].price, book.asks[1].base_quantity) == (Decimal("60010.4"), Decimal("0.5"))


def test_settlements_are_asked_by_seconds_and_come_oldest_first() -> None:
    at = venue()
    since = NOW - timedelta(days=2)
    found = at.ask(lambda data: data.settled_funding(BITCOIN, since=since))

    assert [one.settled_at for one in found] == [NEXT - timedelta(hours=8 * n) for n in (3, 2, 1)]
    assert found[-1].funding_rate == Decimal("0.0001")
    [query] = at.requests("/funding_rate")
    assert (query["contract"], query["from"]) == ("BTC_USDT", str(int(since.timestamp())))
