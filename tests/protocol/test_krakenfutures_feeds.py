"""Kraken Futures' private feeds as facts: what only it has.

Payloads are written after docs.kraken.com/api, Futures: nobody here has asked the venue. The rest
is asked of the simulated venue.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from exchanges.ccxt_adapter.feeds.kraken_futures_account import account_facts
from exchanges.ccxt_adapter.numbers import as_written
from exchanges.domain import (
    Balance,
    Fill,
    Side,
    VenueOrderStatus,
    VenuePosition,
)
from tests.protocol.krakenfutures_desk import Desk
from tests.protocol.venue_desk import D
from tests.simulator.nearby import call
from tests.simulator.world import START

pytestmark = pytest.mark.protocol


@pytest.fixture
def desk(tmp_path: Path) -> Generator[Desk]:
    opened = Desk(tmp_path)
    yield opened
    call(opened.client.close())


def facts(desk: Desk, *messages: bytes) -> list[Any]:
    kept: dict[str, Any] = {}
    known = call(desk.client.ready()).by_venue_symbol
    return [
        fact
        for message in messages
        for fact in account_facts(as_written(message), kept, known, START)
    ]


PLACED = (
    b'{"feed":"open_orders_verbose","order":{"instrument":"PF_XBTUSD","time":1567597581495,'
    b'"last_update_time":1567597581495,"qty":1.5,"filled":0.0,"limit_price":10601.0,'
    b'"stop_price":0.0,"type":"limit","order_id":"fa98","cli_ord_id":"own","direction":1,'
    b'"reduce_only":true},"is_cancel":false,"reason":"new_placed_order_by_user"}'
)


@pytest.mark.parametrize("reason", ["full_fill", "cancelled_by_user"])
def test_an_order_that_ends_by_its_names_alone_filled_what_a_look_up_tells(
    desk: Desk, reason: str
) -> None:
    gone = (
        f'{{"feed":"open_orders_verbose","order_id":"fa98","is_cancel":true,"reason":"{reason}"}}'
    )

    placed, ended = facts(desk, PLACED, gone.encode())

    assert (placed.side, placed.base_quantity, placed.reduce_only) == (Side.SELL, D("1.5"), True)
    assert (placed.status, placed.client_order_id) == (VenueOrderStatus.OPEN, "own")
    # Full may be less than was sent: it is reduce-only, and what it reduces may have shrunk.
    assert (ended.client_order_id, ended.status) == ("own", VenueOrderStatus.CANCELED)
    assert ended.filled_base_quantity is None


@pytest.mark.parametrize("filled", ["1.5", "0.5"])
def test_an_end_that_was_recorded_with_its_order_tells_what_it_filled(
    desk: Desk, filled: str
) -> None:
    """Recorded: what is left is 0 when all is filled. All may be less than was sent."""
    recorded = PLACED.replace(b'"qty":1.5,"filled":0.0', f'"qty":0.0,"filled":{filled}'.encode())
    recorded = recorded.replace(b'"is_cancel":false', b'"is_cancel":true')
    recorded = recorded.replace(b"new_placed_order_by_user", b"full_fill")

    _, ended = facts(desk, PLACED, recorded)

    assert ended.status is VenueOrderStatus.FILLED
    assert (ended.base_quantity, ended.filled_base_quantity) == (D(filled), D(filled))


def test_the_end_of_an_order_that_nobody_heard_of_is_left_to_a_look_up(desk: Desk) -> None:
    gone = b'{"feed":"open_orders_verbose","order_id":"x","is_cancel":true,"reason":"full_fill"}'

    assert facts(desk, gone) == []


def test_fills_positions_and_balances_as_the_documents_show_them(desk: Desk) -> None:
    fill, position, *balances = facts(
        desk,
        b'{"feed":"fills","username":"u","fills":[{"instrument":"PF_XBTUSD","time":1600256966528,'
        b'"price":364.65,"seq":100,"buy":true,"qty":5.25,"remaining_order_qty":0.0,'
        b'"order_id":"3696d19b","cli_ord_id":"own","fill_id":"c14ee7cb","fill_type":"maker",'
        b'"fee_paid":-0.00685588921,"fee_currency":"USD"}]}',
        b'{"feed":"open_positions","account":"u","positions":[{"instrument":"PF_XBTUSD",'
        b'"balance":-0.04,"pnl":-2.5,"entry_price":40000.5,"mark_price":40063.0,'
        b'"index_price":40060.0,"liquidation_threshold":0.0}],"seq":4,"timestamp":1687383625330}',
        b'{"feed":"balances","account":"u","seq":2,"flex_futures":{"currencies":{"USD":'
        b'{"quantity":100.25}},"total_unrealized":-2.5,"available_margin":90.0}}',
        b'{"feed":"balances","account":"u","seq":3,"holding":{"USD":1.0}}',
        b'{"feed":"heartbeat","time":1600256966528}',
    )

    assert isinstance(fill, Fill)
    # A maker's rebate is a fee below zero.
    assert (fill.fee, fill.is_maker, fill.client_order_id) == (D("-0.00685588921"), True, "own")
    assert isinstance(position, VenuePosition)
    assert (position.base_quantity, position.liquidation_price) == (D("-0.04"), None)
    [balance] = balances
    assert isinstance(balance, Balance)
    assert (balance.total, balance.equity, balance.free) == (D("100.25"), D("97.75"), D(90))


def test_fills_that_are_told_again_on_opening_are_left_to_the_read(desk: Desk) -> None:
    assert facts(desk, b'{"feed":"fills_snapshot","account":"u","fills":[{}]}') == []
