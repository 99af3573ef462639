"""Pairs of venues that are traded since lately: entry, payments, exit, lost answers, closings.

Everything is judged by the venues' own ledgers.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest

from exchanges import selectors
from exchanges.domain import Side
from exchanges.selectors import look_up_every
from exchanges.simulator.accounts import Origin
from tests.services.pair_desk import PLACES, SYMBOLS, PairDesk, symbol_of
from tests.services.strategy_desk import D, PlannedLeg
from tests.services.test_strategies import assert_books_are_the_venues
from tests.services.way_in import enter, set_out
from tests.simulation.memory import MemoryRedis
from trading.core.states import OrderState, PositionState, Purpose
from trading.models import Discrepancy, Event, ExpectedFunding, LegSide, Order, Position, Trade
from trading.services import evaluate, resolve
from trading.services.discrepancies import READ_LAG
from trading.services.drive import drive
from trading.services.equity_bridge import equity_bridge
from trading.services.flatten import flatten
from trading.services.pnl import realised_parts
from trading.services.view import HEDGE_DEADLINE

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

PAIRS = [("gate", "kucoin"), ("kucoin", "bitget"), ("bitget", "gate")]
ONE_COMPANY = ("kraken", "krakenfutures")
TAKER = {"gate": D("0.0005"), "kucoin": D("0.0006"), "bitget": D("0.0006")}
WITHOUT_AN_ANSWER = [
    "accept_no_answer",
    "accept_then_reset",
    "server_error_after_accept",
    "garbage",
]
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
    memory = MemoryRedis()
    selectors.stand_in_for_board(memory)  # type: ignore[arg-type]  # what is used of it
    evaluate._shared.cache_clear()
    desk = PairDesk(tmp_path / "venues", memory)
    yield desk
    desk.close()
    selectors.stand_in_for_board(None)
    evaluate._shared.cache_clear()


def planned(
    desk: PairDesk, pair: tuple[str, str], quantity: str = "0.1", base: str = "BTC", **how: str
) -> Position:
    """Plan the first venue long and the second short."""
    legs = [
        PlannedLeg(venue=venue, symbol=symbol_of(venue, base), side=side)
        for venue, side in zip(pair, LegSide, strict=True)
    ]
    strategy = "cash_and_carry" if "kraken" in pair else "funding_spread"
    return desk.plan(strategy, legs, quantity, base=base, **how)


def opened(desk: PairDesk, pair: tuple[str, str]) -> Position:
    desk.open_accounts(*pair)
    position = planned(desk, pair)
    desk.drive_until(position, PositionState.OPEN)
    return position


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


# The venue that is disturbed, and a pair of which it holds the first leg or the second.
LOST = [
    ("gate", ("gate", "kucoin")),
    ("gate", ("kucoin", "gate")),
    ("kucoin", ("kucoin", "gate")),
    ("kucoin", ("gate", "kucoin")),
    ("bitget", ("bitget", "gate")),
    ("bitget", ("gate", "bitget")),
    # Coins come first.
    ("kraken", ONE_COMPANY),
    ("krakenfutures", ONE_COMPANY),
]
at_a_leg = pytest.mark.parametrize(
    ("venue", "pair"), LOST, ids=[f"{venue}-of-{'-'.join(pair)}" for venue, pair in LOST]
)
FIRST = [(venue, pair) for venue, pair in LOST if venue == pair[0]]
SECOND = [(venue, pair) for venue, pair in LOST if venue == pair[1]]


def assert_each_order_is_there_once(desk: PairDesk, *venues: str) -> None:
    """Ask the venues' own lists: one order for each that counts as sent, and no other."""
    sent = Order.objects.exclude(state=OrderState.NOT_PLACED)
    for venue in venues:
        ids = desk.orders_at(venue)
        assert len(ids) == len(set(ids)) == sent.filter(leg__account__exchange__code=venue).count()


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


CLOSED_BY_THE_VENUE = [
    (venue, pair, origin)
    for venue, pair in (
        ("gate", ("gate", "kucoin")),
        ("kucoin", ("gate", "kucoin")),
        ("bitget", ("kucoin", "bitget")),
        ("krakenfutures", ONE_COMPANY),
    )
    for origin in (Origin.LIQUIDATION, Origin.ADL)
]


@pytest.mark.parametrize(("venue", "pair", "origin"), CLOSED_BY_THE_VENUE)
def test_a_leg_that_its_venue_closed_takes_the_other_with_it(
    desk: PairDesk, venue: str, pair: tuple[str, str], origin: Origin
) -> None:
    position = opened(desk, pair)
    desk.world.wait(minutes=10)
    desk.close_by_venue(venue, origin, "0.04")
    desk.reconcile()
    desk.reconcile()
    desk.drive_until(position, PositionState.OPEN)
    assert sorted(desk.base(one) for one in pair) == [D("-0.06"), D("0.06")]

    desk.world.wait(minutes=10)
    desk.close_by_venue(venue, origin)
    desk.reconcile()
    desk.drive_until(position, PositionState.CLOSED)
    desk.pass_hours(1)
    desk.pass_time(minutes=4)
    desk.reconcile()

    assert [desk.base(one) for one in pair] == [0, 0]
    cause = Trade.Cause.ADL if origin is Origin.ADL else Trade.Cause.LIQUIDATION
    closings = position.trades.exclude(cause=Trade.Cause.ORDER)
    assert [(t.cause, t.base_quantity) for t in closings] == [
        (cause, D("0.04")),
        (cause, D("0.06")),
    ]
    assert position.close_reason == ("auto_deleveraged" if origin is Origin.ADL else "liquidated")
    assert desk.our_fills() == desk.their_fills()
    assert desk.our_funding() == desk.their_funding()
    assert not Event.objects.filter(kind__startswith="funding.", severity="warning").exists()


@pytest.mark.parametrize("venue", PLACES)
def test_a_trade_by_hand_is_adopted_and_the_other_leg_follows(desk: PairDesk, venue: str) -> None:
    pair = next(pair for disturbed, pair in LOST if disturbed == venue)
    position = opened(desk, pair)
    desk.world.wait(seconds=30)
    side = Side.BUY if desk.base(venue) < 0 else Side.SELL
    desk.world.place(venue, side, "0.04", symbol=SYMBOLS[venue])
    desk.reconcile()
    desk.world.wait(seconds=READ_LAG.total_seconds() + 1)
    desk.reconcile()
    found = Discrepancy.objects.confirmed().get()
    assert (found.account.exchange.code, abs(found.missing)) == (venue, D("0.04"))

    refused = resolve.adopt(found, actor="trader", now=desk.now, venues=desk.venues)
    assert refused is None
    desk.drive_until(position, PositionState.OPEN)
    desk.reconcile()

    assert [desk.base(one) for one in pair] == [D("0.06"), D("-0.06")]
    assert desk.our_fills() == desk.their_fills()
    assert not Discrepancy.objects.confirmed().exists()


@pytest.mark.parametrize("pair", [("gate", "kucoin"), ONE_COMPANY], ids="-".join)
def test_a_position_larger_than_its_venues_take_by_now_is_closed_in_parts(
    desk: PairDesk, pair: tuple[str, str]
) -> None:
    position = opened(desk, pair)
    for venue in pair:
        desk.take_at_most(venue, "0.04")
    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)
    desk.reconcile()

    assert [desk.base(one) for one in pair] == [0, 0]
    closing = Order.objects.filter(position=position, purpose=Purpose.REDUCE)
    assert {order.state for order in closing} == {OrderState.FILLED}
    assert max(order.base_quantity for order in closing) == D("0.04")
    assert_books_are_the_venues(desk)
    assert desk.longest_naked() <= timedelta(seconds=5)


def test_a_kill_flattens_what_is_held_at_all_of_them_though_answers_are_lost(
    desk: PairDesk,
) -> None:
    desk.bases = ["BTC", "ETH", "SOL"]
    desk.open_accounts("gate", "kucoin", "bitget", *ONE_COMPANY)
    began = {base: desk.coins("kraken", base) for base in desk.bases}
    held = {"BTC": ("gate", "kucoin"), "ETH": ONE_COMPANY, "SOL": ("bitget", "gate")}
    positions = [
        planned(desk, pair, quantity, base=base)
        for (base, pair), quantity in zip(held.items(), ("0.1", "2", "20"), strict=True)
    ]
    for position in positions:
        desk.drive_until(position, PositionState.OPEN)

    for venue, action in zip(PLACES, [*WITHOUT_AN_ANSWER, "drop_before_accept"], strict=True):
        desk.disturb(venue, action)
    pressed = desk.kill()
    left = flatten(
        pressed, venues=desk.venues, clock=lambda: desk.now, pause=desk.pass_a_second, lanes=1
    )

    assert left == []
    for position in positions:
        position.refresh_from_db()
        assert (position.state, position.close_reason) == (PositionState.CLOSED, "kill")
    perpetuals = [
        desk.held(venue, symbol_of(venue, base))
        for base, pair in held.items()
        for venue in pair
        if venue != "kraken"
    ]
    assert perpetuals == [0] * 5
    assert {base: desk.coins("kraken", base) for base in desk.bases} == began
    desk.reconcile()
    assert_each_order_is_there_once(desk, *PLACES)
    assert desk.our_fills() == desk.their_fills()
