"""KuCoin's private socket: executions told without their fees, positions, refused topics."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from exchanges.ccxt_adapter.feeds.kucoin_account import MOST_LOOKS, account_feed
from exchanges.ccxt_adapter.sockets import Feed
from exchanges.domain import (
    Fill,
    OrderReport,
    VenueOrderStatus,
    VenuePosition,
)
from exchanges.errors import (
    UnexpectedPayload,
    VenueError,
)
from tests.protocol.kucoin_samples import (
    FILL,
    OWN_ID,
    POSITION,
    Asked,
    refusal,
)
from tests.protocol.test_kucoin import answered
from tests.simulator.nearby import call

pytestmark = pytest.mark.protocol


class Heard:
    """A private feed that is told messages by hand, over an account whose fills are canned."""

    def __init__(self, fills: Any) -> None:
        self.asked = Asked(recentFills=fills)
        self.facts: list[Any] = []
        self.sent: list[Any] = []
        listings = call(self.asked.client.ready())
        self.feed: Feed = account_feed(self.asked.client, listings, self.facts.append)

    def tell(self, subject: str, row: Mapping[str, Any]) -> None:
        assert self.feed.handle({"type": "message", "subject": subject, "data": dict(row)})

    def keep_up(self) -> None:
        async def send(message: Any) -> None:
            self.sent.append(message)

        async def upkeep() -> None:
            assert self.feed.upkeep is not None
            await self.feed.upkeep(send)

        call(upkeep())

    def fills(self) -> list[Fill]:
        return [fact for fact in self.facts if isinstance(fact, Fill)]

    def looks(self) -> int:
        return len(self.asked.venue.requests("/recentFills"))


@pytest.fixture
def heard() -> Iterator[Heard]:
    made = Heard(lambda query: answered([FILL]))
    yield made
    call(made.asked.client.close())


MATCH = {
    "symbol": "XBTUSDTM",
    "orderType": "market",
    "side": "buy",
    "canceledSize": "0",
    "orderId": "236317213710184449",
    "liquidity": "taker",
    "marginMode": "CROSS",
    "type": "match",
    "feeType": "takerFee",
    "orderTime": 1772367599000000000,
    "size": "1",
    "filledSize": "1",
    "matchPrice": "67430.9",
    "matchSize": "1",
    "remainSize": "0",
    "price": "",
    "tradeId": "1784277229880",
    "clientOid": OWN_ID,
    "status": "match",
    "ts": 1772367599000000000,
    "tradeType": "trade",
}


def test_execution_is_told_at_once_as_an_order_and_with_its_fee_when_it_is_read(
    heard: Heard,
) -> None:
    heard.tell("symbolOrderChange", MATCH)

    [report] = heard.facts
    assert isinstance(report, OrderReport)
    assert (report.client_order_id, report.filled_base_quantity) == (OWN_ID, Decimal("0.001"))
    heard.keep_up()
    [fill] = heard.fills()
    assert (fill.client_order_id, fill.fee) == (OWN_ID, Decimal("0.04045854"))
    heard.keep_up()
    assert (len(heard.fills()), heard.looks()) == (1, 1)


def test_end_of_an_order_follows_its_last_execution(heard: Heard) -> None:
    heard.tell("symbolOrderChange", MATCH | {"type": "filled", "status": "done"})
    heard.tell("symbolOrderChange", MATCH | {"type": "canceled", "status": "done", "size": "3"})

    assert [fact.status for fact in heard.facts] == [
        VenueOrderStatus.FILLED,
        VenueOrderStatus.CANCELED,
    ]
    heard.keep_up()
    assert heard.looks() == 0


def test_execution_that_is_never_listed_is_looked_for_a_while() -> None:
    heard = Heard(answered([]))
    heard.tell("orderChange", MATCH)

    for _ in range(MOST_LOOKS + 5):
        heard.keep_up()

    assert (heard.fills(), heard.looks()) == ([], MOST_LOOKS)
    call(heard.asked.client.close())


@pytest.mark.parametrize(
    "answer",
    [
        refusal("429000", "Too Many Requests"),
        answered(None),
        answered([FILL | {"tradeTime": None}]),
        answered([{"symbol": "XBTUSDTM"}]),
        answered([FILL | {"fee": "much"}]),
    ],
)
def test_list_that_is_not_understood_is_a_failure_that_the_socket_outlives(answer: Any) -> None:
    heard = Heard(answer)
    heard.tell("symbolOrderChange", MATCH)

    with pytest.raises(VenueError):
        heard.keep_up()
    assert heard.fills() == []
    # The next look finds it.
    heard.asked.venue.payloads["/recentFills"] = answered([FILL])
    heard.keep_up()
    assert len(heard.fills()) == 1
    call(heard.asked.client.close())


def test_position_is_told_when_its_quantity_is(heard: Heard) -> None:
    heard.tell("position.change", {"symbol": "XBTUSDTM", "markPrice": Decimal("60010")})
    heard.tell("position.settlement", {"fundingFee": Decimal("-0.1"), "qty": -20})
    heard.tell("position.change", POSITION | {"currentQty": 0})

    [held] = heard.facts
    assert isinstance(held, VenuePosition)
    assert held.base_quantity == 0


@pytest.mark.parametrize("mode", ["CROSS", "ISOLATED"])
def test_position_that_is_closed_is_told_without_its_margin(heard: Heard, mode: str) -> None:
    closed = {"symbol": "XBTUSDTM", "currentQty": 0, "isOpen": False, "liquidationPrice": 0}
    closed |= {"avgEntryPrice": Decimal("115549.8"), "leverage": 3, "marginMode": mode}

    heard.tell("position.change", closed | {"positionSide": "BOTH"})

    assert [held.base_quantity for held in heard.facts] == [0]


def test_refused_topic_closes_the_socket(heard: Heard) -> None:
    with pytest.raises(UnexpectedPayload, match="subscription refused"):
        heard.feed.handle({"id": "0", "type": "error", "code": 403, "data": "login is required"})


def test_feed_subscribes_to_all_before_it_counts_as_open(heard: Heard) -> None:
    said: list[Any] = [{"type": "welcome"}]
    early = {"type": "message", "subject": "symbolOrderChange", "data": MATCH}

    async def greeted() -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)
            # What is asked for first speaks before the next is acknowledged.
            said.extend([early] if len(sent) == 2 else [])
            said.append({"id": message["id"], "type": "ack"})

        async def receive() -> Any:
            return said.pop(0)

        await heard.feed.greet(send, receive)
        return sent

    sent = asyncio.run(greeted())

    assert [message["topic"] for message in sent] == [
        "/contractMarket/tradeOrders",
        "/contract/positionAll",
        "/contractAccount/wallet",
    ]
    assert all(message["privateChannel"] and message["response"] for message in sent)
    assert len(heard.facts) == 1
