from __future__ import annotations

from html import unescape

import pytest
from django.utils import timezone

from tests.web.conftest import D, Desk
from trading.models import DailyStop, Engine, KillSwitch
from trading.services import engine, kill_switch

pytestmark = pytest.mark.db

HTMX = {"HX-Request": "true"}


def test_pause_stops_entries_at_once_and_resume_undoes_it(desk: Desk) -> None:
    engine.resume(user=desk.user, actor="set-up", now=desk.now)

    paused = desk.client.post("/engine/pause/", headers=HTMX)
    assert "Paused: no new entries." in paused.content.decode()
    assert engine.engine_for(desk.user).state == Engine.State.PAUSED

    assert desk.client.post("/engine/resume/").status_code == 302
    assert engine.engine_for(desk.user).state == Engine.State.RUNNING
    assert engine.engine_for(desk.user).changed_by == "owner"


def test_daily_stop_is_told_and_lifted_on_the_dashboard(desk: Desk) -> None:
    assert "Lift daily stop" not in desk.client.get("/").content.decode()
    DailyStop.objects.create(
        user=desk.user,
        day=desk.now.date(),
        reached_at=desk.now,
        lost=D("0.0286"),
        most=D("0.02"),
    )

    page = desk.client.get("/").content.decode()
    assert "2.8600 % of the capital was lost since midnight UTC" in page
    assert "Lift daily stop" in page

    answer = desk.client.post("/engine/daily-stop/lift/", headers=HTMX)

    assert "Daily stop lifted." in answer.content.decode()
    assert DailyStop.objects.get().lifted_by == "owner"
    assert "Lift daily stop" not in desk.client.get("/").content.decode()


@pytest.mark.parametrize("what", ["scan", "refresh"])
def test_quick_actions_answer_with_the_panel(desk: Desk, what: str) -> None:
    answer = desk.client.post(f"/engine/{what}/", headers=HTMX)

    assert answer.status_code == 200
    assert 'id="engine"' in answer.content.decode()


def test_the_close_dialog_shows_legs_cost_and_result(desk: Desk) -> None:
    html = desk.client.get(f"/positions/{desk.position.pk}/close/", headers=HTMX).content.decode()

    # Two legs of 1,000 at 5 bp taker and half a touch of 0.02 on 100: 2 x (0.50 + 0.10) = 1.20.
    assert "−$1.20" in html
    assert "+$0.60" in html
    assert ">Close BTC " in html


def test_closing_asks_for_the_exit_once(desk: Desk) -> None:
    address = f"/positions/{desk.position.pk}/close/"

    first = desk.client.post(address, headers=HTMX)
    second = desk.client.post(address, headers=HTMX)

    desk.position.refresh_from_db()
    assert (desk.position.goal, desk.position.close_reason) == ("flat", "manual")
    assert "Closing BTC." in first.content.decode()
    assert "BTC is being closed already." in second.content.decode()
    assert desk.user.events.filter(kind="position.exit_requested").count() == 1


def test_stopping_needs_one_click_and_keeps_positions(desk: Desk) -> None:
    answer = desk.client.post("/kill/stop/")

    assert answer["Location"] == "/kill/"
    pressed = kill_switch.active_for(desk.user)
    assert pressed is not None
    assert not pressed.closes_positions
    desk.position.refresh_from_db()
    assert desk.position.goal == "hedged"


@pytest.mark.parametrize("typed", ["", "KILL", "kill 2", "KILL 1 now", "yes"])
def test_closing_everything_needs_the_open_count_typed(desk: Desk, typed: str) -> None:
    body = {"phrase": typed, "shown_count": "1"}
    answer = desk.client.post("/kill/flatten/", body, headers=HTMX)

    assert answer.status_code == 422
    assert f"'{typed}' does not confirm it: type KILL 1" in unescape(answer.content.decode())
    assert not KillSwitch.objects.exists()


def test_the_typed_count_closes_everything(desk: Desk) -> None:
    answer = desk.client.post("/kill/flatten/", {"phrase": "kill 1", "shown_count": "1"})

    assert answer.status_code == 302
    pressed = kill_switch.active_for(desk.user)
    assert pressed is not None
    assert pressed.closes_positions
    desk.position.refresh_from_db()
    assert (desk.position.goal, desk.position.close_reason) == ("flat", "kill")


def test_the_count_that_was_on_the_screen_is_good_enough(desk: Desk) -> None:
    answer = desk.client.post("/kill/flatten/", {"phrase": "KILL 3", "shown_count": "3"})

    assert answer.status_code == 302
    assert kill_switch.active_for(desk.user) is not None


def test_rearming_needs_the_password(desk: Desk) -> None:
    desk.client.post("/kill/stop/")

    refused = desk.client.post("/kill/rearm/", {"password": "guess"}, headers=HTMX)
    assert refused.status_code == 422
    assert "That is not your password" in refused.content.decode()
    assert kill_switch.active_for(desk.user) is not None

    desk.client.post("/kill/rearm/", {"password": "owner-password"})
    assert kill_switch.active_for(desk.user) is None


def test_guessing_the_password_is_slowed_down(desk: Desk) -> None:
    desk.client.post("/kill/stop/")
    answers = [desk.client.post("/kill/rearm/", {"password": "guess"}) for _ in range(12)]

    assert answers[-1].status_code == 429
    assert "Too many tries" in answers[-1].content.decode()


def test_a_switch_pressed_for_everyone_is_not_ended_by_a_user(desk: Desk) -> None:
    kill_switch.press(
        user=None, actor="root", reason="drill", closes_positions=False, now=timezone.now()
    )

    desk.client.post("/kill/rearm/", {"password": "owner-password"})

    assert kill_switch.active_for(desk.user) is not None
    assert "staff re-arms it" in desk.client.get("/kill/").content.decode()


def test_reading_alerts_marks_them(desk: Desk) -> None:
    desk.client.post("/alerts/read/")

    assert not desk.user.events.filter(read_at=None).exists()
