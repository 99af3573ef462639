"""What a program may tell the engine, once each: the same services as the pages call."""

from __future__ import annotations

from typing import Any

import pytest

from arbsite.accounts.models import User
from tests.api.conftest import Desk, Program, Programs
from tests.web import rows
from tests.web.test_ticket import LENIENT
from trading.models import AccountReview, ConfigurationVersion, Engine, IdempotencyKey, Position
from trading.services import configure, kill_switch

pytestmark = pytest.mark.db

ENTRY = {"symbol": "ETH", "long": "binanceusdm", "short": "bybit", "size_usd": "2000"}


@pytest.fixture
def lenient(desk: Desk) -> None:
    configure.save(user=desk.user, values=LENIENT, expected_version=0, actor="owner", now=desk.now)


def test_an_entry_is_quoted_and_opened_once_under_its_key(lenient: None, own: Program) -> None:
    quoted = own.post("positions/quote", ENTRY).json()
    assert quoted["refusals"] == []

    wish = ENTRY | {"quoted_net_apr": quoted["net_apr"]}
    first = own.post("positions/open", wish, key="k1")
    again = own.post("positions/open", wish, key="k1")
    bare = own.post("positions/open", wish, key="k1", version="")

    assert first.status_code == 201, first.content
    opened = Position.objects.get(base="ETH")
    assert first.json()["id"] == str(opened.pk)
    assert opened.opened_by == "owner (token bot)"
    # A database may keep the fields of an answer in another order.
    assert (again.json(), bare.json()) == (first.json(), first.json())
    assert (first.headers.get("Idempotent-Replayed"), again["Idempotent-Replayed"]) == (
        None,
        "true",
    )


def test_another_body_under_the_same_key_is_refused(lenient: None, own: Program) -> None:
    own.post("positions/open", ENTRY, key="k1")

    other = own.post("positions/open", ENTRY | {"size_usd": "3000"}, key="k1")

    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert Position.objects.get(base="ETH").size_usd == 2000


def test_the_key_of_another_user_is_another_key(
    desk: Desk, own: Program, stranger: User, program: Programs
) -> None:
    own.post("engine/start", key="shared")

    theirs = program(stranger).post("engine/start", key="shared")

    assert theirs.status_code == 202
    assert "Idempotent-Replayed" not in theirs.headers
    assert Engine.objects.filter(state="running").count() == 2


def test_money_is_not_moved_without_a_key(desk: Desk, own: Program) -> None:
    for path in ("positions/open", f"positions/{desk.position.pk}/close", "engine/start"):
        answer = own.client.post(
            f"/api/v1/{path}",
            ENTRY if path == "positions/open" else {},
            content_type="application/json",
            headers=own.headers(),
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "key_needed"), path

    desk.position.refresh_from_db()
    assert desk.position.goal == "hedged"


def test_a_request_that_is_under_way_is_not_carried_out_beside_it(desk: Desk, own: Program) -> None:
    own.post("engine/start", key="k1")
    IdempotencyKey.objects.update(answer=None)

    second = own.post("engine/start", key="k1")

    assert (second.status_code, second.json()["code"]) == (409, "under_way")


def test_a_refusal_by_our_rules_is_a_sentence_and_stays_one(desk: Desk, own: Program) -> None:
    second_of_a_pair = ENTRY | {"symbol": "BTC"}
    refused = own.post("positions/open", second_of_a_pair, key="k1")
    Position.objects.filter(pk=desk.position.pk).update(**{"state": "closed"})
    again = own.post("positions/open", second_of_a_pair, key="k1")

    assert refused.status_code == 422
    assert refused.json()["detail"].endswith(".")
    assert again.content == refused.content
    assert Position.objects.count() == 1


def test_an_entry_whose_figures_moved_is_asked_anew(lenient: None, own: Program) -> None:
    answer = own.post("positions/open", ENTRY | {"quoted_net_apr": "9.5"})

    assert (answer.status_code, answer.json()["code"]) == (409, "moved")
    assert not Position.objects.filter(base="ETH").exists()


def test_closing_asks_for_the_exit_once(desk: Desk, own: Program) -> None:
    path = f"positions/{desk.position.pk}/close"

    first, second = own.post(path), own.post(path, version="")

    desk.position.refresh_from_db()
    assert (desk.position.goal, desk.position.close_reason) == ("flat", "manual")
    assert first.json() == {"detail": "Closing BTC."}
    assert second.json() == {"detail": "BTC is being closed already."}
    assert desk.user.events.filter(kind="position.exit_requested").count() == 1


def test_only_what_is_held_is_released(desk: Desk, own: Program) -> None:
    answer = own.post(f"positions/{desk.position.pk}/release")

    assert answer.status_code == 422
    assert "not held" in answer.json()["detail"]


def test_the_engine_starts_and_stops(desk: Desk, own: Program) -> None:
    assert own.post("engine/start").json() == {"detail": "Running."}
    assert desk.user.engine.state == "running"
    assert own.post("engine/stop").json() == {"detail": "Paused: no new entries."}
    desk.user.engine.refresh_from_db()
    assert desk.user.engine.state == "paused"


def test_a_kill_asks_for_every_exit_and_takes_the_password_to_re_arm(
    desk: Desk, own: Program
) -> None:
    pressed = own.client.post(
        "/api/engine/kill", {"reason": "away"}, "application/json", headers=own.headers()
    )
    assert pressed.status_code == 202
    switch = kill_switch.active_for(desk.user)
    assert switch is not None
    desk.position.refresh_from_db()
    assert (desk.position.goal, desk.position.close_reason) == ("flat", "kill")
    assert own.get("status").json()["kill"]["epoch"] == switch.epoch

    def rearm(**body: Any) -> Any:
        return own.post("engine/rearm", {"epoch": switch.epoch, **body})

    assert rearm(password="wrong").status_code == 422
    assert rearm(password="owner-password").status_code == 202
    assert kill_switch.active_for(desk.user) is None


def test_a_press_that_was_not_seen_stays(desk: Desk, own: Program, program: Programs) -> None:
    own.post("engine/kill", {"closes_positions": False})
    seen = kill_switch.active_for(desk.user)
    assert seen is not None
    kill_switch.press(
        user=desk.user, actor="other", reason="later", closes_positions=False, now=desk.now
    )

    answer = own.post("engine/rearm", {"epoch": seen.epoch, "password": "owner-password"})

    assert (answer.status_code, answer.json()["code"]) == (409, "pressed_again")
    assert kill_switch.active_for(desk.user) is not None


def test_only_staff_with_the_widest_scope_stops_everyone(
    desk: Desk, own: Program, program: Programs
) -> None:
    everyone = {"scope": "everyone", "reason": "drill"}
    assert own.post("engine/kill", everyone).status_code == 403
    User.objects.filter(pk=desk.user.pk).update(is_staff=True)
    assert program(desk.user, "trade").post("engine/kill", everyone).status_code == 403
    assert kill_switch.active_for(desk.user) is None

    assert own.post("engine/kill", everyone).status_code == 202

    pressed = kill_switch.active_for(desk.user)
    assert pressed is not None
    assert pressed.user is None


def test_a_configuration_is_saved_over_the_version_that_was_read(desk: Desk, own: Program) -> None:
    read = own.get("config").json()
    change = {"version": read["version"], "values": {"order_fill_timeout_seconds": "20"}}

    saved = own.post("config/update", change)
    late = own.post("config/update", change)

    assert saved.json()["version"] == read["version"] + 1
    assert saved.json()["in_force"]["order_fill_timeout_seconds"] == "20"
    assert (late.status_code, late.json()["code"]) == (409, "conflict")
    assert late.json()["fields"] == {"version": ["Version 1 is in force."]}
    assert ConfigurationVersion.objects.get().saved_by == "owner (token bot)"


@pytest.mark.parametrize(
    ("values", "code", "key", "words"),
    [
        ({"nonsense": "1"}, "invalid", "nonsense", "There is no parameter 'nonsense'"),
        ({"order_fill_timeout_seconds": "-1"}, "invalid", "order_fill_timeout_seconds", "-1"),
        ({"min_spread_base": "0.02"}, "unusual", "min_spread_base", ""),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_key(
    own: Program, values: dict[str, str], code: str, key: str, words: str
) -> None:
    answer = own.post("config/update", {"version": 0, "values": values})

    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.content
    assert words in answer.json()["fields"][key][0]
    assert not ConfigurationVersion.objects.exists()


def test_accounts_are_compared_and_differences_decided(desk: Desk, own: Program) -> None:
    row = rows.make_discrepancy(desk.position)
    assert own.post("reconciliation").status_code == 202
    assert AccountReview.objects.count() == 2

    path = f"reconciliation/differences/{row.pk}"
    stale = own.post(path, {"choice": "ignored", "seen": "-10 -11"})
    done = own.post(path, {"choice": "ignored", "seen": "-10 -12"})

    assert (stale.status_code, stale.json()["code"]) == (409, "changed")
    assert done.status_code == 202
    row.refresh_from_db()
    assert (row.resolution, row.resolved_by) == ("ignored", "owner (token bot)")
