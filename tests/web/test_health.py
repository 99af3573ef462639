from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker, Settings

pytestmark = pytest.mark.db


def test_health_answers_a_visitor_without_internals(
    client: Client, db: None, settings: Settings
) -> None:
    answer = client.get("/api/health")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "degraded",
        "version": settings.VERSION,
        "database": "ok",
        "schema": "ok",
        "redis": "down",
        "market_age_seconds": None,
        "slot_lag_seconds": None,
    }


def test_health_is_503_when_the_database_is_gone(
    client: Client,
    django_db_blocker: DjangoDbBlocker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(connection.settings_dict, "NAME", "/nowhere/carry")

    with django_db_blocker.unblock():
        connection.close()
        answer = client.get("/api/health")
        connection.close()

    assert answer.status_code == 503
    assert answer.json()["database"] == "down"


def test_health_is_read_only(client: Client) -> None:
    assert client.post("/api/health").status_code == 405
