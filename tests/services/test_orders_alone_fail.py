"""A venue that answers every read and takes no order: how much is risked to find that out."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest

from exchanges.models import VenueHealth
from exchanges.modes import Mode
from exchanges.outcomes import Asked, Outcome
from tests.services.pair_desk import PLACES, SYMBOLS, PairDesk
from tests.services.pair_stories import standing
from tests.services.way_in import enter, plan, set_out
from trading.core.states import OrderState, PositionState
from trading.models import Event, Order, Position
from trading.services.breaker import probe_venues, settle_health

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

DOWN, WELL = "kucoin", "gate"
ENDED = (PositionState.CLOSED, PositionState.ABANDONED)
# Once in so long a pair is entered.
ROUND = 3600


@pytest.fixture
def desk(tmp_path: Path, db: None) -> Generator[PairDesk]:
    for made in standing(tmp_path / "venues"):
        set_out(made, WELL, DOWN, strategies="funding_spread")
        made.world.pin(WELL, SYMBOLS[WELL], funding_rate="0.0001")
        made.world.pin(DOWN, SYMBOLS[DOWN], funding_rate="0.0009")
        made.world.wait(minutes=40)
        made.read_equity()
        made.world.wait(seconds=20)
        yield made


def tend(desk: PairDesk, seconds: float = 0) -> str:
    """Let time pass, then do what the schedules do; return the breaker's state."""
    desk.world.wait(seconds=seconds)
    settle_health(outcomes=desk.outcomes, now=desk.now)
    probe_venues(venues=desk.venues, clock=lambda: desk.now)
    return VenueHealth.objects.get(exchange__code=DOWN).state


def fail_four_orders(desk: PairDesk) -> None:
    for _ in range(4):
        four = Outcome(venue=DOWN, mode=Mode.REHEARSAL, symptom="HTTP 503", asked=Asked.ORDER)
        desk.outcomes.note(four)


def refuse_orders(desk: PairDesk) -> None:
    rule = {"action": "server_error", "status": 503, "method": "POST", "count": None}
    desk.world.venues.faults.add({**rule, "venue": DOWN, "path": PLACES[DOWN]})


def lose_one(desk: PairDesk) -> Position:
    """Enter where no order is taken, and have what the other venue took unwound."""
    position = plan(desk)
    assert isinstance(position, Position), position
    desk.drive_until(position, *ENDED)
    assert [desk.base(venue) for venue in (WELL, DOWN)] == [0, 0]
    return position


def told() -> list[str]:
    events = Event.objects.filter(kind__startswith="breaker").order_by("created_at", "pk")
    return list(events.values_list("kind", flat=True))


def test_one_entry_is_risked_a_round_and_not_five_until_orders_are_taken_again(
    desk: PairDesk,
) -> None:
    refuse_orders(desk)
    fail_four_orders(desk)
    lose_one(desk)
    assert tend(desk) == "open"

    # It answers all reads meanwhile.
    assert tend(desk, ROUND) == "half_open"
    lost = lose_one(desk)
    assert tend(desk) == "open"
    assert lost.orders.get(leg__account__exchange__code=DOWN).state == OrderState.NOT_PLACED

    assert tend(desk, ROUND) == "half_open"
    desk.world.venues.faults.clear()
    position = enter(desk)

    assert tend(desk) == "closed"
    assert position.state == PositionState.OPEN
    assert desk.net() == 0
    assert Order.objects.filter(leg__account__exchange__code=DOWN, state="not_placed").count() == 2
    assert told() == ["breaker.opened", "breaker.closed"]


def test_an_exit_that_goes_through_opens_the_venue_for_entries_again(desk: PairDesk) -> None:
    position = enter(desk)
    tend(desk)
    fail_four_orders(desk)
    fail_four_orders(desk)
    assert tend(desk) == "open"

    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)

    assert tend(desk) == "closed"
    assert told() == ["breaker.opened", "breaker.closed"]
    assert desk.longest_naked() <= timedelta(seconds=1)
