"""Streamed payloads, recorded where the folder is there, become facts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.ccxt_adapter.feeds import binance_account as binance_account_feeds
from exchanges.ccxt_adapter.feeds import binance_market as binance_market_feeds
from exchanges.ccxt_adapter.feeds import bybit as bybit_feeds
from exchanges.ccxt_adapter.feeds import hyperliquid as hyperliquid_feeds
from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.sockets import HANDLER_FAILURES
from exchanges.domain import (
    Balance,
    BookTop,
    Fill,
    FundingRate,
    Instrument,
    InstrumentKind,
    OrderReport,
    Quote,
    Side,
    Symbol,
    VenueOrderStatus,
    VenuePosition,
)

pytestmark = pytest.mark.protocol

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ADAPTERS = Path(__file__).resolve().parents[3] / "shared/fixtures/nautilus_trader/crates/adapters"


def recorded(path: str) -> Any:
    if not ADAPTERS.is_dir():
        pytest.skip("recorded payloads are not beside the repository (../shared/fixtures)")
    return json.loads((ADAPTERS / path).read_text())


def listing(
    venue: str,
    symbol: str,
    venue_symbol: str,
    kind: InstrumentKind = InstrumentKind.PERPETUAL,
    *,
    base: str = "BTC",
    quote: str = "USDT",
    multiplier: str = "1",
) -> Listing:
    instrument = Instrument(
        venue=venue,
        symbol=Symbol(symbol),
        venue_symbol=venue_symbol,
        kind=kind,
        base=base,
        quote=quote,
        settle=quote,
        contract_base=Decimal(multiplier),
        price_tick=Decimal("0.1"),
        lot=Decimal("0.001"),
        min_base_quantity=Decimal("0.001"),
        min_notional=Decimal("5"),
    )
    return Listing(instrument=instrument, price_multiplier=Decimal(multiplier), market={})


USDM = listing("binanceusdm", "BTC/USDT:USDT", "BTCUSDT")
BYBIT = listing("bybit", "BTC/USDT:USDT", "BTCUSDT")
PEPE = listing("binanceusdm", "1000PEPE/USDT:USDT", "1000PEPEUSDT", base="PEPE", multiplier="1000")


def test_binance_mark_price_update_is_a_quote_and_a_rate_without_interval() -> None:
    update = recorded("binance/test_data/futures/market_data_json/mark_price_stream.json")

    quote, rate = binance_market_feeds.mark_facts(update, USDM, NOW)

    assert isinstance(quote, Quote)
    assert quote.mark_price == Decimal("11794.15")
    assert quote.index_price == Decimal("11784.62659091")
    assert isinstance(rate, FundingRate)
    assert rate.funding_rate == Decimal("0.00038167")
    assert rate.next_funding_at == datetime(2019, 7, 5, 6, 0, tzinfo=UTC)
    assert rate.interval_seconds is None
    assert rate.observed_at == NOW


def test_scaled_contract_is_priced_per_plain_asset() -> None:
    update = {"s": "1000PEPEUSDT", "p": "0.0125", "i": "0.0124", "r": "0.0001", "T": 1562306400000}

    quote, _ = binance_market_feeds.mark_facts(update, PEPE, NOW)

    assert isinstance(quote, Quote)
    assert quote.mark_price == Decimal("0.0000125")


def test_bybit_ticker_is_a_quote_a_rate_and_a_book_top() -> None:
    message = recorded("bybit/test_data/ws_ticker_linear.json")

    quote, rate, book = bybit_feeds.ticker_facts(message["data"], BYBIT, NOW)

    assert isinstance(quote, Quote)
    assert quote.mark_price == Decimal("17217.33")
    assert isinstance(rate, FundingRate)
    assert rate.funding_rate == Decimal("-0.000212")
    assert rate.next_funding_at == datetime(2023, 1, 9, 16, 0, tzinfo=UTC)
    assert isinstance(book, BookTop)
    assert (book.bid, book.ask_quantity) == (Decimal("17215.50"), Decimal("83.020"))


def test_bybit_delta_changes_what_it_carries_and_confirms_the_rest() -> None:
    facts: list[Any] = []
    tickers = bybit_feeds.Tickers({"BTCUSDT": BYBIT}, facts.append)
    tickers.take(
        {
            "type": "snapshot",
            "data": {
                "symbol": "BTCUSDT",
                "markPrice": "100.1",
                "indexPrice": "100.2",
                "fundingRate": "0.0001",
                "nextFundingTime": "1673280000000",
                "bid1Price": "100",
                "bid1Size": "2",
                "ask1Price": "100.2",
                "ask1Size": "3",
            },
        }
    )
    facts.clear()

    tickers.take({"type": "delta", "data": {"symbol": "BTCUSDT", "bid1Price": "100.1"}})

    book = facts[-1]
    assert (book.bid, book.bid_quantity, book.ask) == (
        Decimal("100.1"),
        Decimal(2),
        Decimal("100.2"),
    )
    assert [type(fact) for fact in facts] == [Quote, FundingRate, BookTop]


def test_bybit_delta_before_its_snapshot_is_not_understood() -> None:
    tickers = bybit_feeds.Tickers({"BTCUSDT": BYBIT}, lambda fact: None)

    with pytest.raises(KeyError):
        tickers.take({"type": "delta", "data": {"symbol": "BTCUSDT", "bid1Price": "100.1"}})


def test_usdm_trade_is_a_report_and_a_fill() -> None:
    message = recorded("binance/test_data/futures/user_data_json/order_update_trade.json")

    report, fill = binance_account_feeds.usdm_account_facts(message, {"BTCUSDT": USDM}, NOW)

    assert isinstance(report, OrderReport)
    assert (report.client_order_id, report.venue_order_id) == ("TEST", "8886774")
    assert report.status is VenueOrderStatus.PARTIAL
    assert report.filled_base_quantity == Decimal("0.001")
    assert isinstance(fill, Fill)
    assert (fill.venue_trade_id, fill.side, fill.price) == (
        "12345678",
        Side.BUY,
        Decimal("7100.50"),
    )
    assert (fill.fee, fill.fee_asset, fill.is_maker) == (Decimal("0.01"), "USDT", True)


def test_usdm_account_update_is_positions_with_their_sign() -> None:
    message = recorded("binance/test_data/futures/user_data_json/account_update.json")

    flat, long, short = binance_account_feeds.usdm_account_facts(message, {"BTCUSDT": USDM}, NOW)

    assert isinstance(flat, VenuePosition)
    assert isinstance(long, VenuePosition)
    assert isinstance(short, VenuePosition)
    assert (flat.base_quantity, flat.is_hedge_mode) == (0, False)
    assert (long.base_quantity, long.entry_price) == (20, Decimal("6563.6"))
    assert (short.base_quantity, short.is_hedge_mode) == (-10, True)


def test_spot_trade_is_a_report_and_a_fill_with_its_fee_asset() -> None:
    event = recorded("binance/test_data/spot/user_data_json/execution_report_trade.json")
    eth = listing("binance", "ETH/USDT", "ETHUSDT", InstrumentKind.SPOT, base="ETH")

    report, fill = binance_account_feeds.spot_account_facts(event, {"ETHUSDT": eth}, NOW)

    assert isinstance(report, OrderReport)
    assert (report.status, report.average_price) == (VenueOrderStatus.FILLED, Decimal(2500))
    assert isinstance(fill, Fill)
    assert (fill.fee, fill.fee_asset) == (Decimal("0.001"), "ETH")


def test_spot_cancel_is_reported_under_the_id_of_the_order() -> None:
    event = recorded("binance/test_data/spot/user_data_json/execution_report_canceled.json")
    eth = listing("binance", event["s"], event["s"], InstrumentKind.SPOT)
    event |= {"C": "the-order", "c": "the-cancel"}

    (report,) = binance_account_feeds.spot_account_facts(event, {event["s"]: eth}, NOW)

    assert isinstance(report, OrderReport)
    assert (report.client_order_id, report.status) == ("the-order", VenueOrderStatus.CANCELED)


def test_spot_fill_without_a_fee_asset_cost_nothing() -> None:
    event = recorded("binance/test_data/spot/user_data_json/execution_report_trade.json")
    event |= {"n": "0", "N": None}
    eth = listing("binance", "ETH/USDT", "ETHUSDT", InstrumentKind.SPOT)

    _, fill = binance_account_feeds.spot_account_facts(event, {"ETHUSDT": eth}, NOW)

    assert isinstance(fill, Fill)
    assert (fill.fee, fill.fee_asset) == (0, "USDT")


def test_spot_account_position_is_a_balance() -> None:
    event = recorded("binance/test_data/spot/user_data_json/account_position_wrapped.json")

    (balance,) = binance_account_feeds.spot_account_facts(event["event"], {}, NOW)

    assert isinstance(balance, Balance)
    assert (balance.asset, balance.free, balance.total) == ("ETH", 10000, 10000)


def test_bybit_order_is_a_report() -> None:
    message = recorded("bybit/test_data/ws_account_order_filled.json")

    (report,) = bybit_feeds.account_facts("order", message["data"][0], BYBIT, NOW)

    assert isinstance(report, OrderReport)
    assert report.client_order_id == "test-client-order-001"
    assert report.status is VenueOrderStatus.FILLED
    assert report.filled_base_quantity == Decimal("0.100")
    assert report.reduce_only is False


def test_bybit_execution_is_a_fill() -> None:
    message = recorded("bybit/test_data/ws_account_execution.json")

    (fill,) = bybit_feeds.account_facts("execution", message["data"][0], BYBIT, NOW)

    assert isinstance(fill, Fill)
    assert (fill.side, fill.price, fill.base_quantity) == (
        Side.SELL,
        Decimal("95900.1"),
        Decimal("0.5"),
    )
    assert (fill.fee, fill.fee_asset) == (Decimal("26.3725275"), "USDT")


def test_bybit_funding_row_is_not_a_fill() -> None:
    row = recorded("bybit/test_data/ws_account_execution.json")["data"][0]

    facts = bybit_feeds.account_facts("execution", row | {"execType": "Funding"}, BYBIT, NOW)

    assert list(facts) == []


def test_bybit_short_position_is_negative() -> None:
    row = recorded("bybit/test_data/ws_account_position_short.json")["data"][0]

    (position,) = bybit_feeds.account_facts("position", row, BYBIT, NOW)

    assert isinstance(position, VenuePosition)
    assert position.base_quantity == -Decimal(row["size"])


@pytest.mark.parametrize(
    "name",
    ["ws_futures_order_update_adl", "ws_futures_order_update_liquidation"],
)
def test_orders_of_the_venue_itself_are_reported_too(name: str) -> None:
    root = "../../tests/integration_tests/adapters/binance/resources/ws_messages"
    message = recorded(f"{root}/{name}.json")
    order = message.get("data", message)
    symbol = order["o"]["s"]

    facts = list(
        binance_account_feeds.usdm_account_facts(
            order, {symbol: listing("binanceusdm", symbol, symbol)}, NOW
        )
    )

    assert isinstance(facts[0], OrderReport)


@pytest.mark.parametrize("told", [0.0000125, float("nan"), True, None, "NaN", "Infinity", ""])
def test_hyperliquids_rate_is_a_number_written_as_text_or_none_at_all(told: Any) -> None:
    coin = listing("hyperliquid", "BTC/USDC:USDC", "BTC", quote="USDC")
    context = {"markPx": "60000", "oraclePx": "60001", "funding": told}

    with pytest.raises(HANDLER_FAILURES):
        list(hyperliquid_feeds.context_facts({"ctx": context}, coin, NOW))


def test_hyperliquids_rate_is_the_one_that_was_written() -> None:
    coin = listing("hyperliquid", "BTC/USDC:USDC", "BTC", quote="USDC")
    context = {"markPx": "60000", "oraclePx": "60001", "funding": "0.0000125"}

    _, rate = hyperliquid_feeds.context_facts({"ctx": context}, coin, NOW)

    assert isinstance(rate, FundingRate)
    assert rate.funding_rate == Decimal("0.0000125")
