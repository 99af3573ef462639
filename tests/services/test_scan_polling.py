"""With the streams stopped: venues are polled, history is kept, the board is scanned."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from exchanges import selectors, services
from exchanges.board import Board, Channel, hash_name
from exchanges.depths import load_depths, read_depths
from exchanges.market_poll import poll_market
from exchanges.models import Instrument, SettledFundingRate
from tests.machine import wait_until
from tests.services.conftest import Desk
from trading.models import Engine, Opportunity
from trading.services import equity, scan
from trading.services.venues import REAL

pytestmark = pytest.mark.protocol


def test_silent_channels_are_polled_and_fresh_ones_are_not(desk: Desk) -> None:
    selectors.board_redis().flushall()

    assert "BTC" in poll_market(timezone.now())
    assert poll_market(timezone.now()) == []

    board = selectors.market_board()
    for instrument in selectors.perpetuals():
        row = board.row(*selectors.instrument_key(instrument))
        assert row is not None
        assert all(row.fact(channel) is not None for channel in Channel)
        assert row.funding is not None
        assert row.funding.interval_seconds == instrument.funding_interval_seconds


def test_poll_on_request_reads_what_is_fresh_too(desk: Desk) -> None:
    desk.refresh_market()

    assert "BTC" in poll_market(timezone.now(), force=True)


def test_venue_that_is_down_keeps_no_other_out(desk: Desk) -> None:
    selectors.board_redis().flushall()
    desk.simulator.fault(venue="bybit", action="server_error", count=None)

    poll_market(timezone.now())

    board = selectors.market_board()
    assert {venue for venue, _ in board.rows} == {"binance", "binanceusdm"}


def test_venue_that_hangs_delays_neither_the_facts_of_others_nor_their_next_poll(
    desk: Desk,
) -> None:
    redis = selectors.board_redis()
    redis.flushall()
    desk.simulator.fault(venue="bybit", action="delay", seconds=4, count=None)
    with ThreadPoolExecutor(1) as worker:
        hanging = worker.submit(_polled_alone)
        wait_until(lambda: _age_at("binanceusdm") is not None, timeout=5, what="its facts come")
        published = _age_at("binanceusdm")
        assert published is not None
        assert published < timedelta(seconds=1)
        redis.delete(hash_name("binanceusdm"))

        assert "BTC" in poll_market(timezone.now())

        assert not hanging.done()
        assert _age_at("bybit") is None


def _polled_alone(*, force: bool = False) -> list[str]:
    try:
        return poll_market(timezone.now(), force=force)
    finally:
        connection.close()


def _age_at(venue: str) -> timedelta | None:
    return selectors.market_board().age(venue, Channel.BOOK, timezone.now())


def test_what_a_socket_told_while_a_list_was_on_its_way_stays(desk: Desk) -> None:
    redis = selectors.board_redis()
    redis.flushall()
    poll_market(timezone.now())
    key = selectors.instrument_key(desk.instrument("bybit"))
    known = Board.load_rows(redis, [key]).rows[key].book
    assert known is not None
    late = {"action": "delay", "after_accept": True, "seconds": 3, "count": None}
    desk.simulator.fault(venue="bybit", **late)
    began = desk.simulator.control("GET", "/access-log")["last"]
    with ThreadPoolExecutor(1) as worker:
        polling = worker.submit(_polled_alone, force=True)
        asked = f"/access-log?after={began}&limit=1000"

        def have_left() -> bool:
            """Tell whether rates and the tops of contracts and of spot were asked for."""
            entries: list[dict[str, str]] = desk.simulator.control("GET", asked)["entries"]
            return sum(row["venue"] == "bybit" for row in entries) >= 3

        wait_until(have_left, timeout=10, what="the lists are asked for")
        told = replace(known, bid=known.bid / 2, ask=known.ask * 2, observed_at=timezone.now())
        board = Board()
        board.apply(told)
        board.publish(redis)
        assert "BTC" in polling.result()

    assert Board.load_rows(redis, [key]).rows[key].book == told
    age = selectors.market_board().age("bybit", Channel.FUNDING, timezone.now())
    assert age is not None
    assert age >= timedelta(seconds=3)


def test_books_that_are_answered_are_shared_before_one_that_hangs(desk: Desk) -> None:
    redis = selectors.board_redis()
    redis.flushall()
    desk.simulator.fault(venue="bybit", action="delay", seconds=4, count=None)
    asked = [desk.instrument("bybit"), desk.instrument("binanceusdm")]
    quick = selectors.instrument_key(asked[1])
    with ThreadPoolExecutor(1) as worker:
        reading = worker.submit(read_depths, asked, redis)
        wait_until(lambda: bool(load_depths([quick], redis)), timeout=3, what="a book is shared")
        assert not reading.done()

    assert set(reading.result()) == {selectors.instrument_key(one) for one in asked}


def test_changed_lot_and_interval_are_noticed(desk: Desk) -> None:
    btc = desk.instrument("bybit")
    Instrument.objects.filter(pk=btc.pk).update(lot=btc.lot * 10, funding_interval_seconds=28_800)

    changes = services.refresh_instruments(timezone.now())["bybit"]

    assert changes == [
        "BTC/USDT:USDT: lot is now 0.001, was 0.01",
        "BTC/USDT:USDT: funding interval is now 1 min, was 8 h",
    ]
    assert [change.sentence for change in btc.changes.order_by("id")] == changes
    assert desk.instrument("bybit").lot == btc.lot


def test_what_is_listed_no_more_becomes_inactive(desk: Desk) -> None:
    btc = desk.instrument("bybit")
    gone = Instrument.objects.create(
        exchange=btc.exchange,
        symbol="GONE/USDT:USDT",
        base="GONE",
        refreshed_at=timezone.now() - timedelta(hours=1),
        **{
            name: getattr(btc, name)
            for name in ("venue_symbol", "kind", "quote", "settle", "contract_base", "lot")
        },
        price_tick=btc.price_tick,
        min_base_quantity=btc.min_base_quantity,
        min_notional=btc.min_notional,
        settlement=btc.settlement,
    )

    services.refresh_instruments(timezone.now())

    gone.refresh_from_db()
    assert not gone.is_active
    assert desk.instrument("bybit").pk == btc.pk


def test_settlements_are_stored_once(desk: Desk) -> None:
    # The desk's set-up has read settlements before; some may have passed since.
    services.poll_settlements(timezone.now())
    stored = SettledFundingRate.objects.count()
    assert stored > 0

    services.poll_settlements(timezone.now())

    btc = desk.instrument("bybit")
    times = SettledFundingRate.objects.filter(instrument=btc)
    spacing = {
        later.settled_at - earlier.settled_at
        for earlier, later in zip(times, list(times)[1:], strict=False)
    }
    assert spacing == {timedelta(seconds=btc.funding_interval_seconds or 0)}
    # A settlement may pass between two polls, once per perpetual.
    assert SettledFundingRate.objects.count() - stored <= selectors.perpetuals().count()


def test_worker_scans_what_no_live_scan_looks_at(desk: Desk) -> None:
    selectors.board_redis().flushall()
    services.poll_settlements(timezone.now())
    equity.snapshot_equity(venues=REAL, now=timezone.now())
    desk.refresh_market()

    scan.scan_all()

    bases = set(Opportunity.objects.values_list("base", flat=True))
    assert "BTC" in bases
    assert len(bases) == 8
    assert Engine.objects.get(user=desk.user).last_scan_at is not None

    selectors.board_redis().hset(scan.SCANNED, "BTC", timezone.now().isoformat())
    seen = Opportunity.objects.filter(base="BTC").latest("seen_at").seen_at
    scan.scan_all()

    assert Opportunity.objects.filter(base="BTC").latest("seen_at").seen_at == seen
    assert Opportunity.objects.filter(base="ETH").latest("seen_at").seen_at > seen
