"""What happens to an account without us: venues that close, and people who trade by hand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from exchanges import registry
from exchanges.domain import OrderReport, Side, Symbol, VenueOrderStatus
from tests.services.conftest import Desk
from trading.core.quantity import QuantityFinding, QuantityVerdict
from trading.core.reconcile import Findings
from trading.core.states import Goal, OrderState, PositionState, Purpose
from trading.models import CoolDown, Discrepancy, Event, Position, Trade
from trading.services import lease, resolve
from trading.services.discrepancies import READ_LAG, settle_findings
from trading.services.order_facts import absorb_report
from trading.services.read_back import ReadBackResult, read_back
from trading.services.reconcile import reconcile_accounts, reconcile_due
from trading.services.sweep import sweep
from trading.services.venues import REAL

pytestmark = pytest.mark.protocol

WRITES = ("INSERT", "UPDATE", "DELETE")


@pytest.fixture
def position(desk: Desk) -> Position:
    return desk.drive_until(desk.enter(), PositionState.OPEN)


def held(desk: Desk, venue: str) -> Decimal:
    positions = desk.ledger(venue)["positions"]
    assert isinstance(positions, list)
    return sum((Decimal(row["base_quantity"]) for row in positions), Decimal(0))


def outside(desk: Desk, path: str, venue: str, **body: str) -> None:
    """Let the venue or the owner act on the account, past us."""
    named = {"api_key": desk.api_key(venue), "venue": venue, "symbol": "BTCUSDT"}
    desk.simulator.control("POST", path, {**named, **body})


def reconcile_until_lasting() -> None:
    """Look, and look again once no read can lag any more."""
    reconcile_accounts(venues=REAL, now=timezone.now())
    reconcile_accounts(venues=REAL, now=timezone.now() + READ_LAG + timedelta(seconds=1))


def the_discrepancy() -> Discrepancy:
    return Discrepancy.objects.confirmed().get()


def assert_books_equal_the_venues(desk: Desk, position: Position) -> None:
    for venue in ("binanceusdm", "bybit"):
        fills = desk.ledger(venue)["fills"]
        assert isinstance(fills, list)
        trades = position.trades.filter(leg__account=desk.account(venue))
        assert {trade.venue_trade_id for trade in trades} == {
            str(fill["venue_trade_id"]) for fill in fills
        }
        assert sum(trade.fee for trade in trades) == sum(Decimal(fill["fee"]) for fill in fills)


@pytest.mark.parametrize(
    ("venue", "path", "cause", "reason"),
    [
        ("binanceusdm", "/liquidate", Trade.Cause.LIQUIDATION, "liquidated"),
        ("bybit", "/deleverage", Trade.Cause.ADL, "auto_deleveraged"),
        ("bybit", "/delist", Trade.Cause.SETTLEMENT, "settled"),
    ],
)
def test_a_leg_that_its_venue_closed_takes_the_other_leg_with_it(
    desk: Desk, position: Position, venue: str, path: str, cause: str, reason: str
) -> None:
    outside(desk, path, venue)

    reconcile_accounts(venues=REAL, now=timezone.now())
    desk.drive_until(position, PositionState.CLOSED)

    assert (held(desk, "binanceusdm"), held(desk, "bybit")) == (Decimal(0), Decimal(0))
    [trade] = position.trades.exclude(cause=Trade.Cause.ORDER)
    assert (trade.cause, trade.order, trade.action) == (cause, None, "CLOSE")
    assert position.close_reason == reason
    followed = max(t.filled_at for t in position.trades.filter(order__purpose=Purpose.REDUCE))
    assert followed - trade.filled_at < timedelta(seconds=30)
    assert_books_equal_the_venues(desk, position)
    assert Event.objects.filter(position=position, severity="critical").exists()
    assert not desk.account(venue).is_halted


def test_a_part_that_was_deleveraged_is_cut_from_the_other_leg(
    desk: Desk, position: Position
) -> None:
    outside(desk, "/deleverage", "bybit", base_quantity="0.04")

    now = timezone.now()
    reconcile_accounts(venues=REAL, now=now)
    desk.drive_until(position, PositionState.OPEN)

    assert (held(desk, "binanceusdm"), held(desk, "bybit")) == (Decimal("0.06"), Decimal("-0.06"))
    assert position.goal == Goal.HEDGED
    assert_books_equal_the_venues(desk, position)
    pause = CoolDown.objects.get(user=desk.user, base="BTC")
    assert timedelta(hours=23) < pause.until - now < timedelta(hours=25)


def test_a_closing_by_the_venue_is_booked_once_however_often_it_is_read(
    desk: Desk, position: Position
) -> None:
    outside(desk, "/liquidate", "binanceusdm", base_quantity="0.03")

    for _ in range(3):
        reconcile_accounts(venues=REAL, now=timezone.now())

    [trade] = position.trades.filter(cause=Trade.Cause.LIQUIDATION)
    assert trade.base_quantity == Decimal("0.03")


def test_reconciling_twice_writes_nothing_the_second_time(desk: Desk, position: Position) -> None:
    outside(desk, "/foreign-order", "bybit", side="sell", base_quantity="0.05")
    reconcile_until_lasting()
    now = timezone.now() + READ_LAG + timedelta(seconds=2)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        reconcile_accounts(venues=REAL, now=now)

    written = [query["sql"] for query in queries if query["sql"].startswith(WRITES)]
    facts = ("trading_reconciliation", "exchanges_accountposition")
    assert [sql for sql in written if not any(table in sql for table in facts)] == []


def test_a_trade_by_hand_that_took_from_our_leg_holds_the_position_for_a_person(
    desk: Desk, position: Position
) -> None:
    outside(desk, "/foreign-order", "bybit", side="buy", base_quantity="0.05")

    reconcile_until_lasting()

    found = the_discrepancy()
    assert (found.kind, found.ours, found.theirs) == ("missing", Decimal("-0.1"), Decimal("-0.05"))
    assert desk.account("bybit").is_halted
    assert not desk.account("binanceusdm").is_halted
    position.refresh_from_db()
    assert position.state == PositionState.HELD
    assert "Unhedged: 0.05 BTC" in position.held_reason
    assert "Adopt" in position.held_reason
    assert position.orders.count() == 2


def test_an_adopted_trade_is_booked_and_the_other_leg_follows(
    desk: Desk, position: Position
) -> None:
    outside(desk, "/foreign-order", "bybit", side="buy", base_quantity="0.05")
    reconcile_until_lasting()

    assert resolve.adopt(the_discrepancy(), actor="demo", now=timezone.now()) is None
    desk.drive_until(position, PositionState.OPEN)

    assert (held(desk, "binanceusdm"), held(desk, "bybit")) == (Decimal("0.05"), Decimal("-0.05"))
    assert_books_equal_the_venues(desk, position)
    assert not desk.account("bybit").is_halted
    assert Discrepancy.objects.get().resolved_by == "demo"


def test_what_is_driven_while_its_difference_is_resolved_is_released_by_the_sweep(
    desk: Desk, position: Position
) -> None:
    outside(desk, "/foreign-order", "bybit", side="buy", base_quantity="0.05")
    reconcile_until_lasting()
    position.refresh_from_db()
    assert position.state == PositionState.HELD
    taken = lease.take(position.pk, owner="another worker", now=timezone.now())
    assert taken is not None

    assert resolve.adopt(the_discrepancy(), actor="demo", now=timezone.now()) is None

    position.refresh_from_db()
    assert position.state == PositionState.HELD
    lease.give_back(taken)
    sweep()
    desk.drive_until(position, PositionState.OPEN)
    assert (held(desk, "binanceusdm"), held(desk, "bybit")) == (Decimal("0.05"), Decimal("-0.05"))


def test_an_ignored_quantity_is_left_alone_and_halts_no_more(
    desk: Desk, position: Position
) -> None:
    outside(desk, "/foreign-order", "bybit", side="sell", base_quantity="0.05")
    reconcile_until_lasting()
    assert desk.account("bybit").is_halted
    position.refresh_from_db()
    assert position.state == PositionState.OPEN

    refused = resolve.adopt(the_discrepancy(), actor="demo", now=timezone.now())
    assert refused is not None
    assert "-0.15" in refused.sentence
    assert resolve.ignore(the_discrepancy(), actor="demo", now=timezone.now()) is None
    reconcile_until_lasting()

    assert not desk.account("bybit").is_halted
    assert held(desk, "bybit") == Decimal("-0.15")
    assert not Discrepancy.objects.confirmed().exists()


def test_an_ignored_quantity_that_grows_halts_again(desk: Desk, position: Position) -> None:
    outside(desk, "/foreign-order", "bybit", side="sell", base_quantity="0.05")
    reconcile_until_lasting()
    resolve.ignore(the_discrepancy(), actor="demo", now=timezone.now())

    outside(desk, "/foreign-order", "bybit", side="sell", base_quantity="0.01")
    reconcile_until_lasting()

    assert desk.account("bybit").is_halted
    assert the_discrepancy().difference == Decimal("-0.06")


def test_closing_ends_our_quantity_only(desk: Desk, position: Position) -> None:
    outside(desk, "/foreign-order", "bybit", side="sell", base_quantity="0.05")
    reconcile_until_lasting()

    assert resolve.close(the_discrepancy(), actor="demo", now=timezone.now()) is None
    desk.drive_until(position, PositionState.CLOSED)

    assert (held(desk, "binanceusdm"), held(desk, "bybit")) == (Decimal(0), Decimal("-0.05"))
    assert not desk.account("bybit").is_halted


def test_an_account_in_hedge_mode_is_halted_with_the_way_out(
    desk: Desk, position: Position
) -> None:
    outside(desk, "/position-mode", "binanceusdm", hedge="yes")
    try:
        reconcile_accounts(venues=REAL, now=timezone.now())
    finally:
        outside(desk, "/position-mode", "binanceusdm")

    account = desk.account("binanceusdm")
    assert account.is_halted
    assert "one-way mode" in account.halted_reason
    assert resolve.ignore(the_discrepancy(), actor="demo", now=timezone.now()) is None
    assert not desk.account("binanceusdm").is_halted


def test_a_database_older_than_the_venue_halts_and_trades_nothing(desk: Desk) -> None:
    desk.plan()
    outside(desk, "/foreign-order", "bybit", side="sell", base_quantity="0.02")

    reconcile_until_lasting()

    assert the_discrepancy().kind == "foreign"
    assert desk.account("bybit").is_halted
    assert resolve.Resolution.IGNORED in resolve.choices(the_discrepancy())


def test_a_venue_that_returns_is_reconciled_before_the_minute_is_over(
    desk: Desk, position: Position
) -> None:
    outside(desk, "/liquidate", "bybit")
    desk.simulator.fault(
        venue="bybit", method="GET", path="/v5/position/list", action="server_error", count=1
    )
    now = timezone.now()
    booked = position.trades.filter(cause=Trade.Cause.LIQUIDATION)

    reconcile_due(venues=REAL, now=now)
    assert not booked.exists()
    reconcile_due(venues=REAL, now=now + timedelta(seconds=1))
    assert not booked.exists()
    assert reconcile_due(venues=REAL, now=now + timedelta(seconds=4)) == 1
    assert booked.exists()
    assert reconcile_due(venues=REAL, now=now + timedelta(seconds=4.9)) == 0


def test_a_process_that_has_just_begun_reads_a_position_back_at_once(
    desk: Desk, position: Position
) -> None:
    registry.close_all()

    assert read_back(position, venues=REAL, now=timezone.now()) == (ReadBackResult.CONFIRMED, "")


def test_another_order_under_our_id_halts_and_nothing_of_it_is_taken_over(
    desk: Desk, position: Position
) -> None:
    order = position.orders.select_related("position", "leg__instrument__exchange").get(
        purpose=Purpose.HEDGE
    )
    wrong = OrderReport(
        client_order_id=None,
        venue_order_id="9",
        symbol=Symbol("BTC/USDT:USDT"),
        status=VenueOrderStatus.FILLED,
        observed_at=timezone.now(),
        side=Side.BUY,
        base_quantity=Decimal(7),
        filled_base_quantity=Decimal(7),
    )

    absorb_report(order, wrong, now=timezone.now())

    order.refresh_from_db()
    assert (order.state, order.filled_base_quantity) == (OrderState.FILLED, Decimal("0.1"))
    assert order.venue_order_id != "9"
    assert the_discrepancy().kind == "wrong_order"
    assert "ours to sell" in desk.account("bybit").halted_reason


def test_an_empty_read_right_after_a_fill_halts_nothing_and_is_forgotten(
    desk: Desk, position: Position
) -> None:
    account, symbol, now = desk.account("bybit"), Symbol("BTC/USDT:USDT"), timezone.now()

    def read(theirs: str, verdict: QuantityVerdict) -> Findings:
        found = QuantityFinding(
            symbol=symbol, verdict=verdict, ours=Decimal("-0.1"), theirs=Decimal(theirs)
        )
        return Findings(fills=(), orders=(), quantities=(found,))

    def settle(findings: Findings, seconds: float) -> None:
        at = now + timedelta(seconds=seconds)
        settle_findings(account, findings, now=at, heard_at=at)

    settle(read("0", QuantityVerdict.MISSING), 0)
    settle(read("0", QuantityVerdict.MISSING), 5)
    settle(read("-0.1", QuantityVerdict.EQUAL), 6)

    assert not Discrepancy.objects.exists()
    assert not desk.account("bybit").is_halted
    position.refresh_from_db()
    assert position.state == PositionState.OPEN


def test_what_was_asked_for_before_a_difference_was_found_forgets_nothing_of_it(
    desk: Desk, position: Position
) -> None:
    """Two processes compare at one time: the answer that is older comes last."""
    account, now = desk.account("bybit"), timezone.now()

    def settle(theirs: str, verdict: QuantityVerdict, asked: float, heard: float) -> None:
        found = QuantityFinding(
            symbol=Symbol("BTC/USDT:USDT"),
            verdict=verdict,
            ours=Decimal("-0.1"),
            theirs=Decimal(theirs),
        )
        settle_findings(
            account,
            Findings(fills=(), orders=(), quantities=(found,)),
            now=now + timedelta(seconds=asked),
            heard_at=now + timedelta(seconds=heard),
        )

    settle("0", QuantityVerdict.MISSING, 3, 4)
    settle("-0.1", QuantityVerdict.EQUAL, 0, 6)
    assert Discrepancy.objects.get().found_at == now + timedelta(seconds=4)
    settle("-0.1", QuantityVerdict.EQUAL, 7, 8)
    assert not Discrepancy.objects.exists()


def test_a_closing_that_is_listed_late_releases_what_it_explains(
    desk: Desk, position: Position
) -> None:
    account, now = desk.account("bybit"), timezone.now()
    outside(desk, "/liquidate", "bybit")
    unexplained = QuantityFinding(
        symbol=Symbol("BTC/USDT:USDT"),
        verdict=QuantityVerdict.MISSING,
        ours=Decimal("-0.1"),
        theirs=Decimal(0),
    )
    for seen_at in (now, now + READ_LAG):
        findings = Findings(fills=(), orders=(), quantities=(unexplained,))
        settle_findings(account, findings, now=seen_at, heard_at=seen_at)
    position.refresh_from_db()
    assert position.state == PositionState.HELD
    assert desk.account("bybit").is_halted

    reconcile_accounts(venues=REAL, now=timezone.now())

    assert not desk.account("bybit").is_halted
    assert desk.drive_until(position, PositionState.CLOSED).close_reason == "liquidated"
    assert Discrepancy.objects.get().resolved_by == "the venue's own fills"
