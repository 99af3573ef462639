"""Several processes on one paper account, one of them killed: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

from exchanges.domain import Side
from exchanges.errors import DuplicateClientOrderId, InsufficientMargin, OrderRejected
from exchanges.paper.margin_rows import PaperInterest
from exchanges.paper.rows import PaperFunding, PaperOrder
from tests.machine import ROOT
from tests.paper_desk import COIN, D, PaperDesk, order

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

AT_ONCE = 4


def at_once(work: Callable[[], Any]) -> list[Any]:
    """Run `work` on several connections in the same moment; return results and refusals."""
    barrier = Barrier(AT_ONCE)

    def run(_: int) -> Any:
        try:
            barrier.wait()
            return work()
        except OrderRejected as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(run, range(AT_ONCE)))


def test_one_own_id_becomes_one_order() -> None:
    desk, request = PaperDesk(), order(Side.BUY, "0.1")

    answers = at_once(lambda: desk.place(request))

    refused = [one for one in answers if isinstance(one, DuplicateClientOrderId)]
    assert len(refused) == AT_ONCE - 1
    assert [row.venue_order_id for row in PaperOrder.objects.all()] == ["P1"]
    assert desk.ledger().position("BTC/USDT:USDT").base_quantity == D("0.1")


def test_margin_is_given_out_once() -> None:
    desk = PaperDesk(starting_balance=D(10_000))

    # Each wants 6,000 of the 10,000.
    answers = at_once(lambda: desk.place(order(Side.BUY, "0.1")))

    refused = [one for one in answers if isinstance(one, InsufficientMargin)]
    assert len(refused) == AT_ONCE - 1
    assert PaperOrder.objects.count() == 1


def test_a_settlement_that_all_see_is_paid_once() -> None:
    desk = PaperDesk(taker_fee=D(0))
    desk.asks = {"60000": "10"}
    desk.place(order(Side.BUY, "0.5"))
    desk.wait(hours=1)
    desk.settle("0.001", price="60000")

    at_once(lambda: desk.pass_time(seconds=1))

    assert [row.payment for row in PaperFunding.objects.all()] == [D(-30)]
    assert desk.ledger().balance("USDT") == D(100_000) - 30


def test_an_hour_of_a_loan_that_all_see_is_charged_once() -> None:
    desk = PaperDesk()
    desk.borrow_rate = D("0.000004")
    desk.place(order(Side.SELL, "0.1", symbol=COIN, may_borrow=True))

    desk.wait(hours=1)
    at_once(desk.pass_time)

    assert [row.amount for row in PaperInterest.objects.all()] == [D("0.0000004")]
    assert desk.ledger().balance("BTC") == D("-0.1000004")


PLACES_AND_WAITS = """
import django
django.setup()
from django.db import transaction
from exchanges.paper.engine import place
from exchanges.paper.ledger import Ledger
from exchanges.paper.rows import PaperAccount
from exchanges.domain import Side
from tests.paper_desk import PaperDesk, listed, order, COIN, PERPETUAL, START, D
desk = PaperDesk.__new__(PaperDesk)
desk.now, desk.mark, desk.settlements = START, D(60000), []
desk.instruments = {PERPETUAL: listed(), COIN: listed(COIN)}
desk.bids, desk.asks = {"60000": "10"}, {"60001": "10"}
desk.paper = PaperAccount.objects.get()
with transaction.atomic():
    desk.place(order(Side.BUY, "0.1"))
    print("placed", flush=True)
    input()
"""


def address() -> str:
    """Return the address of this test's own database."""
    name = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{name['NAME']}"
    login = f"{name['USER']}:{name['PASSWORD']}@{name['HOST']}:{name['PORT']}"
    return f"postgres://{login}/{name['NAME']}"


def test_a_process_that_is_killed_while_it_writes_has_written_nothing() -> None:
    desk = PaperDesk(taker_fee=D(0))
    child = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", PLACES_AND_WAITS],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "arbsite.settings",
            "DATABASE_URL": address(),
            "CARRY_LOCAL": "true",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "placed\n"
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=10)

    assert not PaperOrder.objects.exists()
    assert desk.ledger().balance("USDT") == D(100_000)

    placed = desk.place(order(Side.BUY, "0.1"))

    assert placed.venue_order_id == "P1"
