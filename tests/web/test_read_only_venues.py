"""A venue that is only watched, as people see it: named as such, offered nowhere."""

from __future__ import annotations

import pytest
from django.test import Client

from arbsite.accounts.models import User
from exchanges.models import Exchange, ExchangeAccount
from exchanges.venues import PROFILES
from tests.web.conftest import Desk
from tests.web.rows import make_exchange
from tests.web.test_admin import ADD_ACCOUNT, INLINES

pytestmark = pytest.mark.db

WHY = PROFILES["dydx"].read_only


@pytest.fixture
def dydx(desk: Desk) -> Exchange:
    return make_exchange("dydx", "DYD", "dYdX")


def test_the_engine_panel_names_it_read_only_and_says_why(desk: Desk, dydx: Exchange) -> None:
    html = desk.client.get("/").content.decode()

    assert f'title="{WHY}">read-only</span>' in html


def test_the_configuration_does_not_offer_it(desk: Desk, dydx: Exchange) -> None:
    html = desk.client.get("/configuration/").content.decode()

    assert "(bybit)" in html
    assert "(dydx)" not in html


def test_staff_can_add_no_account_there(desk: Desk, dydx: Exchange) -> None:
    staff = Client()
    staff.force_login(User.objects.create_superuser("root", password="root-password"))
    body = {"user": desk.user.pk, "exchange": dydx.pk, "label": "main", "is_active": "on"}
    keys = {"api_key": "the-api-key", "secret": "the-secret", "passphrase": ""}

    page = staff.post(ADD_ACCOUNT, body | keys | INLINES)

    assert "dYdX is read-only here" in page.content.decode()
    assert not ExchangeAccount.objects.filter(exchange=dydx).exists()
