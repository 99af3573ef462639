from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.ccxt_adapter import library
from exchanges.domain import OrderType, Side, Symbol, TimeInForce, VenueOrderStatus
from exchanges.errors import (
    ClockRefused,
    CredentialRefused,
    DuplicateClientOrderId,
    InsufficientMargin,
    InvalidOrder,
    NothingToReduce,
    OrderNotFound,
    OrderOutcomeUnknown,
    OrderRejected,
    PostOnlyWouldTake,
    RateLimited,
    SettingRefused,
    VenueError,
)
from tests.protocol.conftest import (
    DATED,
    VENUES,
    Desk,
    OpenDesk,
    Simulator,
    assert_exact,
    run,
)

pytestmark = pytest.mark.protocol

# Questions that are asked by POST.
LOOK_UPS = ("/info", "/orders/status", "/OpenOrders", "/ClosedOrders")


def test_resting_order_is_acknowledged_found_listed_and_canceled(desk: Desk) -> None:
    request = desk.resting()

    report = run(desk.trading.submit(request))
    found = run(desk.trading.find_order(request.client_order_id, desk.symbol))
    listed = [run(desk.trading.open_orders(desk.symbol)), run(desk.trading.open_orders())]
    run(desk.trading.cancel(request.client_order_id, desk.symbol))
    canceled = run(desk.trading.find_order(request.client_order_id, desk.symbol))

    assert report.venue_order_id
    # Kraken answers with its own number alone.
    assert report.client_order_id in (request.client_order_id, None)
    assert found.venue_order_id == report.venue_order_id
    assert (found.status, found.side) == (VenueOrderStatus.OPEN, Side.BUY)
    assert (found.base_quantity, found.filled_base_quantity) == (Decimal("0.01"), Decimal(0))
    for orders in listed:
        assert [order.client_order_id for order in orders] == [request.client_order_id]
    assert canceled.status is VenueOrderStatus.CANCELED
    for each in (report, found, canceled):
        assert_exact(each)


def test_working_orders_of_some_instruments_are_theirs_alone(desk: Desk) -> None:
    other, gone = (Symbol(desk.symbol.replace("BTC", base)) for base in ("ETH", "NOSUCHCOIN"))
    for each in (desk, replace(desk, symbol=other)):
        run(each.trading.submit(each.resting("1")))

    of_both = run(desk.trading.open_orders(desk.symbol, other))
    of_one_that_is_listed = run(desk.trading.open_orders(desk.symbol, gone))

    assert {order.symbol for order in of_both} == {desk.symbol, other}
    assert {order.symbol for order in of_one_that_is_listed} == {desk.symbol}


def test_market_order_fills_and_is_found_with_its_average_price(desk: Desk) -> None:
    request = desk.order("0.02")

    run(desk.trading.submit(request))
    found = run(desk.trading.find_order(request.client_order_id, desk.symbol))

    assert found.status is VenueOrderStatus.FILLED
    assert found.filled_base_quantity == Decimal("0.02")
    assert found.average_price is not None
    assert abs(found.average_price / desk.top().ask - 1) < Decimal("0.01")
    assert_exact(found)


def test_immediate_order_that_finds_no_price_ends_unfilled(desk: Desk) -> None:
    request = replace(desk.resting(), time_in_force=TimeInForce.IOC)

    # Hyperliquid tells it at once, as a refusal.
    with suppress(OrderRejected):
        run(desk.trading.submit(request))
    found = run(desk.trading.find_order(request.client_order_id, desk.symbol))

    assert found.status in (
        VenueOrderStatus.CANCELED,
        VenueOrderStatus.EXPIRED,
        VenueOrderStatus.REJECTED,
    )
    assert found.filled_base_quantity == 0


def test_post_only_order_that_would_take_is_refused_or_ends_unfilled(desk: Desk) -> None:
    price = (desk.top().ask * Decimal("1.02")).quantize(Decimal(1))
    request = desk.order(price=price, time_in_force=TimeInForce.POST_ONLY)

    try:
        run(desk.trading.submit(request))
    except OrderRejected:
        return
    found = run(desk.trading.find_order(request.client_order_id, desk.symbol))

    assert found.filled_base_quantity == 0
    assert found.status is not VenueOrderStatus.OPEN


def test_reduce_only_order_closes_and_never_opens(futures_desk: Desk) -> None:
    desk = futures_desk
    run(desk.trading.submit(desk.order("0.02")))

    run(desk.trading.submit(desk.order("0.02", Side.SELL, reduce_only=True)))

    assert run(desk.account.positions()) == []
    with pytest.raises(OrderRejected):
        run(desk.trading.submit(desk.order("0.02", Side.SELL, reduce_only=True)))


def test_order_nobody_placed_is_not_found(desk: Desk) -> None:
    unknown = desk.order().client_order_id

    with pytest.raises(OrderNotFound):
        run(desk.trading.find_order(unknown, desk.symbol))
    with pytest.raises(OrderNotFound):
        run(desk.trading.cancel(unknown, desk.symbol))


# These take an id again: there nothing but our sending once keeps an order from being doubled.
@pytest.mark.parametrize("desk", sorted({*VENUES} - {"gate", "deribit"}), indirect=True)
def test_same_id_twice_is_told_as_already_there(desk: Desk) -> None:
    request = desk.resting()
    run(desk.trading.submit(request))

    with pytest.raises(DuplicateClientOrderId):
        run(desk.trading.submit(request))

    assert len(run(desk.trading.open_orders(desk.symbol))) == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"base_quantity": Decimal("0.000001")}, "0.000001 BTC is below the smallest order"),
        ({"base_quantity": Decimal("0.0100001")}, "0.0100001 BTC is no multiple of the lot"),
        ({"price": Decimal("50000.001")}, "50000.001 is no multiple of the tick"),
        ({"price": None}, "a limit order needs a price above 0, not None"),
    ],
)
def test_order_the_library_would_silently_change_is_not_sent(
    simulator: Simulator, desk: Desk, change: dict[str, object], sentence: str
) -> None:
    request = replace(desk.resting(), **change)  # type: ignore[arg-type]

    with pytest.raises(InvalidOrder, match=sentence):
        run(desk.trading.submit(request))

    assert simulator.requests(request.client_order_id) == []


def test_unknown_symbol_is_named_and_nothing_is_sent(simulator: Simulator, desk: Desk) -> None:
    request = replace(desk.order(), symbol=Symbol("NOPE/USDT:USDT"))

    with pytest.raises(InvalidOrder, match="NOPE/USDT:USDT is not listed"):
        run(desk.trading.submit(request))

    assert simulator.requests(request.client_order_id) == []


def test_order_the_account_cannot_carry_is_refused_for_margin(desk: Desk) -> None:
    with pytest.raises(InsufficientMargin):
        run(desk.trading.submit(desk.order("50")))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let accounts that are opened now give up sooner on a venue that is silent."""
    monkeypatch.setattr(library, "ORDER_TIMEOUT_SECONDS", 1.0)


@pytest.mark.parametrize(
    ("action", "rule"),
    [
        ("accept_no_answer", {}),
        ("accept_then_reset", {}),
        ("server_error_after_accept", {}),
        ("garbage", {"garbage": "truncated"}),
        ("garbage", {"garbage": "html"}),
        ("garbage", {"garbage": "empty"}),
        ("garbage", {"garbage": "null"}),
        ("garbage", {"garbage": "object"}),
    ],
)
def test_accepted_order_without_usable_answer_is_unknown_and_found_by_its_own_id(
    hasty: None, undisturbed: Simulator, desk: Desk, action: str, rule: dict[str, object]
) -> None:
    request = desk.resting()
    undisturbed.disturb(action, client_order_id=request.client_order_id, method="POST", **rule)

    with pytest.raises(OrderOutcomeUnknown) as caught:
        run(desk.trading.submit(request))
    found = run(desk.trading.find_order(request.client_order_id, desk.symbol))

    assert found.status is VenueOrderStatus.OPEN
    assert caught.value.__context__ is None
    sent = [
        entry
        for entry in undisturbed.requests(request.client_order_id)
        if entry["method"] == "POST" and not entry["path"].endswith(LOOK_UPS)
    ]
    assert len(sent) == 1


@pytest.mark.parametrize("action", ["drop_before_accept", "server_error"])
def test_order_lost_before_the_venue_is_unknown_and_not_found(
    undisturbed: Simulator, desk: Desk, action: str
) -> None:
    request = desk.resting()
    undisturbed.disturb(action, client_order_id=request.client_order_id, method="POST")

    with pytest.raises(OrderOutcomeUnknown):
        run(desk.trading.submit(request))

    with pytest.raises(OrderNotFound):
        run(desk.trading.find_order(request.client_order_id, desk.symbol))


@pytest.mark.parametrize(
    ("venue", "code", "expected"),
    [
        ("binance", -2010, OrderRejected),
        ("binance", -1021, ClockRefused),
        ("binance", -1000, OrderOutcomeUnknown),
        ("binanceusdm", -2019, InsufficientMargin),
        ("binanceusdm", -4164, InvalidOrder),
        ("binanceusdm", -5022, PostOnlyWouldTake),
        ("binanceusdm", -1006, OrderOutcomeUnknown),
        ("binanceusdm", -2015, CredentialRefused),
        ("bybit", 110007, InsufficientMargin),
        ("bybit", 110017, NothingToReduce),
        ("bybit", 10002, ClockRefused),
        ("bybit", 10016, OrderOutcomeUnknown),
        ("bybit", 987654, OrderOutcomeUnknown),
        ("okx", 51008, InsufficientMargin),
        ("okx", 51020, InvalidOrder),
        ("okx", 51169, NothingToReduce),
        ("okx", 51031, OrderRejected),
        ("okx", 50037, ClockRefused),
        ("okx", 50113, CredentialRefused),
        ("okx", 50004, OrderOutcomeUnknown),
        ("okx", 51149, OrderOutcomeUnknown),
    ],
)
def test_refusal_counts_only_with_a_code_on_the_list(
    undisturbed: Simulator,
    open_desk: OpenDesk,
    venue: str,
    code: int,
    expected: type[VenueError],
) -> None:
    desk = open_desk(venue)
    request = desk.resting()
    undisturbed.disturb("reject", client_order_id=request.client_order_id, method="POST", code=code)

    with pytest.raises(VenueError) as caught:
        run(desk.trading.submit(request))

    assert type(caught.value) is expected


def test_rate_limited_order_was_surely_not_placed(undisturbed: Simulator, desk: Desk) -> None:
    request = desk.resting()
    undisturbed.disturb("rate_limit", client_order_id=request.client_order_id, retry_after=1)

    with pytest.raises(RateLimited):
        run(desk.trading.submit(request))

    with pytest.raises(OrderNotFound):
        run(desk.trading.find_order(request.client_order_id, desk.symbol))


def test_wrong_secret_is_refused_without_showing_it(open_desk: OpenDesk) -> None:
    for venue in VENUES:
        desk = open_desk(venue, secret="not-the-secret")

        with pytest.raises(CredentialRefused) as caught:
            run(desk.trading.submit(desk.resting()))

        assert "not-the-secret" not in f"{caught.value!r} {desk.key!r}"
        assert desk.key.api_key not in str(caught.value)


def test_prepared_contract_has_one_way_mode_and_the_leverage(futures_desk: Desk) -> None:
    desk = futures_desk

    run(desk.trading.prepare(desk.symbol, leverage=Decimal(4)))
    # The second time there is nothing to change, which is no failure.
    run(desk.trading.prepare(desk.symbol, leverage=Decimal(4)))
    run(desk.trading.submit(desk.order()))

    # Kraken and Deribit tell none of a position on cross margin.
    told = None if desk.venue in ("krakenfutures", "deribit") else Decimal(4)
    assert [position.leverage for position in run(desk.account.positions())] == [told]


def test_hedge_mode_is_refused_with_what_to_do(open_desk: OpenDesk) -> None:
    for venue in DATED:
        desk = open_desk(venue, hedge_mode=True)

        with pytest.raises(SettingRefused, match=r"hedge mode.*One-[wW]ay Mode"):
            run(desk.trading.prepare(desk.symbol, leverage=Decimal(2)))


def test_leverage_the_venue_does_not_offer_is_refused(futures_desk: Desk) -> None:
    with pytest.raises(SettingRefused):
        run(futures_desk.trading.prepare(futures_desk.symbol, leverage=Decimal(1000)))


def test_spot_has_no_leverage(open_desk: OpenDesk) -> None:
    desk = open_desk("binance")

    run(desk.trading.prepare(desk.symbol, leverage=Decimal(1)))
    with pytest.raises(SettingRefused, match="leverage 1, not 3"):
        run(desk.trading.prepare(desk.symbol, leverage=Decimal(3)))


def test_market_order_ignores_no_price(desk: Desk) -> None:
    request = desk.order()

    assert request.order_type is OrderType.MARKET
    assert run(desk.trading.submit(request)).venue_order_id
