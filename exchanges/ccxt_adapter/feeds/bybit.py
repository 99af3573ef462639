"""Bybit v5 sockets, decoded straight from the wire.

Source: bybit-exchange.github.io/docs/v5/websocket, public tickers of linear contracts, private
orders, executions and positions. Empty strings are Bybit's way to say nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, Emit, EmitAccount
from exchanges.ccxt_adapter.feeds.subscriptions import Subscriptions
from exchanges.ccxt_adapter.feeds.upkeep import PONG_SILENT_AFTER, keeping_listed, pinging
from exchanges.ccxt_adapter.listing import Listing, Listings
from exchanges.ccxt_adapter.numbers import flag, streamed, text
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.domain import (
    AccountFact,
    ClientOrderId,
    Fill,
    MarketFact,
    OrderReport,
    Side,
    VenueOrderStatus,
    VenuePosition,
)
from exchanges.errors import CredentialRefused
from exchanges.venues.bybit import PROFILE

PING = pinging({"op": "ping"})
TOPICS_PER_REQUEST = 10
LOGIN_LIFETIME_MS = 10_000
PONG = "pong"
CATEGORIES = {"linear": False, "spot": True}

# No contract is named in what an account asks for.
ALL_OF_ACCOUNT = Subscriptions({}, "bybit")

STATUSES = {
    "New": VenueOrderStatus.OPEN,
    "PartiallyFilled": VenueOrderStatus.PARTIAL,
    "Filled": VenueOrderStatus.FILLED,
    "Cancelled": VenueOrderStatus.CANCELED,
    "PartiallyFilledCanceled": VenueOrderStatus.CANCELED,
    "Rejected": VenueOrderStatus.REJECTED,
}


def market_feeds(client: VenueClient, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    exchange = client.exchange
    tickers = Tickers(listings, emit)
    asked = Subscriptions(listings, "bybit")

    async def greet(send: Send, _: Receive) -> None:
        tickers.restart()
        await _subscribe(send, [f"tickers.{symbol}" for symbol in asked.names()])

    def handle(message: Any) -> bool:
        if "topic" in message:
            tickers.take(message)
            return True
        return _acknowledged(message, asked)

    yield Feed(
        name="bybit tickers",
        url=facts.fixed(exchange.implode_hostname(exchange.urls["api"]["ws"]["public"]["linear"])),
        greet=greet,
        handle=handle,
        silent_after=facts.MARK_SILENT_AFTER,
        upkeep=PING,
    )


def spot_market_feeds(client: VenueClient, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    """Yield the book feed: a ticker of spot does not say bid and ask."""
    exchange = client.exchange
    asked = Subscriptions(listings, "bybit")

    async def greet(send: Send, _: Receive) -> None:
        await _subscribe(send, [f"orderbook.1.{symbol}" for symbol in asked.names()])

    def handle(message: Any) -> bool:
        if "topic" not in message:
            return _acknowledged(message, asked)
        data = message["data"]
        listing = listings.get(data["s"])
        if listing is not None and data["b"] and data["a"]:
            bid, ask = data["b"][0], data["a"][0]
            emit(facts.book_top(listing, (bid[0], bid[1]), (ask[0], ask[1]), datetime.now(UTC)))
        return True

    yield Feed(
        name="bybit spot books",
        url=facts.fixed(exchange.implode_hostname(exchange.urls["api"]["ws"]["public"]["spot"])),
        greet=greet,
        handle=handle,
        silent_after=facts.BOOK_SILENT_AFTER,
        upkeep=PING,
    )


class Tickers:
    """Linear tickers: a snapshot, then deltas that carry only what changed.

    A delta confirms whatever it leaves out, so every message renews all facts of its instrument.
    """

    def __init__(self, listings: ByVenueSymbol, emit: Emit) -> None:
        self._listings = listings
        self._emit = emit
        self._known: dict[str, dict[str, Any]] = {}

    def restart(self) -> None:
        self._known.clear()

    def take(self, message: dict[str, Any]) -> None:
        data = message["data"]
        listing = self._listings.get(data["symbol"])
        if listing is None:
            return
        if message["type"] == "snapshot":
            self._known[data["symbol"]] = data
        else:
            self._known[data["symbol"]].update(data)
        for fact in ticker_facts(self._known[data["symbol"]], listing, datetime.now(UTC)):
            self._emit(fact)


def ticker_facts(known: dict[str, Any], listing: Listing, now: datetime) -> Iterator[MarketFact]:
    """Yield what a merged linear ticker says.

    `fundingIntervalHour` cannot say minutes, so the interval is left to the listing list.
    """
    mark = facts.optional_price(known.get("markPrice"), listing)
    index = facts.optional_price(known.get("indexPrice"), listing)
    if mark is not None:
        yield facts.quote(listing, mark, index, now)
    settles_at = int(known.get("nextFundingTime") or 0)
    if known.get("fundingRate") and settles_at:
        yield facts.rate(listing, known["fundingRate"], settles_at, mark, index, now)
    if known.get("bid1Price") and known.get("ask1Price"):
        bid = (known["bid1Price"], known["bid1Size"])
        yield facts.book_top(listing, bid, (known["ask1Price"], known["ask1Size"]), now)


async def _subscribe(send: Send, topics: list[str]) -> None:
    for some in facts.chunks(topics, TOPICS_PER_REQUEST):
        await send({"op": "subscribe", "args": some})


def _acknowledged(message: Any, asked: Subscriptions) -> bool:
    """Return False, which means no data; raise if the venue refused the subscription.

    It refuses all of a request for one topic that it does not know, and names that one.
    """
    if message.get("success") is False:
        asked.refuse(str(message["ret_msg"]))
    return False


# --- Own orders and fills ---------------------------------------------------------------------


def account_feed(client: VenueClient, _: Listings, emit: EmitAccount) -> Feed:
    exchange = client.exchange

    async def greet(send: Send, receive: Receive) -> None:
        expires = str(int(exchange.nonce()) + LOGIN_LIFETIME_MS)
        text, secret = f"GET/realtime{expires}".encode(), exchange.secret.encode()
        signature = hmac.new(secret, text, hashlib.sha256).hexdigest()
        await send({"op": "auth", "args": [exchange.apiKey, expires, signature]})
        answer = await receive()
        if not answer.get("success"):
            raise CredentialRefused(answer.get("ret_msg") or answer["retMsg"], venue="bybit")
        await send({"op": "subscribe", "args": ["order", "execution", "position"]})

    def handle(message: Any) -> bool:
        if "topic" not in message:
            told = message.get("op"), message.get("ret_msg")
            return _acknowledged(message, ALL_OF_ACCOUNT) or PONG in told
        # Not what was listed when the socket was opened: a contract may be new.
        listings = client.listings
        for row in message["data"]:
            is_spot = CATEGORIES.get(row["category"])
            listing = None if is_spot is None else listings.of(is_spot=is_spot).get(row["symbol"])
            if listing is not None:
                for fact in account_facts(message["topic"], row, listing, datetime.now(UTC)):
                    emit(fact)
        return True

    return Feed(
        name="bybit account",
        url=facts.fixed(
            exchange.implode_hostname(exchange.urls["api"]["ws"]["private"]["contract"])
        ),
        greet=greet,
        handle=handle,
        silent_after=PONG_SILENT_AFTER,
        upkeep=keeping_listed(client, PING),
    )


def account_facts(
    topic: str, row: dict[str, Any], listing: Listing, now: datetime
) -> Iterator[AccountFact]:
    """Yield the fact of one row of the private topic `order`, `execution` or `position`."""
    if topic == "order":
        yield _report(row, listing, now)
    elif topic == "execution" and row["execType"] not in PROFILE.not_fills:
        yield _fill(row, listing)
    elif topic == "position":
        yield _position(row, listing, now)


def _report(row: dict[str, Any], listing: Listing, now: datetime) -> OrderReport:
    return OrderReport(
        client_order_id=_own_id(row),
        venue_order_id=text(row["orderId"]),
        symbol=listing.symbol,
        status=STATUSES.get(row["orderStatus"]),
        observed_at=now,
        side=Side(row["side"].lower()),
        base_quantity=facts.quantity(row["qty"], listing),
        filled_base_quantity=facts.quantity(row["cumExecQty"] or "0", listing),
        average_price=facts.optional_price(row["avgPrice"], listing),
        reduce_only=flag(row["reduceOnly"]),
    )


def _fill(row: dict[str, Any], listing: Listing) -> Fill:
    return Fill(
        venue=listing.instrument.venue,
        symbol=listing.symbol,
        venue_trade_id=text(row["execId"]),
        venue_order_id=text(row["orderId"]),
        client_order_id=_own_id(row),
        side=Side(row["side"].lower()),
        price=facts.price(row["execPrice"], listing),
        base_quantity=facts.quantity(row["execQty"], listing),
        fee=streamed(row["execFee"] or 0),
        fee_asset=text(row.get("feeCurrency") or listing.instrument.settle),
        is_maker=flag(row["isMaker"]),
        filled_at=facts.instant(row["execTime"]),
        cause=PROFILE.cause(kind=row["execType"]),
    )


def _position(row: dict[str, Any], listing: Listing, now: datetime) -> VenuePosition:
    sign = -1 if row["side"] == "Sell" else 1
    return VenuePosition(
        venue=listing.instrument.venue,
        symbol=listing.symbol,
        base_quantity=sign * facts.quantity(row["size"] or "0", listing),
        entry_price=facts.optional_price(row["entryPrice"], listing),
        mark_price=facts.optional_price(row["markPrice"], listing),
        liquidation_price=facts.optional_price(row["liqPrice"], listing),
        leverage=streamed(row["leverage"]) if row["leverage"] else None,
        unrealised_pnl=streamed(row["unrealisedPnl"]) if row["unrealisedPnl"] else None,
        observed_at=now,
        is_hedge_mode=row["positionIdx"] != 0,
        adl_rank=int(streamed(row["adlRankIndicator"])) if row.get("adlRankIndicator") else None,
    )


def _own_id(row: dict[str, Any]) -> ClientOrderId | None:
    return ClientOrderId(text(row["orderLinkId"])) if row["orderLinkId"] else None
