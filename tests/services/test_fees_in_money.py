"""Where the fee of a spot purchase is money its coins stay whole: as much is bought as is sold."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from arbsite.accounts.models import User
from exchanges.domain import InstrumentKind, Side
from tests.market import make_facts
from tests.services.spot_purchase import NOW, purchase_of_one, spot
from tests.web.rows import make_account, make_exchange
from trading.models import Order
from trading.services.appraise import base_fee
from trading.services.holdings import fee_in_base, leg_net_base
from trading.services.lookup import is_due

pytestmark = [pytest.mark.db, pytest.mark.django_db]

D = Decimal


def bought(venue: str, user: User) -> Order:
    """Return a purchase of 1 BTC that is filled, and of which no execution is booked yet."""
    exchange = make_exchange(venue, venue[:3].upper(), venue.title())
    account = make_account(user, exchange, NOW)
    order = purchase_of_one(account, spot(exchange, "BTC"), user, fee="0.004")
    order.filled_base_quantity, order.looked_up_at = D(1), NOW
    order.save()
    return order


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
