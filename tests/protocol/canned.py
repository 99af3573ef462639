"""A venue that answers each path with one payload, for the real adapter to read; no socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Credential, Surroundings
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.domain import ClientOrderId, OrderReport, Symbol
from exchanges.simulator.deliveries import Delivery, Ending
from exchanges.simulator.wire import WireRequest, WireResponse
from exchanges.venues import PROFILES
from tests.simulation.transport import InProcessSession
from tests.simulator.nearby import call

Question = Callable[[CcxtMarketData], Awaitable[Any]]
Payload = Any | Callable[[Mapping[str, str]], Any]
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
KEY = Credential(api_key="key", secret="secret", passphrase="passphrase")


@dataclass(slots=True)
class CannedVenue:
    """`payloads` by how a path ends; a payload that is a function gets the query. 404 elsewhere."""

    venue: str
    payloads: dict[str, Payload]
    now: datetime = NOW
    asked: list[WireRequest] = field(default_factory=list)

    def client(self) -> VenueClient:
        surroundings = Surroundings(
            now=lambda: self.now, session=lambda: InProcessSession(lambda: self)
        )
        return VenueClient(Catalogue(PROFILES[self.venue]), surroundings=surroundings)

    def ask(self, *questions: Question) -> Any:
        """Return the answers to questions about the market, one after the other; of one, it."""

        async def asked() -> list[Any]:
            client = self.client()
            data = CcxtMarketData(client)
            try:
                return [await question(data) for question in questions]
            finally:
                await client.close()

        answers = asyncio.run(asked())
        return answers[0] if len(questions) == 1 else answers

    def one(self, symbol: str, *questions: Question) -> Any:
        """Return of each answer the one fact of a symbol."""
        answers = self.ask(*questions)
        found = [_one(symbol, told) for told in ([answers] if len(questions) == 1 else answers)]
        return found[0] if len(questions) == 1 else found

    def requests(self, ending: str) -> list[Mapping[str, str]]:
        """Return the queries of all requests to a path."""
        return [one.query_parameters for one in self.asked if one.path.endswith(ending)]

    # --- What the wire asks of its far end ------------------------------------------------------

    def disturbance(self, request: WireRequest) -> Any:
        return None

    def answer(self, request: WireRequest, rule: Any) -> Delivery:
        self.asked.append(request)
        found = [name for name in self.payloads if request.path.endswith(name)]
        if not found:
            return _delivered(404, {"path": request.path})
        payload = self.payloads[max(found, key=len)]
        told = payload(request.query_parameters) if callable(payload) else payload
        return _delivered(200, told)

    def heard(self, request: WireRequest, status: int, headers: Mapping[str, str]) -> None: ...

    def latency(self) -> float:
        return 0

    def pass_by(self, name: str) -> None: ...

    def travels(self, task: asyncio.Task[Delivery]) -> None: ...


class CannedAccount:
    """An account at a venue that answers each path with one payload."""

    def __init__(self, venue: str, payloads: dict[str, Payload]) -> None:
        self.venue = CannedVenue(venue, payloads)
        surroundings = Surroundings(
            now=lambda: self.venue.now, session=lambda: InProcessSession(lambda: self.venue)
        )
        self.client = VenueClient(
            Catalogue(PROFILES[venue]), credential=KEY, surroundings=surroundings
        )

    def of(self, question: Any) -> Any:
        """Return the answer to one question."""
        try:
            return call(question)
        finally:
            call(self.client.close())

    def look_up(self, own_id: ClientOrderId, symbol: Symbol) -> OrderReport:
        found: OrderReport = self.of(CcxtTrading(self.client).find_order(own_id, symbol))
        return found


def _one(symbol: str, facts: Any) -> Any:
    [found] = [fact for fact in facts if fact.symbol == symbol]
    return found


def _delivered(status: int, payload: Any) -> Delivery:
    body = orjson.dumps(payload)
    return Delivery(
        ending=Ending.ANSWER, response=WireResponse(status=status, body=body, outcome="ok")
    )
