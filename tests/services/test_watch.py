"""The rules of an open position: what closes it, what does not, how long a loss must last."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from exchanges import selectors
from tests.services.conftest import Desk
from trading.core.parameters import Parameters
from trading.core.states import Goal, PositionState
from trading.models import Event, LastingCondition, LegSide, Position
from trading.services.held_position import held_position
from trading.services.seen import Seen
from trading.services.watch import watch_positions

pytestmark = pytest.mark.protocol


@pytest.fixture
def position(desk: Desk) -> Position:
    """A position whose funding pays: long at Binance, short at Bybit."""
    position = desk.drive_until(desk.enter(), PositionState.OPEN)
    for venue, rate in (("binanceusdm", "-0.0001"), ("bybit", "0.0001")):
        desk.simulator.pin(venue, "BTC", funding_rate=rate)
    return position


def set_rules(position: Position, **values: str) -> None:
    position.refresh_from_db()
    merged = Parameters.from_values({**position.parameters, **values}).to_values()
    Position.objects.filter(pk=position.pk).update(parameters=merged)


def move_long(desk: Desk, position: Position, part: str) -> None:
    """Move the long leg's market to a part above (below: negative) the price it was decided on."""
    leg = position.legs.select_related("instrument__exchange").get(side=LegSide.LONG)
    desk.move(leg, Decimal(part))
    desk.await_books([leg.instrument])


def test_a_take_profit_that_is_reached_closes_at_once(desk: Desk, position: Position) -> None:
    set_rules(position, take_profit_usd="1", max_spread="1")
    move_long(desk, position, "0.1")

    assert watch_positions() == 1

    position.refresh_from_db()
    assert position.goal == Goal.FLAT
    assert position.close_reason == "take_profit"
    assert "take profit of 1.00 USD" in position.close_sentence


def test_a_position_that_breaks_its_own_watch_keeps_no_other_from_being_watched(
    desk: Desk, position: Position
) -> None:
    set_rules(position, take_profit_usd="1", max_spread="1")
    move_long(desk, position, "0.1")
    broken = Position.objects.create(
        user=desk.user,
        mode=position.mode,
        base="ETH",
        strategy=position.strategy,
        open_reason=position.open_reason,
        size_usd=position.size_usd,
        target_base_quantity=position.target_base_quantity,
        parameters=7,
        configuration_version=1,
        entry_funding_spread=Decimal(0),
        opened_by="test",
        state=PositionState.OPEN,
        created_at=position.created_at - timedelta(hours=1),
        entry_deadline=position.entry_deadline,
    )

    assert watch_positions() + watch_positions() == 1

    told = Event.objects.get(kind="position.unwatched")
    assert (told.position, told.severity) == (broken, "critical")


def test_a_position_opened_with_a_setting_that_was_removed_since_is_watched_and_closed(
    desk: Desk, position: Position
) -> None:
    set_rules(position, take_profit_usd="1", max_spread="1")
    stored = {**position.parameters, "borrow_fallback": "0.01", "take_profit_usd": "1"}
    Position.objects.filter(pk=position.pk).update(parameters=stored)
    move_long(desk, position, "0.1")

    assert watch_positions() == 1

    assert desk.drive_until(position, PositionState.CLOSED).close_reason == "take_profit"


def test_a_stop_loss_must_last_before_it_closes_and_a_restart_does_not_start_it_anew(
    desk: Desk, position: Position
) -> None:
    set_rules(position, stop_loss_usd="1", basis_reduce_at="")
    move_long(desk, position, "-0.1")

    assert watch_positions() == 0

    position.refresh_from_db()
    assert position.goal == Goal.HEDGED
    # what a process saw half a minute ago is in the database for the next one
    age_by(position, timedelta(seconds=20), seen=timedelta(seconds=2))
    assert watch_positions() == 0
    age_by(position, timedelta(seconds=41), seen=timedelta(seconds=2))
    move_long(desk, position, "-0.1")
    assert watch_positions() == 1
    position.refresh_from_db()
    assert position.close_reason == "stop_loss"


def test_a_loss_that_nobody_saw_in_between_must_last_anew(desk: Desk, position: Position) -> None:
    set_rules(position, stop_loss_usd="1", basis_reduce_at="")
    move_long(desk, position, "-0.1")
    watch_positions()
    age_by(position, timedelta(seconds=90), seen=timedelta(seconds=80))
    move_long(desk, position, "-0.1")

    assert watch_positions() == 0


def test_a_loss_that_went_by_is_forgotten(desk: Desk, position: Position) -> None:
    set_rules(position, stop_loss_usd="1", basis_reduce_at="")
    move_long(desk, position, "-0.1")
    watch_positions()
    assert LastingCondition.objects.filter(position=position).exists()
    set_rules(position, stop_loss_usd="", stop_loss_pct="")
    move_long(desk, position, "-0.1")

    watch_positions()

    assert not LastingCondition.objects.filter(position=position).exists()


def age_by(position: Position, since: timedelta, *, seen: timedelta) -> None:
    for row in LastingCondition.objects.filter(position=position):
        row.since, row.seen_at = row.since - since, timezone.now() - seen
        row.save()


def test_a_stale_book_closes_nothing(desk: Desk, position: Position) -> None:
    set_rules(position, take_profit_usd="0.01", max_book_age_seconds="0.1")
    legs = list(position.legs.select_related("instrument__exchange"))
    position.refresh_from_db()
    board, in_a_moment = selectors.market_board(), timezone.now() + timedelta(seconds=1)

    held = held_position(position, legs, Seen(board), in_a_moment)

    assert held is None
