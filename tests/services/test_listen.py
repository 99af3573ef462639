"""What an account's stream brings is recorded, whatever one message of it was."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections

from arbsite.celery import app
from exchanges.domain import AccountFact, Fill, Side
from exchanges.errors import OrderOutcomeUnknown
from exchanges.models import ExchangeAccount
from tests.services import test_submit as orders
from tests.services.executions import execution
from tests.services.test_early_fill import filled
from trading.core.states import PositionState
from trading.models import AccountReview, Discrepancy, Order, Position
from trading.services.account_facts import record
from trading.services.listen import _record, _record_forever

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

position = orders.position


def rung_drives() -> list[str]:
    """Take the positions of all waiting doorbells out of the in-memory broker."""
    taken = []
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("entry")
        while queue.qsize():
            message = queue.get(block=False)
            message.ack()
            taken.append(message.payload[0][0])
        queue.close()
    return taken


def booked(order: Order) -> list[Decimal]:
    return list(order.trades.values_list("base_quantity", flat=True))


def test_a_fact_that_cannot_be_stored_keeps_none_of_the_others_waiting(position: Position) -> None:
    """Else the recording ends, and with it the streams of all accounts in this process."""
    order = orders.intend(position)
    orders.send(order, position, orders.ScriptedVenue(OrderOutcomeUnknown("none", venue="bybit")))
    account, fill = order.leg.account, next(x for x in filled(order) if isinstance(x, Fill))
    beyond = replace(fill, venue_trade_id="t0", base_quantity=Decimal(10) ** 25)

    async def recorded() -> None:
        # One thread, whose connection to the database is closed at the end.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=1))
        facts: asyncio.Queue[AccountFact | None] = asyncio.Queue()
        recording = asyncio.create_task(_record_forever(account, facts))
        try:
            async with asyncio.timeout(10):
                # One after the other: what comes at once is recorded at once.
                for fact in (beyond, fill):
                    facts.put_nowait(fact)
                    while not facts.empty():
                        await asyncio.sleep(0.01)
                while not recording.done() and not await asyncio.to_thread(booked, order):
                    await asyncio.sleep(0.01)
        finally:
            recording.cancel()
            await asyncio.gather(recording, return_exceptions=True)
            await asyncio.to_thread(connections.close_all)

    asyncio.run(recorded())

    assert booked(order) == [Decimal(1)]


def test_an_opening_has_each_live_position_of_the_account_driven(position: Position) -> None:
    """What filled while the stream was away is read by that drive."""
    account = orders.intend(position).leg.account
    rung_drives()

    _record(account, [None])
    assert rung_drives() == [str(position.pk)]

    Position.objects.filter(pk=position.pk).update(state=PositionState.CLOSED)
    _record(account, [None])
    assert rung_drives() == []


def test_a_trade_that_is_not_ours_has_the_account_compared_at_once(position: Position) -> None:
    account = orders.intend(position).leg.account
    foreign = execution(venue="bybit", filled_at=orders.NOW, client_order_id="web_1")

    record(account, [foreign], now=orders.NOW)

    asked = AccountReview.objects.get(account=account)
    assert asked.reason == "a trade that is not ours was seen"


@pytest.mark.parametrize("what", ["side", "quantity"])
def test_an_execution_that_no_order_like_ours_could_have_is_not_booked_and_halts(
    position: Position, what: str
) -> None:
    order = orders.intend(position)
    orders.send(order, position, orders.ScriptedVenue(OrderOutcomeUnknown("none", venue="bybit")))
    fill = next(x for x in filled(order) if isinstance(x, Fill))
    other = Side.SELL if fill.side is Side.BUY else Side.BUY
    changed: dict[str, Any] = (
        {"side": other} if what == "side" else {"base_quantity": order.base_quantity * 7}
    )

    record(order.leg.account, [replace(fill, **changed)], now=orders.NOW)

    assert booked(order) == []
    assert Discrepancy.objects.get().kind == Discrepancy.Kind.WRONG_ORDER
    assert ExchangeAccount.objects.get(pk=order.leg.account_id).halted_at is not None
