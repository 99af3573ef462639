"""One trouble at a time around a position: venues, keys, clocks, databases, people."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import DatabaseError

from exchanges.models import ExchangeAccount
from exchanges.simulator.listings import BYBIT, USDM
from tests.simulation.drill import FLAT, Drill
from tests.simulation.laboratory import Laboratory
from tests.simulation.markets import CREATE
from trading.models import KillSwitch, Order, Position

pytestmark = pytest.mark.simulation

HALF_AN_HOUR = "1800"


@pytest.fixture
def drill(laboratory: Laboratory) -> Drill:
    return Drill(laboratory)


@pytest.mark.parametrize("seconds", [60.0, -60.0])
def test_with_a_clock_a_minute_off_a_close_is_signed_by_the_venues_time_once_it_was_refused(
    drill: Drill, seconds: float
) -> None:
    """The venues refuse what is signed outside their window, and say what time it is."""
    drill.enter()
    drill.world.skew = seconds
    drill.world.note_fault()

    drill.leave(wait=20.0)

    assert (drill.state(), drill.held()) == ("closed", FLAT)
    drill.rest()


def test_a_revoked_key_halts_its_own_account_and_stops_nobody_else(drill: Drill) -> None:
    drill.enter()
    revoked = drill.far.account("alice", USDM)
    secret, revoked.secret = revoked.secret, "revoked"
    drill.world.note_fault()

    drill.leave(wait=20.0)
    others = drill.enter(user="bob")

    halted = ExchangeAccount.objects.exclude(halted_at=None)
    assert [(row.user.username, row.exchange.code) for row in halted] == [("alice", USDM)]
    assert drill.cried("account.halted")
    others.refresh_from_db()
    assert others.state == "open"

    revoked.secret = secret
    drill.rest()
    assert drill.held() == FLAT


@pytest.mark.parametrize(
    ("status", "action", "words"),
    [
        (403, "server_error", "refuses every request from this address"),
        (451, "reject", "does not serve the region of this address"),
    ],
)
def test_a_venue_that_serves_nobody_here_halts_its_accounts_and_is_asked_rarely(
    drill: Drill, status: int, action: str, words: str
) -> None:
    drill.enter()
    sent = len(drill.sent())
    drill.disturb(venue=USDM, action=action, status=status, count=None)
    before = len(drill.far.arrivals)

    drill.leave(wait=1.0)
    drill.do("open", base="ETH", amount="6000", kind="manual", wait=0.0)
    drill.do("time", amount="300")

    halted = ExchangeAccount.objects.exclude(halted_at=None)
    assert {row.exchange.code for row in halted} == {USDM}
    assert all(words in row.halted_reason for row in halted)
    assert drill.cried("account.halted")
    asked = [one for one in drill.far.arrivals[before:] if one.venue == USDM]
    assert 1 <= len(asked) <= 40
    assert [s for s in drill.far.sights[sent:] if s.intent and s.intent["purpose"] == "open"] == []
    assert drill.state() == "exiting"

    drill.far.calm()
    drill.do("time", amount="90")
    assert (drill.state(), drill.held()) == ("closed", FLAT)
    drill.rest()


def test_a_venue_that_goes_between_the_legs_has_the_first_one_unwound_meanwhile(
    drill: Drill,
) -> None:
    create = {"venue": USDM, "method": "POST", "path": CREATE[USDM]}
    drill.disturb(**create, action="delay", seconds=0.1)

    def go_away() -> None:
        drill.far.on_fault = None
        drill.disturb(venue=BYBIT, action="server_error", count=None)

    drill.when_struck(go_away)
    drill.enter(wait=30.0)

    assert drill.orders(USDM) == ["open filled", "reduce filled"]
    assert drill.held() == FLAT
    assert drill.cried("order.unknown")
    drill.rest()
    assert drill.state() == "closed"


def test_half_an_hour_of_maintenance_moves_nothing_and_is_cried_out(drill: Drill) -> None:
    drill.enter()
    before = drill.held()
    drill.disturb(venue=BYBIT, action="server_error", status=503, count=None)
    drill.leave(wait=1.0)

    drill.do("time", amount=HALF_AN_HOUR)

    assert (drill.held(), len(drill.sent())) == (before, 2)
    assert drill.cried("exit.unreachable")
    drill.rest()
    assert (drill.state(), drill.held()) == ("closed", FLAT)


def test_margin_that_was_taken_out_makes_the_position_smaller_and_opens_nothing(
    drill: Drill,
) -> None:
    drill.enter()
    whole = drill.held()[0]
    drill.far.account("alice", USDM).credit("usdm", "USDT", Decimal("-99720"))
    drill.world.note_fault()

    drill.do("time", amount="400")
    drill.do("open", base="ETH", amount="6000", kind="manual", wait=10.0)

    long, short = drill.held()
    assert 0 < long < whole
    assert long == -short
    assert drill.held(base="ETH") == FLAT


def test_sweeps_find_an_entry_whose_every_wake_up_was_lost(drill: Drill) -> None:
    drill.world.doorbells_lost = 1.0
    drill.world.streams.weather.lost = 1.0

    drill.enter(wait=20.0)

    assert (drill.orders(USDM), drill.orders(BYBIT)) == (["open filled"], ["hedge filled"])
    drill.rest()


def test_leverage_that_is_refused_ends_the_entry_before_any_order(drill: Drill) -> None:
    setting = {"venue": BYBIT, "method": "POST", "path": "/v5/position/set-leverage"}
    drill.disturb(**setting, action="reject", code=110013, message="cannot set leverage")

    drill.enter()
    drill.rest()

    assert (drill.state(), drill.sent()) == ("abandoned", [])


def test_a_database_that_cannot_be_written_sends_nothing_until_it_can(drill: Drill) -> None:
    connection = drill.world.laboratory.database.connection.connection
    position = drill.rest_first_leg()
    drill.far.move_price("BTC", Decimal("0.99"))
    connection.execute("PRAGMA query_only = 1")
    try:
        with pytest.raises(DatabaseError):
            drill.do("time", amount="10")
        with pytest.raises(DatabaseError):
            drill.enter(user="bob")
    finally:
        connection.execute("PRAGMA query_only = 0")
    assert len(drill.sent()) == 1

    drill.rest()
    position.refresh_from_db()
    assert drill.held("bob") == FLAT
    assert drill.held()[0] == -drill.held()[1]


def test_a_new_configuration_leaves_a_position_its_own_and_binds_the_next_at_once(
    drill: Drill,
) -> None:
    position = drill.enter()
    agreed = position.parameters
    values = {"max_position_per_pair_usd": "4000", "hedge_escalation_seconds": "0"}

    drill.do("configure", options=values)
    following = drill.enter(base="ETH")

    position.refresh_from_db()
    assert position.parameters == agreed
    assert following.size_usd <= 4000
    drill.rest()


def test_a_kill_a_rearm_and_a_kill_of_everyone_at_once_end_flat(drill: Drill) -> None:
    drill.enter(wait=0.3)

    drill.do("kill", number=1, wait=0.1)
    drill.do("rearm", wait=0.1)
    drill.do("kill", number=1, kind="global", wait=30.0)
    drill.rest()

    first, second = KillSwitch.objects.order_by("epoch")
    assert first.rearmed_at is not None
    assert second.rearmed_at is None
    assert drill.held() == FLAT
    assert not Position.objects.exclude(state__in=("closed", "abandoned")).exists()
    assert not Order.objects.exclude(purpose="reduce").filter(sent_at__gt=second.pressed_at)
