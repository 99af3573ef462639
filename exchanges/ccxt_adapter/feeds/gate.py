"""Gate's sockets of USDT-margined perpetuals, decoded straight from the wire.

Source: www.gate.com/docs/developers/futures/ws, channels futures.tickers and futures.book_ticker,
and its announcements 48788 (sizes) and 49851 (notice of an end). Sizes are contracts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from exchanges.ccxt_adapter.bad_rows import take_each
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, Emit, Facts
from exchanges.ccxt_adapter.feeds.subscriptions import Subscriptions
from exchanges.ccxt_adapter.instants import of_seconds
from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.domain import BookTop, MarketFact

# It names no most, but closes a socket whose client does not keep up.
BOOKS_PER_SOCKET = 200
# A subscription fails as a whole.
CONTRACTS_PER_REQUEST = 100
# Without it sizes come cut off to whole contracts.
DECIMAL_SIZES = {"X-Gate-Size-Decimal": "1"}
TICKERS, BOOKS, SYSTEM = "futures.tickers", "futures.book_ticker", "futures.system"


def market_feeds(client: VenueClient, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    url = client.exchange.urls["api"]["swap"]["usdt"]
    yield _feed("gate tickers", url, TICKERS, listings, emit, facts.MARK_SILENT_AFTER)
    for number, some in enumerate(facts.chunks(list(listings), BOOKS_PER_SOCKET)):
        known = {name: listings[name] for name in some}
        yield _feed(f"gate books {number}", url, BOOKS, known, emit, facts.BOOK_SILENT_AFTER)


def _feed(
    name: str, url: str, channel: str, listings: ByVenueSymbol, emit: Emit, silent_after: float
) -> Feed:
    (key, read), asked = MARKET_FACTS[channel], Subscriptions(listings, "gate")

    async def greet(send: Send, _: Receive) -> None:
        for some in facts.chunks(asked.names(), CONTRACTS_PER_REQUEST):
            now = int(datetime.now(UTC).timestamp())
            await send({"time": now, "channel": channel, "event": "subscribe", "payload": some})

    take = facts.taker(listings, key, read, emit)

    def handle(message: Any) -> bool:
        if message["channel"] == SYSTEM:
            raise ConnectionResetError("the venue is about to close this connection")
        if message["event"] != "update":
            return _acknowledged(message, asked)
        told, now = message["result"], datetime.now(UTC)
        if isinstance(told, list):
            take_each(told, take, now, name)
        else:
            take(told, now)
        return True

    return Feed(
        name=name,
        url=facts.fixed(url),
        greet=greet,
        handle=handle,
        silent_after=silent_after,
        headers=DECIMAL_SIZES,
    )


def ticker_facts(row: dict[str, Any], listing: Listing, now: datetime) -> Iterator[MarketFact]:
    """Yield mark and index price and the coming rate of one contract.

    Its settlement is told by some messages, its interval left to the list.
    """
    mark = facts.optional_price(row["mark_price"], listing)
    index = facts.optional_price(row["index_price"], listing)
    if mark is not None:
        yield facts.quote(listing, mark, index, now)
    if row["funding_rate"]:
        settles_at = of_seconds(row.get("funding_next_apply") or 0)
        yield facts.rate(listing, row["funding_rate"], settles_at, mark, index, now)


def book_facts(row: dict[str, Any], listing: Listing, now: datetime) -> Iterator[BookTop]:
    """Yield the touch; a side without orders is an empty text."""
    if row["b"] and row["a"]:
        yield facts.book_top(listing, (row["b"], row["B"]), (row["a"], row["A"]), now)


# By channel what it calls a contract, and what it tells.
MARKET_FACTS: dict[str, tuple[str, Facts]] = {
    TICKERS: ("contract", ticker_facts),
    BOOKS: ("s", book_facts),
}


def _acknowledged(message: Any, asked: Subscriptions) -> bool:
    """Return False, which means no data; raise if the venue refused the subscription."""
    error = message.get("error")
    if error:
        asked.refuse(str(error["message"]))
    return False
