"""KuCoin's sockets of linear perpetuals, decoded straight from the wire.

Source: www.kucoin.com/docs-new, Websocket introduction, Rate limit, and of futures tickerV2 and
instrument. Sizes are contracts. The rate that an instrument tells each minute is the one that the
list calls predicted; the one that is paid next is in the list alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, Emit, Facts
from exchanges.ccxt_adapter.feeds.subscriptions import Subscriptions
from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.numbers import as_written, exact, text
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.domain import MarketFact
from exchanges.errors import UnexpectedPayload

# What one request may name. A socket asks once: a second request may be one too many at a time.
TOPICS_PER_SOCKET = 100
MARKS, BOOKS = "/contract/instrument", "/contractMarket/tickerV2"
LONGEST_PAUSE = 60.0
PING = {"id": "2", "type": "ping"}


def market_feeds(client: VenueClient, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    for name, topic, silent_after in (
        ("marks", MARKS, facts.MARK_SILENT_AFTER),
        ("books", BOOKS, facts.BOOK_SILENT_AFTER),
    ):
        for number, some in enumerate(facts.chunks(list(listings), TOPICS_PER_SOCKET)):
            known = {name: listings[name] for name in some}
            yield _feed(f"kucoin {name} {number}", client, topic, known, emit, silent_after)


def _feed(
    name: str,
    client: VenueClient,
    topic: str,
    listings: ByVenueSymbol,
    emit: Emit,
    silent_after: float,
) -> Feed:
    asked, door = Subscriptions(listings, "kucoin"), Door(client)

    async def greet(send: Send, receive: Receive) -> None:
        await welcomed(receive)
        topics = f"{topic}:{','.join(asked.names())}"
        await send({"id": "1", "type": "subscribe", "topic": topics, "response": True})

    def handle(message: Any) -> bool:
        if "subject" not in message:
            return _acknowledged(message, asked)
        read = MARKET_FACTS.get(message["subject"])
        if read is None:
            return False
        listing = listings.get(message["topic"].rpartition(":")[2])
        if listing is not None:
            for fact in read(message["data"], listing, datetime.now(UTC)):
                emit(fact)
        return True

    return Feed(
        name=name,
        url=door.url,
        greet=greet,
        handle=handle,
        silent_after=silent_after,
        upkeep=door.ping,
        # The ping itself waits for as long as the venue says.
        upkeep_every=0.0,
        pings=False,
        decode=as_written,
    )


async def welcomed(receive: Receive) -> None:
    """Await the word that begins each socket; raise UnexpectedPayload for another one."""
    welcome = await receive()
    if welcome["type"] != "welcome":
        raise UnexpectedPayload(f"no welcome but {welcome['type']}", venue="kucoin")


class Door:
    """Where a socket is opened, with a new token each time, and how often it wants a ping.

    `bullet` is the library's name of the call that hands out tokens.
    """

    def __init__(self, client: VenueClient, bullet: str = "futuresPublicPostBulletPublic") -> None:
        self._client = client
        self._bullet = bullet
        self.pause = LONGEST_PAUSE

    async def url(self) -> str:
        """Ask for an address. Raise VenueError, or what a payload of another shape raises."""
        call = getattr(self._client.exchange, self._bullet)()
        data = (await self._client.reading(call))["data"]
        server = data["instanceServers"][0]
        # Twice in the time within which it wants to hear us.
        self.pause = int(exact(server["pingInterval"])) / 2000
        address = text(server["endpoint"])
        if not (1.0 <= self.pause <= LONGEST_PAUSE and address.startswith("wss://")):
            raise UnexpectedPayload("no address of a socket, or no time for pings", venue="kucoin")
        return f"{address}?{urlencode({'token': text(data['token'])})}"

    async def ping(self, send: Send) -> None:
        await asyncio.sleep(self.pause)
        await send(PING)


def mark_facts(row: dict[str, Any], listing: Listing, now: datetime) -> Iterator[MarketFact]:
    mark = facts.optional_price(row["markPrice"], listing)
    if mark is not None:
        yield facts.quote(listing, mark, facts.optional_price(row["indexPrice"], listing), now)


def book_facts(row: dict[str, Any], listing: Listing, now: datetime) -> Iterator[MarketFact]:
    if row["bestBidPrice"] and row["bestAskPrice"]:
        bid = (row["bestBidPrice"], row["bestBidSize"])
        yield facts.book_top(listing, bid, (row["bestAskPrice"], row["bestAskSize"]), now)


MARKET_FACTS: dict[str, Facts] = {"mark.index.price": mark_facts, "tickerV2": book_facts}


def _acknowledged(message: Any, asked: Subscriptions) -> bool:
    """Return False, which means no data; raise if the venue refused the subscription."""
    if message["type"] == "error":
        asked.refuse(str(message["data"]))
    return False
