"""The sweep finds by itself what no doorbell told of, also in what is at rest or has ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from arbsite.accounts.models import User
from exchanges.domain import ClientOrderId, Fill, Side, Symbol
from exchanges.errors import VenueUnavailable
from tests.services.test_submit import D, ScriptedVenue, venues_of
from tests.web.rows import (
    make_account,
    make_entering,
    make_exchange,
    make_instrument,
    make_position,
)
from trading.core.parameters import Parameters
from trading.core.states import PositionState, Purpose
from trading.models import Event, Leg, LegSide, Order, Position, StateChange
from trading.services import lease
from trading.services.account_facts import record
from trading.services.sweep import positions_due, sweep

pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
BTC = Symbol("BTC/USDT:USDT")
Positions = Callable[..., Position]


@pytest.fixture
def positioned(owner: User) -> Positions:
    """Write a position that was driven to its rest: 10 BTC a leg, or nothing left of them."""

    def write(state: PositionState = PositionState.OPEN) -> Position:
        binance = make_exchange("binanceusdm", "BIN", "Binance")
        bybit = make_exchange("bybit", "BYB", "Bybit")
        long, short = (make_instrument(venue, "BTC", NOW) for venue in (binance, bybit))
        for venue in (binance, bybit):
            make_account(owner, venue, NOW)
        position = make_position(owner, long, short, NOW, state=state)
        position.parameters = Parameters().to_values()
        position.save()
        if state in (PositionState.CLOSED, PositionState.ABANDONED):
            for leg in position.legs.all():
                fills(order(leg, Purpose.REDUCE), "10")
        look()
        assert positions_due() == []
        return position

    return write


def order(leg: Leg, purpose: Purpose) -> Order:
    """Write an order of 10 that its venue called cancelled."""
    side = Side.BUY if (leg.side == LegSide.LONG) is (purpose != Purpose.REDUCE) else Side.SELL
    return Order.objects.create(
        position=leg.position,
        leg=leg,
        purpose=purpose,
        sequence=9,
        client_order_id=f"late-{leg.index}-{purpose}",
        side=side,
        order_type="limit",
        time_in_force="gtc",
        base_quantity=D(10),
        price=D(100),
        state="canceled",
        is_final_at_venue=True,
        created_at=NOW - timedelta(hours=1),
    )


def fills(canceled: Order, base_quantity: str, at: datetime = NOW) -> None:
    """Let the stream book a fill of an order whose cancel was acknowledged; no doorbell rings."""
    fill = Fill(
        venue="bybit",
        symbol=BTC,
        venue_trade_id=f"{base_quantity} of {canceled.client_order_id}",
        venue_order_id="late",
        client_order_id=ClientOrderId(canceled.client_order_id),
        side=Side(canceled.side),
        price=D(100),
        base_quantity=D(base_quantity),
        fee=D("0.01"),
        fee_asset="USDT",
        is_maker=True,
        filled_at=at,
    )
    record(canceled.leg.account, [fill], now=at)


def look(at: datetime = NOW) -> ScriptedVenue:
    """Sweep once at a venue that takes no order, and return what it was asked to take."""
    venue = ScriptedVenue(VenueUnavailable("closed for the night", venue="bybit"))
    sweep(venues=venues_of(venue), clock=lambda: at)
    return venue


def short_leg(position: Position) -> Leg:
    return position.legs.select_related("position", "account").get(side=LegSide.SHORT)


def test_a_fill_after_an_acknowledged_cancel_is_cut_from_an_open_position(
    positioned: Positions,
) -> None:
    position = positioned()
    fills(order(short_leg(position), Purpose.HEDGE), "0.5")

    venue = look()

    position.refresh_from_db()
    assert position.state == PositionState.UNWINDING
    [sent] = venue.sent
    assert (sent.side, sent.base_quantity, sent.reduce_only) == (Side.BUY, D("0.5"), True)


@pytest.mark.parametrize("state", [PositionState.CLOSED, PositionState.ABANDONED])
def test_a_fill_after_the_end_is_closed_and_told(
    positioned: Positions, state: PositionState
) -> None:
    position = positioned(state)
    fills(order(short_leg(position), Purpose.HEDGE), "0.5")

    venue = look()

    position.refresh_from_db()
    assert position.state == PositionState.UNWINDING
    [sent] = venue.sent
    assert (sent.side, sent.base_quantity, sent.reduce_only) == (Side.BUY, D("0.5"), True)
    told = Event.objects.get(position=position, kind="position.unwinding")
    assert told.severity == Event.Severity.CRITICAL
    assert "after the end" in told.sentence


def test_what_comes_after_the_end_waits_for_a_newer_position_and_is_told_until_then(
    owner: User, positioned: Positions
) -> None:
    ended = positioned(PositionState.CLOSED)
    newer = make_entering(owner, NOW)
    Position.objects.filter(pk=newer.pk).update(state=PositionState.OPEN)
    fills(order(short_leg(ended), Purpose.HEDGE), "0.5")

    assert look().sent == []

    told = Event.objects.get(position=ended, severity=Event.Severity.CRITICAL)
    assert told.sentence == (
        f"BTC: -0.5 BTC at Bybit came after the end of position {ended.short_id} and is hedged by "
        f"nothing; it is closed once the newer position {newer.short_id} has ended: close that, or "
        "this by hand"
    )
    ended.refresh_from_db()
    assert ended.state == PositionState.CLOSED
    assert positions_due() == [ended.pk]

    Position.objects.filter(pk=newer.pk).update(state=PositionState.CLOSED)
    [sent] = look().sent

    assert (sent.side, sent.base_quantity, sent.reduce_only) == (Side.BUY, D("0.5"), True)


def test_a_fill_while_a_person_decides_is_told_once_and_nothing_is_sent(
    positioned: Positions,
) -> None:
    position = positioned(PositionState.HELD)
    fills(order(short_leg(position), Purpose.HEDGE), "0.5")

    assert look().sent == look(NOW + timedelta(seconds=6)).sent == []

    [told] = Event.objects.filter(position=position, kind="position.unhedged")
    assert told.sentence == (
        "BTC: -0.5 BTC is unhedged since 14:00:00 UTC, position held; a person must decide"
    )
    assert positions_due() == []


@pytest.mark.parametrize("state", [PositionState.OPEN, PositionState.CLOSED])
def test_what_no_order_could_take_away_is_judged_once_and_rests(
    positioned: Positions, state: PositionState
) -> None:
    position = positioned(state)
    fills(order(short_leg(position), Purpose.HEDGE), "0.0004")
    assert positions_due() == [position.pk]

    look()

    assert positions_due() == []
    assert not StateChange.objects.filter(position=position, order=None, at__gte=NOW).exists()


def test_a_drift_whose_trim_has_no_price_yet_stays_due(positioned: Positions) -> None:
    position = positioned()
    fills(order(short_leg(position), Purpose.HEDGE), "0.1")

    look()

    assert positions_due() == [position.pk]


def test_naked_legs_are_told_of_within_ten_seconds_though_they_fill_on(
    positioned: Positions,
) -> None:
    position = positioned()
    fills(order(short_leg(position), Purpose.HEDGE), "0.5")
    closing = order(short_leg(position), Purpose.REDUCE)
    told = Event.objects.filter(position=position, kind="position.unhedged")

    for seconds in (0, 2, 4):
        look(NOW + timedelta(seconds=seconds))
    assert not told.exists()
    fills(closing, "0.1", at=NOW + timedelta(seconds=5))
    for seconds in (6, 8):
        look(NOW + timedelta(seconds=seconds))

    assert [event.sentence for event in told] == [
        "BTC: -0.4 BTC is unhedged since 14:00:00 UTC, position unwinding; trying on"
    ]
    assert told.get().severity == Event.Severity.CRITICAL
    assert told.get().created_at <= NOW + timedelta(seconds=8)


def test_naked_legs_are_told_of_though_a_machine_that_is_gone_has_the_lease(
    positioned: Positions,
) -> None:
    position = positioned()
    fills(order(short_leg(position), Purpose.HEDGE), "0.5")
    taken = lease.take(position.pk, owner="0therbox.1.gone.1", now=NOW)
    assert taken is not None

    look(NOW + timedelta(seconds=7))

    told = Event.objects.get(position=position, kind="position.unhedged")
    assert told.sentence.startswith("BTC: -0.5 BTC is unhedged since 14:00:00 UTC")
    position.refresh_from_db()
    assert (position.lease_owner, position.lease_epoch) == (taken.lease_owner, taken.lease_epoch)


def test_a_naked_held_position_is_told_of_at_once_by_a_clock_that_was_set_back(
    positioned: Positions,
) -> None:
    position = positioned(PositionState.HELD)
    fills(order(short_leg(position), Purpose.HEDGE), "0.5")

    look(NOW - timedelta(hours=1))

    [told] = Event.objects.filter(position=position, kind="position.unhedged")
    assert told.sentence.endswith("14:00:00 UTC, position held; a person must decide")
