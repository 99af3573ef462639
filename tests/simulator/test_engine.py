"""Order lives at the simulated venues, on pinned prices with numbers worked by hand.

With price 60,000 pinned BTCUSDT at Binance USD-M has bid 59,999.9 and ask 60,000.1: half the
spread of 0.02 bp is 0.06, rounded outward to the tick of 0.1.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.domain import Side, TimeInForce, VenueOrderStatus
from exchanges.simulator.accounts import Order
from exchanges.simulator.admission import Refusal, RefusalReason
from exchanges.simulator.listings import BYBIT, SPOT, USDM
from tests.simulator.world import World

pytestmark = pytest.mark.core

D = Decimal


def placed(result: Order | Refusal) -> Order:
    assert isinstance(result, Order), result
    return result


def reason(result: Order | Refusal) -> RefusalReason:
    assert isinstance(result, Refusal), result
    return result.reason


@pytest.fixture(autouse=True)
def pinned(world: World) -> None:
    for venue in (USDM, BYBIT, SPOT):
        world.pin(venue, price="60000", level_quantity="1")


def test_a_market_order_fills_at_the_touch_and_pays_the_taker_fee(world: World) -> None:
    order = placed(world.place(USDM, Side.BUY, "0.5"))

    assert (order.status, order.average_price) == (VenueOrderStatus.FILLED, D("60000.1"))
    # 0.5 x 60,000.1 x 0.0005 = 15.000025
    assert order.fee_paid == D("15.000025")
    assert world.account(USDM).balance("usdm", "USDT") == D("99984.999975")


def test_bybit_takes_its_own_taker_fee(world: World) -> None:
    order = placed(world.place(BYBIT, Side.SELL, "0.1"))

    # 0.1 x 59,999.9 x 0.00055 = 3.2999945
    assert order.fee_paid == D("3.2999945")


def test_an_order_beyond_the_touch_fills_level_by_level(world: World) -> None:
    order = placed(world.place(USDM, Side.BUY, "1.5"))

    fills = world.simulator.ledger.trades
    # The second level lies 0.8 bp of 60,000 above the first: 60,000.1 + 4.8.
    assert [(row.price, row.base_quantity) for row in fills] == [
        (D("60000.1"), D("1")),
        (D("60004.9"), D("0.5")),
    ]
    assert order.filled_quote == D("60000.1") + D("30002.45")


def test_what_is_taken_is_gone_until_the_next_beat(world: World) -> None:
    placed(world.place(USDM, Side.BUY, "1"))
    same_beat = placed(world.place(USDM, Side.BUY, "0.1"))
    world.wait(seconds=0.25)
    next_beat = placed(world.place(USDM, Side.BUY, "0.1"))

    assert same_beat.average_price == D("60004.9")
    assert next_beat.average_price == D("60000.1")


def test_an_ioc_limit_fills_what_it_reaches_and_expires_with_the_rest(world: World) -> None:
    order = placed(world.place(USDM, Side.BUY, "1.5", price="60001", time_in_force=TimeInForce.IOC))

    assert (order.status, order.filled) == (VenueOrderStatus.EXPIRED, D("1"))


def test_a_resting_limit_fills_as_maker_when_the_book_comes_to_it(world: World) -> None:
    order = placed(world.place(USDM, Side.BUY, "0.5", price="59900"))
    assert not order.is_final

    world.pin(USDM, price="59899")
    world.wait(seconds=0.25)

    fill = world.simulator.ledger.trades[-1]
    assert order.status is VenueOrderStatus.FILLED
    assert (fill.price, fill.is_maker) == (D("59900"), True)
    # 0.5 x 59,900 x 0.0002 = 5.99
    assert fill.fee == D("5.99")


def test_a_limit_at_the_touch_waits_in_the_queue_and_then_fills(world: World) -> None:
    order = placed(world.place(USDM, Side.BUY, "0.5", price="60000"))

    world.wait(seconds=1.75)
    assert not order.is_final
    world.wait(seconds=0.25)
    assert order.status is VenueOrderStatus.FILLED


def test_a_large_resting_order_fills_in_parts(world: World) -> None:
    order = placed(world.place(USDM, Side.BUY, "1.5", price="60000"))

    world.wait(seconds=2)
    assert (order.status, order.filled) == (VenueOrderStatus.PARTIAL, D("1"))
    world.wait(seconds=0.25)
    assert order.status is VenueOrderStatus.FILLED


def test_a_canceled_order_never_fills(world: World) -> None:
    order = placed(world.place(USDM, Side.BUY, "0.5", price="59900"))
    assert world.simulator.engine.cancel(world.account(USDM), order, now=world.at)

    world.pin(USDM, price="59000")
    world.wait(seconds=3)

    assert (order.status, order.filled) == (VenueOrderStatus.CANCELED, D("0"))
    assert not world.simulator.engine.cancel(world.account(USDM), order, now=world.at)


def test_a_crossing_post_only_order_is_refused_by_binance(world: World) -> None:
    result = world.place(
        USDM, Side.BUY, "0.5", price="60000.1", time_in_force=TimeInForce.POST_ONLY
    )

    assert reason(result) is RefusalReason.WOULD_TAKE
    assert world.simulator.ledger.orders == {}


def test_a_crossing_post_only_order_is_accepted_and_canceled_by_bybit(world: World) -> None:
    order = placed(
        world.place(BYBIT, Side.BUY, "0.5", price="60000.1", time_in_force=TimeInForce.POST_ONLY)
    )

    assert (order.status, order.filled) == (VenueOrderStatus.CANCELED, D("0"))


def test_a_reduce_only_order_stops_at_flat(world: World) -> None:
    placed(world.place(USDM, Side.BUY, "0.3"))

    order = placed(world.place(USDM, Side.SELL, "0.5", reduce_only=True))

    assert (order.filled, order.status) == (D("0.3"), VenueOrderStatus.EXPIRED)
    assert world.simulator.ledger.holdings() == []


def test_a_reduce_only_order_without_a_position_is_refused(world: World) -> None:
    result = world.place(USDM, Side.SELL, "0.5", reduce_only=True)

    assert reason(result) is RefusalReason.REDUCE_ONLY


def test_a_resting_reduce_only_order_dies_with_its_position(world: World) -> None:
    placed(world.place(USDM, Side.BUY, "0.3"))
    resting = placed(world.place(USDM, Side.SELL, "0.3", price="61000", reduce_only=True))
    placed(world.place(USDM, Side.SELL, "0.3", reduce_only=True))

    world.wait(seconds=0.25)

    assert resting.status is VenueOrderStatus.CANCELED


def test_margin_is_needed_for_what_grows_the_position_only(world: World) -> None:
    # 100,000 at 20x carries at most 2,000,000 less fees: 33 BTC at 60,000 do, 34 do not.
    world.pin(USDM, level_quantity="40")
    assert reason(world.place(USDM, Side.BUY, "34")) is RefusalReason.INSUFFICIENT_MARGIN
    placed(world.place(USDM, Side.BUY, "32"))

    assert reason(world.place(USDM, Side.BUY, "2")) is RefusalReason.INSUFFICIENT_MARGIN
    placed(world.place(USDM, Side.SELL, "40"))


def test_a_working_order_holds_margin_until_it_is_canceled(world: World) -> None:
    first = placed(world.place(USDM, Side.BUY, "30", price="59000"))
    assert reason(world.place(USDM, Side.BUY, "30", price="59000")) is (
        RefusalReason.INSUFFICIENT_MARGIN
    )

    world.simulator.engine.cancel(world.account(USDM), first, now=world.at)

    placed(world.place(USDM, Side.BUY, "30", price="59000"))


def test_high_leverage_limits_the_position(world: World) -> None:
    world.account(USDM).leverages[f"{USDM}:BTCUSDT"] = D("100")

    # The first tier ends at 50,000: 0.8 BTC at 60,000 fit, 0.9 do not.
    assert reason(world.place(USDM, Side.BUY, "0.9")) is RefusalReason.POSITION_LIMIT
    placed(world.place(USDM, Side.BUY, "0.8"))


@pytest.mark.parametrize(
    ("quantity", "price", "expected"),
    [
        ("0.0005", "60000", RefusalReason.BELOW_MIN_QUANTITY),
        ("0.0015", "60000", RefusalReason.QUANTITY_STEP),
        ("0.002", "60000.05", RefusalReason.PRICE_STEP),
        ("0.001", "60000", RefusalReason.BELOW_MIN_NOTIONAL),  # 60 of the 100 it takes
        ("99999", "60000", RefusalReason.ABOVE_MAX_QUANTITY),
        ("0.01", "63000.1", RefusalReason.PRICE_BAND),  # 5 % above the mark is 63,000
    ],
)
def test_an_order_outside_the_filters_is_refused(
    world: World, quantity: str, price: str, expected: RefusalReason
) -> None:
    assert reason(world.place(USDM, Side.BUY, quantity, price=price)) is expected


def test_a_reduce_only_order_may_be_below_the_minimum_notional(world: World) -> None:
    placed(world.place(USDM, Side.BUY, "0.003"))
    placed(world.place(USDM, Side.SELL, "0.002", reduce_only=True))

    placed(world.place(USDM, Side.SELL, "0.001", reduce_only=True))


def test_binance_takes_a_client_id_again_once_its_order_is_final(world: World) -> None:
    resting = placed(world.place(USDM, Side.BUY, "0.1", price="59000", client_order_id="a"))
    again = world.place(USDM, Side.BUY, "0.1", price="59000", client_order_id="a")
    assert reason(again) is RefusalReason.DUPLICATE_ID

    world.simulator.engine.cancel(world.account(USDM), resting, now=world.at)

    placed(world.place(USDM, Side.BUY, "0.1", price="59000", client_order_id="a"))


def test_bybit_never_takes_a_client_id_twice(world: World) -> None:
    placed(world.place(BYBIT, Side.BUY, "0.1", client_order_id="a"))

    again = world.place(BYBIT, Side.BUY, "0.1", client_order_id="a")

    assert reason(again) is RefusalReason.DUPLICATE_ID


def test_a_spot_buy_pays_its_fee_in_what_it_bought(world: World) -> None:
    placed(world.place(SPOT, Side.BUY, "0.5"))

    # The spot tick is 0.01: half the spread of 0.02 bp is 0.06, so the ask is 60,000.06.
    account = world.account(SPOT)
    assert account.balance("spot", "BTC") == D("0.4995")
    assert account.balance("spot", "USDT") == D("100000") - D("30000.03")


def test_a_spot_sell_pays_its_fee_in_quote_and_needs_the_coins(world: World) -> None:
    placed(world.place(SPOT, Side.BUY, "0.5"))
    assert reason(world.place(SPOT, Side.SELL, "0.5")) is RefusalReason.INSUFFICIENT_MARGIN

    placed(world.place(SPOT, Side.SELL, "0.4"))

    # 100,000 - 30,000.03 + 0.4 x 59,999.94 x 0.999
    assert world.account(SPOT).balance("spot", "USDT") == D("93975.946024")


def test_a_working_spot_order_locks_its_quote(world: World) -> None:
    placed(world.place(SPOT, Side.BUY, "1.5", price="59000"))

    assert reason(world.place(SPOT, Side.BUY, "0.5")) is RefusalReason.INSUFFICIENT_MARGIN
