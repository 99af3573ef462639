"""The order path against the simulated venues: what ends hedged, what ends flat, what is sent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from tests.services.conftest import Desk
from trading.core.states import PositionState
from trading.models import Order, Position
from trading.services import kill_switch
from trading.services.exit import request_exit

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
