"""A pair of Deribit and Hyperliquid, both in USDC: paid by the hour here and by the day there.

Everything is judged by the venues' own ledgers.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from exchanges.selectors import look_up_every
from tests.services.pair_desk import SYMBOLS, PairDesk
from tests.services.pair_stories import (
    IN_USDC,
    assert_each_order_is_there_once,
    planned,
    standing,
)
from tests.services.strategy_desk import D
from tests.services.test_strategies import assert_books_are_the_venues
from tests.services.way_in import enter, set_out
from trading.core.states import OrderState, PositionState
from trading.models import Event, ExpectedFunding, FundingEvent, Trade
from trading.services.equity_bridge import equity_bridge
from trading.services.pnl import realised_parts
from trading.services.view import HEDGE_DEADLINE

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

DERIBIT, HYPERLIQUID = IN_USDC
HOUR, MICROSECOND = timedelta(hours=1), timedelta(microseconds=1)
ENDED = (PositionState.CLOSED, PositionState.ABANDONED)


@pytest.fixture
def desk(tmp_path: Path, db: None) -> Generator[PairDesk]:
    yield from standing(tmp_path / "venues")


def earned_in(span: timedelta) -> Decimal:
    return D(6464) * D("0.0009") * (span // MICROSECOND) / (HOUR // MICROSECOND)


def test_a_spread_over_the_day_s_settlement_is_worth_what_is_worked_by_hand(
    desk: PairDesk,
) -> None:
    desk.world.wait(hours=18, minutes=35)
    set_out(desk, *IN_USDC, strategies="funding_spread")
    desk.world.pin(HYPERLIQUID, SYMBOLS[HYPERLIQUID], funding_rate="0.0001")
    desk.world.pin(DERIBIT, SYMBOLS[DERIBIT], funding_rate="0.0009")
    desk.world.wait(minutes=5)
    desk.read_equity()
    desk.world.wait(seconds=20)

    position = enter(desk)
    desk.reconcile()
    assert (desk.base(HYPERLIQUID), desk.base(DERIBIT)) == (D("0.101"), D("-0.101"))
    # What a day has earned and not paid yet explains what the account is worth meanwhile.
    for _ in range(2):
        desk.pass_hours(1)
        desk.pass_time(minutes=2)
        desk.read_equity()
        meanwhile = equity_bridge(desk.user, since=None, until=desk.now)
        assert meanwhile is not None
        assert abs(meanwhile.parts.unexplained) < D("1e-6")
    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)
    desk.reconcile()
    # What the last fill paid is read some minutes later.
    desk.pass_time(minutes=4)
    desk.read_equity()

    assert (desk.base(HYPERLIQUID), desk.base(DERIBIT)) == (0, 0)
    assert_books_are_the_venues(desk)
    paid = FundingEvent.objects.filter(leg__account__exchange__code=DERIBIT)
    # At 08:00 and by the fill that closed it: 6,464 dollars earn 5.8176 an hour.
    by_the_day, by_the_fill = paid.order_by("paid_at")
    fills = Trade.objects.filter(leg=by_the_day.leg).order_by("filled_at")
    opened_at, closed_at = fills.values_list("filled_at", flat=True)
    settled_at = opened_at.replace(hour=8, minute=0, second=0, microsecond=0)
    assert abs(by_the_day.payment - earned_in(settled_at - opened_at)) < D("1e-9")
    assert abs(by_the_fill.payment - earned_in(closed_at - settled_at)) < D("1e-9")
    parts = realised_parts(position)
    # Two hours of Hyperliquid cost 0.6464 each.
    assert parts.funding == by_the_day.payment + by_the_fill.payment - 2 * D("0.6464")
    assert parts.fees == 2 * D(6464) * (D("0.0005") + D("0.00045"))
    period = equity_bridge(desk.user, since=None, until=desk.now)
    assert period is not None
    assert abs(period.parts.unexplained) < D("1e-9")
    assert period.parts.net_pnl == parts.total

    desk.pass_hours(24)
    desk.pass_time(minutes=4)
    expected = ExpectedFunding.objects.filter(leg__position=position)
    assert {row.status for row in expected} == {ExpectedFunding.Status.MATCHED}
    assert not Event.objects.filter(kind__startswith="funding.").exists()


SIDES = pytest.mark.parametrize("pair", [IN_USDC, IN_USDC[::-1]], ids="-".join)


@SIDES
@pytest.mark.parametrize("action", ["accept_no_answer", "server_error_after_accept"])
def test_orders_without_an_answer_at_entry_and_exit_are_found_and_sent_once(
    desk: PairDesk, pair: tuple[str, str], action: str
) -> None:
    desk.open_accounts(*pair)
    desk.disturb(DERIBIT, action)
    position = planned(desk, pair)
    desk.drive_until(position, PositionState.OPEN)
    desk.reconcile()
    desk.disturb(DERIBIT, action)
    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)
    desk.reconcile()

    assert desk.faults_left() == 0
    assert [desk.base(one) for one in pair] == [0, 0]
    desk.pass_time(minutes=4)
    assert position.orders.count() == 4
    assert_each_order_is_there_once(desk, *pair)
    assert_books_are_the_venues(desk)
    assert desk.longest_naked() <= timedelta(seconds=5)


@SIDES
def test_an_order_that_never_came_ends_flat_and_nothing_is_naked_for_long(
    desk: PairDesk, pair: tuple[str, str]
) -> None:
    desk.open_accounts(*pair)
    desk.disturb(DERIBIT, "drop_before_accept")
    position = planned(desk, pair)
    desk.drive_until(position, *ENDED)
    desk.reconcile()

    assert desk.faults_left() == 0
    assert [desk.base(one) for one in pair] == [0, 0]
    assert position.orders.get(leg__account__exchange__code=DERIBIT).state == OrderState.NOT_PLACED
    assert_each_order_is_there_once(desk, *pair)
    assert desk.our_fills() == desk.their_fills()
    is_first = pair[0] == DERIBIT
    limit = HEDGE_DEADLINE + look_up_every(pair[0]) + timedelta(seconds=1)
    assert desk.longest_naked() <= (timedelta(0) if is_first else limit)
