"""Where the fee of a spot purchase is money its coins stay whole: as much is bought as is sold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from arbsite.accounts.models import User
from exchanges.domain import InstrumentKind, Side
from tests.market import make_facts
from tests.services.test_fee_assets import spot
from tests.web.rows import make_account, make_exchange
from trading.core.states import OrderState, PositionState
from trading.models import Leg, Order, Position
from trading.services.appraise import base_fee
from trading.services.holdings import fee_in_base, leg_net_base
from trading.services.lookup import is_due

pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
D = Decimal


def bought(venue: str, user: User) -> Order:
    """Return a purchase of 1 BTC that is filled, and of which no execution is booked yet."""
    exchange = make_exchange(venue, venue[:3].upper(), venue.title())
    account = make_account(user, exchange, NOW)
    position = Position.objects.create(
        user=user,
        mode="rehearsal",
        base="BTC",
        strategy="cash_and_carry",
        open_reason="basis",
        state=PositionState.ENTERING,
        size_usd=D(60_000),
        target_base_quantity=D(1),
        parameters={},
        configuration_version=1,
        entry_funding_spread=D(0),
        opened_by="test",
        created_at=NOW,
        entry_deadline=NOW,
    )
    leg = Leg.objects.create(
        position=position,
        index=0,
        side="LONG",
        account=account,
        instrument=spot(exchange, "BTC"),
        decision_entry_mid=D(60_000),
        taker_fee=D("0.004"),
    )
    return Order.objects.create(
        position=position,
        leg=leg,
        purpose="open",
        sequence=1,
        client_order_id="one",
        side="buy",
        order_type="market",
        time_in_force="ioc",
        base_quantity=D(1),
        filled_base_quantity=D(1),
        state=OrderState.OPEN,
        created_at=NOW,
        sent_at=NOW,
        looked_up_at=NOW,
    )


@pytest.mark.parametrize(
    ("venue", "part", "held"), [("kraken", D(0), D(1)), ("binance", D("0.004"), D("0.996"))]
)
def test_what_a_purchase_leaves_is_known_before_its_executions_are_booked(
    venue: str, part: Decimal, held: Decimal, django_user_model: type[User]
) -> None:
    leg = bought(venue, django_user_model.objects.create_user("ann")).leg

    assert fee_in_base(leg) == part
    assert leg_net_base(leg) == held


@pytest.mark.parametrize(("venue", "part"), [("kraken", D(0)), ("binance", D("0.001"))])
def test_a_purchase_is_planned_by_what_its_fee_is_taken_from(venue: str, part: Decimal) -> None:
    known = make_facts(venue)
    coin = replace(known.instrument, kind=InstrumentKind.SPOT)
    told = replace(known, instrument=coin, taker_fee=D("0.001"))

    assert base_fee(told, Side.BUY) == part
    assert base_fee(told, Side.SELL) == 0


@pytest.mark.parametrize(("venue", "seconds"), [("kraken", 5.0), ("binance", 0.4)])
def test_an_order_is_asked_for_as_often_as_its_venue_has_room(
    venue: str, seconds: float, django_user_model: type[User]
) -> None:
    order = bought(venue, django_user_model.objects.create_user("ann"))

    assert not is_due(order, NOW + timedelta(seconds=seconds - 0.1))
    assert is_due(order, NOW + timedelta(seconds=seconds))
