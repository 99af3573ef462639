"""Whether a closing order of a leg may reach a market: its venue answers, and trades it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from arbsite.accounts.models import User
from exchanges.models import Exchange, Instrument
from tests.web.rows import make_account, make_exchange, make_instrument, make_position
from trading.models import Leg
from trading.services.contact import Contact, reach
from trading.services.venues import REAL, Venues

pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def legs(owner: User) -> list[Leg]:
    """A hedge whose long leg did not trade when its venue's list was read five minutes ago."""
    far, near = make_exchange("bybit", "BYB", "Bybit"), make_exchange("okx", "OKX", "OKX")
    for exchange in (far, near):
        make_account(owner, exchange, NOW)
    long, short = (make_instrument(exchange, "BTC", NOW) for exchange in (far, near))
    position = make_position(owner, long, short, NOW)
    Instrument.objects.filter(pk=long.pk).update(is_active=False)
    rows = position.legs.select_related("instrument__exchange", "account__exchange")
    return list(rows.order_by("index"))


def looked_up(legs: Sequence[Leg]) -> Contact:
    """Return what is known after orders of both legs were looked up on this visit."""
    contact = Contact()
    for leg in legs:
        contact.note(leg.account_id, answered=True)
    return contact


def listing(*, trades: bool) -> Venues:
    def relist(exchange: Exchange, now: datetime) -> None:
        exchange.instruments.update(is_active=trades, refreshed_at=now)

    return replace(REAL, relist=relist)


@pytest.mark.parametrize("trades", [False, True])
def test_a_venue_that_answered_a_look_up_has_not_said_that_it_trades(
    legs: list[Leg], trades: bool
) -> None:
    contact = looked_up(legs)
    assert [contact.can_close(leg) for leg in legs] == [None, True]

    reach(legs, venues=listing(trades=trades), contact=contact, now=LATER)

    assert [contact.can_close(leg) for leg in legs] == [trades, True]
    stuck = "" if trades else "BTC/USDT:USDT is not traded at Bybit now"
    assert contact.why_stuck(legs) == stuck
