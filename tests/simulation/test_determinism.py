"""The same seed is the same day, to the last row and the last request."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from tests.simulation.batch import the_laboratory
from tests.simulation.laboratory import Laboratory
from tests.simulation.run import run_seed

pytestmark = pytest.mark.simulation


@pytest.mark.parametrize("seed", [3, 8, 9, 14])
def test_a_seed_runs_the_same_way_twice(laboratory: Laboratory, seed: int) -> None:
    first, second = run_seed(laboratory, seed), run_seed(laboratory, seed)

    assert first.steps > 20
    assert first.event_hash == second.event_hash


def test_another_seed_is_another_day(laboratory: Laboratory) -> None:
    assert run_seed(laboratory, 3).event_hash != run_seed(laboratory, 8).event_hash


def test_another_process_has_the_same_day(
    key_file: None,
    django_db_blocker: DjangoDbBlocker,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Every process seals with a key of its own: no order of rows may hang on it."""
    with django_db_blocker.unblock(), the_laboratory().open() as laboratory:
        here = run_seed(laboratory, 23)
    monkeypatch.setattr(settings, "CARRY_KEY_FILE", tmp_path / "other.key")
    other = Laboratory()
    with django_db_blocker.unblock(), other.open():
        there = run_seed(other, 23)
        other.close()

    assert here.event_hash == there.event_hash
