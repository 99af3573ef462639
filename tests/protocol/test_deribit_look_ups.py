"""How an order is found again at Deribit, by the label that is ours, through the real adapter.

Payloads are written after docs.deribit.com: nobody here has asked the venue. The rest is asked of
the simulated venue.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from exchanges.domain import Side, VenueOrderStatus
from exchanges.errors import OrderNotFound, UnexpectedPayload
from exchanges.limits.buckets import Size
from exchanges.limits.lanes import CLAIMS, Lane
from exchanges.simulator.listings import DERIBIT
from exchanges.venues.deribit import PROFILE
from tests.protocol.deribit_desk import ROOT, SYMBOL, Desk, answered, order, refused, trade
from tests.protocol.venue_desk import OWN, D
from tests.simulator.nearby import call

pytestmark = pytest.mark.protocol

SHOWN, WORKING = "/get_order_state_by_label", "/get_open_orders_by_label"
HISTORY = "/get_order_history_by_instrument"
TRADES = "/get_user_trades_by_instrument_and_time"


@pytest.fixture
def desk(tmp_path: Path) -> Generator[Desk]:
    opened = Desk(tmp_path)
    yield opened
    call(opened.client.close())


@pytest.mark.parametrize("hours", [0, 1, 30])
def test_an_order_is_found_by_its_id_however_long_ago_it_was_filled(desk: Desk, hours: int) -> None:
    desk.submit(base_quantity=D("0.02"))
    desk.world.wait(hours=hours)

    found = desk.find()

    assert (found.status, found.filled_base_quantity) == (VenueOrderStatus.FILLED, D("0.02"))
    assert (found.base_quantity, found.reduce_only) == (D("0.02"), False)
    assert found.average_price == desk.world.simulator.ledger.trades[0].price
    assert bool(desk.far.asked(HISTORY)) is (hours > 0)


@pytest.mark.parametrize("minutes", [0, 31])
def test_an_order_is_found_after_it_was_cancelled_with_nothing_filled(
    desk: Desk, minutes: int
) -> None:
    desk.submit(price=D(59_000))
    call(desk.trading.cancel(OWN, SYMBOL))
    desk.world.wait(minutes=minutes)

    found = desk.find()

    assert (found.status, found.filled_base_quantity) == (VenueOrderStatus.CANCELED, 0)


def test_what_no_list_tells_of_is_not_found(desk: Desk) -> None:
    with pytest.raises(OrderNotFound):
        desk.find()

    asked = [one.path.removeprefix(f"{ROOT}/private") for one in desk.far.came[-6:]]
    assert asked == [SHOWN, WORKING, HISTORY, HISTORY, TRADES, TRADES]
    lists = [one.query_parameters.get("historical", "false") for one in desk.far.came[-4:]]
    assert lists == ["false", "true", "false", "true"]


NOTHING = {
    **dict.fromkeys((SHOWN, WORKING, HISTORY), answered([])),
    TRADES: answered({"trades": []}),
}


def test_an_order_that_has_worked_for_longer_than_the_recent_list_tells_is_found(
    desk: Desk,
) -> None:
    desk.hear({**NOTHING, WORKING: answered([order(filled_amount=0.004)])})

    found = desk.find()

    assert (found.status, found.filled_base_quantity) == (VenueOrderStatus.PARTIAL, D("0.004"))


@pytest.mark.parametrize("silent", [SHOWN, WORKING, HISTORY, TRADES])
@pytest.mark.parametrize("answer", [refused(10040, "retry"), answered(None), answered([1]), {}])
def test_a_list_that_does_not_answer_is_no_absence(desk: Desk, silent: str, answer: Any) -> None:
    desk.hear({**NOTHING, silent: answer})

    with pytest.raises(Exception) as failed:
        desk.find()

    assert not isinstance(failed.value, OrderNotFound)


@pytest.mark.parametrize(
    "payloads",
    [
        {SHOWN: answered([order(), order(order_id="USDC-2")])},
        {SHOWN: answered([order(label="another")])},
        {SHOWN: answered([order(instrument_name="ETH_USDC-PERPETUAL")])},
        {WORKING: answered([order(), order(order_id="USDC-2")])},
        {HISTORY: answered([order(), order(order_id="USDC-2")])},
        {TRADES: answered({"trades": [trade(), trade(trade_id="USDC-2", order_id="USDC-2")]})},
    ],
)
def test_several_orders_of_one_label_are_a_failure_and_none_of_them_ours(
    desk: Desk, payloads: Any
) -> None:
    desk.hear({**NOTHING, **payloads})

    with pytest.raises(UnexpectedPayload):
        desk.find()


@pytest.mark.parametrize(
    ("state", "status"),
    [("open", VenueOrderStatus.PARTIAL), ("filled", VenueOrderStatus.FILLED)],
)
def test_an_order_that_only_its_executions_tell_of_works_until_they_say_that_it_filled(
    desk: Desk, state: str, status: VenueOrderStatus
) -> None:
    last = trade(trade_id="USDC-2", amount=0.002, price=60_003.0, state=state)
    desk.hear({**NOTHING, TRADES: answered({"trades": [trade(), last]})})

    found = desk.find()

    assert (found.status, found.side, found.base_quantity) == (status, Side.BUY, None)
    assert (found.filled_base_quantity, found.average_price) == (D("0.006"), D(60_001))


def test_an_order_is_found_among_more_than_a_list_tells_at_once(desk: Desk) -> None:
    desk.submit(price=D(59_000))
    call(desk.trading.cancel(OWN, SYMBOL))
    desk.world.wait(seconds=1)
    for _ in range(1000):
        desk.world.place(DERIBIT, Side.BUY, "0.001", price="58000")
        desk.world.simulator.engine.cancel(
            desk.owner, list(desk.world.simulator.ledger.orders.values())[-1], now=desk.world.at
        )
    desk.world.wait(minutes=31)

    assert desk.find().status is VenueOrderStatus.CANCELED


def test_the_questions_that_a_look_takes_come_back_before_the_next_one() -> None:
    [account] = [quota for quota in PROFILE.quotas.all if quota.name == "deribit.account"]
    bucket = Size.of(account.limit, account.window.total_seconds(), account.at_once)

    share = 1 - CLAIMS[Lane.LOOK_UP].floor
    assert bucket.rate * share * PROFILE.look_up_every.total_seconds() >= 6
