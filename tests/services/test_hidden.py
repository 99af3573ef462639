"""What a venue has and does not show for a while, or shows as something else: orders, positions.

At every venue that is traded, as the first leg and as the second; judged by the venues' ledgers.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from exchanges.domain import Side
from exchanges.models import ExchangeAccount
from tests.services.pair_desk import PairDesk
from tests.services.pair_stories import (
    AS_FIRST,
    EVERYWHERE,
    IN_USDC,
    ONE_COMPANY,
    assert_each_order_is_there_once,
    opened,
    planned,
    standing,
)
from tests.services.strategy_desk import D
from trading.core.states import OrderState, PositionState
from trading.models import Discrepancy, Order, Trade
from trading.services.drive import drive
from trading.services.lookup import ORDER_LIFETIME

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

ENDED = (PositionState.OPEN, PositionState.CLOSED)
WITHIN = ORDER_LIFETIME.total_seconds() - 3
BEYOND = 4 * ORDER_LIFETIME.total_seconds()

at_each_venue = pytest.mark.parametrize(
    ("venue", "pair"),
    EVERYWHERE,
    ids=[f"{venue}-of-{'-'.join(pair)}" for venue, pair in EVERYWHERE],
)


@pytest.fixture
def desk(tmp_path: Path, db: None) -> Generator[PairDesk]:
    yield from standing(tmp_path / "venues")


@at_each_venue
@pytest.mark.parametrize("seconds", [WITHIN, BEYOND], ids=["within", "beyond"])
def test_an_order_that_shows_late_is_neither_absent_nor_sent_again(
    desk: PairDesk, venue: str, pair: tuple[str, str], seconds: float
) -> None:
    desk.open_accounts(*pair)
    desk.disturb(venue, "accept_then_reset", hidden_seconds=seconds)
    position = planned(desk, pair)
    desk.drive_until(position, *ENDED, seconds=120)
    desk.reconcile()

    assert desk.faults_left() == 0
    assert not position.orders.filter(state=OrderState.NOT_PLACED).exists()
    # Coins are bought less their fee.
    assert abs(desk.net()) < D("0.0001")
    assert_each_order_is_there_once(desk, *pair)
    assert desk.our_fills() == desk.their_fills()


@pytest.mark.parametrize("what", ["side", "quantity"])
@pytest.mark.parametrize(("venue", "pair"), AS_FIRST, ids=[venue for venue, _ in AS_FIRST])
def test_another_order_under_our_id_halts_its_account_and_nothing_of_it_is_taken_over(
    desk: PairDesk, venue: str, pair: tuple[str, str], what: str
) -> None:
    desk.open_accounts(*pair)
    desk.disturb(venue, "accept_then_reset", hidden_seconds=3)
    position = planned(desk, pair)
    drive(position.pk, venues=desk.venues, clock=lambda: desk.now)
    assert [order.state for order in position.orders.all()] == [OrderState.UNKNOWN]

    desk.make_another(venue, side=Side.SELL if what == "side" else None)
    for _ in range(8):
        desk.pass_a_second()
        drive(position.pk, venues=desk.venues, clock=lambda: desk.now)

    found = Discrepancy.objects.get(account__exchange__code=venue)
    assert found.kind == Discrepancy.Kind.WRONG_ORDER
    assert f"under our id {desk.orders_at(venue)[0]}" in found.sentence
    assert ExchangeAccount.objects.get(exchange__code=venue).halted_at is not None
    assert [order.state for order in position.orders.all()] == [OrderState.UNKNOWN]
    assert not Trade.objects.exists()
    assert Order.objects.count() == len(desk.orders_at(venue)) == 1


@pytest.mark.parametrize("venue", ["hyperliquid", "deribit", "krakenfutures"])
def test_a_position_that_its_venue_leaves_out_for_a_while_is_kept_and_then_closed(
    desk: PairDesk, venue: str
) -> None:
    pair = ONE_COMPANY if venue == "krakenfutures" else IN_USDC
    position = opened(desk, pair)
    held = desk.leave_out(venue)
    assert desk.base(venue) == 0
    for _ in range(3):
        desk.reconcile()
        drive(position.pk, venues=desk.venues, clock=lambda: desk.now)
        desk.pass_a_second()

    desk.put_back(venue, held)
    desk.reconcile()
    position.refresh_from_db()
    assert (position.state, position.orders.count()) == (PositionState.OPEN, 2)
    assert not Discrepancy.objects.confirmed().exists()
    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)
    assert [desk.base(one) for one in pair] == [0, 0]
    assert position.orders.count() == 4
