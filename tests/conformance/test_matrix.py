"""The matrix says what is tested: every card once, for every market it applies to."""

from __future__ import annotations

from importlib import import_module
from inspect import getmembers, isclass, isfunction
from pathlib import Path

import pytest

from exchanges.venues import PROFILES
from tests.conformance.cards import BY_NUMBER, CARDS, SUBJECTS
from tests.conformance.matrix import DOCUMENT, document

pytestmark = pytest.mark.core

MODULES = ("test_trading", "test_account", "test_market_data", "test_streams")


def cards_found() -> list[tuple[str, str]]:
    """Return (number of the card, port by the name of its class) of every card test."""
    return sorted(
        (test.card, name.removeprefix("Test"))
        for module in MODULES
        for name, group in getmembers(import_module(f"tests.conformance.{module}"), isclass)
        if name.startswith("Test")
        for _, test in getmembers(group, isfunction)
        if hasattr(test, "card")
    )


def test_every_card_has_one_test_in_the_class_of_its_port() -> None:
    assert cards_found() == [(card.number, card.port) for card in CARDS]


def test_every_venue_that_is_supported_is_under_test() -> None:
    traded = {name for name, profile in PROFILES.items() if not profile.read_only}
    assert traded <= {subject.venue for subject in SUBJECTS}
    # Of the others each has its payloads read.
    tests = Path(__file__).resolve().parents[1] / "protocol"
    missing = [name for name in PROFILES.keys() - traded if not _is_read(tests, name)]
    assert not missing
    # A card that nobody has to pass promises nothing.
    assert all(card.subjects for card in BY_NUMBER.values())


def _is_read(tests: Path, venue: str) -> bool:
    return any(tests.glob(f"test_*{venue}.py"))


def test_the_document_is_what_the_cards_say() -> None:
    assert DOCUMENT.read_text() == document(), "stale: python -m tests.conformance.matrix"
