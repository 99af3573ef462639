"""Dated futures at the simulated venues: how they are listed, priced and delivered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from exchanges.domain import Side, VenueOrderStatus
from exchanges.simulator.accounts import Origin
from exchanges.simulator.listings import BYBIT, USDM
from exchanges.simulator.quarters import quarterly
from exchanges.simulator.wire import milliseconds
from tests.simulator.world import START, World

pytestmark = pytest.mark.protocol

SOON, LATER = START + timedelta(hours=2), START + timedelta(days=81)
NEAR = {USDM: "BTCUSDT_260105", BYBIT: "BTCUSDT-05JAN26"}
FAR = {USDM: "BTCUSDT_260327", BYBIT: "BTCUSDT-27MAR26"}


@pytest.fixture
def dated(tmp_path: Path) -> World:
    return World(tmp_path / "venues", expiries=(SOON, LATER))


@pytest.mark.parametrize(
    ("now", "first", "second"),
    [
        (datetime(2026, 1, 5, tzinfo=UTC), "2026-03-27", "2026-06-26"),
        (datetime(2026, 3, 27, 7, 59, tzinfo=UTC), "2026-03-27", "2026-06-26"),
        (datetime(2026, 3, 27, 8, tzinfo=UTC), "2026-06-26", "2026-09-25"),
        (datetime(2026, 12, 31, tzinfo=UTC), "2027-03-26", "2027-06-25"),
    ],
)
def test_quarters_are_delivered_on_their_last_friday_at_eight(
    now: datetime, first: str, second: str
) -> None:
    assert [at.isoformat()[:16] for at in quarterly(now)] == [f"{first}T08:00", f"{second}T08:00"]


def test_binance_lists_quarters_with_their_delivery_date_and_no_funding(dated: World) -> None:
    info = dated.public(USDM, "/fapi/v1/exchangeInfo").body
    near, far = (
        next(row for row in info["symbols"] if row["symbol"] == symbol)
        for symbol in (NEAR[USDM], FAR[USDM])
    )
    assert (near["contractType"], far["contractType"]) == ("CURRENT_QUARTER", "NEXT_QUARTER")
    assert near["deliveryDate"] == milliseconds(SOON)
    assert near["pair"] == "BTCUSDT"

    premium = dated.public(USDM, "/fapi/v1/premiumIndex", symbol=NEAR[USDM]).body
    assert (premium["lastFundingRate"], premium["nextFundingTime"]) == ("", 0)
    assert dated.public(USDM, "/fapi/v1/fundingRate", symbol=NEAR[USDM]).body == []


def test_bybit_lists_linear_futures_with_their_delivery_time_and_no_funding(dated: World) -> None:
    info = dated.public(
        BYBIT, "/v5/market/instruments-info", category="linear", symbol=NEAR[BYBIT]
    ).body["result"]["list"][0]
    assert info["contractType"] == "LinearFutures"
    assert info["deliveryTime"] == str(milliseconds(SOON))

    ticker = dated.public(BYBIT, "/v5/market/tickers", category="linear", symbol=NEAR[BYBIT]).body[
        "result"
    ]["list"][0]
    assert (ticker["fundingRate"], ticker["nextFundingTime"]) == ("", "")
    assert Decimal(ticker["basis"]) == Decimal(ticker["markPrice"]) - Decimal(ticker["indexPrice"])


def test_basis_shrinks_with_the_time_left_and_is_nothing_at_expiry(dated: World) -> None:
    market, listing = dated.simulator.market, dated.listing(USDM, FAR[USDM])

    def basis(at: datetime) -> Decimal:
        index = market.index(listing, at)
        return (market.mid(listing, at) - index) / index

    quarter, week = basis(LATER - timedelta(days=80)), basis(LATER - timedelta(days=7))
    assert Decimal("0.002") < quarter < Decimal("0.025")
    assert abs(week) < quarter / 4
    assert abs(basis(LATER)) * market.index(listing, LATER) <= listing.tick


@pytest.mark.parametrize("venue", [USDM, BYBIT])
def test_position_is_settled_at_the_mean_index_of_the_last_half_hour(
    dated: World, venue: str
) -> None:
    order = dated.place(venue, Side.BUY, "0.5", symbol=NEAR[venue])
    assert order.status is VenueOrderStatus.FILLED
    paid = dated.simulator.ledger.trades[-1]
    low = str(int(paid.price * Decimal("0.96")))
    resting = dated.place(venue, Side.BUY, "0.5", symbol=NEAR[venue], price=low)

    dated.wait(hours=3)

    listing, market = dated.listing(venue, NEAR[venue]), dated.simulator.market
    minutes = [market.index(listing, SOON - timedelta(minutes=minute)) for minute in range(30)]
    settled = dated.simulator.ledger.trades[-1]
    assert (settled.side, settled.base_quantity, settled.filled_at) == (
        Side.SELL,
        Decimal("0.5"),
        SOON,
    )
    assert abs(settled.price - sum(minutes, Decimal(0)) / 30) <= listing.tick
    assert settled.realised_pnl == (settled.price - paid.price) * Decimal("0.5")
    assert dated.simulator.ledger.orders[settled.order_number].origin is Origin.DELIVERY
    assert resting.status is VenueOrderStatus.CANCELED
    assert not dated.simulator.ledger.holdings()


def test_delivered_contract_is_no_longer_listed_but_its_fills_are_told(dated: World) -> None:
    for venue in (USDM, BYBIT):
        dated.place(venue, Side.SELL, "0.5", symbol=NEAR[venue])
    dated.wait(hours=3)

    listed = dated.public(USDM, "/fapi/v1/exchangeInfo").body["symbols"]
    assert NEAR[USDM] not in {row["symbol"] for row in listed}
    assert {row["contractType"] for row in listed if "_" in row["symbol"]} == {"CURRENT_QUARTER"}
    refused = dated.public(BYBIT, "/v5/market/tickers", category="linear", symbol=NEAR[BYBIT]).body
    assert refused["retCode"] == 10001

    trades = dated.private(USDM, "GET", "/fapi/v1/userTrades", symbol=NEAR[USDM]).body
    order = dated.private(
        USDM, "GET", "/fapi/v1/order", symbol=NEAR[USDM], orderId=trades[-1]["orderId"]
    ).body
    assert [trade["side"] for trade in trades] == ["SELL", "BUY"]
    assert order["clientOrderId"].startswith("settlement_autoclose-")
    executions = dated.private(
        BYBIT, "GET", "/v5/execution/list", category="linear", symbol=NEAR[BYBIT]
    ).body["result"]["list"]
    assert [row["execType"] for row in executions] == ["Delivery", "Trade"]


def test_delivery_missed_while_stopped_is_booked_once_at_its_own_time(dated: World) -> None:
    dated.place(USDM, Side.BUY, "0.5", symbol=NEAR[USDM])
    dated.simulator.ledger.commit()
    dated.at = SOON + timedelta(hours=5)
    dated.open()
    dated.open()
    dated.wait(seconds=1)

    times = [trade.filled_at for trade in dated.simulator.ledger.trades]
    assert times == [START, SOON]
    assert NEAR[USDM] not in dated.simulator.listings_at(USDM)
