"""What programs send wrongly or in bad faith: a sentence each, and nothing breaks."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, RequestFactory

from arbsite.accounts.models import ApiToken, User
from tests.api.conftest import Desk, Program, Programs
from trading.models import ConfigurationVersion, Engine, Position
from trading.views.api.errors import server_error

pytestmark = pytest.mark.db

ENTRY = {"symbol": "BTC", "long": "binanceusdm", "short": "bybit", "size_usd": "1000"}


def send(own: Program, body: bytes, kind: str = "application/json") -> Any:
    return own.client.post(
        "/api/v1/positions/open",
        body,
        content_type=kind,
        headers=own.headers() | {"Idempotency-Key": "k"},
    )


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b'{"symbol": "BTC"', 400, "not JSON"),
        (b"[1, 2]", 400, "must be a JSON object"),
        (b"\xff\xfe", 400, "not UTF-8"),
        (b'{"size_usd": NaN}', 400, "NaN is no number"),
        (b'{"size_usd": 1e999999999}', 400, "is no decimal"),
        (b'{"size_usd": ' + b"9" * 5000 + b"}", 400, "more than 60 characters"),
        (b'{"symbol": "BTC", "symbol": "ETH"}', 400, "there twice"),
        (b'{"symbol": "\\ud800"}', 400, "half of a character"),
        (b'{"a": ' * 40 + b"1" + b"}" * 40, 400, "deeper than 8"),
        (b"[" * 60_000, 400, "deeper than 8"),
        (b'{"symbol": "' + b"x" * 10_000_000 + b'"}', 413, "longer than 64 KiB"),
    ],
    # The name of a test stands in the environment of what it starts, which has a limit.
    ids=lambda value: repr(value)[:40],
)
def test_a_body_that_cannot_be_read_is_refused_with_why(
    own: Program, body: bytes, status: int, words: str
) -> None:
    answer = send(own, body)

    told = answer.json()
    assert answer.status_code == status
    assert set(told) == {"code", "detail", "fields"}
    assert words in json.dumps(told)
    assert Position.objects.count() == 1


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "text/xml"])
def test_a_body_of_another_kind_is_refused(own: Program, kind: str) -> None:
    answer = send(own, json.dumps(ENTRY).encode(), kind)

    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"size_usd": True}, "size_usd", "is no decimal"),
        ({"size_usd": "-5"}, "size_usd", "-5 must be above zero"),
        ({"size_usd": {"a": 1}}, "size_usd", "is no decimal"),
        ({"size_usd": "Infinity"}, "size_usd", "is no decimal"),
        ({"symbol": 7}, "symbol", "Not a valid string"),
        ({"symbol": "B\x00C"}, "symbol", "Null characters"),
        ({"long": "kraken"}, "long", "'kraken': you have no account at such a venue"),
        ({"user": "owner"}, "user", "There is no such field"),
        ({"opportunity": "seven"}, "opportunity", "valid UUID"),
    ],
)
def test_a_wrong_field_is_named_with_a_sentence(
    own: Program, body: dict[str, Any], field: str, words: str
) -> None:
    answer = own.post("positions/open", ENTRY | body)

    assert answer.status_code == 400
    assert words in answer.json()["fields"][field][0]
    assert Position.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("orders", {"page_size": 10**9}, "page_size"),
        ("orders", {"page_size": "-1"}, "page_size"),
        ("orders", {"cursor": "cD1hYmM="}, "cursor"),
        ("orders", {"cursor": "\x00"}, "cursor"),
        ("orders", {"cursor": "x" * 5000}, "cursor"),
        ("orders", {"position__user__password__startswith": "a"}, None),
        ("positions", {"state": "' OR 1=1 --"}, "state"),
        ("positions", {"base": "B\x00"}, "base"),
        ("rates", {"top": 10**12}, "top"),
        ("status", {"verbose": "1"}, "verbose"),
        ("exports/trades.csv", {"since": "yesterday"}, "since"),
        ("calculators/income", {"user": "1"}, "user"),
        ("calculators/income", {"rate": "much"}, "rate"),
    ],
)
def test_a_query_that_means_nothing_is_refused_by_name(
    own: Program, path: str, query: dict[str, Any], field: str | None
) -> None:
    answer = own.get(path, **query)

    assert answer.status_code == 400, answer.content
    assert (field or next(iter(query))) in answer.json()["fields"]


def test_what_is_asked_twice_is_refused(own: Program) -> None:
    answer = own.client.get("/api/v1/orders?base=BTC&base=ETH", headers=own.headers())

    assert answer.json()["fields"] == {"base": ["It is asked twice."]}


def test_a_query_without_end_and_a_foreign_host_are_refused_in_our_form(own: Program) -> None:
    endless = "&".join(f"a{number}=1" for number in range(1500))
    for query, host in ((endless, "localhost"), ("", "evil.example")):
        answer = own.client.get(f"/api/v1/orders?{query}", headers=own.headers() | {"Host": host})
        assert (answer.status_code, answer.json()["code"]) == (400, "unusable"), host


def test_what_breaks_outside_of_a_view_is_told_in_our_form(rf: RequestFactory) -> None:
    told = server_error(rf.get("/api/v1/status"))
    page = server_error(rf.get("/positions/"))

    assert (told.status_code, told["Content-Type"]) == (500, "application/json")
    assert (page.status_code, page["Content-Type"]) == (500, "text/html; charset=utf-8")


def test_addresses_and_methods_that_do_not_exist_are_told_in_one_form(own: Program) -> None:
    for path in ("nothing", "positions/seven", "../admin", "positions/", "exports/users.csv"):
        answer = own.get(path)
        assert answer.status_code == 404, path
        assert answer.json()["code"] == "not_found"
    for method in ("put", "delete", "patch", "options", "trace"):
        refused = getattr(own.client, method)("/api/v1/positions", headers=own.headers())
        assert refused.status_code == 405, method
        assert refused.json()["code"] == "method_not_allowed"
        assert refused["Allow"]


def test_a_token_that_ended_opens_nothing(desk: Desk, program: Programs) -> None:
    expired, revoked = program(desk.user, lasts=timedelta(seconds=-1)), program(desk.user)
    ApiToken.objects.latest("created").delete()

    for gone in (expired, revoked):
        answer = gone.get("status")
        assert (answer.status_code, answer.json()["code"]) == (401, "authentication_failed")


@pytest.mark.parametrize("token", ["", "\xff\xfe", "a b", "'--", "0" * 5000, "Bearer"])
def test_a_token_of_nonsense_is_refused_like_an_unknown_one(own: Program, token: str) -> None:
    answer = own.client.get("/api/v1/status", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 401
    assert answer.json()["detail"] == "This token is unknown, revoked or expired."


def test_a_disabled_user_has_no_token_that_counts(desk: Desk, own: Program) -> None:
    User.objects.filter(pk=desk.user.pk).update(is_active=False)

    assert own.get("status").status_code == 401


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [("read", []), ("trade", ["engine/start"]), ("admin", ["engine/start", "config/update"])],
)
def test_a_scope_bounds_what_a_token_does(
    desk: Desk, program: Programs, scope: str, allowed: list[str]
) -> None:
    limited = program(desk.user, scope)
    update = {"version": 0, "values": {}}

    told = {
        path: limited.post(path, body)
        for path, body in {"engine/start": {}, "config/update": update}.items()
    }

    assert limited.get("status").status_code == 200
    for path, answer in told.items():
        assert (answer.status_code < 300) is (path in allowed), (path, answer.content)
        if path not in allowed:
            assert f"The scope of this token is {scope}" in answer.json()["detail"]
    assert Engine.objects.filter(state="running").exists() is ("engine/start" in allowed)
    assert ConfigurationVersion.objects.exists() is ("config/update" in allowed)


def test_a_session_needs_the_token_of_its_forms(desk: Desk) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(desk.user)
    address = "/api/v1/engine/start"
    kind = "application/json"

    refused = browser.post(address, "{}", kind, headers={"Idempotency-Key": "a"})
    browser.get("/")
    csrf = browser.cookies["csrftoken"].value
    taken = browser.post(address, "{}", kind, headers={"Idempotency-Key": "a", "X-CSRFToken": csrf})

    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert taken.status_code == 202


def test_who_asks_too_often_is_told_when_to_ask_again(own: Program, settings: Any) -> None:
    settings.CARRY_API_RATES = {"read": 2, "write": 1}

    answers = [own.get("venues") for _ in range(3)]
    kills = [own.post("engine/kill", {"closes_positions": False}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 61
    assert answers[-1].json()["code"] == "throttled"
    assert [answer.status_code for answer in kills] == [202] * 3
