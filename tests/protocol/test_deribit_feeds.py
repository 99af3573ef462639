"""Deribit's private channel as facts: what only it has.

Payloads are written after docs.deribit.com: nobody here has asked the venue. The rest is asked of
the simulated venue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from pathlib import Path
from typing import Any

import orjson
import pytest

from exchanges.ccxt_adapter.calls.deribit_requests import signature
from exchanges.ccxt_adapter.feeds import deribit_account
from exchanges.ccxt_adapter.feeds.deribit_account import account_facts, account_feed
from exchanges.ccxt_adapter.numbers import as_written
from exchanges.domain import AccountFact, Fill, OrderReport, VenueOrderStatus, VenuePosition
from exchanges.errors import CredentialRefused, UnexpectedPayload
from tests.protocol.deribit_desk import NAME, Desk, order, trade
from tests.protocol.venue_desk import OWN, D
from tests.simulator.nearby import call
from tests.simulator.world import START

pytestmark = pytest.mark.protocol

CHANNEL = "user.changes.any.USDC.raw"
POSITION = {
    "instrument_name": NAME,
    "direction": "buy",
    "size": 600.0,
    "size_currency": 0.01,
    "average_price": 60_000.0,
    "mark_price": 60_001.5,
    "maintenance_margin": 6.0,
}


@pytest.fixture
def desk(tmp_path: Path) -> Generator[Desk]:
    opened = Desk(tmp_path)
    yield opened
    call(opened.client.close())


def changed(**told: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {"orders": [], "trades": [], "positions": []}
    return {"instrument_name": NAME, **nothing, **told}


def facts(desk: Desk, told: dict[str, Any]) -> list[Any]:
    known = call(desk.client.ready()).by_venue_symbol
    return list(account_facts(as_written(orjson.dumps(told)), known, START))


def test_an_order_its_execution_and_its_position_come_together(desk: Desk) -> None:
    fill, report, position = facts(
        desk,
        changed(
            orders=[order(order_state="filled", filled_amount=0.01, average_price=60_000.0)],
            trades=[trade(amount=0.01, state="filled")],
            positions=[POSITION | {"estimated_liquidation_price": 42_000.5}],
        ),
    )

    assert isinstance(fill, Fill)
    assert (fill.client_order_id, fill.fee, fill.is_maker) == (OWN, D("0.12"), False)
    assert isinstance(report, OrderReport)
    assert (report.status, report.client_order_id) == (VenueOrderStatus.FILLED, OWN)
    assert isinstance(position, VenuePosition)
    assert (position.base_quantity, position.liquidation_price) == (D("0.01"), D("42000.5"))


def test_a_position_that_does_not_tell_where_it_is_liquidated_is_left_to_be_read(
    desk: Desk,
) -> None:
    assert facts(desk, changed(positions=[POSITION])) == []
    [closed] = facts(desk, changed(positions=[POSITION | {"direction": "zero", "size": 0}]))
    assert closed.base_quantity == 0


def test_what_concerns_no_contract_of_ours_is_left_out(desk: Desk) -> None:
    foreign = changed(orders=[order()]) | {"instrument_name": "BTC_USDC-27MAR26"}

    assert facts(desk, foreign) == []


class Conversation:
    """What our feed says to a venue, which answers by how a call is named."""

    def __init__(self, desk: Desk, **answers: Any) -> None:
        self.heard: list[AccountFact] = []
        listings = call(desk.client.ready())
        self.feed = account_feed(desk.client, listings, self.heard.append)
        self.said: list[dict[str, Any]] = []
        self._answers = {
            "public/auth": {"expires_in": 900, "scope": "trade:read_write"},
            "private/subscribe": [CHANNEL],
            "public/set_heartbeat": "ok",
            "public/test": {"version": "1"},
        } | {name.replace("__", "/"): told for name, told in answers.items()}
        self._waiting: asyncio.Queue[Any] = asyncio.Queue()

    async def send(self, message: Any) -> None:
        self.said.append(message)
        told = self._answers[message["method"]]
        body = told if isinstance(told, dict) and "error" in told else {"result": told}
        self.push({"jsonrpc": "2.0", "id": message["id"], **body})

    async def receive(self) -> Any:
        return await self._waiting.get()

    def push(self, message: Any) -> None:
        self._waiting.put_nowait(as_written(orjson.dumps(message)))

    def greet(self) -> None:
        async def greeted() -> None:
            await self.feed.greet(self.send, self.receive)

        call(greeted())

    def keep_up(self) -> None:
        async def kept_up() -> None:
            assert self.feed.upkeep is not None
            await self.feed.upkeep(self.send)

        call(kept_up())

    @property
    def methods(self) -> list[str]:
        return [message["method"] for message in self.said]


def test_a_login_is_signed_and_neither_secret_nor_token_travels(desk: Desk) -> None:
    talk = Conversation(desk)

    talk.greet()

    login, _, listens = talk.said
    asked = login["params"]
    text = f"{asked['timestamp']}\n{asked['nonce']}\n"
    assert (asked["grant_type"], asked["data"]) == ("client_signature", "")
    assert asked["signature"] == signature(desk.owner.secret, text)
    assert desk.owner.secret not in str(talk.said)
    assert listens["params"] == {"channels": [CHANNEL]}


def test_what_is_told_between_login_and_channel_is_not_lost(desk: Desk) -> None:
    talk = Conversation(desk)
    params = {"channel": CHANNEL, "data": changed(orders=[order()])}
    talk.push({"jsonrpc": "2.0", "method": "subscription", "params": params})

    talk.greet()

    assert [fact.client_order_id for fact in talk.heard if isinstance(fact, OrderReport)] == [OWN]


def test_a_login_is_renewed_before_it_ends(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = 1000.0
    monkeypatch.setattr(deribit_account, "monotonic", lambda: seconds)
    talk = Conversation(desk)
    talk.greet()
    seconds += 449
    talk.keep_up()
    assert talk.methods.count("public/auth") == 1

    seconds += 2
    talk.keep_up()
    talk.keep_up()

    assert talk.methods.count("public/auth") == 2


def test_a_test_of_the_venue_is_answered_at_the_next_upkeep(desk: Desk) -> None:
    talk = Conversation(desk)
    talk.greet()

    is_data = talk.feed.handle({"method": "heartbeat", "params": {"type": "test_request"}})
    talk.keep_up()
    talk.keep_up()

    assert is_data
    assert talk.methods.count("public/test") == 1


@pytest.mark.parametrize(
    ("answers", "failure"),
    [
        ({"public__auth": {"error": {"code": 13004, "message": "invalid"}}}, CredentialRefused),
        ({"private__subscribe": {"error": {"code": 13021, "message": "no"}}}, CredentialRefused),
        ({"private__subscribe": []}, UnexpectedPayload),
        ({"public__auth": {"error": {"code": 10028, "message": "too many"}}}, UnexpectedPayload),
    ],
)
def test_a_refused_login_or_channel_ends_the_greeting(
    desk: Desk, answers: Any, failure: type[Exception]
) -> None:
    with pytest.raises(failure):
        Conversation(desk, **answers).greet()
