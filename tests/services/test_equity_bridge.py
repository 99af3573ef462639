"""What the venues say an account gained is what our rows say, to the last digit, or it is shown."""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client

from arbsite.accounts.models import User
from exchanges.domain import Side
from tests.services.ledger_desk import LedgerDesk
from tests.simulator.world import START
from trading.core.equity_bridge import Bridge
from trading.models import (
    EquitySnapshot,
    Event,
    FailedAttempt,
    Transfer,
)
from trading.selectors.equity_bridge import bridge_lines
from trading.services.equity_bridge import alert_all_unexplained, daily_bridges, equity_bridge

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

D = Decimal
DUST = D("1E-8")


@pytest.fixture
def desk(tmp_path: Path, owner: User) -> Generator[LedgerDesk]:
    opened = LedgerDesk(tmp_path, owner)
    opened.read_equity()
    opened.pass_time(minutes=1)
    yield opened
    opened.close()


def parts(desk: LedgerDesk) -> Bridge:
    desk.pass_time(minutes=1)
    desk.read_equity()
    period = equity_bridge(desk.user, since=None, until=desk.now)
    assert period is not None
    return period.parts


def test_entry_settlements_partial_exit_and_exit_leave_nothing_unexplained(
    desk: LedgerDesk,
) -> None:
    position = desk.open_position()
    open_parts = parts(desk)
    desk.pass_time(hours=2)
    desk.store_settled(since=START)
    desk.book_funding()
    for leg in position.legs.all():
        desk.fill(leg, "0.04", closes=True)
    half = parts(desk)
    desk.pass_time(hours=1)
    desk.end(position, "0.06")
    desk.book_funding()
    whole = parts(desk)

    for bridge in (open_parts, half, whole):
        assert abs(bridge.unexplained) <= DUST
    ledger = desk.world.simulator.ledger
    assert whole.fees == sum((row.fee for row in ledger.trades), D(0))
    assert whole.funding == sum((row.payment for row in ledger.funding), D(0))
    realised = sum((row.realised_pnl for row in ledger.trades), D(0))
    assert abs(whole.price_pnl - realised) <= DUST
    wallets = [desk.world.account("binanceusdm").balance("usdm", "USDT")]
    wallets.append(desk.world.account("bybit").balance("unified", "USDT"))
    assert abs(whole.equity_change - (sum(wallets, D(0)) - 200_000)) <= DUST


def test_days_add_up_to_the_whole(desk: LedgerDesk) -> None:
    desk.open_position()
    desk.pass_time(minutes=1)
    for _ in range(5):
        desk.read_equity()
        desk.pass_time(hours=11)
        desk.book_funding()
    desk.read_equity()

    days = daily_bridges(desk.user, days=4, now=desk.now)
    whole = equity_bridge(desk.user, since=None, until=desk.now)
    assert whole is not None and len(days) == 3
    assert sum((day.parts for day in days), Bridge()).net_pnl == whole.parts.net_pnl
    assert all(abs(day.parts.unexplained) <= DUST for day in days)


def test_money_moved_in_and_out_is_read_from_the_venues_and_is_no_gain(desk: LedgerDesk) -> None:
    ledger = desk.world.simulator.ledger
    for venue, wallet, amount in (("binanceusdm", "usdm", "250"), ("bybit", "unified", "-90.5")):
        ledger.move(desk.world.account(venue), wallet, "USDT", D(amount), now=desk.now)
    desk.pass_time(minutes=1)

    moved = parts(desk)

    assert moved == Bridge(equity_change=D("159.5"), transfers=D("159.5"))
    desk.pass_time(minutes=1)
    desk.read_equity()
    assert Transfer.objects.count() == 2


def test_a_failed_attempt_costs_on_its_own_line(desk: LedgerDesk) -> None:
    position = desk.open_position()
    desk.pass_time(minutes=1)
    desk.end(position)
    FailedAttempt.objects.create(position=position, cost_usd=D(0), reason="test", at=desk.now)

    bridge = parts(desk)

    assert bridge.failed_attempts == -bridge.equity_change > 0
    assert (bridge.price_pnl, bridge.fees) == (0, 0)
    assert abs(bridge.unexplained) <= DUST


def test_what_no_row_explains_is_shown_and_told_once(desk: LedgerDesk) -> None:
    desk.open_position()
    desk.world.place("bybit", Side.SELL, "0.4")

    assert abs(parts(desk).unexplained) > 1
    for _ in range(2):
        desk.pass_time(minutes=4)
        desk.read_equity()
        desk.pass_time(minutes=4)
        alert_all_unexplained(now=desk.now)

    told = Event.objects.get(kind="equity.unexplained")
    assert "is explained by no fill, payment, fee or transfer of Carry" in told.sentence


def test_the_page_shows_parts_that_add_up_to_the_cent(desk: LedgerDesk) -> None:
    position = desk.open_position()
    desk.pass_time(hours=2)
    desk.book_funding()
    desk.end(position)
    parts(desk)

    lines = bridge_lines(desk.user, desk.now)

    assert [line.name for line in lines] == ["2026-01-05", "Since the first reading"]
    for line in lines:
        assert line.opening + line.net_pnl + line.transfers + line.unexplained == line.closing
        assert line.unexplained == 0 and line.fees < 0
    client = Client()
    client.force_login(desk.user)
    assert "Unexplained" in client.get("/pnl/").content.decode()


def test_a_reading_next_to_a_fill_is_passed_over(desk: LedgerDesk) -> None:
    desk.pass_time(minutes=1)
    desk.read_equity()
    quiet_at = desk.now
    desk.pass_time(minutes=1)
    desk.read_equity()
    desk.pass_time(seconds=4)
    desk.open_position()

    period = equity_bridge(desk.user, since=None, until=desk.now)

    assert period is not None and period.closed_at == quiet_at
    assert EquitySnapshot.objects.last().read_at > quiet_at  # type: ignore[union-attr, operator]


def test_an_account_that_was_connected_later_is_money_moved_in(desk: LedgerDesk) -> None:
    later = desk.accounts["bybit"]
    later.is_active = False
    later.save()
    desk.pass_time(minutes=1)
    desk.read_equity()
    first = desk.now
    later.is_active = True
    later.save()
    desk.pass_time(minutes=1)
    desk.read_equity()

    period = equity_bridge(desk.user, since=first, until=desk.now)

    assert period is not None
    assert period.parts == Bridge(equity_change=D(100_000), transfers=D(100_000))
    assert period.closing_equity - period.opening_equity == period.parts.equity_change
