"""The order path against the simulated venues: what ends hedged, what ends flat, what is sent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.services.conftest import Desk
from trading.core.states import PositionState
from trading.models import Event, Order, Position
from trading.services import kill_switch
from trading.services.drive import drive
from trading.services.exit import request_exit
from trading.services.halt import halt_account

pytestmark = pytest.mark.protocol


def held(desk: Desk, venue: str) -> Decimal:
    """Return the signed base quantity that the venue's own ledger shows."""
    positions = desk.ledger(venue)["positions"]
    assert isinstance(positions, list)
    return sum((Decimal(row["base_quantity"]) for row in positions), Decimal(0))


def close(desk: Desk, position: Position) -> Position:
    request_exit(
        position=position, reason="manual", sentence="by hand", actor="demo", now=timezone.now()
    )
    return desk.drive_until(position, PositionState.CLOSED)


def test_an_entry_ends_hedged_and_an_exit_ends_flat(desk: Desk) -> None:
    position = desk.drive_until(desk.enter(), PositionState.OPEN)

    assert (held(desk, "binanceusdm"), held(desk, "bybit")) == (Decimal("0.1"), Decimal("-0.1"))

    close(desk, position)

    assert (held(desk, "binanceusdm"), held(desk, "bybit")) == (Decimal(0), Decimal(0))


def with_style(position: Position, style: str) -> Position:
    Position.objects.filter(pk=position.pk).update(
        parameters={**position.parameters, "entry_style": style}
    )
    return position


def test_a_maker_entry_rests_at_the_touch_and_its_fill_is_hedged(desk: Desk) -> None:
    position = with_style(desk.plan(), "maker")
    drive(position.pk)
    [posted] = position.orders.all()
    leg = position.legs.select_related("instrument__exchange").get(index=0)

    assert (posted.state, posted.time_in_force) == ("open", "post_only")
    assert posted.price < leg.decision_entry_mid

    desk.move(leg, Decimal("-0.0005"))
    desk.drive_until(position, PositionState.OPEN)

    assert (held(desk, "binanceusdm"), held(desk, "bybit")) == (Decimal("0.1"), Decimal("-0.1"))
    assert [trade.is_maker for trade in leg.trades.all()] == [True]


def test_a_maker_entry_posts_nothing_more_once_an_account_of_it_is_halted(desk: Desk) -> None:
    position = with_style(desk.plan(), "maker")
    drive(position.pk)
    assert position.orders.get().state == "open"
    halt_account(desk.account("bybit"), reason="a difference", now=timezone.now())

    # The touch leaves the order behind: without the halt it would follow.
    desk.move(position.legs.select_related("instrument__exchange").get(index=0), Decimal("0.001"))
    desk.drive_until(position, PositionState.ABANDONED)

    assert [order.state for order in position.orders.all()] == ["canceled"]
    assert len(desk.ledger("binanceusdm")["orders"]) == 1  # type: ignore[arg-type]
    assert "main at BYB is halted: a difference" in position.changes.latest("id").cause


def test_both_legs_are_sent_together_and_end_hedged(desk: Desk) -> None:
    position = with_style(desk.plan(), "both_at_once")

    drive(position.pk)
    sent = [order.created_at for order in position.orders.order_by("leg__index")[:2]]
    desk.drive_until(position, PositionState.OPEN)

    assert sent[1] - sent[0] < timedelta(seconds=0.5)
    assert (held(desk, "binanceusdm"), held(desk, "bybit")) == (Decimal("0.1"), Decimal("-0.1"))


def test_no_leg_is_closed_alone_while_the_other_venue_is_silent(desk: Desk) -> None:
    position = desk.drive_until(desk.enter(), PositionState.OPEN)
    desk.simulator.fault(
        venue="bybit", method="GET", path="/v5/order/realtime", action="server_error", count=1000
    )
    request_exit(
        position=position, reason="manual", sentence="by hand", actor="demo", now=timezone.now()
    )

    desk.drive_until(position, PositionState.EXITING)
    drive(position.pk)

    assert (held(desk, "binanceusdm"), held(desk, "bybit")) == (Decimal("0.1"), Decimal("-0.1"))
    told = Event.objects.get(kind="exit.unreachable", position=position)
    assert told.severity == Event.Severity.CRITICAL
    assert "Bybit does not answer" in told.sentence

    desk.simulator.no_faults()
    desk.drive_until(position, PositionState.CLOSED)
    assert (held(desk, "binanceusdm"), held(desk, "bybit")) == (Decimal(0), Decimal(0))


def test_the_kill_switch_flattens_an_open_position(desk: Desk) -> None:
    position = desk.drive_until(desk.enter(), PositionState.OPEN)

    kill_switch.press(
        user=desk.user, actor="demo", reason="test", closes_positions=True, now=timezone.now()
    )
    desk.drive_until(position, PositionState.CLOSED)

    assert position.close_reason == "kill"
    assert (held(desk, "binanceusdm"), held(desk, "bybit")) == (Decimal(0), Decimal(0))


@pytest.mark.parametrize("venue", ["binanceusdm", "bybit"])
def test_an_accepted_order_without_an_answer_is_found_and_never_sent_again(
    desk: Desk, venue: str
) -> None:
    path = {"binanceusdm": "/fapi/v1/order", "bybit": "/v5/order/create"}[venue]
    desk.simulator.fault(venue=venue, method="POST", path=path, action="accept_no_answer", count=1)

    position = desk.drive_until(desk.enter(), PositionState.OPEN, PositionState.CLOSED, timeout=60)

    ids = [order["client_order_id"] for order in desk.ledger(venue)["orders"]]  # type: ignore[attr-defined]
    assert len(ids) == len(set(ids))
    assert set(ids) == set(
        Order.objects.filter(leg__account=desk.account(venue)).values_list(
            "client_order_id", flat=True
        )
    )
    assert held(desk, "binanceusdm") == -held(desk, "bybit")
    assert position.state in (PositionState.OPEN, PositionState.CLOSED)
