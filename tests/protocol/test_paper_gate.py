"""A paper account at Gate, through the real adapter.

Payloads after its documentation (APIv4, Futures): contracts of 0.0001 BTC.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from arbsite.accounts.models import User
from exchanges.domain import FillCause, Side, VenueOrderStatus
from exchanges.errors import OrderRejected, SettingRefused
from exchanges.models import Exchange
from exchanges.modes import Mode
from exchanges.paper.rows import PaperBalance, PaperFill, PaperFunding
from tests.paper_desk import order
from tests.protocol.canned import NOW
from tests.protocol.paper_at import PaperAt, fills, paper_at
from tests.protocol.test_gate import BITCOIN, BOOK, CONTRACT, NEXT, venue
from tests.simulator.nearby import call

pytestmark = [pytest.mark.protocol, pytest.mark.django_db(transaction=True)]

D = Decimal


def settles(gate: PaperAt, rate: str, at: datetime) -> None:
    """Let the venue have settled five seconds ago."""
    gate.canned.payloads["/futures/usdt/funding_rate"] = [{"t": int(at.timestamp()), "r": rate}]
    quotes(gate, funding_next_apply=int((at + timedelta(hours=8)).timestamp()))
    gate.canned.now = at + timedelta(seconds=5)


def quotes(gate: PaperAt, **changes: Any) -> None:
    gate.canned.payloads["/futures/usdt/contracts"] = [CONTRACT | changes]


@pytest.fixture
def gate(owner: User) -> Generator[PaperAt]:
    with paper_at(venue(), owner) as account:
        yield account


def test_a_trade_is_filled_in_coins_paid_at_the_settlement_and_closed(gate: PaperAt) -> None:
    call(gate.trading.prepare(BITCOIN, leverage=D(10)))
    bought = call(gate.trading.submit(order(Side.BUY, "0.05")))

    # 100 contracts of 0.0001 BTC at 60,010.1 x 0.0005 = 0.3000505; of 5,000 contracts 400 at
    # 60,010.4: 0.04 x 60,010.4 x 0.0005 = 1.200208.
    assert (bought.status, bought.filled_base_quantity) == (VenueOrderStatus.FILLED, D("0.05"))
    assert fills() == [
        (D("60010.1"), D("0.01"), D("0.3000505")),
        (D("60010.4"), D("0.04"), D("1.200208")),
    ]
    assert gate.total("USDT") == D("9998.4997415")

    settles(gate, "-0.0002", NEXT)
    # 0.05 x 60,010.5 x 0.0002, which a long receives of a negative rate; Gate tells no price.
    [payment] = call(gate.reads.funding_payments({"BTC_USDT": BITCOIN}, since=NOW))
    assert (payment.payment, payment.asset, payment.paid_at) == (D("0.600105"), "USDT", NEXT)
    assert not PaperFunding.objects.get().is_venue_price
    assert gate.total("USDT") == D("9999.0998465")

    call(gate.trading.submit(order(Side.SELL, "0.05", reduce_only=True)))
    # 0.05 x 60,009.9 less 3,000.517 is -0.022; 0.05 x 60,009.9 x 0.0005 = 1.5002475.
    assert fills()[2:] == [(D("60009.9"), D("0.05"), D("1.5002475"))]
    assert gate.total("USDT") == D("9997.577599")
    assert call(gate.reads.positions()) == []
    assert PaperFunding.objects.count() == 1


def test_the_venues_margins_hold(gate: PaperAt) -> None:
    PaperBalance.objects.update(total=D(350))
    with pytest.raises(SettingRefused, match=r"leverage of BTC/USDT:USDT is 1 to 100 here"):
        call(gate.trading.prepare(BITCOIN, leverage=D(101)))
    call(gate.trading.prepare(BITCOIN, leverage=D(10)))
    call(gate.trading.submit(order(Side.BUY, "0.05")))
    [held] = call(gate.reads.positions())

    # 348.4997415 + 0.05 P - 3,000.517 = 0.004 x 0.05 P
    assert held.liquidation_price is not None
    assert held.liquidation_price.quantize(D("0.01")) == D("53253.36")

    quotes(gate, mark_price="53250")
    gate.canned.now += timedelta(seconds=5)
    assert call(gate.reads.positions()) == []
    [closed] = PaperFill.objects.select_related("order").order_by("-pk")[:1]
    assert (closed.order.cause, closed.price) == (FillCause.LIQUIDATION, D(53_250))


@pytest.mark.parametrize(("seconds", "is_taken"), [(4, True), (6, False)])
def test_an_order_that_waits_for_the_book_is_taken_for_five_seconds(
    gate: PaperAt, seconds: int, is_taken: bool
) -> None:
    def late(query: Mapping[str, str]) -> Any:
        gate.canned.now += timedelta(seconds=seconds)
        return BOOK

    gate.canned.payloads["/futures/usdt/order_book"] = late
    if is_taken:
        assert call(gate.trading.submit(order(Side.BUY, "0.01"))).status == VenueOrderStatus.FILLED
        return
    with pytest.raises(OrderRejected, match=r"the order came 6\.0 s late"):
        call(gate.trading.submit(order(Side.BUY, "0.01")))
    assert fills() == []


def test_its_exchange_is_made_in_paper_mode(gate: PaperAt) -> None:
    exchange = Exchange.objects.get()

    assert (exchange.code, exchange.mode, exchange.short_code) == ("gate", Mode.PAPER, "GAT")


def test_a_countdown_shorter_than_the_venues_is_refused(gate: PaperAt) -> None:
    call(gate.trading.arm_dead_man(BITCOIN, after=timedelta(seconds=5)))
    with pytest.raises(SettingRefused, match="the countdown takes 5 s and more, not 4 s"):
        call(gate.trading.arm_dead_man(BITCOIN, after=timedelta(seconds=4)))
