"""The page of one position: its parts, and what nobody could value."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from tests.web import rows
from tests.web.conftest import Desk
from tests.web.test_pages import text_of
from trading.models import BorrowInterest, Leg, Position

pytestmark = pytest.mark.db


def test_the_position_page_adds_up(desk: Desk) -> None:
    shown = text_of(desk.client.get(f"/positions/{desk.position.pk}/").content.decode())

    assert "Slippage against decision mids −$0.20" in shown
    assert "Funding received +$3.00" in shown
    assert "Fees −$1.00" in shown
    assert "Net +$1.80" in shown
    assert "entering hedged open both venues read back" in shown


def test_the_position_page_says_what_was_added_or_why_not(desk: Desk) -> None:
    page = f"/positions/{desk.position.pk}/"
    position = Position.objects.filter(pk=desk.position.pk)
    plain_page = desk.client.get(page).content.decode()
    position.update(add_outcome="added 0.025 BTC because the price gap moved 1.10 % for it")
    added = text_of(desk.client.get(page).content.decode())
    position.update(state="entering", add_quantity=Decimal("0.025"))
    adding = text_of(desk.client.get(page).content.decode())

    assert 'id="addition"' not in plain_page
    assert "Added 0.025 BTC because the price gap moved 1.10 % for it." in added
    assert "BTC Adding" in adding


def test_the_position_page_names_interest_and_fees_that_nobody_could_value(desk: Desk) -> None:
    leg = desk.position.legs.select_related("account").get(side="SHORT")
    leg.instrument.kind = "spot"
    leg.instrument.save()
    charge_interest(leg, desk.now)
    rows.pay_fee_in_coin(leg, desk.now, "0.0125")
    rows.pay_fee_in_coin(leg, desk.now, "0.0075")

    shown = text_of(desk.client.get(f"/positions/{desk.position.pk}/").content.decode())

    # 0.0001 BTC at 100 is a cent, charged on 10 BTC; 1.80 less that cent is the net.
    assert "BYB 10 BTC +0.0010% 0.0001 BTC −$0.01" in shown
    assert "Borrow −$0.01 Net +$1.79" in shown
    assert "not in the net: fees in BNB, whose price nobody told 0.02 BNB" in shown


def charge_interest(leg: Leg, now: datetime) -> None:
    BorrowInterest.objects.create(
        position=leg.position,
        leg=leg,
        account=leg.account,
        venue_interest_id="charged-1",
        amount=Decimal("0.0001"),
        asset="BTC",
        borrowed=Decimal(10),
        hourly_rate=Decimal("0.00001"),
        price=Decimal(100),
        amount_usd=Decimal("0.01"),
        charged_at=now,
        booked_at=now,
    )
