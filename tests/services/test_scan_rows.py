"""How few rows the scan writes, and whom it rings."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from django.utils import timezone

from arbsite.accounts.models import User
from arbsite.celery import app
from exchanges.board import Board
from exchanges.models import Instrument
from tests.market import NOW, D, make_book, make_rate
from tests.services.scan_market import VENUES, Market, list_perpetual, make_market
from trading.models import Opportunity
from trading.services import engine
from trading.services.scan import LiveScan

pytestmark = pytest.mark.db


@pytest.fixture
def market(owner: User) -> Market:
    return make_market(owner)


def test_same_finding_again_renews_its_row(market: Market) -> None:
    assert market.record() == 1
    assert market.record(at=timedelta(seconds=1)) == 0

    row = Opportunity.objects.get()
    assert (row.status, row.reason) == (Opportunity.Status.CANDIDATE, "")
    assert (row.found_at, row.seen_at) == (NOW, NOW + timedelta(seconds=1))
    assert row.net_return == D("0.003920000000")
    assert D(row.details["hold_hours"]) == 48


def test_other_reason_begins_a_new_row_and_the_old_one_is_found_again(market: Market) -> None:
    market.record()
    engine.pause(user=market.user, actor="owner", now=NOW)
    market.record(at=timedelta(seconds=1))
    engine.resume(user=market.user, actor="owner", now=NOW)
    market.record(at=timedelta(seconds=2))

    codes = Opportunity.objects.order_by("found_at").values_list("reason_code", flat=True)
    assert list(codes) == ["", "paused"]


def test_next_funding_interval_begins_a_new_row(market: Market) -> None:
    market.record()

    assert market.record(at=timedelta(hours=8)) == 1


def test_untrusted_data_gets_a_row_with_its_reason_and_no_figures(market: Market) -> None:
    market.board = Board()
    market.tell(make_book("binanceusdm"), make_book("bybit"), make_rate("bybit"))

    market.record()

    row = Opportunity.objects.get()
    assert row.reason == "No funding rate of BTC/USDT:USDT on binanceusdm has arrived yet."
    assert (row.net_return, row.net_apr, row.spread_8h) == (None, None, None)


def test_pair_in_two_stablecoins_is_shown_with_why_it_is_refused(market: Market) -> None:
    Instrument.objects.filter(exchange__code="bybit").update(settle="USDC", quote="USDC")

    market.record()

    row = Opportunity.objects.get()
    assert (row.status, row.reason_code) == (Opportunity.Status.PASSED, "mixed_settle")
    assert row.reason.startswith("The legs would settle in different assets, BTC/USDT:USDT on")
    assert row.net_return is not None


def test_a_pair_in_one_stablecoin_is_never_hidden_by_one_in_two(market: Market) -> None:
    list_perpetual("hyperliquid")
    dollars = {"settle": "USDC", "quote": "USDC"}
    Instrument.objects.filter(exchange__code="hyperliquid").update(**dollars)

    assert {venue for venue, _ in market.scan().keys} == set(VENUES)


def rung_entries() -> list[list[str]]:
    """Take the arguments of all waiting entry doorbells out of the in-memory broker."""
    taken = []
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("entry")
        while queue.qsize():
            message = queue.get(block=False)
            message.ack()
            taken.append(message.payload[0])
        queue.close()
    return taken


def test_update_that_pays_rings_the_entry_once_and_publishes_first(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[int] = []

    async def publish() -> None:
        published.append(len(rung_entries()))

    async def story() -> None:
        live.changed({"BTC"})
        live.changed({"BTC"})
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0)

    rung_entries()
    live = LiveScan(market.board, publish)
    live.market.adopt(live.market.load(NOW))
    monkeypatch.setattr(timezone, "now", lambda: NOW)

    asyncio.run(story())

    assert published == [0]
    legs = [
        {"instrument": str(market.instrument(venue).pk), "side": side, "ratio": "1"}
        for venue, side in zip(VENUES, ("buy", "sell"), strict=True)
    ]
    assert rung_entries() == [
        [str(market.user.pk), "funding_spread", "BTC", legs, "50000", NOW.isoformat()]
    ]


def test_update_that_does_not_pay_rings_nothing(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def publish() -> None:
        pytest.fail("nothing was to be published")

    async def story() -> None:
        live.changed({"BTC"})

    rung_entries()
    engine.pause(user=market.user, actor="owner", now=NOW)
    live = LiveScan(market.board, publish)
    live.market.adopt(live.market.load(NOW))
    monkeypatch.setattr(timezone, "now", lambda: NOW)

    asyncio.run(story())

    assert rung_entries() == []
