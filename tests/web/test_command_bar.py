"""The command line of the page bar: where it leads, and that it moves no money by itself."""

from __future__ import annotations

from html import unescape

import pytest

from tests.web.conftest import Desk
from trading.core.states import PositionState
from trading.models import Engine, KillSwitch, Order, Position
from trading.services import engine

pytestmark = pytest.mark.db

HTMX = {"HX-Request": "true"}


def lead(desk: Desk, line: str) -> str:
    """Type a line as the page does and return the address it leads to."""
    answer = desk.client.post("/cmd/", {"line": line}, headers=HTMX)
    assert answer.status_code == 204, answer.content
    return answer.headers["HX-Redirect"]


def test_lines_open_pages_and_forms(desk: Desk) -> None:
    position = desk.position

    assert lead(desk, "rec") == "/reconciliation/"
    assert lead(desk, "log") == "/alerts/"
    assert lead(desk, "btc") == "/?symbol=BTC"
    assert lead(desk, f"#{position.short_id}") == f"/positions/{position.id}/"
    assert lead(desk, f"#{position.short_id[:4]}") == f"/positions/{position.id}/"
    assert lead(desk, "close btc") == f"/positions/{position.id}/close/"
    assert lead(desk, "kill") == "/kill/"
    assert lead(desk, "calc eth bin byb 25k").endswith(
        "?symbol=ETH&long=binanceusdm%3Aperpetual&short=bybit%3Aperpetual&size=25000&fill=1"
    )


def test_a_ticket_line_fills_the_ticket_in_and_opens_nothing(desk: Desk) -> None:
    address = lead(desk, "eth byb bin 2.5k")
    page = desk.client.get(address).content.decode()

    assert 'value="ETH"' in page and 'value="2.5K"' in page
    assert '<option value="bybit" selected>BYB' in page
    assert "SIM $2,500 × 2" in page or "of 2,500 USD" in page
    assert Position.objects.count() == 1
    assert Order.objects.exclude(position=desk.position).count() == 0


def test_kill_and_close_lines_press_and_close_nothing(desk: Desk) -> None:
    for line in ("kill", "close btc"):
        desk.client.get(lead(desk, line))
    assert KillSwitch.objects.count() == 0
    desk.position.refresh_from_db()
    assert (desk.position.state, desk.position.goal) == (PositionState.OPEN, "hedged")


def test_pause_acts_at_once_and_resume_only_asks(desk: Desk) -> None:
    engine.resume(user=desk.user, actor="set-up", now=desk.now)

    assert lead(desk, "pause") == "/"
    assert "Paused: no new entries." in desk.client.get("/").content.decode()
    assert lead(desk, "resume") == "/"
    assert "Nothing was resumed yet" in desk.client.get("/").content.decode()
    assert engine.engine_for(desk.user).state == Engine.State.PAUSED


def test_garbage_is_refused_by_name_and_harmless(desk: Desk) -> None:
    for line, said in (
        ("<b>x", "<B>X: no such page or symbol."),
        ("btc bin okx 25k", "OKX: no such venue."),
        ("close doge", "DOGE: you have no such position."),
        ("#zzzz", "#ZZZZ: you have no such position."),
        ("calc eth bin byb 1e9", "'1E9' is not a size: write 25000, 25,000 or 25k."),
    ):
        answer = desk.client.post("/cmd/", {"line": line}, headers=HTMX)
        assert (answer.status_code, unescape(answer.content.decode())) == (422, said)
        assert b"<b>" not in answer.content.lower()
    plain = desk.client.post("/cmd/", {"line": "nope"}, follow=True)
    assert "NOPE: no such page or symbol." in plain.content.decode()


def test_nobody_elses_position_is_named(desk: Desk) -> None:
    stranger = type(desk.user).objects.create_user("stranger", password="long enough to pass")
    desk.client.force_login(stranger)
    answer = desk.client.post("/cmd/", {"line": f"#{desk.position.short_id}"}, headers=HTMX)
    assert answer.status_code == 422
