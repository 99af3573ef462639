"""What settled history says of pairs, on the page of a symbol."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest

from exchanges.models import SettledFundingRate
from tests.web.conftest import D, Desk
from trading.services import configure

pytestmark = pytest.mark.db

EIGHT_HOURS = timedelta(hours=8)


def settle(desk: Desk, venue: str, rate: str) -> None:
    instrument = desk.instruments[venue, "BTC"]
    SettledFundingRate.objects.bulk_create(
        SettledFundingRate(
            instrument=instrument,
            settled_at=desk.now.replace(microsecond=0) - EIGHT_HOURS * back,
            funding_rate=D(rate),
            settlement_price=D(100),
        )
        for back in range(60)
    )


def test_a_symbol_tells_the_odds_of_its_pairs_and_every_tolerance(desk: Desk) -> None:
    settle(desk, "binanceusdm", "0.0001")
    settle(desk, "bybit", "0.0003")
    configure.save(
        user=desk.user,
        values={"hold_horizon": "72"},
        expected_version=0,
        actor="owner",
        now=desk.now,
    )

    html = unescape(desk.client.get("/rates/BTC/").content.decode())

    assert "L BIN S BYB" in html
    # 9 settlements of 2 bp against four fees of 5 bp
    assert '<td class="num" title="50 windows, cost 20.0 bp">0%</td>' in html
    assert "held all the time" in html
    # 58 paid settlements of 2 bp less one round trip
    assert '<td class="num">+116</td>' in html
    assert '<td class="num dim">−20</td>' in html
    assert ">+96</td>" in html


def test_a_symbol_without_settlements_says_so(desk: Desk) -> None:
    html = desk.client.get("/rates/BTC/").content.decode()

    assert "No settlement of BTC has been read yet." in html
    assert "What the settlements say" not in html
