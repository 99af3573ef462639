"""What staff may see and do; keys go in and never come out."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from arbsite.accounts.models import AuditEntry, User
from arbsite.accounts.read_only import ReadOnly
from exchanges.account_keys import account_key
from exchanges.models import Exchange, ExchangeAccount
from tests.web.conftest import Desk
from trading.models import Engine, KillSwitch
from trading.services import kill_switch
from trading.services.engine import engine_for

pytestmark = pytest.mark.db

ADD_ACCOUNT = "/admin/exchanges/exchangeaccount/add/"
INLINES = {
    f"{prefix}-{name}": "0"
    for prefix in ("balances", "venue_positions")
    for name in ("TOTAL_FORMS", "INITIAL_FORMS")
}


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="root-password"))
    return client


def test_every_list_and_page_of_ours_opens(staff: Client, desk: Desk) -> None:
    for model, registered in admin.site._registry.items():
        if model._meta.app_label not in ("alerts", "exchanges", "trading", "accounts"):
            continue
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert staff.get(reverse(f"{base}_changelist")).status_code == 200, base
        row = model._default_manager.first()
        if row is not None:
            page = staff.get(reverse(f"{base}_change", args=[row.pk]))
            assert page.status_code == 200, base
        if isinstance(registered, ReadOnly):
            assert staff.get(reverse(f"{base}_add")).status_code == 403, base


def test_ordinary_users_and_visitors_stay_out(desk: Desk) -> None:
    assert desk.client.get("/admin/", follow=True).status_code == 403
    assert Client().get("/admin/")["Location"].startswith("/admin/login/")
    assert Client().get("/admin/", follow=True).redirect_chain[-1][0].startswith("/account/login/")


def test_keys_are_sealed_at_save_and_never_shown(staff: Client, owner: User) -> None:
    exchange = Exchange.objects.create(code="bybit", short_code="BYB", name="Bybit")
    body = {"user": owner.pk, "exchange": exchange.pk, "label": "main", "is_active": "on"}
    keys = {"api_key": "the-api-key", "secret": "the-secret", "passphrase": ""}

    answer = staff.post(ADD_ACCOUNT, body | keys | INLINES, follow=True)

    account = ExchangeAccount.objects.get()
    assert account_key(account).secret == "the-secret"
    page = staff.get(f"/admin/exchanges/exchangeaccount/{account.pk}/change/")
    for shown in (answer.content.decode(), page.content.decode()):
        assert "the-api-key" not in shown
        assert "the-secret" not in shown
        assert account.sealed_keys.token not in shown


def test_saving_without_keys_keeps_those_in_place(staff: Client, owner: User) -> None:
    test_keys_are_sealed_at_save_and_never_shown(staff, owner)
    account = ExchangeAccount.objects.get()

    staff.post(f"/admin/exchanges/exchangeaccount/{account.pk}/change/", INLINES)

    account.refresh_from_db()
    assert not account.is_active
    assert account_key(account).api_key == "the-api-key"


def test_an_account_without_keys_is_refused(staff: Client, owner: User) -> None:
    exchange = Exchange.objects.create(code="bybit", short_code="BYB", name="Bybit")
    body = {"user": owner.pk, "exchange": exchange.pk, "label": "main", "api_key": "half"}

    answer = staff.post(ADD_ACCOUNT, body | INLINES)

    assert "Enter the API key and its secret" in answer.content.decode()
    assert not ExchangeAccount.objects.exists()


def test_a_key_in_use_by_another_is_refused(staff: Client, owner: User, stranger: User) -> None:
    test_keys_are_sealed_at_save_and_never_shown(staff, owner)
    exchange = Exchange.objects.get()
    body = {"user": stranger.pk, "exchange": exchange.pk, "label": "main", "is_active": "on"}
    keys = {"api_key": "the-api-key", "secret": "another-secret"}

    answer = staff.post(ADD_ACCOUNT, body | keys | INLINES, follow=True)

    assert "already in use" in answer.content.decode()
    assert ExchangeAccount.objects.count() == 1


def test_pressing_and_rearming_go_through_the_services(staff: Client, desk: Desk) -> None:
    body = {"user": "", "closes_positions": "on", "reason": "drill"}

    staff.post("/admin/trading/killswitch/add/", body)

    pressed = KillSwitch.objects.get()
    assert (pressed.user, pressed.pressed_by, pressed.reason) == (None, "root", "drill")
    desk.position.refresh_from_db()
    assert desk.position.goal == "flat"
    assert desk.user.events.filter(kind="kill_switch").exists()

    action = {"action": "rearm", "_selected_action": [pressed.pk]}
    asked = staff.post("/admin/trading/killswitch/", action)
    assert "Your password" in asked.content.decode()
    refused = staff.post("/admin/trading/killswitch/", action | {"password": "guess"})
    assert "That is not your password" in refused.content.decode()
    assert kill_switch.active_for(desk.user) is not None

    staff.post("/admin/trading/killswitch/", action | {"password": "root-password"})

    assert kill_switch.active_for(desk.user) is None
    assert KillSwitch.objects.get().rearmed_by == "root"


def test_staff_sets_how_much_is_rehearsed_and_nothing_else_of_an_engine(
    staff: Client, desk: Desk
) -> None:
    engine_for(desk.user)
    page = f"/admin/trading/engine/{desk.user.pk}/change/"

    staff.post(page, {"rehearsal_hours": "48", "state": "running", "changed_by": "nobody"})

    engine = Engine.objects.get(user=desk.user)
    assert (engine.rehearsal_hours, engine.state, engine.changed_by) == (48, "paused", "system")
    assert AuditEntry.objects.latest("pk").details == {"hours": 48}
