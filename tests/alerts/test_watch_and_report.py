"""What is watched for, reported each day, and told to somebody outside."""

from __future__ import annotations

import threading
from collections.abc import Generator
from datetime import timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from alerts.models import Alert, Preferences
from alerts.services.hear import hear
from alerts.services.heartbeat import beat
from alerts.services.report import report
from alerts.services.watch import warn_of_limits, warn_of_spreads, watch
from alerts.services.wishes import preferences_of
from arbsite.accounts.models import User
from exchanges.board import Board
from exchanges.domain import Quote, Symbol
from exchanges.selectors import board_redis
from tests.alerts.conftest import NOW
from tests.web.conftest import Desk, own_board, redis_server
from tests.web.conftest import desk as web_desk
from trading.models import AccountEquity, EnginePulse, EquitySnapshot, LimitUse, Transfer
from trading.services import engine

__all__ = ["own_board", "redis_server", "web_desk"]

pytestmark = [pytest.mark.db, pytest.mark.django_db]

D = Decimal


def move_marks(desk: Desk, long: str, short: str) -> None:
    """Put marks of the two legs of the BTC position on the board."""
    board = Board.load(board_redis(), ["binanceusdm", "bybit"])
    for venue, price in (("binanceusdm", long), ("bybit", short)):
        quote = Quote(
            venue=venue,
            symbol=Symbol("BTC/USDT:USDT"),
            mark_price=D(price),
            index_price=D(price),
            observed_at=desk.now + timedelta(milliseconds=1),
        )
        assert board.apply(quote)
    board.publish(board_redis())


@pytest.mark.parametrize(
    ("short_mark", "warned"),
    [
        # 10 BTC a leg, 1,000 USD: 0.24 and 0.26 against the short are 0.24 % and 0.26 % of a leg.
        ("100.24", False),
        ("100.26", True),
    ],
)
def test_a_gap_that_widens_by_a_quarter_of_a_percent_is_told_once_an_hour(
    web_desk: Desk, short_mark: str, warned: bool
) -> None:
    desk = web_desk
    move_marks(desk, "100.00", short_mark)

    assert warn_of_spreads(desk.user, now=desk.now) == int(warned)
    assert warn_of_spreads(desk.user, now=desk.now) == 0
    events = desk.user.events.filter(kind="basis.adverse")
    assert [event.severity for event in events] == ["warning"] * int(warned)
    if warned:
        assert "0.26 % of a leg" in events[0].sentence


def test_the_threshold_is_the_persons_own_and_an_old_price_warns_of_nothing(
    web_desk: Desk,
) -> None:
    desk = web_desk
    move_marks(desk, "100.00", "101.00")
    preferences_of(desk.user)
    Preferences.objects.update(adverse_basis=D("0.02"))
    assert warn_of_spreads(desk.user, now=desk.now) == 0

    Preferences.objects.update(adverse_basis=D("0.0025"))
    assert warn_of_spreads(desk.user, now=desk.now + timedelta(minutes=5)) == 0


def test_a_limit_that_is_used_to_four_fifths_is_told(web_desk: Desk) -> None:
    user, now = web_desk.user, web_desk.now
    use = LimitUse.objects.create(user=user, mode="rehearsal", scope="pair:BTC", reserved_cents=1)
    cap = 50_000_00

    for cents, told in ((cap * 79 // 100, 0), (cap * 80 // 100, 1), (cap * 90 // 100, 0)):
        LimitUse.objects.filter(pk=use.pk).update(reserved_cents=cents)
        assert warn_of_limits(user, now=now) == told

    event = user.events.get(kind="limit.pair:BTC")
    assert event.sentence.startswith(
        "40,000 USD of 50,000 USD of the limit per pair on BTC are used, 80 %"
    )


def test_workers_that_fall_silent_are_a_critical_for_whoever_has_something_open(
    web_desk: Desk, stranger: User
) -> None:
    now = web_desk.now
    engine.beat(now=now - timedelta(seconds=90))

    watch(since=now - timedelta(seconds=30), now=now)
    assert not web_desk.user.events.filter(kind="engine.error").exists()

    watch(since=now - timedelta(minutes=9), now=now)
    watch(since=now - timedelta(minutes=9), now=now)
    assert web_desk.user.events.get(kind="engine.error").severity == "critical"
    assert not stranger.events.exists()


def test_the_days_report_comes_once_at_the_persons_own_hour(owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(time_zone="Asia/Tokyo")
    owner.refresh_from_db()
    preferences_of(owner)
    Preferences.objects.update(report_hour=22, reported_on="2026-03-09")  # NOW is 21:00 there

    assert not report(owner, now=NOW)
    assert report(owner, now=NOW + timedelta(hours=1))
    assert not report(owner, now=NOW + timedelta(hours=1, minutes=1))
    assert report(owner, now=NOW + timedelta(hours=25))


def test_the_day_somebody_begins_on_is_not_reported(owner: User) -> None:
    now = timezone.now()
    preferences_of(owner)
    Preferences.objects.update(report_hour=0)

    assert not report(owner, now=now)
    assert report(owner, now=now + timedelta(days=1))


def test_the_report_tells_results_in_parts_and_what_is_open(web_desk: Desk) -> None:
    user, now = web_desk.user, web_desk.now
    preferences_of(user)
    Preferences.objects.update(report_hour=0, reported_on="")

    assert report(user, now=now)
    hear(now=now)

    lines = Alert.objects.get(kind="report.daily").lines
    assert lines[0] == "P&L of 24 h: not known, equity was not read twice"
    assert "Open positions: 1, gross $2,000.00" in lines
    assert any(line.startswith("  BTC Hedged: ") for line in lines)
    assert any(line.startswith("Nearest liquidation: BTC at ") for line in lines)


def test_the_report_adds_up(web_desk: Desk) -> None:
    user, now = web_desk.user, web_desk.now
    account = user.exchange_accounts.get(exchange__code="bybit")
    for hours, equity in ((26, 1_000), (1, 1_007)):
        at = now - timedelta(hours=hours)
        snapshot = EquitySnapshot.objects.create(
            user=user,
            mode="rehearsal",
            equity_usd=D(equity),
            free_usd=D(equity),
            at=at,
            read_at=at,
        )
        AccountEquity.objects.create(
            snapshot=snapshot, account=account, wallet_usd=D(equity), equity_usd=D(equity)
        )
    Transfer.objects.create(
        account=account,
        venue_transfer_id="t-1",
        asset="USDT",
        amount=D(5),
        moved_at=now - timedelta(hours=2),
        booked_at=now,
    )
    preferences_of(user)
    Preferences.objects.update(report_hour=0, reported_on="")
    report(user, now=now)
    hear(now=now)

    lines = Alert.objects.get(kind="report.daily").lines
    assert "Equity: $1,000.00 → $1,007.00" in lines
    earned, transfers, unexplained = lines[0], lines[7], lines[8]
    # The account got 3.00 of funding and paid 0.50 of fees; of 7.00 that leaves 0.50 too little.
    assert transfers == "Transfers: +$5.00"
    assert (earned, unexplained) == ("P&L of 24 h: +$2.50", "Unexplained: −$0.50")


class Outside(BaseHTTPRequestHandler):
    """Whoever watches from outside."""

    calls: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.calls.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def outside(settings: Settings) -> Generator[list[str]]:
    server = HTTPServer(("127.0.0.1", 0), Outside)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    settings.CARRY_HEARTBEAT_URL = f"http://127.0.0.1:{server.server_address[1]}/ping/key"
    Outside.calls.clear()
    yield Outside.calls
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.django_db
def test_somebody_outside_is_called_while_workers_sweep_and_not_after(outside: list[str]) -> None:
    assert not beat(now=NOW)
    EnginePulse.objects.create(pk=1, generation_at=NOW, beat_at=NOW)

    assert beat(now=NOW + timedelta(seconds=30))
    assert not beat(now=NOW + timedelta(seconds=90))
    assert outside == ["/ping/key"]


def test_an_outside_that_is_away_is_no_error(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CARRY_HEARTBEAT_URL = "http://127.0.0.1:1/ping/canary-key"
    EnginePulse.objects.create(pk=1, generation_at=NOW, beat_at=NOW)

    assert not beat(now=NOW)
    assert "canary-key" not in caplog.text
