"""A carry whose funding turns: left, and held the other way round at once where that pays."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from arbsite.celery import ENTRY, app
from exchanges.models import Instrument, SettledFundingRate
from tests.services.strategy_desk import D, StrategyDesk
from tests.services.test_strategies import assert_books_are_the_venues
from tests.services.way_in import enter, read_loans, set_out
from trading.core.states import PositionState
from trading.models import CoolDown, Event, Position
from trading.services import configure, engine
from trading.services.switch_sides import serve_switches, switch_sides

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

BOTH = "cash_and_carry, reverse_cash_and_carry"
Capture = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def desk(strategy_desk: StrategyDesk) -> StrategyDesk:
    return strategy_desk


def turned(desk: StrategyDesk, **values: object) -> Position:
    """Hold spot against a perpetual that has paid for an hour, and let its rate turn round."""
    set_out(desk, "binanceusdm", "bybit", strategies=BOTH, funding_flip="on", **values)
    desk.world.pin("bybitspot", price="64000")
    desk.world.pin("bybit", price="64000", funding_rate="0")
    desk.world.pin("binanceusdm", price="64000", funding_rate="0.0005")
    learn_the_past(desk)
    position = enter(desk)
    assert (position.strategy, position.open_reason) == ("cash_and_carry", "funding")
    desk.pass_hours(1)
    read_loans(desk)
    assert desk.watch() == 0
    desk.world.pin("binanceusdm", funding_rate="-0.0005")
    desk.world.wait(seconds=1)
    assert desk.watch() == 1
    return position


def learn_the_past(desk: StrategyDesk) -> None:
    """Store what was settled before the start: a forecast knows how wrong it may be."""
    for instrument in Instrument.objects.filter(kind="perpetual", base="BTC"):
        listing = desk.world.listing(instrument.exchange.code, instrument.venue_symbol)
        SettledFundingRate.objects.bulk_create(
            SettledFundingRate(
                instrument=instrument,
                settled_at=row.at,
                funding_rate=row.rate,
                settlement_price=row.price,
            )
            for row in desk.world.simulator.settled(listing, now=desk.now)[-40:]
        )


def serve(desk: StrategyDesk) -> int:
    desk.feed()
    read_loans(desk)
    return serve_switches(venues=desk.venues, clock=lambda: desk.now)


def what_was_told(desk: StrategyDesk) -> list[str]:
    rows = Event.objects.filter(user=desk.user, kind="position.switched")
    return list(rows.values_list("sentence", flat=True))


def test_a_carry_is_turned_round_while_its_pair_would_rest(
    desk: StrategyDesk, django_capture_on_commit_callbacks: Capture
) -> None:
    first = turned(desk)
    assert "the other side pays and is to be entered" in first_exit(first)
    # While it is open nothing is served.
    assert serve(desk) == 0
    with django_capture_on_commit_callbacks(execute=True):
        desk.drive_until(first, PositionState.CLOSED)
    assert first.close_reason == "funding_flip"
    assert ("trading.tasks.switch", str(first.pk)) in rung()
    assert CoolDown.objects.get().until > desk.now

    assert serve(desk) == 1
    other = Position.objects.live().get()
    desk.drive_until(other, PositionState.OPEN)
    held = {(leg.instrument.kind, leg.side) for leg in other.legs.select_related("instrument")}
    assert held == {("spot", "SHORT"), ("perpetual", "LONG")}
    assert (other.strategy, other.open_reason) == ("reverse_cash_and_carry", "funding")
    assert what_was_told(desk) == ["BTC: the other side is entered"]

    desk.pass_hours(2)
    desk.ask_to_close(other)
    desk.drive_until(other, PositionState.CLOSED)

    assert desk.held("binanceusdm", "BTCUSDT") == 0
    # Each side leaves less than a lot.
    assert 0 <= desk.coins("bybit", "BTC") < D("0.00002")
    assert_books_are_the_venues(desk)
    # One payment to the first side, two to the other, all received.
    assert [payment > 0 for _, payment in desk.our_funding()] == [True] * 3
    assert len(desk.our_interest()) == 2


def spread_turned(desk: StrategyDesk) -> Position:
    """Hold two perpetuals in the entry window of their next settlement, and let one turn round."""
    set_out(desk, "binanceusdm", "bybit", strategies="funding_spread", funding_flip="on")
    desk.world.pin("binanceusdm", price="64000", funding_rate="0")
    desk.world.pin("bybit", price="64000", funding_rate="0.0005")
    learn_the_past(desk)
    desk.world.wait(minutes=40)
    position = enter(desk)
    desk.pass_hours(1)
    desk.world.pin("bybit", funding_rate="-0.0005")
    desk.world.wait(seconds=1)
    assert desk.watch() == 1
    return position


def test_a_spread_between_two_perpetuals_is_turned_round_too(desk: StrategyDesk) -> None:
    first = spread_turned(desk)
    desk.drive_until(first, PositionState.CLOSED)

    assert serve(desk) == 1
    other = Position.objects.live().get()
    desk.drive_until(other, PositionState.OPEN)

    legs = other.legs.select_related("instrument__exchange")
    held = {(leg.instrument.exchange.code, leg.side) for leg in legs}
    assert held == {("bybit", "LONG"), ("binanceusdm", "SHORT")}
    assert other.strategy == "funding_spread"
    desk.pass_hours(1)
    assert_books_are_the_venues(desk)
    assert sum(payment > 0 for _, payment in desk.our_funding()) == 2


def test_beside_the_entry_window_the_other_side_waits_for_the_scan(desk: StrategyDesk) -> None:
    first = spread_turned(desk)
    desk.drive_until(first, PositionState.CLOSED)
    desk.world.wait(minutes=10)

    assert serve(desk) == 0

    (told,) = what_was_told(desk)
    assert told == (
        "BTC: the other side is not entered: The entry window of the settlement at 14:00:00 UTC is "
        "13:30:00 to 13:45:00 UTC."
    )


def test_the_other_side_is_planned_once_however_often_it_is_asked_for(desk: StrategyDesk) -> None:
    first = turned(desk)
    desk.drive_until(first, PositionState.CLOSED)
    wish = Position.objects.get(pk=first.pk).switch_to

    assert serve(desk) == 1
    # A worker that died before it could end the wish leaves it.
    Position.objects.filter(pk=first.pk).update(switch_to=wish)
    again = switch_sides(first.pk, venues=desk.venues, now=desk.now)

    assert again == Position.objects.live().get()
    assert switch_sides(first.pk, venues=desk.venues, now=desk.now) is None


def test_every_gate_is_asked_before_the_other_side_and_the_pair_rests_where_one_is_shut(
    desk: StrategyDesk,
) -> None:
    first = turned(desk)
    desk.drive_until(first, PositionState.CLOSED)
    engine.pause(user=desk.user, actor="trader", now=desk.now)
    version = configure.current(desk.user)
    configure.save(
        user=desk.user,
        values={**version.saved.to_values(), "strategies": "cash_and_carry"},
        expected_version=version.version,
        actor="trader",
        now=desk.now,
    )

    assert serve(desk) == 0

    assert what_was_told(desk) == [
        "BTC: the other side is not entered: The strategy reverse_cash_and_carry is switched off. "
        "The engine is paused: resume it to enter."
    ]
    assert not Position.objects.live().exists()
    rest = CoolDown.objects.get()
    assert (rest.reason, rest.until > desk.now) == (
        "the pause between two entries on one pair",
        True,
    )
    # The wish has ended with its answer.
    engine.resume(user=desk.user, actor="trader", now=desk.now)
    assert serve(desk) == 0


def test_nothing_is_entered_for_a_position_that_a_kill_has_closed(desk: StrategyDesk) -> None:
    first = turned(desk)
    desk.kill()
    desk.drive_until(first, PositionState.CLOSED)

    assert serve(desk) == 0

    assert not Position.objects.live().exists()
    (told,) = what_was_told(desk)
    assert "The kill switch is pressed, by trader: re-arm it first." in told


def test_a_position_of_a_disabled_owner_is_not_turned(desk: StrategyDesk) -> None:
    first = turned(desk)
    desk.drive_until(first, PositionState.CLOSED)
    desk.user.is_active = False
    desk.user.save()

    assert serve(desk) == 0

    assert what_was_told(desk) == ["BTC: the other side is not entered: its owner is disabled."]


def first_exit(position: Position) -> str:
    position.refresh_from_db()
    return position.close_sentence


def rung() -> list[tuple[str, str]]:
    """Take what was rung in the entry lane: task and first argument."""
    found = []
    channel = app.connection_for_read().channel()
    while (message := channel.basic_get(ENTRY, no_ack=True)) is not None:
        arguments, _, _ = message.payload
        found.append((message.headers["task"], arguments[0]))
    return found
