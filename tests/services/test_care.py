"""Care at simulated venues: the ladder near liquidation, the gap, the queue, the end of a leg."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from exchanges import loop, registry
from exchanges.account_keys import account_key
from exchanges.models import AccountPosition, Instrument
from tests.services.conftest import Desk
from trading.core.parameters import Parameters
from trading.core.states import Goal, PositionState
from trading.models import Event, LastingCondition, MarginTopUp, Position
from trading.services.drive import drive
from trading.services.exit import request_exit
from trading.services.last_resort import AWAY, AWAY_FOR
from trading.services.watch import watch_positions

pytestmark = pytest.mark.protocol

D = Decimal


@pytest.fixture
def position(desk: Desk) -> Position:
    """Return 0.1 BTC long at Binance, short at Bybit, with nothing but care to move it."""
    opened = desk.drive_until(desk.enter(), PositionState.OPEN)
    set_rules(
        opened,
        stop_loss_pct="",
        basis_reduce_at="",
        funding_regime_exit=False,
        # Bears what funding the simulated market has at the moment.
        negative_spread_tolerance="moderate",
    )
    desk.read_accounts()
    return opened


def set_rules(position: Position, **values: object) -> None:
    position.refresh_from_db()
    merged = Parameters.from_values({**position.parameters, **values}).to_values()
    Position.objects.filter(pk=position.pk).update(parameters=merged)


def held_at(desk: Desk, venue: str) -> Decimal:
    (row,) = [
        row
        for row in desk.ledger(venue)["positions"]  # type: ignore[attr-defined]
        if row["venue"] == venue and row["symbol"] == "BTCUSDT"
    ]
    return D(row["base_quantity"])


def held(desk: Desk, venue: str) -> Decimal:
    rows = desk.ledger(venue)["positions"]
    return sum((D(row["base_quantity"]) for row in rows), D(0))  # type: ignore[attr-defined]


def say_liquidation(desk: Desk, venue: str, part: str) -> None:
    """Store a liquidation price this part away from the mark, as if the venue had said it."""
    row = AccountPosition.objects.get(account=desk.account(venue))
    assert row.mark_price is not None
    away = row.mark_price * D(part) * (1 if row.base_quantity < 0 else -1)
    AccountPosition.objects.filter(pk=row.pk).update(liquidation_price=row.mark_price + away)


def sentences(position: Position, kind: str) -> list[str]:
    events = Event.objects.filter(position=position, kind=kind).order_by("pk")
    return list(events.values_list("sentence", flat=True))


def test_a_leg_near_liquidation_is_told_of_once_with_its_distance(
    desk: Desk, position: Position
) -> None:
    say_liquidation(desk, "bybit", "0.08")

    asked = watch_positions() + watch_positions()

    (sentence,) = sentences(position, "care.liquidation.warning")
    assert asked == 0
    assert sentence.startswith("BTC: the short leg at bybit is 8.0")
    assert sentence.endswith("% from its liquidation, less than 10 %")


def test_a_stored_alarm_that_the_venue_does_not_confirm_does_nothing(
    desk: Desk, position: Position
) -> None:
    say_liquidation(desk, "bybit", "0.03")

    assert watch_positions() == 0

    position.refresh_from_db()
    assert (position.goal, position.reduce_to) == (Goal.HEDGED, None)


def make_isolated(desk: Desk, leverage: str = "10") -> None:
    """Let the owner switch the whole Bybit account to isolated margin at the venue."""
    client = registry._client(account_key(desk.account("bybit")))
    for call, request in (
        ("privatePostV5AccountSetMarginMode", {"setMarginMode": "ISOLATED_MARGIN"}),
        (
            "privatePostV5PositionSetLeverage",
            {
                "category": "linear",
                "symbol": "BTCUSDT",
                "buyLeverage": leverage,
                "sellLeverage": leverage,
            },
        ),
    ):
        loop.call(getattr(client.exchange, call)(request), 10)


@pytest.fixture
def cornered(desk: Desk, position: Position) -> Any:
    """Move both venues up by 6 %: an isolated short at 10x is less than 5 % from its end."""
    make_isolated(desk)
    # (0.10 - 0.033) of the notional is two thirds of a tenth of it
    set_rules(position, margin_top_up_cap="1")
    for venue in ("binanceusdm", "bybit"):
        entry = D(str(AccountPosition.objects.get(account=desk.account(venue)).entry_price))
        desk.simulator.pin(venue, "BTC", price=str(round(entry * D("1.06"), 1)))
    desk.await_books([desk.instrument("binanceusdm"), desk.instrument("bybit")])
    desk.read_accounts()
    yield position
    back = registry._client(account_key(desk.account("bybit"))).exchange
    request = {"setMarginMode": "REGULAR_MARGIN"}
    loop.call(back.privatePostV5AccountSetMarginMode(request), 10)


def test_margin_is_added_to_an_isolated_leg_until_the_warning_ends(
    desk: Desk, cornered: Position
) -> None:
    assert watch_positions() == 1

    (asked,) = MarginTopUp.objects.all()
    assert asked.outcome == MarginTopUp.Outcome.DONE
    assert "BTC: margin of" in sentences(cornered, "care.margin.done")[0]
    # the venue's own liquidation price is 10 % away now: nothing more is asked
    desk.refresh_market()
    desk.read_accounts()
    assert watch_positions() == 0
    row = AccountPosition.objects.get(account=desk.account("bybit"))
    assert row.liquidation_price is not None
    assert row.mark_price is not None
    assert row.liquidation_price / row.mark_price - 1 == pytest.approx(D("0.1"), abs=D("0.001"))


def test_margin_whose_answer_is_lost_is_found_by_a_look_and_not_added_twice(
    desk: Desk, cornered: Position
) -> None:
    path, count = "/v5/position/add-margin", 1
    desk.simulator.fault(venue="bybit", path=path, action="accept_then_reset", count=count)

    watch_positions()

    (asked,) = MarginTopUp.objects.all()
    assert asked.outcome == MarginTopUp.Outcome.UNKNOWN
    desk.refresh_market()
    assert watch_positions() == 0
    (settled,) = MarginTopUp.objects.all()
    assert settled.outcome == MarginTopUp.Outcome.DONE


def test_margin_that_never_arrived_is_not_asked_for_again_but_the_position_halved(
    desk: Desk, cornered: Position
) -> None:
    path, count = "/v5/position/add-margin", 1
    desk.simulator.fault(venue="bybit", path=path, action="drop_before_accept", count=count)
    watch_positions()
    desk.refresh_market()
    # too early to say that it will not arrive
    assert watch_positions() == 0
    MarginTopUp.objects.update(asked_at=timezone.now() - timedelta(seconds=16))
    desk.refresh_market()

    assert watch_positions() == 1

    (asked,) = MarginTopUp.objects.all()
    assert asked.outcome == MarginTopUp.Outcome.NOT_DONE
    cornered.refresh_from_db()
    assert cornered.reduce_to == D("0.05")


def test_both_legs_are_halved_where_no_margin_may_be_added(desk: Desk, cornered: Position) -> None:
    set_rules(cornered, margin_top_up_cap="0")

    assert watch_positions() == 1

    cornered.refresh_from_db()
    assert cornered.reduce_to == D("0.05")
    reduced = desk.drive_until(cornered, PositionState.OPEN)
    assert reduced.reduce_to is None
    held = [held_at(desk, venue) for venue in ("binanceusdm", "bybit")]
    assert held == [D("0.05"), D("-0.05")]
    (sentence,) = sentences(cornered, "position.reducing")
    assert sentence.startswith("BTC: the legs are cut to 0.05 BTC: the short leg at bybit is ")


def test_a_position_too_small_to_be_halved_is_closed(desk: Desk, cornered: Position) -> None:
    set_rules(cornered, margin_top_up_cap="0")
    Instrument.objects.filter(symbol="BTC/USDT:USDT").update(min_notional=D(5000))

    assert watch_positions() == 1

    cornered.refresh_from_db()
    assert (cornered.goal, cornered.close_reason) == (Goal.FLAT, "liquidation_near")


def test_an_adverse_gap_that_lasts_halves_a_position_once_for_each_step(
    desk: Desk, position: Position
) -> None:
    set_rules(position, basis_reduce_at="0.005", exit_must_last_seconds="60")
    entry = D(str(AccountPosition.objects.get(account=desk.account("bybit")).entry_price))
    desk.simulator.pin("bybit", "BTC", price=str(round(entry * D("1.0075"), 1)))
    desk.await_books([desk.instrument("bybit")])

    assert watch_positions() == 0
    LastingCondition.objects.update(since=timezone.now() - timedelta(seconds=61))
    assert watch_positions() == 1

    position.refresh_from_db()
    assert (position.reduce_to, position.basis_steps) == (D("0.05"), 1)
    assert position.reduce_cause.endswith("against it since the entry, beyond 0.50 %")
    desk.drive_until(position, PositionState.OPEN)
    LastingCondition.objects.update(since=timezone.now() - timedelta(seconds=61))
    desk.refresh_market()
    assert watch_positions() == 0


def test_a_place_in_the_queue_of_auto_deleveraging_is_told(desk: Desk, position: Position) -> None:
    AccountPosition.objects.filter(account=desk.account("bybit")).update(adl_rank=5)

    watch_positions()

    (sentence,) = sentences(position, "care.adl.critical")
    assert "the short leg stands at 5 of 5 in the queue" in sentence


def test_a_leg_that_ends_tomorrow_is_closed_today(desk: Desk, position: Position) -> None:
    dated = desk.instrument("bybit")
    Instrument.objects.filter(pk=dated.pk).update(expires_at=timezone.now() + timedelta(hours=23))

    assert watch_positions() == 1

    position.refresh_from_db()
    assert (position.goal, position.close_reason) == (Goal.FLAT, "expiry")


def test_a_position_that_nobody_reads_is_asked_for(desk: Desk, position: Position) -> None:
    AccountPosition.objects.update(observed_at=timezone.now() - timedelta(minutes=5))
    minute_ago = timezone.now() - timedelta(minutes=1)
    watch_positions()
    assert not AccountPosition.objects.filter(observed_at__gt=minute_ago).exists()
    LastingCondition.objects.update(since=timezone.now() - timedelta(seconds=21))

    watch_positions()

    assert not AccountPosition.objects.filter(observed_at__lt=minute_ago).exists()


def leave(position: Position) -> None:
    """Ask for the exit and drive it as far as it goes."""
    request_exit(
        position=position, reason="manual", sentence="by hand", actor="demo", now=timezone.now()
    )
    drive(position.pk)
    position.refresh_from_db()
    assert position.state == PositionState.EXITING


def test_a_leg_near_its_liquidation_is_closed_alone_when_the_other_venue_stays_silent(
    desk: Desk, cornered: Position
) -> None:
    desk.simulator.fault(venue="binanceusdm", action="drop_before_accept", count=None)
    leave(cornered)

    # The first silence may be one lost answer.
    assert watch_positions() == 0
    cornered.refresh_from_db()
    assert not cornered.force_one_sided
    LastingCondition.objects.filter(rule=AWAY).update(
        since=timezone.now() - AWAY_FOR, seen_at=timezone.now()
    )
    desk.refresh_market()
    assert watch_positions() == 1

    drive(cornered.pk)
    assert [held_at(desk, "binanceusdm"), held(desk, "bybit")] == [D("0.1"), D(0)]
    (sentence,) = sentences(cornered, "position.one_sided")
    assert sentence.startswith("BTC: one leg may be closed alone, by rules: the short leg at bybit")
    assert "from its liquidation, less than 5 %, and Binance does not answer" in sentence
    assert Event.objects.get(kind="position.one_sided").severity == Event.Severity.CRITICAL

    desk.simulator.no_faults()
    desk.drive_until(cornered, PositionState.CLOSED)
    assert held(desk, "binanceusdm") == D(0)


def test_a_leg_far_from_its_liquidation_waits_for_the_silent_venue(
    desk: Desk, position: Position
) -> None:
    desk.simulator.fault(venue="binanceusdm", action="drop_before_accept", count=None)
    leave(position)

    watch_positions()

    assert not LastingCondition.objects.filter(rule=AWAY).exists()
    position.refresh_from_db()
    assert not position.force_one_sided
    assert held_at(desk, "bybit") == D("-0.1")
