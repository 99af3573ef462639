"""Payloads recorded from the venues, read by the same parsers as everything else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.ccxt_adapter import parse, parse_account
from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.listing import Listing, Listings, read_listings
from exchanges.ccxt_adapter.rows import fetch_rows
from exchanges.domain import Side, VenueOrderStatus
from exchanges.errors import CredentialRefused
from exchanges.venues import PROFILES
from exchanges.venues.rows import Rows
from tests.protocol.conftest import assert_exact

ADAPTERS = Path(__file__).resolve().parents[3] / "shared/fixtures/nautilus_trader/crates/adapters"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
BYBIT, USDM, SPOT = PROFILES["bybit"], PROFILES["binanceusdm"], PROFILES["binance"]

pytestmark = [
    pytest.mark.protocol,
    pytest.mark.skipif(not ADAPTERS.is_dir(), reason="../shared with recorded payloads is absent"),
]


def recorded(name: str) -> Any:
    venue, _, file = name.partition("/")
    return json.loads((ADAPTERS / venue / "test_data" / file).read_text())


class Recording:
    """Stands where the library's raw calls are: every call answers with one recorded payload."""

    id = "recording"

    def __init__(self, payload: Any) -> None:
        self.payload = payload

    def __getattr__(self, method: str) -> Any:
        async def answer(request: Mapping[str, Any]) -> Any:
            return self.payload

        return answer


def rows_of(rows: Rows | None, name: str) -> list[Mapping[str, Any]]:
    assert rows is not None
    return asyncio.run(fetch_rows(Recording(recorded(name)), rows))[
        : None if len(rows.parts) == 1 else len(recorded(name)["result"]["list"])
    ]


def bybit_listings(
    name: str = "bybit/http_get_instruments_linear.json", category: str = "linear"
) -> Listings:
    exchange = VenueClient(Catalogue(BYBIT)).exchange
    payload = recorded(name)
    # The recording was cut down to its list; the venue names the category beside it.
    payload["result"]["category"] = category
    exchange.publicGetV5MarketInstrumentsInfo = Recording(payload).any
    markets = asyncio.run(exchange.fetch_future_markets({"category": "linear"}))
    return read_listings(BYBIT, markets, {})


def listing_of(venue_symbol: str) -> Listing:
    return bybit_listings().by_venue_symbol[venue_symbol]


def test_linear_contracts_of_bybit_become_instruments() -> None:
    listings = bybit_listings().by_venue_symbol

    bitcoin = listings["BTCUSDT"].instrument
    assert bitcoin.symbol == "BTC/USDT:USDT"
    assert (bitcoin.lot, bitcoin.price_tick) == (Decimal("0.001"), Decimal("0.5"))
    # The smaller of the largest limit order, 100, and the largest market order, 50.
    assert bitcoin.max_base_quantity == Decimal(50)
    assert bitcoin.min_notional == Decimal(5)
    assert bitcoin.max_leverage == Decimal(100)
    # The recording says 8 minutes, whatever its author meant by it.
    assert bitcoin.funding_interval_seconds == 480
    for listing in listings.values():
        assert_exact(listing.instrument)


def test_inverse_contracts_of_bybit_are_left_out() -> None:
    listings = bybit_listings("bybit/http_get_instruments_inverse.json", "inverse")

    assert listings.by_symbol == {}


def test_positions_of_bybit_are_signed() -> None:
    rows = BYBIT.positions
    assert rows is not None
    found = {
        row["symbol"]: parse_account.position(row, rows.columns, listing_of("BTCUSDT"), NOW)
        for row in rows_of(rows, "bybit/http_get_positions.json")
    }

    long = found["BTCUSDT"]
    assert (long.base_quantity, long.entry_price) == (Decimal("0.5"), Decimal("50000.00"))
    assert (long.liquidation_price, long.leverage) == (Decimal("45000.00"), Decimal(10))
    assert not long.is_hedge_mode
    assert all(
        position.base_quantity <= 0 for symbol, position in found.items() if is_short(symbol)
    )
    for position in found.values():
        assert_exact(position)


def is_short(symbol: str) -> bool:
    rows = recorded("bybit/http_get_positions.json")["result"]["list"]
    return any(row["symbol"] == symbol and row["side"] == "Sell" for row in rows)


def test_executions_of_bybit_become_fills() -> None:
    first = rows_of(Rows(method="any", path=BYBIT.fills.path), "bybit/http_get_executions.json")[0]

    fill = parse_account.fill(first, BYBIT.fills.columns, listing_of("BTCUSDT"), BYBIT)

    assert (fill.side, fill.price, fill.base_quantity) == (
        Side.BUY,
        Decimal("50000.00"),
        Decimal("0.100"),
    )
    assert (fill.fee, fill.fee_asset, fill.is_maker) == (Decimal("0.0150"), "USDT", True)
    assert fill.client_order_id == "test-order-001"
    assert_exact(fill)


def test_wallet_of_bybit_becomes_balances() -> None:
    rows = rows_of(BYBIT.balances, "bybit/http_get_wallet_balance.json")

    balances = [parse_account.balance(row, BYBIT.balances.columns, "bybit", NOW) for row in rows]

    assert balances
    for row, balance in zip(rows, balances, strict=True):
        debt = Decimal(row["spotBorrow"])
        assert balance.total == Decimal(row["walletBalance"]) - debt
        assert balance.borrowed == Decimal(row["borrowAmount"])
        assert balance.equity == Decimal(row["equity"])
        assert_exact(balance)


def test_fee_rates_and_funding_history_of_bybit_are_read() -> None:
    rows, fees = BYBIT.settled_funding, BYBIT.fee_tier
    assert rows is not None

    tier = parse_account.fee_tier(
        rows_of(fees, "bybit/http_get_fee_rate.json")[0],
        fees.columns,
        listing_of("BTCUSDT"),
        BYBIT,
    )
    settled = [
        parse.settled_funding(row, rows.columns, listing_of("BTCUSDT"))
        for row in rows_of(rows, "bybit/http_get_funding_history.json")
    ]

    assert (tier.maker, tier.taker) == (Decimal("0.0001"), Decimal("0.0006"))
    assert settled[0].settled_at == datetime(2024, 3, 8, 8, tzinfo=UTC)
    assert settled[0].funding_rate == Decimal("0.0001")


def test_orders_of_bybit_are_reported_by_what_became_of_them() -> None:
    exchange = VenueClient(Catalogue(BYBIT)).exchange
    listing = listing_of("BTCUSDT")
    exchange.set_markets([dict(listing.market)])

    (canceled, *_) = recorded("bybit/http_get_orders_history.json")["result"]["list"]
    (cut, *_) = recorded("bybit/http_get_order_partially_filled_rejected.json")["result"]["list"]
    reports = [
        parse_account.order_report(exchange.parse_order(row, listing.market), listing, NOW)
        for row in (canceled, cut)
    ]

    assert reports[0].status is VenueOrderStatus.CANCELED
    assert reports[0].client_order_id == "client-1"
    assert reports[0].base_quantity == Decimal("0.010")
    # Partly filled and then refused: final, and not filled.
    assert reports[1].status in (VenueOrderStatus.CANCELED, VenueOrderStatus.REJECTED)
    for report in reports:
        assert_exact(report)


def test_key_recorded_as_read_only_is_refused() -> None:
    client = VenueClient(Catalogue(BYBIT))
    client.exchange = Recording(recorded("bybit/http_get_user_query_api.json"))

    with pytest.raises(CredentialRefused, match="read-only"):
        asyncio.run(CcxtAccount(client).check_key())


def test_position_and_assets_of_binance_futures_are_read() -> None:
    rows = USDM.positions
    assert rows is not None

    (row,) = rows_of(rows, "binance/futures/http_json/position_risk.json")
    # Of the second version of this call; the third names its queue rank too.
    position = parse_account.position({"adl": 1, **row}, rows.columns, listing_of("BTCUSDT"), NOW)
    (asset, *_) = rows_of(USDM.balances, "binance/futures/http_json/account_info_v2.json")
    balance = parse_account.balance(asset, USDM.balances.columns, "binanceusdm", NOW)

    assert (position.base_quantity, position.leverage) == (Decimal("0.001"), Decimal(20))
    assert (balance.asset, balance.free) == ("USDT", Decimal("23.72469206"))
    assert_exact(position)
    assert_exact(balance)


def test_trade_and_top_of_binance_spot_are_read() -> None:
    listing = listing_of("BTCUSDT")

    (trade,) = rows_of(SPOT.fills, "binance/spot/http_json/account_trades_response.json")
    fill = parse_account.fill(trade, SPOT.fills.columns, listing, SPOT)
    (row,) = rows_of(SPOT.book_tops, "binance/spot/http_json/book_ticker_response.json")
    top = parse.book_top(row, SPOT.book_tops.columns, listing, NOW)

    assert (fill.side, fill.fee, fill.fee_asset) == (Side.BUY, Decimal("10.10000000"), "BNB")
    assert top is not None
    assert (top.bid, top.ask) == (Decimal("4.00000000"), Decimal("4.00000200"))
    assert_exact(fill)
    assert_exact(top)
