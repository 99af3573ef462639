"""The desk of the pages, seen by programs: tokens of three users, one of whom owns everything."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from arbsite.accounts.models import User
from arbsite.accounts.tokens import make_token
from tests.web.conftest import Desk, desk, own_board, redis_server

__all__ = ["Desk", "desk", "own_board", "redis_server"]


@dataclass(slots=True, kw_only=True)
class Program:
    """A client with a token; every answer is checked to be JSON and none of ours broken."""

    token: str
    client: Client

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", query, headers=self.headers())

    def post(
        self, path: str, body: object | None = None, *, key: str = "", version: str = "v1/"
    ) -> Any:
        """Send a JSON body, with a key of its own unless one is given."""
        return self.client.post(
            f"/api/{version}{path}",
            json.dumps({} if body is None else body),
            content_type="application/json",
            headers=self.headers() | {"Idempotency-Key": key or f"{timezone.now():%H%M%S%f}"},
        )

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


Programs = Callable[..., Program]


@pytest.fixture
def program() -> Programs:
    def make(user: User, scope: str = "admin", lasts: timedelta = timedelta(days=1)) -> Program:
        _, text = make_token(user=user, name="bot", scope=scope, lasts=lasts, now=timezone.now())
        return Program(token=text, client=Client())

    return make


@pytest.fixture
def own(desk: Desk, program: Programs) -> Program:
    """A program of the user who owns everything."""
    return program(desk.user)


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """Begin with no request counted against anybody."""
    cache.clear()
