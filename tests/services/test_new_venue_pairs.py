"""Pairs of venues that are traded since lately: entry, payments, exit, lost answers, closings.

Everything is judged by the venues' own ledgers.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest

from exchanges.selectors import look_up_every
from tests.services.pair_desk import SYMBOLS, PairDesk
from tests.services.pair_stories import (
    LOST,
    ONE_COMPANY,
    WITHOUT_AN_ANSWER,
    assert_each_order_is_there_once,
    planned,
    standing,
)
from tests.services.strategy_desk import D
from tests.services.test_strategies import assert_books_are_the_venues
from tests.services.way_in import enter, set_out
from trading.core.states import OrderState, PositionState
from trading.models import Event, ExpectedFunding
from trading.services.drive import drive
from trading.services.equity_bridge import equity_bridge
from trading.services.pnl import realised_parts
from trading.services.view import HEDGE_DEADLINE

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

PAIRS = [("gate", "kucoin"), ("kucoin", "bitget"), ("bitget", "gate")]
TAKER = {"gate": D("0.0005"), "kucoin": D("0.0006"), "bitget": D("0.0006")}
# By which path an order that the venue took is looked up first.
LOOK_UPS = {
    "gate": "/futures/usdt/orders/t-",
    "kucoin": "/orders/byClientOid",
    "bitget": "/order/detail",
    "krakenfutures": "/orders/status",
}
CANCELS = {
    "gate": ("DELETE", "/futures/usdt/orders"),
    "kucoin": ("DELETE", "/orders"),
    "bitget": ("POST", "/cancel-order"),
    "kraken": ("POST", "/CancelOrder"),
}
ENDED = (PositionState.CLOSED, PositionState.ABANDONED)


@pytest.fixture
def desk(tmp_path: Path, db: None) -> Generator[PairDesk]:
    yield from standing(tmp_path / "venues")


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_a_funding_spread_is_paid_twice_and_worth_what_is_worked_by_hand(
    desk: PairDesk, pair: tuple[str, str]
) -> None:
    long, short = pair
    set_out(desk, long, short, strategies="funding_spread")
    desk.world.pin(long, SYMBOLS[long], funding_rate="0.0001")
    desk.world.pin(short, SYMBOLS[short], funding_rate="0.0005")
    desk.world.wait(minutes=40)
    desk.read_equity()
    desk.world.wait(seconds=20)

    position = enter(desk)
    desk.reconcile()
    assert (desk.base(long), desk.base(short)) == (D("0.101"), D("-0.101"))
    desk.pass_hours(2)
    desk.pass_time(minutes=4)
    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)
    desk.reconcile()
    desk.read_equity()

    assert (desk.base(long), desk.base(short)) == (0, 0)
    assert_books_are_the_venues(desk)
    expected = ExpectedFunding.objects.filter(leg__position=position)
    assert {row.status for row in expected} == {ExpectedFunding.Status.MATCHED}
    assert not Event.objects.filter(kind__startswith="funding.").exists()
    parts = realised_parts(position)
    # Each leg crosses a spread of 0.2 on 0.101; 6,464 dollars pay 0.0004 twice and four fees.
    assert parts.basis_pnl + parts.slippage_pnl + parts.residual_pnl == D("-0.0404")
    assert parts.funding == D("5.1712")
    assert parts.fees == 2 * D(6464) * (TAKER[long] + TAKER[short])
    period = equity_bridge(desk.user, since=None, until=desk.now)
    assert period is not None
    assert abs(period.parts.unexplained) < D("1e-9")
    assert period.parts.net_pnl == parts.total


at_a_leg = pytest.mark.parametrize(
    ("venue", "pair"), LOST, ids=[f"{venue}-of-{'-'.join(pair)}" for venue, pair in LOST]
)
FIRST = [(venue, pair) for venue, pair in LOST if venue == pair[0]]
SECOND = [(venue, pair) for venue, pair in LOST if venue == pair[1]]


@pytest.mark.parametrize("action", WITHOUT_AN_ANSWER)
@at_a_leg
def test_orders_without_an_answer_at_entry_and_exit_are_found_and_sent_once(
    desk: PairDesk, venue: str, pair: tuple[str, str], action: str
) -> None:
    desk.open_accounts(*pair)
    desk.disturb(venue, action)
    position = planned(desk, pair)
    desk.drive_until(position, PositionState.OPEN)
    assert desk.net() == 0
    desk.reconcile()
    desk.disturb(venue, action)
    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)
    desk.reconcile()
    desk.pass_time(minutes=1)

    assert desk.faults_left() == 0
    assert [desk.base(one) for one in pair] == [0, 0]
    assert position.orders.count() == 4
    assert_each_order_is_there_once(desk, *pair)
    assert_books_are_the_venues(desk)
    # A venue is silent for four seconds, the coins of Kraken are asked for every five.
    assert desk.longest_naked() <= timedelta(seconds=5)


@at_a_leg
def test_an_order_that_never_came_ends_flat_and_nothing_is_naked_for_long(
    desk: PairDesk, venue: str, pair: tuple[str, str]
) -> None:
    desk.open_accounts(*pair)
    desk.disturb(venue, "drop_before_accept")
    position = planned(desk, pair)
    desk.drive_until(position, *ENDED)
    desk.reconcile()

    assert desk.faults_left() == 0
    is_first = venue == pair[0]
    assert position.state == (PositionState.ABANDONED if is_first else PositionState.CLOSED)
    assert [desk.base(one) for one in pair] == [0, 0]
    assert position.orders.get(leg__account__exchange__code=venue).state == OrderState.NOT_PLACED
    assert_each_order_is_there_once(desk, *pair)
    assert desk.our_fills() == desk.their_fills()
    asked_every = look_up_every(pair[0])
    limit = timedelta(0) if is_first else HEDGE_DEADLINE + asked_every + timedelta(seconds=1)
    assert desk.longest_naked() <= limit


@pytest.mark.parametrize(("venue", "pair"), FIRST, ids=[venue for venue, _ in FIRST])
def test_a_cancel_that_came_through_without_an_answer_is_seen_and_alarms_nobody(
    desk: PairDesk, venue: str, pair: tuple[str, str]
) -> None:
    desk.open_accounts(*pair)
    position = planned(desk, pair)
    method, path = CANCELS[venue]
    desk.disturb(venue, "accept_then_reset", method=method, path=path)
    drive(position.pk, venues=desk.venues, clock=lambda: desk.now)
    # Nobody sells at the price that is bid, until the time is over.
    desk.world.pin(venue, SYMBOLS[venue], price="64050")
    desk.drive_until(position, PositionState.ABANDONED)

    assert desk.faults_left() == 0
    assert not desk.world.simulator.ledger.open_orders()
    assert [order.state for order in position.orders.all()] == [OrderState.CANCELED]
    assert_books_are_the_venues(desk)


@pytest.mark.parametrize(("venue", "pair"), SECOND, ids=[venue for venue, _ in SECOND])
def test_a_hedge_that_is_found_after_it_was_given_up_is_closed_too(
    desk: PairDesk, venue: str, pair: tuple[str, str]
) -> None:
    desk.open_accounts(*pair)
    desk.disturb(venue, "accept_then_reset")
    desk.disturb(venue, "server_error", method="", path=LOOK_UPS[venue], count=None)
    position = planned(desk, pair)
    with pytest.raises(AssertionError, match="could not be filled"):
        desk.drive_until(position, PositionState.CLOSED, seconds=20)
    assert [desk.base(one) for one in pair] == [0, D("-0.1")]

    desk.world.venues.faults.clear()
    desk.drive_until(position, PositionState.CLOSED)
    desk.reconcile()

    assert [desk.base(one) for one in pair] == [0, 0]
    assert_each_order_is_there_once(desk, *pair)
    assert desk.our_fills() == desk.their_fills()


def test_cash_and_carry_at_one_company_accrues_for_the_minutes_that_were_held(
    desk: PairDesk,
) -> None:
    coins, contract = ONE_COMPANY
    set_out(desk, coins, contract, strategies="cash_and_carry")
    # 3 % of 64,000, and 0.1 % an hour for who is short.
    desk.world.pin(contract, SYMBOLS[contract], price="65920", funding_rate="0.001")
    desk.world.wait(minutes=4)
    desk.read_equity()
    desk.world.wait(seconds=20)

    position = enter(desk)
    desk.reconcile()
    quantity = desk.base(coins)
    assert desk.base(contract) == -quantity == D("-0.098")
    desk.world.wait(minutes=30)
    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)
    desk.pass_hours(1)
    desk.pass_time(minutes=4)
    desk.reconcile()
    desk.read_equity()

    assert (desk.base(coins), desk.base(contract)) == (0, 0)
    assert_books_are_the_venues(desk)
    [expected] = ExpectedFunding.objects.all()
    assert expected.status == ExpectedFunding.Status.MATCHED
    parts = realised_parts(position)
    # 0.098 at 65,920 and 0.1 % an hour, for half an hour; spreads of 0.2, fees of 0.4 and 0.05 %.
    assert parts.funding == D("3.23008")
    assert parts.fees == 2 * D("0.098") * (64_000 * D("0.004") + 65_920 * D("0.0005"))
    assert parts.total == D("3.23008") - parts.fees - 2 * D("0.0196")
    period = equity_bridge(desk.user, since=None, until=desk.now)
    assert period is not None
    assert abs(period.parts.unexplained) < D("1e-9")
    assert period.parts.net_pnl == parts.total
