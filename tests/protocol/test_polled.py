"""What is read by REST beside the sockets: the same facts, whatever becomes of one read.

Payloads after docs.dydx.xyz, Indexer, HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from exchanges.ccxt_adapter.polled import TOLD_WITHIN, PolledMarket
from exchanges.domain import BookTop, FundingRate, MarketFact, Quote, Symbol
from tests.protocol import test_gate
from tests.protocol.canned import CannedVenue

pytestmark = pytest.mark.protocol

BITCOIN, ETHER = Symbol("BTC/USDC:USDC"), Symbol("ETH/USDC:USDC")
MARKET = {
    "clobPairId": "0",
    "ticker": "BTC-USD",
    "status": "ACTIVE",
    "oraclePrice": "60000",
    "volume24H": "1",
    "nextFundingRate": "0.0000125",
    "initialMarginFraction": "0.02",
    "maintenanceMarginFraction": "0.012",
    "openInterest": "59",
    "tickSize": "1",
    "stepSize": "0.0001",
    "marketType": "CROSS",
}
BOOK = {
    "bids": [{"price": "59999", "size": "1"}],
    "asks": [{"price": "60001", "size": "2"}],
}


def venue(**changes: Any) -> CannedVenue:
    markets = {
        "BTC-USD": MARKET,
        "ETH-USD": MARKET | {"ticker": "ETH-USD", "clobPairId": "1"},
    }
    payloads = {
        "/v4/perpetualMarkets": {"markets": markets},
        "/v4/historicalFunding/BTC-USD": {"historicalFunding": []},
        "/v4/orderbooks/perpetualMarket/BTC-USD": BOOK,
    }
    return CannedVenue("dydx", payloads | changes)


def streamed(
    at: CannedVenue,
    symbols: set[Symbol],
    enough: Callable[[list[MarketFact]], bool],
    told_at: dict[Symbol, float] | None = None,
) -> list[MarketFact]:
    """Return what arrives until it is enough."""

    async def run() -> list[MarketFact]:
        facts: list[MarketFact] = []
        done = asyncio.Event()

        def take(fact: MarketFact) -> None:
            facts.append(fact)
            if enough(facts):
                done.set()

        client = at.client()
        polled = PolledMarket(client)
        running = asyncio.create_task(polled.run(symbols, take, told_at or {}))
        async with asyncio.timeout(20):
            await done.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await client.close()
        return facts

    return asyncio.run(run())


def kinds(facts: list[MarketFact]) -> set[type]:
    return {type(fact) for fact in facts}


def test_rate_mark_and_touch_of_what_is_asked_and_of_nothing_else() -> None:
    facts = streamed(venue(), {BITCOIN}, lambda found: len(kinds(found)) == 3)

    assert {fact.symbol for fact in facts} == {BITCOIN}
    assert kinds(facts) == {FundingRate, Quote, BookTop}
    top = next(fact for fact in facts if isinstance(fact, BookTop))
    assert (top.bid, top.ask, top.ask_quantity) == (59_999, 60_001, 2)


def test_book_that_cannot_be_read_costs_the_others_nothing() -> None:
    # Of ether no book is told at all.
    facts = streamed(venue(), {BITCOIN, ETHER}, lambda found: len(kinds(found)) == 3)

    assert {fact.symbol for fact in facts if isinstance(fact, BookTop)} == {BITCOIN}
    assert {fact.symbol for fact in facts if isinstance(fact, Quote)} == {BITCOIN, ETHER}


def test_book_with_one_side_is_no_touch_and_is_asked_again() -> None:
    answers = [{"bids": [], "asks": []}, {"bids": BOOK["bids"], "asks": []}, BOOK]

    def book(_: Any) -> Any:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    at = venue(**{"/v4/orderbooks/perpetualMarket/BTC-USD": book})
    facts = streamed(at, {BITCOIN}, lambda found: BookTop in kinds(found))

    assert len(at.requests("/perpetualMarket/BTC-USD")) >= 3
    assert sum(isinstance(fact, BookTop) for fact in facts) == 1


def test_round_that_fails_is_followed_by_another() -> None:
    fine = venue()
    markets = fine.payloads["/v4/perpetualMarkets"]
    # The first answer is the list of instruments.
    answers = [markets, {"garbage": True}, markets]

    def told(_: Any) -> Any:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    fine.payloads["/v4/perpetualMarkets"] = told
    facts = streamed(fine, {BITCOIN}, lambda found: FundingRate in kinds(found))

    assert len(fine.requests("/v4/perpetualMarkets")) >= 3
    assert FundingRate in kinds(facts)


def test_book_is_read_while_its_socket_is_silent_and_left_to_it_otherwise() -> None:
    both = {f"/v4/orderbooks/perpetualMarket/{name}-USD": BOOK for name in ("BTC", "ETH")}
    # Of bitcoin a socket has told just now, of ether long ago.
    told_at = {BITCOIN: monotonic() + 60, ETHER: monotonic() - TOLD_WITHIN - 1}
    at = venue(**both)

    def reads_twice(facts: list[MarketFact]) -> bool:
        return sum(isinstance(fact, BookTop) for fact in facts) == 2

    facts = streamed(at, {BITCOIN, ETHER}, reads_twice, told_at)

    assert {fact.symbol for fact in facts if isinstance(fact, BookTop)} == {ETHER}
    assert at.requests("/perpetualMarket/BTC-USD") == []


def test_venue_whose_sockets_tell_all_is_asked_for_nothing() -> None:
    at = test_gate.venue()

    async def run() -> None:
        client = at.client()
        await client.ready()
        at.asked.clear()
        async with asyncio.timeout(5):
            await PolledMarket(client).run({BITCOIN}, lambda fact: None, {})
        await client.close()

    asyncio.run(run())

    assert at.asked == []
