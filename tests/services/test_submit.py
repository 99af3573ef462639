"""The one shape that sends: who is licensed, what each answer means, nothing goes twice."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar, cast

import pytest

from arbsite.accounts.models import User
from exchanges.domain import (
    OrderReport,
    OrderRequest,
    OrderType,
    Side,
    Symbol,
    TimeInForce,
    VenueOrderStatus,
)
from exchanges.errors import (
    CredentialRefused,
    DuplicateClientOrderId,
    InsufficientMargin,
    InvalidOrder,
    NothingToReduce,
    OrderOutcomeUnknown,
    OrderRejected,
    PostOnlyWouldTake,
    RateLimited,
    VenueUnavailable,
)
from exchanges.ports import Trading
from tests.web.rows import make_account, make_entering, make_exchange, make_instrument
from trading.core.order_refusal import RefusalKind
from trading.core.states import OrderState, Purpose
from trading.core.steps import Place
from trading.models import Leg, LegSide, Order, Position, StateChange
from trading.services import kill_switch, lease
from trading.services.halt import halt_account
from trading.services.intents import TooManyOrders, write_intent
from trading.services.submit import submit
from trading.services.venues import Venues

pytestmark = pytest.mark.db

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
D = Decimal
T = TypeVar("T")


@dataclass
class ScriptedVenue:
    """A venue's trading port that answers as told and counts what it was sent."""

    answer: OrderReport | Exception
    sent: list[OrderRequest] = field(default_factory=list)
    clock_ahead: timedelta | Exception = timedelta(0)

    async def clock_error(self) -> timedelta:
        if isinstance(self.clock_ahead, Exception):
            raise self.clock_ahead
        return self.clock_ahead

    async def submit(self, request: OrderRequest) -> OrderReport:
        self.sent.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def call_all(
    coroutines: Sequence[Coroutine[Any, Any, T]], timeout: float
) -> list[T | BaseException]:
    async def gathered() -> list[T | BaseException]:
        return await asyncio.gather(*coroutines, return_exceptions=True)

    return asyncio.run(gathered())


def venues_of(venue: ScriptedVenue) -> Venues:
    def no_account(account: object) -> Any:
        raise AssertionError("submitting reads nothing")

    def no_call(coroutine: Coroutine[Any, Any, T], timeout: float) -> T:
        raise AssertionError("submitting makes one call per order")

    return Venues(
        trading=lambda account: cast(Trading, venue),
        account=no_account,
        call=no_call,
        call_all=call_all,
    )


def report(**changes: Any) -> OrderReport:
    values: dict[str, Any] = {
        "client_order_id": None,
        "venue_order_id": "77",
        "symbol": Symbol("BTC/USDT:USDT"),
        "status": VenueOrderStatus.FILLED,
        "observed_at": NOW,
        "filled_base_quantity": D(1),
    }
    return OrderReport(**(values | changes))


@pytest.fixture
def position(owner: User) -> Position:
    created = make_entering(owner, NOW)
    exchange = make_exchange("bybit", "BYB", "Bybit")
    Leg.objects.create(
        position=created,
        index=0,
        side=LegSide.LONG,
        account=make_account(owner, exchange, NOW),
        instrument=make_instrument(exchange, "BTC", NOW),
        decision_entry_mid=D(100),
        taker_fee=D("0.0005"),
    )
    held = lease.take(created.pk, owner="tests", now=NOW)
    assert held is not None
    return held


def intend(
    position: Position, purpose: Purpose = Purpose.OPEN, *, cap: int = 30, now: datetime = NOW
) -> Order:
    leg = position.legs.order_by("index")[0]
    place = Place(
        leg_index=0,
        purpose=purpose,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        base_quantity=D(1),
        price=D(100),
        reduce_only=purpose is Purpose.REDUCE,
        cancel_after=None,
    )
    return write_intent(position, leg, place, cap=cap, now=now)


def send(order: Order, position: Position, venue: ScriptedVenue) -> OrderState:
    submit([order], position=position, venues=venues_of(venue), clock=lambda: NOW)
    order.refresh_from_db()
    return OrderState(order.state)


def test_an_acknowledged_order_is_sent_once_however_often_it_is_submitted(
    position: Position,
) -> None:
    venue, order = ScriptedVenue(report()), intend(position)

    first = send(order, position, venue)
    send(Order.objects.get(pk=order.pk), position, venue)

    assert first is OrderState.FILLED
    assert len(venue.sent) == 1
    assert order.venue_order_id == "77"
    assert order.filled_base_quantity == D(1)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (InsufficientMargin("margin is short", venue="bybit", code="110007"), OrderState.REJECTED),
        (RateLimited("too many", venue="bybit", retry_after=1.0), OrderState.REJECTED),
        (OrderOutcomeUnknown("no venue id", venue="bybit"), OrderState.UNKNOWN),
        (DuplicateClientOrderId("known id", venue="bybit"), OrderState.UNKNOWN),
        (TimeoutError(), OrderState.UNKNOWN),
        (ValueError("a bug of the client library"), OrderState.UNKNOWN),
    ],
)
def test_only_a_certain_no_is_a_rejection(
    position: Position, answer: Exception, state: OrderState
) -> None:
    order = intend(position)

    assert send(order, position, ScriptedVenue(answer)) is state
    assert order.is_final_at_venue is (state is OrderState.REJECTED)


@pytest.mark.parametrize("purpose", [Purpose.OPEN, Purpose.HEDGE])
@pytest.mark.parametrize("scope", ["user", "everyone"])
def test_the_kill_switch_stops_opening_and_hedging_orders_that_were_written_before_it(
    position: Position, purpose: Purpose, scope: str
) -> None:
    venue, order = ScriptedVenue(report()), intend(position, purpose)
    user = position.user if scope == "user" else None
    kill_switch.press(user=user, actor="x", reason="drill", closes_positions=False, now=NOW)

    assert send(order, position, venue) is OrderState.DROPPED
    assert venue.sent == []


def test_the_kill_switch_never_stops_a_closing_order(position: Position) -> None:
    venue, order = ScriptedVenue(report()), intend(position, Purpose.REDUCE)
    kill_switch.press(user=None, actor="x", reason="drill", closes_positions=False, now=NOW)

    assert send(order, position, venue) is OrderState.FILLED
    assert len(venue.sent) == 1


@pytest.fixture
def halted(position: Position) -> Position:
    """Return the position after the account of its leg was halted."""
    account = position.legs.get().account
    assert halt_account(account, reason="Bybit refused the key", now=NOW)
    return position


def test_an_opening_order_that_was_written_before_the_halt_is_dropped_with_its_reason(
    halted: Position,
) -> None:
    venue, order = ScriptedVenue(report()), intend(halted)

    assert send(order, halted, venue) is OrderState.DROPPED
    assert venue.sent == []
    last = StateChange.objects.filter(order=order).latest("id")
    assert last.cause == "main at BYB is halted: Bybit refused the key"


def test_the_halted_account_of_another_leg_stops_an_opening_order_too(
    owner: User, position: Position
) -> None:
    other = make_exchange("binanceusdm", "BIN", "Binance")
    Leg.objects.create(
        position=position,
        index=1,
        side=LegSide.SHORT,
        account=make_account(owner, other, NOW),
        instrument=make_instrument(other, "BTC", NOW),
        decision_entry_mid=D(100),
        taker_fee=D("0.0005"),
    )
    halt_account(position.legs.get(index=1).account, reason="a difference", now=NOW)
    venue, order = ScriptedVenue(report()), intend(position)

    assert send(order, position, venue) is OrderState.DROPPED
    assert venue.sent == []


@pytest.mark.parametrize("purpose", [Purpose.HEDGE, Purpose.REDUCE])
def test_a_halted_account_still_hedges_and_closes_what_was_opened(
    position: Position, purpose: Purpose
) -> None:
    venue = ScriptedVenue(report())
    assert send(intend(position), position, venue) is OrderState.FILLED
    halt_account(position.legs.get().account, reason="a difference", now=NOW)

    assert send(intend(position, purpose), position, venue) is OrderState.FILLED
    assert len(venue.sent) == 2


def test_two_legs_at_once_on_a_halted_account_are_both_dropped(halted: Position) -> None:
    venue, together = ScriptedVenue(report()), [intend(halted), intend(halted, Purpose.HEDGE)]

    submit(together, position=halted, venues=venues_of(venue), clock=lambda: NOW)

    assert venue.sent == []
    assert [Order.objects.get(pk=o.pk).state for o in together] == [OrderState.DROPPED] * 2


def test_another_users_kill_switch_stops_nothing_here(position: Position, stranger: User) -> None:
    venue, order = ScriptedVenue(report()), intend(position)
    kill_switch.press(user=stranger, actor="x", reason="own", closes_positions=False, now=NOW)

    assert send(order, position, venue) is OrderState.FILLED


def test_a_worker_whose_lease_was_taken_over_sends_nothing(position: Position) -> None:
    venue, order = ScriptedVenue(report()), intend(position)
    later = NOW + timedelta(minutes=1)
    assert lease.take(position.pk, owner="another worker", now=later) is not None

    assert send(order, position, venue) is OrderState.PLANNED
    assert venue.sent == []


def test_an_intent_carries_its_id_in_the_form_its_venue_takes(position: Position) -> None:
    usual = intend(position).client_order_id
    exchange = position.legs.get(index=0).instrument.exchange
    type(exchange).objects.filter(pk=exchange.pk).update(code="hyperliquid")

    written = intend(Position.objects.get(pk=position.pk)).client_order_id

    assert usual.startswith("ca")
    assert (written[:2], len(written)) == ("0x", 34)


def test_a_worker_whose_lease_was_taken_over_writes_no_intent(position: Position) -> None:
    assert lease.take(position.pk, owner="another worker", now=NOW + timedelta(minutes=1))

    with pytest.raises(lease.LeaseLost):
        intend(position)

    assert not Order.objects.exists()


def test_reading_anew_never_takes_over_the_lease_of_another(position: Position) -> None:
    taken = lease.take(position.pk, owner="another worker", now=NOW + timedelta(minutes=1))
    assert taken is not None

    with pytest.raises(lease.LeaseLost):
        lease.reread(position)
    lease.give_back(position)

    assert lease.extend(taken, now=NOW)
    assert Position.objects.get(pk=position.pk).lease_expires_at is not None


def test_what_a_dead_process_held_is_free_at_once_and_the_living_keep_theirs(
    position: Position,
) -> None:
    later = NOW + timedelta(minutes=1)
    with subprocess.Popen(["true"]) as ended:  # noqa: S607
        pass
    assert lease.take(position.pk, owner=lease.owner_name(), now=later) is not None
    assert lease.free_the_dead(now=later) == 0

    owner = lease.owner_name().replace(str(os.getpid()), str(ended.pid), 1)
    Position.objects.filter(pk=position.pk).update(lease_owner=owner)

    assert lease.free_the_dead(now=later) == 1
    assert lease.take(position.pk, owner="its successor", now=later) is not None


def test_a_licence_that_lay_too_long_is_not_used(position: Position) -> None:
    venue, order = ScriptedVenue(report()), intend(position)
    times = iter([NOW, NOW + timedelta(seconds=120), NOW + timedelta(seconds=120)])

    submit([order], position=position, venues=venues_of(venue), clock=lambda: next(times))

    order.refresh_from_db()
    assert venue.sent == []
    assert order.state == OrderState.REJECTED


def test_every_change_of_an_order_is_in_the_journal(position: Position) -> None:
    send(intend(position), position, ScriptedVenue(report()))

    rows = StateChange.objects.exclude(order=None).values_list("from_state", "to_state")
    assert list(rows) == [("planned", "sending"), ("sending", "filled")]


def test_what_opens_and_what_closes_have_each_a_cap_of_orders_a_minute(position: Position) -> None:
    intend(position, cap=1)

    with pytest.raises(TooManyOrders, match="1 opening orders in the last minute, the cap is 1"):
        intend(position, Purpose.HEDGE, cap=1)
    assert intend(position, Purpose.REDUCE, cap=1).sequence == 1
    with pytest.raises(TooManyOrders, match="1 closing orders in the last minute, the cap is 1"):
        intend(position, Purpose.REDUCE, cap=1)


def test_a_refused_key_halts_its_account(position: Position) -> None:
    answer = CredentialRefused("the venue refused the API key", venue="bybit", code="10003")

    assert send(intend(position), position, ScriptedVenue(answer)) is OrderState.REJECTED
    account = position.legs.get().account
    account.refresh_from_db()
    assert account.is_halted
    assert "refused the API key" in account.halted_reason


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (PostOnlyWouldTake("crosses"), RefusalKind.WOULD_TAKE),
        (NothingToReduce("gone"), RefusalKind.NOTHING_TO_REDUCE),
        (InvalidOrder("tick"), RefusalKind.INVALID),
        (InsufficientMargin("short"), RefusalKind.MARGIN),
        (VenueUnavailable("overloaded"), RefusalKind.UNAVAILABLE),
        (OrderRejected("other"), RefusalKind.OTHER),
    ],
)
def test_a_refusal_keeps_the_kind_that_decides_what_is_next(
    position: Position, answer: Exception, kind: RefusalKind
) -> None:
    order = intend(position)
    send(order, position, ScriptedVenue(answer))

    assert order.refusal_kind == kind


def test_each_intent_has_an_id_of_its_own_that_tells_nothing_of_its_user(
    position: Position,
) -> None:
    first, second = intend(position), intend(position)

    assert (first.sequence, second.sequence) == (1, 2)
    assert first.client_order_id != second.client_order_id
    assert position.user.username not in first.client_order_id
