from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.domain import FundingPayment, Side
from tests.machine import wait_until
from tests.protocol.conftest import Desk, OpenDesk, Simulator, assert_exact, run

pytestmark = pytest.mark.protocol

# Funding settles once a minute here.
LONGEST_WAIT = 75.0


def payments_of(desk: Desk, since: datetime) -> list[FundingPayment]:
    return list(run(desk.account.funding_payments(desk.symbol, since=since)))


def test_payments_of_both_signs_are_the_ledgers_to_the_last_digit(
    simulator: Simulator, open_desk: OpenDesk
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    for venue, symbol in (("binanceusdm", "BTCUSDT"), ("bybit", "BTCUSDT")):
        simulator.ask("POST", "/market", venue=venue, symbol=symbol, funding_rate="0.001")
    desks = {
        (venue, side): open_desk(venue)
        for venue in ("binanceusdm", "bybit")
        for side in (Side.BUY, Side.SELL)
    }
    for (_, side), desk in desks.items():
        run(desk.trading.submit(desk.order("0.1", side)))

    wait_until(
        lambda: all(payments_of(desk, since) for desk in desks.values()),
        timeout=LONGEST_WAIT,
        what="every account has a funding payment",
    )

    for (_, side), desk in desks.items():
        payments = payments_of(desk, since)
        booked = simulator.ask("GET", f"/ledger?api_key={desk.key.api_key}")["funding"]
        # The rate is positive: longs pay shorts.
        assert all((payment.payment > 0) is (side is Side.SELL) for payment in payments)
        assert {(each.venue_payment_id, each.payment) for each in payments} == {
            (row["venue_payment_id"], Decimal(row["payment"])) for row in booked
        }
        for payment in payments:
            assert payment.asset == "USDT"
            assert_exact(payment)
        # Funding is no execution.
        assert len(run(desk.account.fills(desk.symbol, since=since))) == len(
            simulator.ask("GET", f"/ledger?api_key={desk.key.api_key}")["fills"]
        )
