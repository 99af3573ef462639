"""Kraken Futures on paper, through the whole of Carry: paid and booked for parts of hours."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from exchanges.modes import Mode
from tests.services.memory_board import board_in_memory
from tests.services.strategy_desk import PlannedLeg
from tests.services.test_paper import PaperStories, assert_books_are_the_papers, paid_to
from tests.simulator.world import bitcoin
from trading.core.states import PositionState
from trading.models import Discrepancy, Event, ExpectedFunding, FundingEvent, LegSide, Position

pytestmark = [pytest.mark.protocol, pytest.mark.django_db(transaction=True)]

COINS, CONTRACT = "kraken", "krakenfutures"


@pytest.fixture
def desk(tmp_path: Path) -> Generator[PaperStories]:
    """An hour of a coin pays 60 dollars; it is 12:00:30."""
    with board_in_memory() as memory:
        desk = PaperStories(tmp_path / "venues", memory, asset="USD", watched=True)
        desk.open_accounts(COINS, CONTRACT)
        pins = {"price": "60000", "level_quantity": "5"}
        desk.world.pin(COINS, **pins)
        desk.world.pin(CONTRACT, funding_rate="0.001", **pins)
        yield desk
        desk.close()


def opened(desk: PaperStories) -> Position:
    legs = [
        PlannedLeg(venue=COINS, symbol="XBTUSD", side=LegSide.LONG),
        PlannedLeg(venue=CONTRACT, symbol=bitcoin(CONTRACT), side=LegSide.SHORT, leverage="2"),
    ]
    position = desk.plan("cash_and_carry", legs, "0.1", entry_style="both_at_once")
    Position.objects.filter(pk=position.pk).update(mode=Mode.PAPER)
    desk.drive_until(position, PositionState.OPEN)
    return position


def closed(desk: PaperStories, position: Position) -> None:
    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)


def test_two_positions_of_one_hour_are_each_paid_and_booked_their_part(desk: PaperStories) -> None:
    first = opened(desk)
    desk.pass_time(minutes=20)
    closed(desk, first)
    desk.pass_time(minutes=10)
    second = opened(desk)
    desk.pass_time(minutes=40)
    desk.pass_time(minutes=10)
    desk.pass_time(minutes=60)
    closed(desk, second)
    for _ in range(3):
        desk.pass_time(minutes=30)
    desk.reconcile()

    paid = paid_to(CONTRACT)
    # Of 6 dollars an hour: some twenty minutes, some thirty, an hour, and some twenty.
    assert [round(payment) for payment in paid] == [2, 3, 6, 2]
    booked = {
        position: list(FundingEvent.objects.filter(leg__position=position).order_by("paid_at"))
        for position in (first, second)
    }
    assert [event.payment for event in booked[first]] == paid[:1]
    assert [event.payment for event in booked[second]] == paid[1:]
    expected = ExpectedFunding.objects.order_by("settles_at", "leg__position__created_at")
    assert [row.status for row in expected] == [ExpectedFunding.Status.MATCHED] * 4
    assert [row.payment for row in expected] == paid
    assert not Event.objects.filter(kind__startswith="funding.").exists()
    assert not Discrepancy.objects.exists()
    assert_books_are_the_papers()
