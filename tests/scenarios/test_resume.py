"""Stopped and started again, Carry goes on with the positions it had."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.machine import wait_until
from tests.scenarios.conftest import QUICK
from tests.scenarios.desk import PATIENCE, running_desk

pytestmark = pytest.mark.scenario


def test_second_start_goes_on_with_the_same_position_and_both_books_stay_equal(
    tmp_path: Path,
) -> None:
    var = tmp_path / "var"
    with running_desk(var, simulator_options=QUICK, calm=True) as desk:
        position = desk.open("XRP")
        assert desk.entered(position).state == "open"
        held = desk.venues.held("XRP")

    with running_desk(var, simulator_options=QUICK, calm=True) as desk:
        assert desk.books.position(position).state == "open"
        assert desk.venues.held("XRP") == held
        wait_until(
            lambda: len(desk.venues.payments("XRP")) >= 2, timeout=PATIENCE, what="XRP is paid"
        )

        assert desk.close(position).state == "closed"

        assert desk.venues.held("XRP") == {}
        desk.assert_one_order_per_intent()
        desk.assert_books_agree()
