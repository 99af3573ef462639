"""Kraken's private socket: rows that tell what changed, after its documentation (version 2)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.ccxt_adapter.feeds.kraken_account import account_feed
from exchanges.ccxt_adapter.sockets import Feed
from exchanges.domain import OrderReport, Side, VenueOrderStatus
from exchanges.errors import (
    ClockRefused,
    CredentialRefused,
    UnexpectedPayload,
    VenueError,
    VenueUnavailable,
)
from exchanges.simulator.events import AccountEvent
from tests.conformance.bench import Bench
from tests.protocol.conftest import assert_exact
from tests.protocol.kraken_told import DOLLAR, OWN_ID, SUBJECT, WITH_DASHES, Asked, told
from tests.simulator.nearby import call
from tests.simulator.open_sockets import says, socket_at
from tests.simulator.world import World

pytestmark = pytest.mark.protocol

D = Decimal
BEGUN = {
    "order_id": "OK4GJX-KSTLS-7DZZO5",
    "cl_ord_id": WITH_DASHES,
    "symbol": "BTC/USD",
    "order_qty": 0.005,
    "cum_cost": 0.0,
    "time_in_force": "GTC",
    "exec_type": "pending_new",
    "side": "sell",
    "order_type": "limit",
    "limit_price": 26500.0,
    "order_status": "pending_new",
    "fee_ccy_pref": "fciq",
    "timestamp": "2023-09-22T10:33:05.709950Z",
}
WORKS = {
    "timestamp": "2023-09-22T10:33:05.709982Z",
    "order_status": "new",
    "exec_type": "new",
    "order_id": "OK4GJX-KSTLS-7DZZO5",
}
TRADED = {
    "order_id": "OK4GJX-KSTLS-7DZZO5",
    "exec_id": "TGBB7L-HT5LX-J3BZ4A",
    "exec_type": "trade",
    "trade_id": 62887576,
    "symbol": "BTC/USD",
    "side": "sell",
    "last_qty": 0.002,
    "last_price": 26599.9,
    "liquidity_ind": "t",
    "cost": 53.1998,
    "order_type": "limit",
    "timestamp": "2023-09-22T10:33:05.709993Z",
    "order_status": "partially_filled",
    "cum_qty": 0.002,
    "cum_cost": 53.1998,
    "avg_price": 26599.9,
    "fees": [{"asset": "USD", "qty": 0.1383}],
}
CANCELED = WORKS | {"order_status": "canceled", "exec_type": "canceled"}


class Ear:
    """The private feed of an account, and what it makes of frames."""

    def __init__(self, at: Asked | Bench) -> None:
        self.heard: list[Any] = []
        self.feed: Feed = call(self._feed(at))

    async def _feed(self, at: Asked | Bench) -> Feed:
        return account_feed(at.client, await at.client.ready(), self.heard.append)

    def hears(self, *written: dict[str, Any], number: object = None) -> list[OrderReport]:
        self.heard.clear()
        message = {"channel": "executions", "type": "update", "data": list(written)}
        self.feed.handle(message if number is None else message | {"sequence": number})
        return list(self.heard)

    async def greet(self, send: Any, receive: Any) -> None:
        await self.feed.greet(send, receive)

    def greeted(self, *answers: Any) -> list[Any]:
        """Return what was sent to a venue that answers so."""
        sent, replies = list[Any](), list(answers)

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return replies.pop(0)

        call(self.greet(send, receive))
        return sent


def decoded(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as the feed decodes it: numbers as they are written."""
    return {
        name: Decimal(str(value)) if isinstance(value, float) else value
        for name, value in row.items()
    }


TOKEN = told({"token": "G38a1tGFzqGiUCmnegBcm8d4nfP3tytiNQz6tkCBYXY", "expires": 900})
ACCEPTED = {"method": "subscribe", "result": {"channel": "executions"}, "success": True}


def test_a_row_of_an_order_is_made_whole_by_what_was_told_before() -> None:
    ear = Ear(Asked())

    [begun], [works], [traded], [canceled] = (
        ear.hears(decoded(row)) for row in (BEGUN, WORKS, TRADED, CANCELED)
    )

    for report in (begun, works, traded, canceled):
        assert (report.client_order_id, report.symbol) == (OWN_ID, DOLLAR)
        assert (report.side, report.base_quantity) == (Side.SELL, D("0.005"))
        assert_exact(report)
    assert [one.status for one in (begun, works, traded, canceled)] == [
        *(VenueOrderStatus.OPEN, VenueOrderStatus.OPEN),
        *(VenueOrderStatus.PARTIAL, VenueOrderStatus.CANCELED),
    ]
    assert [one.filled_base_quantity for one in (begun, works, traded, canceled)] == [
        *(D(0), D(0), D("0.002"), D("0.002"))
    ]
    assert traded.average_price == D("26599.9")


def test_an_order_of_which_nothing_was_told_before_is_left_to_the_look_up() -> None:
    ear = Ear(Asked())

    assert ear.hears(WORKS) == []
    # What it filled before it ended is not known.
    assert (
        ear.hears(decoded(BEGUN | {"order_status": "canceled", "exec_type": "canceled"}))[
            0
        ].filled_base_quantity
        is None
    )
    # An ended order is forgotten.
    assert ear.hears(CANCELED) == []


def test_where_a_message_is_missing_the_socket_is_opened_anew() -> None:
    ear = Ear(Asked())
    ear.hears(decoded(BEGUN), number=8)
    assert len(ear.hears(WORKS, number=9)) == 1

    # What it filled stood in the tenth, perhaps: a new socket begins with all that works.
    with pytest.raises(ConnectionResetError, match="message 11 came after 9"):
        ear.hears(CANCELED, number=11)


def test_pairs_and_channels_that_are_not_ours_are_passed_over() -> None:
    ear = Ear(Asked())

    assert ear.hears(decoded(BEGUN | {"symbol": "NO/SUCH"})) == []
    assert ear.feed.handle({"channel": "status", "data": []}) is False
    assert ear.feed.handle({"channel": "heartbeat"}) is True
    assert ear.feed.handle({"method": "pong", "req_id": 1}) is True


def test_a_token_opens_the_socket_which_begins_with_what_works() -> None:
    ear = Ear(Asked(GetWebSocketsToken=TOKEN))
    ear.hears(decoded(BEGUN))

    [sent] = ear.greeted({"channel": "status", "data": []}, ACCEPTED)

    assert sent["params"] == {
        "channel": "executions",
        "token": "G38a1tGFzqGiUCmnegBcm8d4nfP3tytiNQz6tkCBYXY",
        "snap_orders": True,
        "snap_trades": False,
    }
    # What an earlier socket told is forgotten.
    assert ear.hears(WORKS) == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"error": ["EGeneral:Permission denied"]}, CredentialRefused),
        ({"error": ["EAPI:Invalid signature"]}, CredentialRefused),
        ({"error": ["EAPI:Invalid nonce"]}, ClockRefused),
        ({"error": ["EService:Unavailable"]}, VenueUnavailable),
    ],
)
def test_a_refused_token_says_whether_to_try_again(answer: Any, kind: type[VenueError]) -> None:
    with pytest.raises(kind):
        Ear(Asked(GetWebSocketsToken=answer)).greeted()


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("ESession:Invalid session", UnexpectedPayload),
        ("EGeneral:Permission denied", CredentialRefused),
        ("Exceeded msg rate", UnexpectedPayload),
    ],
)
def test_a_refused_subscription_is_not_taken_for_silence(said: str, kind: type[VenueError]) -> None:
    refusal = {"method": "subscribe", "success": False, "error": said}

    with pytest.raises(kind):
        Ear(Asked(GetWebSocketsToken=TOKEN)).greeted(refusal)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opened = Bench.at(World(tmp_path, interval_minutes=60, watched=True), SUBJECT)
    yield opened
    opened.close()


def test_the_simulated_socket_tells_of_an_order_what_is_read_of_it(bench: Bench) -> None:
    ear = Ear(bench)
    far = socket_at(bench.world, "ws-auth.kraken.com", "/v2")
    replies: list[Any] = []

    async def send(message: Any) -> None:
        replies.extend(says(far, bench.world, message))

    async def receive() -> Any:
        return replies.pop(0)

    def happened(event: AccountEvent) -> None:
        for row in far.happened(event):
            ear.feed.handle(ear.feed.decode(row.body))

    call(ear.greet(send, receive))
    bench.world.simulator.listeners.append(happened)
    request = bench.order("0.02")
    bench.submit(request)

    last, found = ear.heard[-1], bench.find(request)

    assert (last.client_order_id, last.status) == (request.client_order_id, found.status)
    assert last.filled_base_quantity == found.filled_base_quantity == D("0.02")
    assert last.average_price == found.average_price
