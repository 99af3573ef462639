"""The kill page: two scopes, what was seen, and a Redis that is away."""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from arbsite.accounts.models import User
from arbsite.launcher.ports import LOOPBACK, free_port
from exchanges.selectors import board_redis
from tests.web.conftest import Desk
from trading.models import KillSwitch
from trading.services import kill_switch

pytestmark = pytest.mark.db

HTMX = {"HX-Request": "true"}
EVERYONE = {"scope": "everyone"}


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="root-password"))
    return client


def test_staff_presses_for_everyone_and_rearms_with_their_password(
    desk: Desk, staff: Client
) -> None:
    dialog = staff.get("/kill/?scope=everyone", headers=HTMX).content.decode()
    assert "Kill switch, everyone" in dialog
    assert "Type KILL 1 to confirm" in dialog

    staff.post("/kill/flatten/", EVERYONE | {"phrase": "KILL 1", "shown_count": "1"})

    pressed = KillSwitch.objects.get()
    assert (pressed.user, pressed.pressed_by) == (None, "root")
    desk.position.refresh_from_db()
    assert desk.position.goal == "flat"
    seen = EVERYONE | {"epoch": str(pressed.epoch)}
    assert staff.post("/kill/rearm/", seen | {"password": "x"}, headers=HTMX).status_code == 422

    staff.post("/kill/rearm/", seen | {"password": "root-password"})

    assert kill_switch.active_for(desk.user) is None


@pytest.mark.parametrize("address", ["stop", "flatten", "rearm"])
def test_others_do_not_press_or_rearm_for_everyone(desk: Desk, address: str) -> None:
    answer = desk.client.post(f"/kill/{address}/", EVERYONE | {"phrase": "KILL 1"})

    assert answer.status_code == 403
    assert not KillSwitch.objects.exists()


def test_a_press_made_after_the_page_was_read_is_shown_and_not_ended(desk: Desk) -> None:
    desk.client.post("/kill/stop/")
    seen = KillSwitch.objects.get()
    kill_switch.press(
        user=desk.user, actor="root", reason="second", closes_positions=False, now=timezone.now()
    )

    answer = desk.client.post(
        "/kill/rearm/", {"password": "owner-password", "epoch": str(seen.epoch)}, headers=HTMX
    )

    assert answer.status_code == 409
    assert "Pressed again by root: second." in unescape(answer.content.decode())
    assert kill_switch.active_for(desk.user) is not None


def test_too_many_wrong_passwords_keep_nobody_from_pressing(desk: Desk) -> None:
    desk.client.post("/kill/stop/")
    for _ in range(12):
        desk.client.post("/kill/rearm/", {"password": "guess"})

    answer = desk.client.post("/kill/flatten/", {"phrase": "KILL 1", "shown_count": "1"})

    assert answer.status_code == 302
    desk.position.refresh_from_db()
    assert desk.position.goal == "flat"


def test_pressing_works_with_redis_away(desk: Desk, settings: Settings) -> None:
    settings.REDIS_URL = f"redis://{LOOPBACK}:{free_port()}/0"
    board_redis.cache_clear()

    page = desk.client.get("/kill/")
    answer = desk.client.post("/kill/flatten/", {"phrase": "KILL 1", "shown_count": "1"})

    assert (page.status_code, answer.status_code) == (200, 302)
    desk.position.refresh_from_db()
    assert (desk.position.goal, desk.position.close_reason) == ("flat", "kill")


def test_what_is_not_flat_yet_is_listed_with_its_reason(desk: Desk) -> None:
    desk.client.post("/kill/flatten/", {"phrase": "KILL 1", "shown_count": "1"})

    text = unescape(desk.client.get("/kill/").content.decode())

    assert "Not flat yet" in text
    assert "Binance <b>+10</b>" in text
    assert "Bybit <b>−10</b>" in text


def test_holding_is_never_the_only_way(desk: Desk) -> None:
    text = desk.client.get("/kill/").content.decode()

    assert 'data-hold="1500" data-phrase="KILL 1"' in text
    assert 'name="phrase"' in text
    assert "Close 1 position now" in text
