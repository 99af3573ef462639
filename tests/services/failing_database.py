"""Whoever carries a position on while its database fails, and what must be true at the end."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from tests.machine import wait_until
from tests.scenarios.venue_books import VenueBooks
from tests.services.conftest import Desk
from trading.core.states import OrderState, PositionState
from trading.models import Position, Trade
from trading.services.drive import drive
from trading.services.exit import request_exit

ENDS = (PositionState.ABANDONED, PositionState.CLOSED)
PATIENCE = 40.0


class Owner:
    """Whoever carries a position on while its database fails: doorbells and sweeps."""

    def __init__(self, desk: Desk, position: Position) -> None:
        self.desk, self.position = desk, position
        self.failures: list[str] = []

    def drive(self, *, later: timedelta = timedelta(0)) -> None:
        close_old_connections()
        try:
            drive(self.position.pk, clock=lambda: timezone.now() + later)
        except DatabaseError as error:
            self.failures.append(type(error).__name__)

    def drive_until(self, *states: PositionState, later: timedelta = timedelta(0)) -> None:
        def has_arrived() -> bool:
            self.desk.refresh_market()
            self.drive(later=later)
            self.position.refresh_from_db()
            return self.position.state in states

        try:
            wait_until(has_arrived, timeout=PATIENCE, what=f"reaches {states}")
        except AssertionError:
            pytest.fail("\n".join(self.desk.story(self.position)))


def assert_nothing_lost_and_nothing_twice(desk: Desk, position: Position) -> None:
    """Hold every order and fill of the position to the venues' own books."""
    venues = VenueBooks(desk.simulator)
    theirs = {o.client_order_id: o for o in venues.orders() if o.position_id == position.pk}
    sent = position.orders.exclude(state__in=(OrderState.DROPPED, OrderState.NOT_PLACED))
    assert {order.client_order_id for order in sent} == set(theirs)
    assert all(order.is_final_at_venue for order in sent)
    assert [cid for cid, times in venues.create_requests().items() if times > 1] == []
    booked = {trade.venue_trade_id for trade in Trade.objects.filter(position=position)}
    filled = [fill for fill in venues.fills() if fill.client_order_id in theirs]
    assert booked == {fill.venue_trade_id for fill in filled}
    assert Trade.objects.filter(position=position).count() == len(filled)


def bring_the_market(desk: Desk, position: Position) -> None:
    """Let the price come to the first leg's limit, which lies at the mid."""
    leg = position.legs.select_related("instrument__exchange").order_by("index")[0]
    price = leg.decision_entry_mid * (1 - leg.sign * Decimal("0.0005"))
    desk.simulator.pin(leg.instrument.exchange.code, position.base, price=str(price))


def close(position: Position) -> None:
    request_exit(
        position=position, reason="manual", sentence="by hand", actor="demo", now=timezone.now()
    )
