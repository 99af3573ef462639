"""Gate's private channels: what they are asked for, tell and leave out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from exchanges.ccxt_adapter.feeds.gate_account import account_feed
from exchanges.ccxt_adapter.numbers import as_written
from exchanges.domain import (
    Fill,
    OrderReport,
    VenuePosition,
)
from exchanges.errors import (
    CredentialRefused,
    UnexpectedPayload,
    VenueError,
)
from tests.protocol import gate_desk
from tests.protocol.gate_desk import (
    FILL,
    ORDER,
    OWN_ID,
    POSITION,
    WALLET,
    Asked,
    D,
)
from tests.simulator.nearby import call

pytestmark = pytest.mark.protocol


@pytest.fixture(scope="module", autouse=True)
def closed() -> Iterator[None]:
    yield from gate_desk.closed()


class Line:
    """The venue's end of a private socket that answers as it is told."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.sent: list[dict[str, Any]] = []
        self.answers = [as_written(orjson.dumps(answer)) for answer in answers]

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def receive(self) -> Any:
        return self.answers.pop(0)

    def greeted(self, **account: Any) -> list[Any]:
        asked, heard = Asked(accounts=WALLET | account), list[Any]()
        listings = call(asked.client.ready())
        feed = account_feed(asked.client, listings, heard.append)

        async def greeted() -> None:
            await feed.greet(self.send, self.receive)

        call(greeted())
        return heard


def told(channel: str, event: str, result: Any, error: Any = None) -> dict[str, Any]:
    named = {"time": 1772367000, "channel": f"futures.{channel}", "event": event}
    return named | {"error": error, "result": result}


SUCCESS = {"status": "success"}
CHANNELS = "orders", "usertrades", "positions"


def test_channels_are_asked_for_one_by_one_with_the_number_of_the_account() -> None:
    line = Line(*(told(name, "subscribe", SUCCESS) for name in CHANNELS))

    assert line.greeted() == []

    assert [message["channel"] for message in line.sent] == [f"futures.{one}" for one in CHANNELS]
    assert {tuple(message["payload"]) for message in line.sent} == {("1666", "!all")}


def test_what_is_told_before_all_is_accepted_is_not_lost() -> None:
    fill = {name: value for name, value in FILL.items() if name != "trade_id"} | {"id": "9"}
    line = Line(
        told("orders", "subscribe", SUCCESS),
        told("orders", "update", [ORDER | {"fill_price": 60010.5, "price": 60000}]),
        told("usertrades", "subscribe", SUCCESS),
        told("usertrades", "update", [fill | {"contract": "NEW_USDT"}, fill | {"fee": 0.3}]),
        told("positions", "subscribe", SUCCESS),
    )

    report, execution = line.greeted()

    assert isinstance(report, OrderReport)
    assert (report.client_order_id, report.average_price) == (OWN_ID, D("60010.5"))
    assert isinstance(execution, Fill)
    assert (execution.venue_trade_id, execution.fee) == ("9", D("0.3"))


def test_streamed_position_leaves_out_what_the_market_makes_of_it() -> None:
    row = {
        name: POSITION[name] for name in POSITION if name not in ("mark_price", "pos_margin_mode")
    }
    line = Line(
        told("orders", "subscribe", SUCCESS),
        told("usertrades", "subscribe", SUCCESS),
        told("positions", "update", [row | {"leverage": 0, "entry_price": 60010.5}]),
        told("positions", "subscribe", SUCCESS),
    )

    [held] = line.greeted()

    assert isinstance(held, VenuePosition)
    assert (held.base_quantity, held.entry_price, held.mark_price) == (
        D("-0.944"),
        D("60010.5"),
        None,
    )
    assert (held.leverage, held.adl_rank, held.is_hedge_mode) == (10, 5, False)


@pytest.mark.parametrize(
    ("code", "expected"), [(4, CredentialRefused), (2, UnexpectedPayload), (1, UnexpectedPayload)]
)
def test_subscription_that_is_refused_ends_the_socket_where_the_key_is(
    code: int, expected: type[VenueError]
) -> None:
    error = {"code": code, "message": "authentication fail"}
    line = Line(told("orders", "subscribe", {"status": "fail"}, error))

    with pytest.raises(expected):
        line.greeted()
