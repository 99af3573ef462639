"""Tokens for programs: made with the password, shown once, revoked at once."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.test import Client

from arbsite.accounts.models import ApiToken, AuditEntry, User
from tests.web.conftest import Desk

pytestmark = pytest.mark.db

WANTED = {"name": "bot", "scope": "read", "days": "30", "password": "owner-password"}


@pytest.fixture(autouse=True)
def no_earlier_attempts() -> None:
    cache.clear()


def made(desk: Desk) -> str:
    page = desk.client.post("/tokens/", WANTED).content.decode()
    found = re.search(r'class="token">([0-9a-f]{64})<', page)
    assert found is not None
    return found[1]


def test_a_token_is_shown_once_and_kept_as_its_digest(desk: Desk) -> None:
    text = made(desk)

    token = ApiToken.objects.get()
    assert (token.user, token.scope) == (desk.user, "read")
    assert text not in str(ApiToken.objects.values_list()[0])
    assert text not in desk.client.get("/tokens/").content.decode()
    assert [entry.action for entry in AuditEntry.objects.all()] == ["token made"]
    opened = Client().get("/api/v1/venues", headers={"Authorization": f"Bearer {text}"})
    assert opened.status_code == 200


def test_a_revoked_token_opens_nothing(desk: Desk) -> None:
    text = made(desk)

    desk.client.post(f"/tokens/{ApiToken.objects.get().id}/revoke/")

    refused = Client().get("/api/v1/venues", headers={"Authorization": f"Bearer {text}"})
    assert refused.status_code == 401
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"password": "wrong"}, "That is not your password"),
        ({"days": "9999"}, "less than or equal to 365"),
        ({"scope": "root"}, "Select a valid choice"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_a_wrong_wish_makes_none_and_says_why(desk: Desk, typed: dict[str, str], why: str) -> None:
    answer = desk.client.post("/tokens/", WANTED | typed)

    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_nobody_has_tokens_without_end(desk: Desk) -> None:
    for _ in range(20):
        cache.clear()
        made(desk)
    cache.clear()

    refused = desk.client.post("/tokens/", WANTED)

    assert "You have 20 tokens: revoke one first." in refused.content.decode()


def test_a_stranger_revokes_no_token_of_the_owner(desk: Desk, stranger: User) -> None:
    made(desk)
    client = Client()
    client.force_login(stranger)

    assert client.post(f"/tokens/{ApiToken.objects.get().id}/revoke/").status_code == 404
    assert ApiToken.objects.exists()


def test_the_description_is_served_from_here(desk: Desk) -> None:
    page = desk.client.get("/api/docs")

    assert "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js" in page.content.decode()
    assert "script-src 'self'" in page["Content-Security-Policy"]
    schema = desk.client.get("/api/v1/schema").json()
    assert schema["openapi"].startswith("3.1")
    assert "/api/v1/positions/open" in schema["paths"]
    assert not [path for path in schema["paths"] if not path.startswith("/api/v1/")]
    assert Client().get("/api/v1/schema").status_code == 401
