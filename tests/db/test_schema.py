"""A build meets a database that is older or newer than itself: it says so and claims nothing."""

from __future__ import annotations

from collections.abc import Callable, Generator
from uuid import uuid4

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from trading.models import EnginePulse
from trading.services import schema
from trading.services.sweep import working_sweep
from trading.tasks import close_position, drive_position, enter

pytestmark = [pytest.mark.db, pytest.mark.django_db]

Migration = MigrationRecorder.Migration


@pytest.fixture(autouse=True)
def asked_anew() -> Generator[None]:
    schema.asked.clear()
    yield
    schema.asked.clear()


def cut_short() -> None:
    """Leave the database as an interrupted migration does."""
    Migration.objects.get(app="trading", name="0001_initial").delete()


def overtaken() -> None:
    """Leave the database as a newer build has migrated it."""
    Migration.objects.create(app="trading", name="9999_of_a_newer_build", applied=timezone.now())


def test_a_build_and_the_database_it_migrated_fit() -> None:
    assert schema.compare() == ""


def test_migrations_of_apps_that_are_gone_do_not_matter() -> None:
    Migration.objects.create(app="an_app_of_old", name="0001_initial", applied=timezone.now())

    assert schema.compare() == ""


def test_a_migration_that_was_cut_short_is_named() -> None:
    cut_short()

    assert schema.compare() == (
        "the database lacks 1 migrations, trading.0001_initial first: migrate it"
    )


def test_a_newer_database_is_named() -> None:
    overtaken()

    assert schema.compare() == (
        "the database is newer than this build: it has trading.9999_of_a_newer_build, deploy anew"
    )


@pytest.mark.parametrize("happen", [cut_short, overtaken])
def test_workers_that_do_not_fit_claim_nothing_and_are_not_called_alive(
    happen: Callable[[], None],
) -> None:
    happen()

    assert working_sweep() == 0
    assert not EnginePulse.objects.exists()
    for told in (
        drive_position(str(uuid4())),
        close_position(str(uuid4())),
        enter(str(uuid4()), "funding_spread", "BTC", [], "1", timezone.now().isoformat()),
    ):
        assert told == schema.compare()


@pytest.mark.parametrize("happen", [cut_short, overtaken])
def test_an_installation_that_does_not_fit_is_not_ready(
    client: Client, happen: Callable[[], None]
) -> None:
    happen()

    answer = client.get("/api/health")

    assert answer.status_code == 503
    assert (answer.json()["status"], answer.json()["schema"]) == ("down", "differs")


def test_what_was_asked_a_moment_ago_is_not_asked_again(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    schema.misfit()

    with django_assert_num_queries(0):
        assert schema.misfit() == ""
