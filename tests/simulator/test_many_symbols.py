"""Tests of load ask for more symbols than have a character of their own."""

from __future__ import annotations

from collections import Counter

import pytest

from exchanges.domain import InstrumentKind
from exchanges.simulator.listings import DYDX, HYPERLIQUID, OKX, USDM, listed, many_bases

pytestmark = pytest.mark.core


def test_every_venue_lists_as_many_perpetuals_as_are_asked_for() -> None:
    rows = listed(many_bases(30), watched=True).values()

    listed_at = Counter(
        row.venue for row in rows if row.kind is InstrumentKind.PERPETUAL and not row.is_inverse
    )
    assert {USDM, OKX, HYPERLIQUID, DYDX} <= listed_at.keys()
    assert set(listed_at.values()) == {30}
    assert all(row.lot > 0 and row.tick > 0 for row in rows)
