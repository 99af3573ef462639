"""Every base is counted through sooner or later, those on a user's list always."""

from __future__ import annotations

import pytest

from trading.services.scan_turns import OTHERS_AT_ONCE, ScanTurns

pytestmark = pytest.mark.core


def test_bases_on_the_list_are_in_every_round_and_the_others_take_turns() -> None:
    listed = [f"ASSET{number}" for number in range(13)]
    turns, rounds = ScanTurns(), []

    for _ in range(3):
        turns.begin()
        rounds.append(turns.bases(listed, {"ASSET2", "ASSET9", "UNLISTED"}))

    assert all(bases[:2] == ["ASSET2", "ASSET9"] for bases in rounds)
    assert all(len(bases) == 2 + OTHERS_AT_ONCE for bases in rounds)
    # Eleven others, five at a time.
    assert set().union(*rounds) == set(listed)


def test_a_round_without_others_is_the_list() -> None:
    assert ScanTurns().bases(["BTC", "ETH"], {"BTC", "ETH"}) == ["BTC", "ETH"]
