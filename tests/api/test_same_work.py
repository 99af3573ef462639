"""Whoever asks for a thing of another learns nothing, neither from the answer nor from the work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls.converters import UUIDConverter

from arbsite.accounts.models import User
from tests.api.conftest import Desk, Program, Programs
from tests.api.test_isolation import BODIES, methods
from tests.web.rows import make_account, make_discrepancy
from trading.views.api.urls import versioned

pytestmark = pytest.mark.db

LITERAL = re.compile(r"'(?:[^']|'')*'(?:::\w+)?|\b[0-9a-f]{32}\b|\b\d+(?:\.\d+)?\b")
# What a parameter or field of this name holds the id of; whoever adds one says so here.
NAMED = ("position", "position_id", "discrepancy_id", "account", "opportunity")

Place = tuple[str, str, str, str]
"""Method, address without ids, where the id is written, and its name."""


@pytest.fixture
def owned(desk: Desk) -> dict[str, UUID]:
    """The owner's id by the name under which it may be asked for."""
    account = desk.user.exchange_accounts.first()
    assert account is not None
    opportunity = desk.user.opportunities.get()
    return {
        "position": desk.position.pk,
        "position_id": desk.position.pk,
        "discrepancy_id": make_discrepancy(desk.position).pk,
        "account": account.pk,
        "opportunity": opportunity.pk,
    }


def in_paths() -> Iterator[Place]:
    for pattern in versioned:
        for name, converter in pattern.pattern.converters.items():
            if isinstance(converter, UUIDConverter):
                path = str(pattern.pattern).replace(f"<uuid:{name}>", "{}")
                for method in methods(pattern):
                    yield method, path, "path", name


def in_queries_and_bodies(description: dict[str, Any]) -> Iterator[Place]:
    for path, item in description["paths"].items():
        for method, operation in item.items():
            asked = [one for one in operation.get("parameters", ()) if one["in"] == "query"]
            found = [("query", one["name"], one["schema"]) for one in asked]
            found += [("body", *each) for each in fields_of(description, operation)]
            for where, name, schema in found:
                if schema.get("format") == "uuid":
                    yield method, path.removeprefix("/api/v1/"), where, name


def fields_of(description: dict[str, Any], operation: dict[str, Any]) -> list[tuple[str, Any]]:
    body = operation.get("requestBody")
    if body is None:
        return []
    schema = body["content"]["application/json"]["schema"]
    if "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return list(schema.get("properties", {}).items())


def seen(program: Program, place: Place, wanted: UUID) -> tuple[int, bytes, list[str], list[str]]:
    """Return status, body, names of headers, and the shapes of what the database was asked."""
    method, path, where, name = place
    filled = path.format(wanted)
    with CaptureQueriesContext(connection) as captured:
        if method == "get":
            query = {name: wanted} if where == "query" else {}
            answer = program.get(filled, **query)
        else:
            body = body_for(path) | ({name: str(wanted)} if where == "body" else {})
            answer = program.post(filled, body)
    shapes = [LITERAL.sub("?", query["sql"]) for query in captured.captured_queries]
    return answer.status_code, answer.content, sorted(answer.headers), shapes


def body_for(path: str) -> dict[str, Any]:
    if path.startswith("reconciliation/differences"):
        return BODIES["decide"]
    return {"size_usd": "100"} if path in ("positions/open", "positions/quote") else {}


def test_another_users_id_costs_the_same_work_as_one_that_nobody_has(
    desk: Desk,
    own: Program,
    owned: dict[str, UUID],
    teammate: User,
    stranger: User,
    program: Programs,
) -> None:
    make_account(teammate, desk.instruments["bybit", "BTC"].exchange, desk.now)
    places = [*in_paths(), *in_queries_and_bodies(own.get("schema").json())]
    assert {name for *_, name in places} == set(NAMED) == set(owned)
    assert {where for _, _, where, _ in places} == {"path", "query", "body"}

    for asker in (program(stranger), program(teammate)):
        for place in places:
            # The first request of an address may fill a cache.
            seen(asker, place, uuid4())
            unknown, foreign = seen(asker, place, uuid4()), seen(asker, place, owned[place[3]])
            assert foreign == unknown, place
            assert foreign[0] in (400, 404), place
            assert foreign[3], "the database is asked"


def test_the_owners_own_id_is_answered_otherwise(own: Program, owned: dict[str, UUID]) -> None:
    """The comparison above can fail."""
    place = ("get", "positions/{}", "path", "position_id")
    assert seen(own, place, owned["position"]) != seen(own, place, uuid4())
