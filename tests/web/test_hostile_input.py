"""What others type, post and send: it is refused or shown as text, and moves nothing."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from arbsite.accounts.models import User
from tests.web import rows
from tests.web.conftest import Desk
from tests.web.test_isolation import addresses
from tests.web.test_ticket import TICKET
from trading.models import Engine, KillSwitch, Order, Position, StateChange

pytestmark = pytest.mark.db

MARKUP = '<img src=x onerror=alert(1)>" hx-get="/evil/"'
QUERIES = ("' OR 1=1 --", "__class__", "a" * 5_000, "((((((((((a+)+)+)+)+)+)+)+)+)+", "\x00")


@pytest.fixture(autouse=True)
def no_earlier_attempts() -> None:
    cache.clear()


def sign_in(client: Client, name: str, password: str, *, following: str = "") -> tuple[int, str]:
    credentials = {"login": name, "password": password, "next": following}
    answer = client.post("/account/login/", credentials)
    return answer.status_code, answer.headers.get("Location", "")


def test_a_stranger_cannot_trade_on_the_accounts_of_another(desk: Desk, stranger: User) -> None:
    client = Client()
    client.force_login(stranger)

    answer = client.post("/ticket/", TICKET)

    assert answer.status_code == 422
    assert "you have no account at such a venue" in answer.content.decode()
    assert not Position.objects.filter(user=stranger).exists()


def test_looking_at_every_page_changes_nothing(desk: Desk) -> None:
    pages = [address for _, address in addresses(desk.position)]
    # The first look of all writes down that the engine is paused.
    desk.client.get("/")
    before = state_of_everything()

    for address in pages:
        assert desk.client.get(address).status_code < 500, address

    assert state_of_everything() == before


def state_of_everything() -> tuple[object, ...]:
    positions = list(
        Position.objects.values_list("pk", "state", "goal", "state_since", "reduce_to")
    )
    return (
        positions,
        Order.objects.count(),
        StateChange.objects.count(),
        list(Engine.objects.values_list("user", "state")),
        KillSwitch.objects.count(),
    )


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "multipart/form-data"])
def test_a_body_of_another_kind_needs_a_token_too(desk: Desk, content_type: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(desk.user)

    answer = client.generic(
        "POST", "/kill/stop/", b"reason=x", content_type, headers={"Origin": "http://evil.example"}
    )

    assert answer.status_code == 403
    assert not KillSwitch.objects.exists()


def test_an_unknown_name_and_a_wrong_password_are_answered_alike(owner: User) -> None:
    def page(name: str) -> str:
        answer = Client().post("/account/login/", {"login": name, "password": "wrong"})
        return answer.content.decode().replace(name, "")

    def said(html: str) -> list[str]:
        return [line.strip() for line in html.splitlines() if "token" not in line]

    assert said(page("owner")) == said(page("nobody"))


def test_signing_in_makes_a_new_session_and_a_new_password_ends_the_old_ones(owner: User) -> None:
    client, elsewhere = Client(), Client()
    client.get("/account/login/")
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    planted = str(session.session_key)
    client.cookies["sessionid"] = planted
    elsewhere.force_login(owner)

    sign_in(client, "owner", "owner-password")

    assert client.session.session_key != planted
    owner.set_password("another-password")
    owner.save()
    for old in (client, elsewhere):
        assert old.get("/")["Location"].startswith("/account/login/")


@pytest.mark.parametrize(
    "following", ["//evil.example", "https://evil.example/", "/\\evil.example"]
)
def test_signing_in_leads_to_no_other_site(client: Client, owner: User, following: str) -> None:
    status, location = sign_in(client, "owner", "owner-password", following=following)

    assert status == 302
    assert "evil" not in location


def test_markup_in_names_and_reasons_is_shown_as_text(desk: Desk) -> None:
    rows.make_event(desk.user, f"Refused: {MARKUP}", desk.now, "critical")
    Position.objects.filter(pk=desk.position.pk).update(close_sentence=MARKUP, held_reason=MARKUP)

    pages = [desk.client.get(a).content.decode() for _, a in addresses(desk.position)]

    assert any("&lt;img src=x" in page for page in pages)
    for page in pages:
        assert "<img src=x" not in page
        assert 'hx-get="/evil/"' not in page


@pytest.mark.parametrize("typed", QUERIES, ids=["sql", "dunder", "long", "nested", "null"])
def test_hostile_words_are_refused_as_what_they_are(desk: Desk, typed: str) -> None:
    for field in ("symbol", "long", "size"):
        answer = desk.client.post("/ticket/", TICKET | {field: typed})
        assert 400 <= answer.status_code < 500, field
    for _, address in addresses(desk.position):
        answer = desk.client.get(address, {"q": typed, "order": typed, "page": typed})
        assert answer.status_code < 500, address

    assert Position.objects.count() == 1


def test_a_body_beyond_all_reason_is_refused(desk: Desk) -> None:
    answer = desk.client.post("/ticket/", TICKET | {"symbol": "B" * 3_000_000})

    assert answer.status_code in (400, 413)
    assert Position.objects.count() == 1
