"""OKX's payloads, recorded or from its documentation, read by the same parsers as everything else.

A size of the recordings counts contracts: one of BTC-USDT-SWAP is 0.01 BTC.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchanges.ccxt_adapter import parse, parse_account
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.feeds import okx as okx_feeds
from exchanges.ccxt_adapter.listing import Listing, Listings, read_listings
from exchanges.domain import (
    Balance,
    Fill,
    FillCause,
    FundingRate,
    InstrumentKind,
    IntervalSource,
    OrderReport,
    Side,
    VenueOrderStatus,
)
from exchanges.funding_intervals import from_next_two
from exchanges.venues.okx import PROFILE
from tests.protocol.conftest import assert_exact
from tests.protocol.test_recorded_payloads import ADAPTERS, recorded, rows_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BTC = "BTC-USDT-SWAP"

pytestmark = [
    pytest.mark.protocol,
    pytest.mark.skipif(not ADAPTERS.is_dir(), reason="../shared with recorded payloads is absent"),
]


def listings_in(name: str, **changes: Any) -> Listings:
    exchange = VenueClient(Catalogue(PROFILE)).exchange
    rows = [row | changes for row in recorded(f"okx/{name}.json")["data"]]
    return read_listings(PROFILE, [exchange.parse_market(row) for row in rows], {})


def bitcoin() -> Listing:
    return listings_in("http_get_instruments_swap").by_venue_symbol[BTC]


def exchange_with(listing: Listing) -> Any:
    exchange = VenueClient(Catalogue(PROFILE)).exchange
    exchange.set_markets([dict(listing.market)])
    return exchange


def streamed(name: str, **changes: Any) -> list[Any]:
    """Return the facts of a recorded private message."""
    message, listing = recorded(f"okx/{name}.json"), bitcoin()
    exchange, channel = exchange_with(listing), message["arg"]["channel"]
    return [
        fact
        for row in okx_feeds._rows_of(message)
        for fact in okx_feeds.account_facts(channel, row | changes, listing, exchange, NOW)
    ]


def test_linear_swaps_are_counted_in_coins() -> None:
    listings = listings_in("http_get_instruments_swap").by_venue_symbol

    bitcoin = listings[BTC].instrument
    assert bitcoin.symbol == "BTC/USDT:USDT"
    assert (bitcoin.kind, bitcoin.contract_base) == (InstrumentKind.PERPETUAL, Decimal("0.01"))
    assert (bitcoin.lot, bitcoin.price_tick) == (Decimal("0.0001"), Decimal("0.1"))
    assert bitcoin.min_base_quantity == Decimal("0.0001")
    assert bitcoin.max_leverage == Decimal(100)
    assert listings[BTC].base_quantity(Decimal(250)) == Decimal("2.5")
    ether = listings["ETH-USDT-SWAP"].instrument
    # The smaller of the largest limit order, 100000000, and the largest market order, 20000.
    assert (ether.lot, ether.max_base_quantity) == (Decimal("0.001"), Decimal(2000))
    for listing in listings.values():
        assert_exact(listing.instrument)


def test_spot_is_counted_in_coins() -> None:
    listings = listings_in("http_get_instruments_spot")

    spot = listings.by_venue_symbol["BTC-USD"].instrument
    assert (spot.symbol, spot.kind) == ("BTC/USD", InstrumentKind.SPOT)
    assert (spot.contract_base, spot.lot) == (Decimal(1), Decimal("0.00000001"))
    assert (spot.min_base_quantity, spot.price_tick) == (Decimal("0.00001"), Decimal("0.1"))
    # Its largest market order is told in dollars: the limit order's counts, in coins.
    assert (spot.max_base_quantity, spot.maintenance_margin_rate) == (Decimal(9999999999), 0)
    assert_exact(spot)


def test_inverse_contracts_are_left_out() -> None:
    swaps = listings_in("http_get_instruments_swap").by_venue_symbol
    futures = listings_in("http_get_instruments_futures").by_venue_symbol

    assert "BTC-USD-SWAP" not in swaps
    assert all(name.split("-")[1] in ("USDT", "USDC") for name in [*swaps, *futures])


def test_contracts_with_rules_of_their_own_are_left_out() -> None:
    assert listings_in("http_get_instruments_swap", ruleType="pre_market").by_symbol == {}
    assert listings_in("http_get_instruments_swap", ctMult="10").by_symbol == {}


def test_position_of_an_account_in_hedge_mode_is_known_as_such() -> None:
    (row,) = recorded("okx/http_get_positions.json")["data"]
    assert PROFILE.positions is not None

    position = parse_account.position(row, PROFILE.positions.columns, bitcoin(), NOW)
    short = parse_account.position(
        {**row, "posSide": "net", "pos": "-2"}, PROFILE.positions.columns, bitcoin(), NOW
    )

    assert position.is_hedge_mode
    assert (position.base_quantity, position.leverage) == (Decimal("0.005"), Decimal(10))
    assert (position.entry_price, position.liquidation_price) == (Decimal(10000), Decimal(9000))
    assert (short.base_quantity, short.is_hedge_mode) == (Decimal("-0.02"), False)
    assert_exact(position)


def test_assets_become_balances() -> None:
    (row,) = rows_of(PROFILE.balances, "okx/http_get_account_balance.json")

    balance = parse_account.balance(row, PROFILE.balances.columns, "okx", NOW)
    untold = parse_account.balance({**row, "availEq": ""}, PROFILE.balances.columns, "okx", NOW)

    assert (balance.asset, balance.free) == ("USDT", Decimal("94.42612990333333"))
    assert balance.equity == Decimal("99.89469657000001")
    assert balance.borrowed == 0
    # Equity less what is frozen, where the venue does not tell what is free.
    assert untold.free == Decimal("99.89469657000001") - Decimal("5.468566666666667")
    assert_exact(balance)


def test_settled_rates_are_those_that_were_paid() -> None:
    rows = PROFILE.settled_funding
    assert rows is not None

    settled = [
        parse.settled_funding(row, rows.columns, bitcoin())
        for row in rows_of(rows, "okx/http_get_funding_rate_history.json")
    ]

    # The recording predicted 0.0001515032 and realised 0.00015.
    assert settled[0].funding_rate == Decimal("0.00015")
    assert settled[0].settled_at == datetime(2024, 1, 1, tzinfo=UTC)


def test_mark_price_and_streamed_rate_are_read() -> None:
    (row,) = recorded("okx/http_get_mark_price.json")["data"]
    (said,) = recorded("okx/ws_funding_rate.json")["data"]

    quote = parse.quote(row, PROFILE.quotes.columns, bitcoin(), NOW)
    (rate,) = okx_feeds.rate_facts(said, bitcoin(), NOW)

    assert quote is not None
    assert quote.mark_price == Decimal("84660.1")
    assert isinstance(rate, FundingRate)
    assert (rate.funding_rate, rate.interval_seconds) == (Decimal("0.0001"), 8 * 3600)
    assert rate.interval_source is IntervalSource.VENUE
    assert_exact(rate)


def test_interval_is_unknown_without_the_settlement_after_the_next() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)

    assert from_next_two(at, None).seconds is None
    assert from_next_two(None, at).seconds is None
    # While a settlement is being made the two may be one.
    assert from_next_two(at, at).seconds is None


def test_working_order_is_reported_in_coins() -> None:
    (row,) = recorded("okx/http_get_orders_pending.json")["data"]
    listing = bitcoin()

    order = exchange_with(listing).parse_order(row, listing.market)
    report = parse_account.order_report(order, listing, NOW)

    assert (report.status, report.side) == (VenueOrderStatus.OPEN, Side.BUY)
    assert (report.base_quantity, report.filled_base_quantity) == (Decimal("0.001"), Decimal(0))
    assert report.client_order_id == "client-order-1"
    assert report.average_price is None
    assert_exact(report)


def test_streamed_order_is_a_report_and_a_fill_whose_fee_was_paid() -> None:
    # The recording is older than the fee of the fill alone; this order has one fill.
    report, fill = streamed("ws_orders", fillFee="-0.021776769", fillFeeCcy="USDT")

    assert isinstance(report, OrderReport)
    assert isinstance(fill, Fill)
    assert (report.status, report.base_quantity) == (VenueOrderStatus.FILLED, Decimal("0.0003"))
    assert report.average_price == Decimal("103698.9")
    assert (fill.venue_trade_id, fill.base_quantity) == ("1518905529", Decimal("0.0003"))
    assert (fill.fee, fill.fee_asset) == (Decimal("0.021776769"), "USDT")
    assert (fill.is_maker, fill.cause) == (True, FillCause.ORDER)
    assert_exact(report)
    assert_exact(fill)


@pytest.mark.parametrize(
    ("name", "cause"),
    [("ws_orders_liquidation", FillCause.LIQUIDATION), ("ws_orders_adl", FillCause.ADL)],
)
def test_streamed_closing_by_the_venue_tells_its_cause(name: str, cause: FillCause) -> None:
    _, fill = streamed(name, fillFee="-20", fillFeeCcy="USDT")

    assert isinstance(fill, Fill)
    assert (fill.cause, fill.fee) == (cause, Decimal(20))


def test_streamed_account_is_a_balance_of_each_asset() -> None:
    facts = streamed("ws_account")

    assert all(isinstance(fact, Balance) for fact in facts)
    assert facts[0].equity == Decimal("100.52768569797846")


def test_documented_fill_of_the_list_is_read() -> None:
    # From the documentation of transaction details; a rebate is positive there.
    row = {
        "side": "buy", "fillSz": "3", "fillPx": "51858", "fee": "0.002", "feeCcy": "USDT",
        "ordId": "680800019749904384", "clOrdId": "", "subType": "1", "execType": "M",
        "fillTime": "1708587373361", "tradeId": "744876980", "billId": "680800019754098688",
    }  # fmt: skip

    fill = parse_account.fill(row, PROFILE.fills.columns, bitcoin(), PROFILE)

    assert (fill.base_quantity, fill.fee) == (Decimal("0.03"), Decimal("-0.002"))
    assert fill.is_maker


def test_documented_bill_of_funding_is_a_payment() -> None:
    rows = PROFILE.funding_payments
    assert rows is not None
    bill = {"billId": "1", "ccy": "USDT", "pnl": "-0.06", "ts": "1700000000000", "subType": "173"}

    payment = parse_account.funding_payment(bill, rows.columns, bitcoin().symbol, PROFILE)

    assert (payment.payment, payment.venue_payment_id) == (Decimal("-0.06"), "1")


def test_fees_of_the_group_are_positive_where_they_are_paid() -> None:
    group = {"elpMaker": "", "groupId": "2", "maker": "-0.0002", "taker": "-0.0005"}

    tier = parse_account.fee_tier(group, PROFILE.fee_tier.columns, bitcoin(), PROFILE)

    assert (tier.maker, tier.taker) == (Decimal("0.0002"), Decimal("0.0005"))
