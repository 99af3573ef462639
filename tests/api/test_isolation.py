"""Every address of the interface with ids of another: as if they did not exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.urls import URLPattern

from arbsite.accounts.models import User
from tests.api.conftest import Desk, Program, Programs
from tests.web.rows import make_discrepancy
from trading.models import Discrepancy, Engine, KillSwitch, Position
from trading.selectors.exports import TABLES
from trading.views.api.urls import versioned

pytestmark = pytest.mark.db

BODIES: dict[str, dict[str, Any]] = {
    "decide": {"choice": "ignored", "seen": "-10 -12"},
    "quote": {"symbol": "BTC", "long": "binanceusdm", "short": "bybit", "size_usd": "1000"},
    "open": {"symbol": "BTC", "long": "binanceusdm", "short": "bybit", "size_usd": "1000"},
    "rearm": {"password": "stranger-password", "epoch": 1},
    "update": {"version": 0, "values": {}},
}
SECRETS = ("Owner's why.", "Owner's difference.", "owner")


def addresses(owned: Desk, *, other: bool) -> Iterator[tuple[URLPattern, str, str]]:
    """Yield each route with the owner's ids in it, or with ids that nobody has."""
    row = Discrepancy.objects.first() or make_discrepancy(owned.position)
    known: dict[str, object] = {
        "position_id": uuid4() if other else owned.position.pk,
        "discrepancy_id": uuid4() if other else row.pk,
        "key": "income",
        "name": "trades",
        "ending": "csv",
    }
    for pattern in versioned:
        parts = pattern.pattern.converters
        assert set(parts) <= set(known), f"{pattern.name}: say what {set(parts)} stands for"
        path = str(pattern.pattern)
        for name, converter in parts.items():
            kind = type(converter).__name__.removesuffix("Converter").lower()
            path = path.replace(f"<{kind}:{name}>", str(known[name]))
        yield pattern, path, str(pattern.name)


def methods(pattern: URLPattern) -> list[str]:
    view: Any = pattern.callback
    return [name for name in ("get", "post") if hasattr(view.view_class, name)]


def ask(program: Program, method: str, path: str, name: str, **query: Any) -> Any:
    if method == "get":
        return program.get(path, **query)
    return program.post(path, BODIES.get(name))


def test_ids_of_another_are_answered_like_ids_that_nobody_has(
    desk: Desk, stranger: User, program: Programs
) -> None:
    theirs = program(stranger)
    foreign, unknown = (list(addresses(desk, other=other)) for other in (False, True))
    for (pattern, path, name), (_, nowhere, _) in zip(foreign, unknown, strict=True):
        if path == nowhere:
            continue
        for method in methods(pattern):
            answer = ask(theirs, method, path, name)
            assert answer.status_code == 404, path
            assert answer.content == ask(theirs, method, nowhere, name).content, path

    desk.position.refresh_from_db()
    assert desk.position.goal == "hedged"
    assert not Discrepancy.objects.exclude(resolved_at=None).exists()


@pytest.mark.parametrize("listed", ["orders", "trades", "funding"])
def test_a_filter_by_a_position_of_another_is_like_one_by_none(
    desk: Desk, stranger: User, program: Programs, listed: str
) -> None:
    theirs = program(stranger)

    answer = theirs.get(listed, position=desk.position.pk)
    assert answer.status_code == 404
    assert answer.content == theirs.get(listed, position=uuid4()).content
    for query in ({"position__user": desk.user.pk}, {"ordering": "user"}, {"search": "owner"}):
        refused = theirs.get(listed, **query)
        assert refused.status_code == 400
        assert "There is no such field" in refused.content.decode()


def test_a_stranger_is_shown_and_moves_nothing_of_the_owner(
    desk: Desk, stranger: User, program: Programs
) -> None:
    theirs = program(stranger)
    for pattern, path, name in addresses(desk, other=False):
        for method in methods(pattern):
            shown = ask(theirs, method, path, name).content.decode()
            assert str(desk.position.pk) not in shown, path
            assert not [secret for secret in SECRETS if secret in shown], path
    for name in TABLES:
        assert theirs.get(f"exports/{name}.csv").content.count(b"\r\n") == 1, name

    assert not KillSwitch.objects.filter(user=desk.user).exists()
    assert not Engine.objects.filter(user=desk.user, state="running").exists()
    assert not Position.objects.exclude(user=desk.user).exists()


def test_an_opportunity_of_another_cannot_be_opened(
    desk: Desk, stranger: User, program: Programs
) -> None:
    theirs = program(stranger)
    found = desk.user.opportunities.get()

    answers = [
        theirs.post("positions/open", {"opportunity": str(wanted), "size_usd": "100"})
        for wanted in (found.pk, uuid4())
    ]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].content == answers[1].content


def test_without_a_token_nothing_is_told(desk: Desk, program: Programs) -> None:
    nobody = Program(token="0" * 64, client=program(desk.user).client)
    for pattern, path, name in addresses(desk, other=False):
        for method in methods(pattern):
            answer = ask(nobody, method, path, name)
            assert answer.status_code == 401, path
            assert answer["WWW-Authenticate"] == "Bearer"
            assert answer.json()["code"] == "authentication_failed"
