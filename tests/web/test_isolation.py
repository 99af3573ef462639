"""Every address x every kind of visitor: nobody sees or moves what is another's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils import timezone

from arbsite.accounts.models import ApiToken, User
from arbsite.accounts.tokens import make_token
from tests.web.conftest import Desk
from tests.web.rows import make_discrepancy
from trading.models import Discrepancy, Engine, Position
from trading.services import kill_switch
from trading.urls import urlpatterns

pytestmark = pytest.mark.db

METHODS = ("get", "post")
OWNED = {"position_id", "account_id", "discrepancy_id", "number", "token_id"}
SECRETS = ("Owner's why.", "Owner's alert.", "Owner's difference.")


def addresses(position: Position) -> Iterable[tuple[URLPattern, str]]:
    """Return every route with the owner's own things in it; fail on a kind of part unknown here."""
    row = Discrepancy.objects.filter(user=position.user).first()
    row = row or make_discrepancy(position)
    known: dict[str, object] = {
        "key": "income",
        "position_id": position.pk,
        "base": "BTC",
        "account_id": row.account_id,
        "discrepancy_id": row.pk,
        "choice": "ignored",
        "number": 1,
        "token_id": token_of(position.user).id,
    }
    for pattern in urlpatterns:
        parts = pattern.pattern.converters
        assert set(parts) <= set(known), f"{pattern.name}: say what {set(parts)} stands for"
        kwargs = {name: known[name] for name in parts}
        yield pattern, reverse(f"trading:{pattern.name}", kwargs=kwargs)


def token_of(user: User) -> ApiToken:
    own = ApiToken.objects.filter(user=user).first()
    lasts = timedelta(days=1)
    return (
        own or make_token(user=user, name="bot", scope="read", lasts=lasts, now=timezone.now())[0]
    )


@pytest.mark.parametrize("method", METHODS)
def test_anonymous_visitors_are_sent_to_sign_in(desk: Desk, method: str) -> None:
    for _, address in addresses(desk.position):
        answer = getattr(Client(), method)(address)
        assert answer.status_code == 302, address
        assert answer["Location"].startswith("/account/login/"), address


@pytest.mark.parametrize("method", METHODS)
def test_a_disabled_user_is_sent_to_sign_in(desk: Desk, method: str) -> None:
    User.objects.filter(pk=desk.user.pk).update(is_active=False)

    for _, address in addresses(desk.position):
        answer = getattr(desk.client, method)(address)
        assert answer.status_code == 302, address
        assert answer["Location"].startswith("/account/login/"), address


@pytest.mark.parametrize("method", METHODS)
def test_a_stranger_sees_and_moves_nothing(desk: Desk, stranger: User, method: str) -> None:
    client = Client()
    client.force_login(stranger)

    for pattern, address in addresses(desk.position):
        answer = getattr(client, method)(address)
        shown = unescape(answer.content.decode())
        if OWNED & set(pattern.pattern.converters):
            assert answer.status_code in (404, 405), address
        assert answer.status_code < 500, address
        assert str(desk.position.pk) not in shown, address
        assert not [secret for secret in SECRETS if secret in shown], address

    desk.position.refresh_from_db()
    assert desk.position.goal == "hedged"
    assert kill_switch.active_for(desk.user) is None
    assert not Engine.objects.filter(user=desk.user, changed_by="stranger").exists()
    assert desk.user.events.filter(read_at=None).exists()
    assert not Discrepancy.objects.exclude(resolved_at=None).exists()


def test_htmx_requests_of_anonymous_visitors_navigate_instead_of_swapping(desk: Desk) -> None:
    answer = Client().get("/ticket/quote/", headers={"HX-Request": "true"})

    assert answer.status_code == 204
    assert answer["HX-Redirect"] == "/account/login/?next=%2F"


def test_forms_without_a_token_do_nothing(desk: Desk) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(desk.user)

    answer = client.post("/kill/stop/")

    assert answer.status_code == 403
    assert "Form expired" in answer.content.decode()
    assert kill_switch.active_for(desk.user) is None
