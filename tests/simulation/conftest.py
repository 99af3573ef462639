"""One laboratory per test process, opened for each test that runs worlds in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator

import pytest
from pytest_django import DjangoDbBlocker

from tests.simulation.batch import the_laboratory
from tests.simulation.laboratory import Laboratory
from tests.simulation.report import PROPERTY, Report


@pytest.fixture
def laboratory(key_file: None, django_db_blocker: DjangoDbBlocker) -> Generator[Laboratory]:
    with django_db_blocker.unblock(), the_laboratory().open() as laboratory:
        yield laboratory


@pytest.fixture
def account_for(record_property: Callable[[str, object], None]) -> Callable[[Report], None]:
    """Return what adds a report to the last lines of the test run, and fails on violations."""

    def take(report: Report) -> None:
        record_property(PROPERTY, json.dumps(report.plain()))
        assert report.violations == []
        assert report.breaches() == []

    return take
