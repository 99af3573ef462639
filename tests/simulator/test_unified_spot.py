"""Spot in Bybit's unified account: buying, selling what is borrowed, interest, buying back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.domain import Side, VenueOrderStatus
from exchanges.loans import CHARGED_AFTER
from exchanges.simulator.accounts import Order
from exchanges.simulator.admission import Refusal, RefusalReason
from exchanges.simulator.listings import BYBIT, BYBIT_SPOT
from exchanges.simulator.margin import margin_state
from tests.simulator.world import START, World

pytestmark = pytest.mark.protocol

PRICE = "60000"
RATE = "0.000004"
FIRST_CHARGE = START.replace(minute=0, second=0) + CHARGED_AFTER


@pytest.fixture
def pinned(world: World) -> World:
    """Venues where BTC stands still at 60,000, and borrowing it costs 4 millionths an hour."""
    world.pin(BYBIT_SPOT, price=PRICE, level_quantity="10", borrow_rate=RATE)
    world.pin(BYBIT, price=PRICE, level_quantity="10")
    return world


def coin(world: World, asset: str) -> dict[str, str]:
    answer = world.private(BYBIT, "GET", "/v5/account/wallet-balance", accountType="UNIFIED")
    rows = answer.body["result"]["list"][0]["coin"]
    found: dict[str, str] = next(row for row in rows if row["coin"] == asset)
    return found


def available(world: World) -> Decimal:
    return margin_state(
        world.simulator.ledger,
        world.simulator.market,
        world.account(BYBIT),
        venue=BYBIT,
        now=world.at,
    ).available


def create(world: World, **order: Any) -> Any:
    body = {"category": "spot", "symbol": "BTCUSDT", "orderType": "Market", "qty": "1"} | order
    return world.private(BYBIT, "POST", "/v5/order/create", **body).body


def test_buying_takes_the_fee_in_coins_and_coins_are_collateral(pinned: World) -> None:
    pinned.place(BYBIT_SPOT, Side.BUY, "1")

    trade = pinned.simulator.ledger.trades[-1]
    assert (trade.fee, trade.fee_asset) == (Decimal("0.001"), "BTC")
    assert coin(pinned, "BTC")["walletBalance"] == "0.999"
    # 0.999 BTC count 95 %: 0.95 x 0.999 x 60,000 = 56,943.
    left = Decimal(100_000) - trade.price
    assert available(pinned) == left + Decimal(56_943)


def test_sale_of_what_is_not_held_needs_the_flag_and_is_owed(pinned: World) -> None:
    refused = pinned.place(BYBIT_SPOT, Side.SELL, "1")
    assert isinstance(refused, Refusal)
    assert refused.reason is RefusalReason.INSUFFICIENT_MARGIN

    sold = pinned.place(BYBIT_SPOT, Side.SELL, "1", may_borrow=True)

    assert isinstance(sold, Order)
    assert sold.status is VenueOrderStatus.FILLED
    btc, usdt = coin(pinned, "BTC"), coin(pinned, "USDT")
    assert (btc["walletBalance"], btc["borrowAmount"], btc["equity"]) == ("0", "1", "-1")
    proceeds = sold.filled_quote * Decimal("0.999")
    assert Decimal(usdt["walletBalance"]) == 100_000 + proceeds
    # The debt counts whole, and a tenth of it is margin.
    assert available(pinned) == 100_000 + proceeds - 60_000 - 6_000


def test_what_is_held_is_sold_before_anything_is_borrowed(pinned: World) -> None:
    pinned.place(BYBIT_SPOT, Side.BUY, "1")
    pinned.place(BYBIT_SPOT, Side.SELL, "1", may_borrow=True)

    assert coin(pinned, "BTC")["borrowAmount"] == "0.001"


def test_interest_is_charged_by_the_hour_on_what_is_owed_then(pinned: World) -> None:
    pinned.place(BYBIT_SPOT, Side.SELL, "1", may_borrow=True)
    assert START < FIRST_CHARGE
    pinned.at = FIRST_CHARGE - timedelta(seconds=1)
    pinned.simulator.tick()
    assert not pinned.simulator.ledger.interest

    pinned.wait(hours=1, seconds=1)

    # 1 x 0.000004, then 1.000004 x 0.000004.
    first, second = pinned.simulator.ledger.interest
    assert (first.borrowed, first.interest, first.charged_at) == (
        Decimal(1),
        Decimal("0.000004"),
        FIRST_CHARGE,
    )
    assert second.interest == Decimal("0.000004000016")
    assert second.charged_at == FIRST_CHARGE + timedelta(hours=1)
    assert coin(pinned, "BTC")["borrowAmount"] == "1.000008000016"


def test_interest_is_told_by_the_log_and_by_the_history(pinned: World) -> None:
    pinned.place(BYBIT_SPOT, Side.SELL, "1", may_borrow=True)
    pinned.at = FIRST_CHARGE
    pinned.simulator.tick()

    log = pinned.private(
        BYBIT, "GET", "/v5/account/transaction-log", accountType="UNIFIED", type="INTEREST"
    ).body["result"]["list"]
    history = pinned.private(BYBIT, "GET", "/v5/account/borrow-history").body["result"]["list"]

    [row], [charge] = log, history
    assert (row["currency"], row["change"]) == ("BTC", "-0.000004")
    assert row["id"] == pinned.simulator.ledger.interest[0].venue_interest_id
    assert (charge["borrowCost"], charge["InterestBearingBorrowSize"]) == ("0.000004", "1")


def test_interest_missed_while_stopped_is_charged_once(pinned: World) -> None:
    pinned.place(BYBIT_SPOT, Side.SELL, "1", may_borrow=True)
    pinned.simulator.ledger.commit()
    pinned.at = FIRST_CHARGE + timedelta(hours=2, minutes=30)
    pinned.open()
    pinned.open()

    assert len(pinned.simulator.ledger.interest) == 3


def test_buying_back_pays_the_debt_and_ends_the_interest(pinned: World) -> None:
    pinned.place(BYBIT_SPOT, Side.SELL, "1", may_borrow=True)
    pinned.at = FIRST_CHARGE
    pinned.simulator.tick()
    # 1.000004 owed, and the fee of a thousandth is taken in coins: 1.00101 bring 1.00000899.
    pinned.place(BYBIT_SPOT, Side.BUY, "1.00101")

    pinned.wait(hours=5)

    btc = coin(pinned, "BTC")
    assert (btc["borrowAmount"], btc["walletBalance"]) == ("0", "0.00000499")
    assert len(pinned.simulator.ledger.interest) == 1


def test_what_is_not_lent_or_too_much_is_refused_with_the_venues_codes(pinned: World) -> None:
    pinned.pin(BYBIT_SPOT, "SOLUSDT", price="150", level_quantity="1000")

    sol = create(pinned, symbol="SOLUSDT", side="Sell", qty="10", isLeverage=1)
    much = create(pinned, side="Sell", qty="11", isLeverage=1)
    bare = create(pinned, side="Sell", marketUnit="baseCoin")
    quote = create(pinned, side="Buy")

    codes = [answer["retCode"] for answer in (sol, much, bare, quote)]
    assert codes == [10001, 10001, 170131, 10001]
    unit = {"marketUnit": "baseCoin", "isLeverage": 1, "side": "Sell"}
    assert create(pinned, symbol="SOLUSDT", qty="10", **unit)["retCode"] == 170037
    assert create(pinned, qty="11", **unit)["retCode"] == 170034


def test_rates_are_public_and_name_what_is_lent(pinned: World) -> None:
    answer = pinned.public(BYBIT, "/v5/spot-margin-trade/data", vipLevel="No VIP").body

    rows = {row["currency"]: row for row in answer["result"]["vipCoinList"][0]["list"]}
    assert (rows["BTC"]["borrowable"], rows["BTC"]["hourlyBorrowRate"]) == (True, RATE)
    assert rows["SOL"]["borrowable"] is False
    assert Decimal("0.000002") < Decimal(rows["ETH"]["hourlyBorrowRate"]) < Decimal("0.000007")


def test_spot_and_perpetual_orders_of_one_name_are_kept_apart(pinned: World) -> None:
    pinned.place(BYBIT_SPOT, Side.BUY, "0.5")
    pinned.place(BYBIT, Side.SELL, "0.3")

    def quantities(category: str) -> list[str]:
        rows = pinned.private(
            BYBIT, "GET", "/v5/execution/list", category=category, symbol="BTCUSDT"
        ).body["result"]["list"]
        return [row["execQty"] for row in rows]

    assert quantities("spot") == ["0.5"]
    assert quantities("linear") == ["0.3"]
    [position] = pinned.private(
        BYBIT, "GET", "/v5/position/list", category="linear", settleCoin="USDT"
    ).body["result"]["list"]
    assert (position["side"], position["size"]) == ("Sell", "0.3")


def test_spot_listing_says_that_it_may_be_borrowed(pinned: World) -> None:
    rows = pinned.public(BYBIT, "/v5/market/instruments-info", category="spot").body["result"]
    listed = {row["symbol"]: row for row in rows["list"]}

    assert set(listed) == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}
    assert listed["BTCUSDT"]["marginTrading"] == "utaOnly"
    assert listed["SOLUSDT"]["marginTrading"] == "none"
    [ticker] = pinned.public(BYBIT, "/v5/market/tickers", category="spot", symbol="BTCUSDT").body[
        "result"
    ]["list"]
    assert Decimal(ticker["bid1Price"]) < Decimal(PRICE) < Decimal(ticker["ask1Price"])
    assert "fundingRate" not in ticker
