"""The documents say what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from arbsite.state_tables import order_lines, position_lines
from trading.core.states import OrderState, PositionState

pytestmark = pytest.mark.core

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
TOUR = (DOCS / "ARCHITECTURE.md").read_text()
OURS = ("arbsite/", "exchanges/", "trading/", "templates/", "static/", "tests/", "docs/", "deploy/")


@pytest.mark.parametrize("document", ["README.md", "docs/ARCHITECTURE.md", "docs/RUNBOOK.md"])
def test_every_file_a_document_names_exists(document: str) -> None:
    named = re.findall(r"`([\w./-]+)`", (ROOT / document).read_text())
    missing = [name for name in named if name.startswith(OURS) and not (ROOT / name).exists()]
    assert missing == []


def test_the_tour_shows_the_life_cycles_as_they_are() -> None:
    assert "\n".join(position_lines()) in TOUR
    assert "\n".join(order_lines()) in TOUR


def test_the_tour_fits_half_an_hour() -> None:
    assert len(TOUR.splitlines()) <= 180


def test_the_glossary_knows_every_state() -> None:
    glossary = (DOCS / "GLOSSARY.md").read_text().lower()
    states = {str(state) for state in (*PositionState, *OrderState)}
    assert {state for state in states if f"`{state}`" not in glossary} == set()


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in (DOCS / "decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
