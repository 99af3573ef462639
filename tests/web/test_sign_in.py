from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from arbsite.accounts.models import User

pytestmark = pytest.mark.db


@pytest.fixture(autouse=True)
def no_earlier_attempts() -> None:
    """Forget failed attempts of other tests."""
    cache.clear()


def sign_in(client: Client, password: str) -> int:
    answer = client.post("/account/login/", {"login": "owner", "password": password})
    return answer.status_code


def test_the_right_password_signs_in(client: Client, owner: User) -> None:
    assert sign_in(client, "owner-password") == 302
    assert client.session["_auth_user_id"] == str(owner.pk)


def test_after_five_wrong_passwords_the_right_one_is_refused_too(
    client: Client, owner: User
) -> None:
    for _ in range(5):
        sign_in(client, "wrong")

    sign_in(client, "owner-password")

    assert "_auth_user_id" not in client.session


def test_nobody_signs_up(client: Client, db: None) -> None:
    credentials = {"username": "eve", "password1": "long-enough-9", "password2": "long-enough-9"}

    client.post("/account/signup/", credentials)

    assert not User.objects.exists()


def test_a_link_does_not_sign_out(client: Client, owner: User) -> None:
    client.force_login(owner)

    client.get("/account/logout/")
    assert "_auth_user_id" in client.session

    client.post("/account/logout/")
    assert "_auth_user_id" not in client.session


def test_the_admin_uses_the_same_sign_in(client: Client, db: None) -> None:
    answer = client.get("/admin/login/?next=/admin/")

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/account/login/")


def test_an_ordinary_user_does_not_reach_the_admin(client: Client, owner: User) -> None:
    client.force_login(owner)

    assert client.get("/admin/").status_code != 200


def test_only_staff_pages_may_evaluate_scripts(client: Client, owner: User) -> None:
    owner.is_staff = owner.is_superuser = True
    owner.save()
    client.force_login(owner)

    admin_policy = client.get("/admin/").headers["Content-Security-Policy"]
    page_policy = client.get("/account/logout/").headers["Content-Security-Policy"]

    assert "'unsafe-eval'" in admin_policy
    assert "unsafe" not in page_policy
