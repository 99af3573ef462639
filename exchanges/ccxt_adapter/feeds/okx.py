"""OKX v5 sockets, decoded straight from the wire.

Source: www.okx.com/docs-v5/en, channels mark-price, index-tickers, funding-rate, tickers, orders,
positions and account. A private row has the names of its REST row and is read like one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from exchanges.ccxt_adapter import parse_account
from exchanges.ccxt_adapter.bad_rows import take_each
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, Emit, EmitAccount, Facts
from exchanges.ccxt_adapter.feeds.passphrase_login import login
from exchanges.ccxt_adapter.feeds.subscriptions import Subscriptions
from exchanges.ccxt_adapter.feeds.upkeep import PONG_SILENT_AFTER, keeping_listed, pinging
from exchanges.ccxt_adapter.listing import Listing, Listings
from exchanges.ccxt_adapter.numbers import exact, streamed
from exchanges.ccxt_adapter.sockets import PONG, Feed, Receive, Send
from exchanges.domain import AccountFact, FundingRate, InstrumentKind, MarketFact, Quote
from exchanges.errors import CredentialRefused, UnexpectedPayload
from exchanges.funding_intervals import from_next_two
from exchanges.venues.okx import PROFILE

PING = pinging("ping")
LOGIN_PATH = "/users/self/verify"
CHANNELS_PER_REQUEST = 50
TICKERS_PER_SOCKET = 200
# A mark price that rests is sent every ten seconds.
MARK_SILENT_AFTER = 25.0
PRIVATE_CHANNELS = (
    {"channel": "orders", "instType": "ANY"},
    {"channel": "positions", "instType": "ANY"},
    {"channel": "account"},
)
# No contract is named in what an account asks for.
ALL_OF_ACCOUNT = Subscriptions({}, "okx")
KEY_REFUSALS = frozenset({"60005", "60007", "60009", "60024", "60032"})
CLOSING_SOON, NOT_THERE = "64008", "60018"
# A streamed order tells its latest fill in other words than the list of fills.
FILL_COLUMNS = {
    **PROFILE.fills.columns,
    "kind": "category",
    "fee": "fillFee",
    "fee_asset": "fillFeeCcy",
}

MARK, INDEX = "mark-price", "index-tickers"
# An index that rests is sent once a minute.
INDEX_LASTS = timedelta(seconds=90)

# By the name of an index its price, and when it came.
Indexes = dict[str, tuple[str, datetime]]


def market_feeds(client: VenueClient, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    url = client.exchange.urls["api"]["ws"] + "/public"
    perpetuals = [
        name
        for name, listing in listings.items()
        if listing.instrument.kind is InstrumentKind.PERPETUAL
    ]
    marks = [_channel(MARK, name) for name in listings]
    rates = [_channel("funding-rate", name) for name in perpetuals]
    indexes = [_channel(INDEX, name) for name in dict.fromkeys(map(_index_of, listings.values()))]
    channels = indexes + marks + rates
    yield _feed("okx marks", url, channels, listings, emit, MARK_SILENT_AFTER)
    yield from _ticker_feeds("okx tickers", url, listings, emit)


def spot_market_feeds(client: VenueClient, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    """Yield the book feeds: spot has neither mark price nor funding."""
    url = client.exchange.urls["api"]["ws"] + "/public"
    yield from _ticker_feeds("okx spot tickers", url, listings, emit)


def _ticker_feeds(name: str, url: str, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    for number, some in enumerate(facts.chunks(list(listings), TICKERS_PER_SOCKET)):
        tickers = [_channel("tickers", name) for name in some]
        feed = f"{name} {number}"
        yield _feed(feed, url, tickers, listings, emit, facts.BOOK_SILENT_AFTER)


def _feed(
    name: str,
    url: str,
    channels: list[dict[str, str]],
    listings: ByVenueSymbol,
    emit: Emit,
    silent_after: float,
) -> Feed:
    indexes: Indexes = {}
    # Contracts, and the indexes of them.
    asked = Subscriptions({one["instId"]: one for one in channels}, "okx")

    async def greet(send: Send, _: Receive) -> None:
        known = [one for one in channels if asked.knows(one["instId"])]
        for start in range(0, len(known), CHANNELS_PER_REQUEST):
            await send({"op": "subscribe", "args": known[start : start + CHANNELS_PER_REQUEST]})

    def take(row: dict[str, Any], channel: str) -> bool:
        now = datetime.now(UTC)
        if channel == INDEX:
            indexes[row["instId"]] = (row["idxPx"], now)
            return True
        listing = listings.get(row["instId"])
        if listing is None:
            return False
        for fact in _facts(channel, row, listing, now, indexes):
            emit(fact)
        return True

    def handle(message: Any) -> bool:
        if "data" not in message:
            return _acknowledged(message, asked)
        channel = str(message["arg"]["channel"])
        take_each(message["data"], take, channel, name)
        return channel != INDEX

    return Feed(
        name=name,
        url=facts.fixed(url),
        greet=greet,
        handle=handle,
        silent_after=silent_after,
        upkeep=PING,
        pings=False,
    )


def _channel(name: str, venue_symbol: str) -> dict[str, str]:
    return {"channel": name, "instId": venue_symbol}


def _index_of(listing: Listing) -> str:
    """Return the name of the index that a contract's mark price is made of."""
    return str(listing.market["info"][PROFILE.index_key])


def _facts(
    channel: str, row: dict[str, Any], listing: Listing, now: datetime, indexes: Indexes
) -> Iterator[MarketFact]:
    if channel == MARK:
        return mark_facts(row, listing, now, indexes.get(_index_of(listing)))
    return MARKET_FACTS[channel](row, listing, now)


def mark_facts(
    row: dict[str, Any], listing: Listing, now: datetime, index: tuple[str, datetime] | None
) -> Iterator[Quote]:
    """Yield the mark price, with the index price where that was told lately."""
    told = index[0] if index is not None and now - index[1] <= INDEX_LASTS else None
    mark = facts.price(row["markPx"], listing)
    yield facts.quote(listing, mark, facts.optional_price(told, listing), now)


def rate_facts(row: dict[str, Any], listing: Listing, now: datetime) -> Iterator[MarketFact]:
    """Yield the coming rate with the interval that its next two settlements tell."""
    upcoming, following = row["fundingTime"], row["nextFundingTime"]
    settles_at = facts.instant(upcoming)
    interval = from_next_two(settles_at, facts.instant(following) if following else None)
    yield FundingRate(
        venue=listing.instrument.venue,
        symbol=listing.symbol,
        funding_rate=streamed(row["fundingRate"]),
        interval_seconds=interval.seconds,
        interval_source=interval.source,
        next_funding_at=settles_at,
        observed_at=now,
    )


def ticker_facts(row: dict[str, Any], listing: Listing, now: datetime) -> Iterator[MarketFact]:
    if row["bidPx"] and row["askPx"]:
        bid, ask = (row["bidPx"], row["bidSz"]), (row["askPx"], row["askSz"])
        yield facts.book_top(listing, bid, ask, now)


MARKET_FACTS: dict[str, Facts] = {
    "funding-rate": rate_facts,
    "tickers": ticker_facts,
}


def _acknowledged(message: Any, asked: Subscriptions) -> bool:
    """Return False, which means no data; raise on a refusal and on the notice of an end."""
    if message == PONG:
        return False
    if message.get("code") == CLOSING_SOON:
        raise ConnectionResetError("the venue is about to close this connection")
    if message["event"] == "error":
        asked.refuse(str(message["msg"]), is_unknown=message.get("code") == NOT_THERE)
    return False


# --- Own orders, fills, positions and balances ------------------------------------------------


def account_feed(client: VenueClient, listings: Listings, emit: EmitAccount) -> Feed:
    exchange = client.exchange

    async def greet(send: Send, receive: Receive) -> None:
        await send(login(exchange, LOGIN_PATH))
        answer = await receive()
        if answer.get("code") != "0":
            refused = CredentialRefused if answer.get("code") in KEY_REFUSALS else UnexpectedPayload
            raise refused(answer["msg"], venue="okx", code=answer.get("code", ""))
        await send({"op": "subscribe", "args": list(PRIVATE_CHANNELS)})

    def handle(message: Any) -> bool:
        if "data" not in message:
            return _acknowledged(message, ALL_OF_ACCOUNT) or message == PONG
        # Not what was listed when the socket was opened: a contract may have another size by now.
        now, known = datetime.now(UTC), client.listings.by_venue_symbol
        for row in _rows_of(message):
            listing = known.get(row.get("instId", ""))
            for fact in account_facts(message["arg"]["channel"], row, listing, exchange, now):
                emit(fact)
        return True

    return Feed(
        name="okx account",
        url=facts.fixed(exchange.urls["api"]["ws"] + "/private"),
        greet=greet,
        handle=handle,
        silent_after=PONG_SILENT_AFTER,
        upkeep=keeping_listed(client, PING),
        pings=False,
    )


def _rows_of(message: Any) -> list[dict[str, Any]]:
    """Return the rows of a private message: of an account those of its assets."""
    rows: list[dict[str, Any]] = message["data"]
    if message["arg"]["channel"] == "account":
        return [asset for row in rows for asset in row["details"]]
    return rows


def account_facts(
    channel: str, row: dict[str, Any], listing: Listing | None, exchange: Any, now: datetime
) -> Iterator[AccountFact]:
    """Yield the facts of one private row: an asset, or what concerns a contract of ours."""
    if channel == "account":
        yield parse_account.balance(row, PROFILE.balances.columns, PROFILE.name, now)
    elif listing is None:
        return
    elif channel == "positions" and PROFILE.positions is not None:
        yield parse_account.position(row, PROFILE.positions.columns, listing, now)
    elif channel == "orders":
        order = exchange.parse_order(row, listing.market)
        yield parse_account.order_report(order, listing, now)
        if row["tradeId"] and exact(row["fillSz"]):
            yield parse_account.fill(row, FILL_COLUMNS, listing, PROFILE)
