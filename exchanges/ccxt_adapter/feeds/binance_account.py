"""Own orders, fills and positions at Binance spot and USD-M, decoded straight from the wire.

Source: developers.binance.com, "User data streams" of spot and USD-M futures.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, EmitAccount
from exchanges.ccxt_adapter.feeds.upkeep import keeping_listed
from exchanges.ccxt_adapter.listing import Listing, Listings
from exchanges.ccxt_adapter.numbers import flag, streamed, text
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.domain import (
    AccountFact,
    Balance,
    ClientOrderId,
    Fill,
    FillCause,
    OrderReport,
    Side,
    VenueOrderStatus,
    VenuePosition,
)
from exchanges.errors import CredentialRefused, UnexpectedPayload
from exchanges.venues.binanceusdm import PROFILE as USDM

LISTEN_KEY_EVERY = 25 * 60.0
# CALCULATED is an execution too: of a liquidation or of an auto-deleveraging.
EXECUTIONS = frozenset({"TRADE", "CALCULATED"})
KEY_REFUSALS = frozenset({-1022, -2008, -2014, -2015})

STATUSES = {
    "NEW": VenueOrderStatus.OPEN,
    "PARTIALLY_FILLED": VenueOrderStatus.PARTIAL,
    "FILLED": VenueOrderStatus.FILLED,
    "CANCELED": VenueOrderStatus.CANCELED,
    "EXPIRED": VenueOrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": VenueOrderStatus.EXPIRED,
    "REJECTED": VenueOrderStatus.REJECTED,
}


def spot_account_feed(client: VenueClient, listings: Listings, emit: EmitAccount) -> Feed:
    async def greet(send: Send, receive: Receive) -> None:
        await send(
            {
                "id": "1",
                "method": "userDataStream.subscribe.signature",
                "params": client.exchange.sign_params({}),
            }
        )
        answer = await receive()
        if answer["status"] != 200:
            _refuse(answer["error"])

    def handle(message: Any) -> bool:
        event = message["event"]
        if event["e"] == "eventStreamTerminated":
            raise ConnectionResetError("the venue ended the user data stream")
        # Not what was listed when the socket was opened: an instrument may be new.
        known = client.listings.by_venue_symbol
        for fact in spot_account_facts(event, known, datetime.now(UTC)):
            emit(fact)
        return True

    return Feed(
        name="binance account",
        url=facts.fixed(client.exchange.urls["api"]["ws"]["ws-api"]["spot"]),
        greet=greet,
        handle=handle,
        silent_after=None,
        upkeep=keeping_listed(client),
    )


def usdm_account_feed(client: VenueClient, listings: Listings, emit: EmitAccount) -> Feed:
    async def listen_key() -> str:
        answer = await client.reading(client.exchange.fapiPrivatePostListenKey())
        key: str = answer["listenKey"]
        return key

    async def url() -> str:
        address: str = client.exchange.get_private_ws_url("linear", await listen_key())
        return address

    async def renew(_: Send) -> None:
        # Asking again gives the same key another 60 minutes.
        await listen_key()

    async def greet(_: Send, __: Receive) -> None: ...

    def handle(message: Any) -> bool:
        if message["e"] == "listenKeyExpired":
            raise ConnectionResetError("the listen key has expired")
        known = client.listings.by_venue_symbol
        for fact in usdm_account_facts(message, known, datetime.now(UTC)):
            emit(fact)
        return True

    return Feed(
        name="binanceusdm account",
        url=url,
        greet=greet,
        handle=handle,
        silent_after=None,
        upkeep=keeping_listed(client, renew),
        upkeep_every=LISTEN_KEY_EVERY,
    )


def spot_account_facts(
    event: dict[str, Any], listings: ByVenueSymbol, now: datetime
) -> Iterator[AccountFact]:
    """Yield the facts of an `executionReport` or an `outboundAccountPosition`.

    In the report of a cancel `c` is the id of the cancel and `C` that of the order; the commission
    asset `N` is null where nothing was charged.
    """
    if event["e"] == "outboundAccountPosition":
        for balance in event["B"]:
            free, locked = streamed(balance["f"]), streamed(balance["l"])
            yield Balance(
                venue="binance",
                asset=text(balance["a"]),
                free=free,
                total=free + locked,
                equity=free + locked,
                observed_at=now,
            )
    elif event["e"] == "executionReport" and event["s"] in listings:
        listing = listings[event["s"]]
        client_order_id = event.get("C") or event["c"]
        filled = streamed(event["z"])
        average = listing.price(streamed(event["Z"]) / filled) if filled else None
        yield _report(event, listing, client_order_id, average, now)
        if event["x"] == "TRADE":
            yield _fill(event, listing, client_order_id, FillCause.ORDER)


def usdm_account_facts(
    message: dict[str, Any], listings: ByVenueSymbol, now: datetime
) -> Iterator[AccountFact]:
    """Yield the facts of an `ORDER_TRADE_UPDATE` or an `ACCOUNT_UPDATE`.

    Balances are left out: the message has the wallet but not what of it is free.
    """
    if message["e"] == "ORDER_TRADE_UPDATE" and message["o"]["s"] in listings:
        order = message["o"]
        listing = listings[order["s"]]
        average = facts.optional_price(order["ap"], listing)
        yield _report(order, listing, order["c"], average, now)
        if order["x"] in EXECUTIONS:
            yield _fill(order, listing, order["c"], USDM.cause(own_id=order["c"]))
    elif message["e"] == "ACCOUNT_UPDATE":
        for position in message["a"]["P"]:
            if position["s"] in listings:
                yield _position(position, listings[position["s"]], now)


def _report(
    order: dict[str, Any],
    listing: Listing,
    client_order_id: str,
    average_price: Decimal | None,
    now: datetime,
) -> OrderReport:
    return OrderReport(
        client_order_id=ClientOrderId(text(client_order_id)),
        venue_order_id=text(order["i"]),
        symbol=listing.symbol,
        status=STATUSES.get(order["X"]),
        observed_at=now,
        side=Side(order["S"].lower()),
        base_quantity=facts.quantity(order["q"], listing),
        filled_base_quantity=facts.quantity(order["z"], listing),
        average_price=average_price,
        reduce_only=flag(order["R"]) if "R" in order else None,
    )


def _fill(order: dict[str, Any], listing: Listing, client_order_id: str, cause: FillCause) -> Fill:
    return Fill(
        venue=listing.instrument.venue,
        symbol=listing.symbol,
        venue_trade_id=text(order["t"]),
        venue_order_id=text(order["i"]),
        client_order_id=ClientOrderId(text(client_order_id)),
        side=Side(order["S"].lower()),
        price=facts.price(order["L"], listing),
        base_quantity=facts.quantity(order["l"], listing),
        fee=streamed(order.get("n") or 0),
        fee_asset=text(order.get("N") or listing.instrument.quote),
        is_maker=flag(order["m"]),
        filled_at=facts.instant(order["T"]),
        cause=cause,
    )


def _position(position: dict[str, Any], listing: Listing, now: datetime) -> VenuePosition:
    return VenuePosition(
        venue=listing.instrument.venue,
        symbol=listing.symbol,
        base_quantity=facts.quantity(position["pa"], listing),
        entry_price=facts.optional_price(position["ep"], listing),
        mark_price=None,
        liquidation_price=None,
        leverage=None,
        unrealised_pnl=streamed(position["up"]),
        observed_at=now,
        is_hedge_mode=position["ps"] != "BOTH",
    )


def _refuse(error: dict[str, Any]) -> None:
    if error["code"] in KEY_REFUSALS:
        raise CredentialRefused(error["msg"], venue="binance", code=str(error["code"]))
    raise UnexpectedPayload(f"user data stream refused: {error}", venue="binance")
