"""Kraken Futures WebSocket (`/ws/v1`): tickers for everybody, an account's feeds to a challenge.

Everything is told by one socket; a private feed is asked for with the signed challenge.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import uuid5

from exchanges.simulator.accounts import Account, Order
from exchanges.simulator.books import beat
from exchanges.simulator.core import Simulator
from exchanges.simulator.events import AccountEvent, Happening
from exchanges.simulator.faces import kraken_futures_account as payloads
from exchanges.simulator.faces.kraken_futures_calls import is_signed
from exchanges.simulator.faces.kraken_futures_market import streamed_ticker
from exchanges.simulator.faces.kraken_futures_orders import streamed_order
from exchanges.simulator.faces.sockets import Outgoing, read_message
from exchanges.simulator.listings import KRAKEN_FUTURES
from exchanges.simulator.wire import Json, milliseconds

REPLY_TOPIC = "reply"
TICKER, HEARTBEAT = "ticker", "heartbeat"
ORDERS, FILLS, POSITIONS, BALANCES = "open_orders_verbose", "fills", "open_positions", "balances"
PRIVATE = (ORDERS, FILLS, POSITIONS, BALANCES)
# Beats of the simulator, four a second, between two heartbeats.
HEARTBEAT_EVERY = 4

Told = Callable[[Account, datetime], Json]


class Socket:
    """One socket; its private feeds are those of the account whose challenge was signed."""

    venue = KRAKEN_FUTURES

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(KRAKEN_FUTURES)
        self._tickers: dict[str, int] = {}
        self._heard_at: int | None = None
        self._challenge = ""
        self._account: Account | None = None
        self._feeds: list[str] = []

    @property
    def topics(self) -> list[str]:
        return [*(f"{TICKER}:{name}" for name in self._tickers), *self._feeds]

    def receive(self, text: str, *, now: datetime) -> list[Outgoing]:
        message = read_message(text)
        match message.get("event"):
            case "challenge":
                name = f"{message.get('api_key')}{now.isoformat()}"
                self._challenge = str(uuid5(payloads.NAMESPACE, name))
                return [_reply(event="challenge", message=self._challenge)]
            case "subscribe":
                return self._subscribe(message, now)
            case _:
                return [_reply(event="error", message="Json Error")]

    def beat(self, *, now: datetime) -> list[Outgoing]:
        stamp = beat(now)
        due = [name for name, last in self._tickers.items() if last != stamp]
        found = [self._ticker(name, now) for name in due if name in self._listings]
        if self._heard_at is not None and stamp - self._heard_at >= HEARTBEAT_EVERY:
            self._heard_at = stamp
            told = {"feed": HEARTBEAT, "time": milliseconds(now)}
            found.append(Outgoing.of(HEARTBEAT, told))
        return found

    def happened(self, event: AccountEvent) -> list[Outgoing]:
        owner = self._account
        if owner is None or event.account is not owner or event.venue != KRAKEN_FUTURES:
            return []
        rows: list[tuple[str, Json]] = []
        if event.order is not None:
            rows.append((ORDERS, _order_change(event.order, event.happening)))
        if event.order is not None and event.trade is not None:
            fill = payloads.streamed_fill(event.trade, event.order)
            rows.append((FILLS, {"username": owner.api_key, "fills": [fill]}))
        if event.trade is not None or event.funding is not None:
            rows.append((POSITIONS, self._positions(owner, event.at)))
            rows.append((BALANCES, self._balances(owner, event.at)))
        return [_feed(name, row) for name, row in rows if name in self._feeds]

    def _subscribe(self, message: Json, now: datetime) -> list[Outgoing]:
        feed = message.get("feed")
        if feed == TICKER:
            names = [str(name) for name in message.get("product_ids") or []]
            if unknown := [name for name in names if name not in self._listings]:
                return [_reply(event="error", message=f"Invalid product id {unknown[0]}")]
            accepted = _reply(event="subscribed", feed=feed, product_ids=names)
            return [accepted, *(self._ticker(name, now) for name in names)]
        if feed == HEARTBEAT:
            self._heard_at = beat(now)
            return [_reply(event="subscribed", feed=feed)]
        if feed not in PRIVATE:
            return [_reply(event="error", message="Invalid feed")]
        account = self._signer(message)
        if account is None:
            return [_reply(event="alert", message="Failed to subscribe to authenticated feed")]
        self._account = account
        self._feeds.append(feed)
        return [_reply(event="subscribed", feed=feed), *self._present(feed, account, now)]

    def _signer(self, message: Json) -> Account | None:
        account = self._simulator.ledger.accounts.get(str(message.get("api_key")))
        if account is None or account.venue != KRAKEN_FUTURES or not self._challenge:
            return None
        is_his = message.get("original_challenge") == self._challenge
        given = str(message.get("signed_challenge"))
        return account if is_his and is_signed(account.secret, self._challenge, given) else None

    def _present(self, feed: str, owner: Account, now: datetime) -> list[Outgoing]:
        """Return what a feed begins with."""
        if feed == ORDERS:
            working = self._simulator.ledger.open_orders(
                api_key=owner.api_key, venue=KRAKEN_FUTURES
            )
            told = {"account": payloads.account_uid(owner)}
            shown = [streamed_order(row) for row in working]
            return [_feed(f"{ORDERS}_snapshot", {**told, "orders": shown})]
        if feed == FILLS:
            return [_feed(f"{FILLS}_snapshot", {"account": owner.api_key, "fills": []})]
        build: Told = self._positions if feed == POSITIONS else self._balances
        name = f"{feed}_snapshot" if feed == BALANCES else feed
        return [_feed(name, build(owner, now))]

    def _positions(self, owner: Account, now: datetime) -> Json:
        """Return all that is held; what was closed is told by not being there."""
        held = self._simulator.ledger.holdings(api_key=owner.api_key, venue=KRAKEN_FUTURES)
        rows = [payloads.streamed_position(self._simulator, owner, row, now) for row in held]
        return {"account": payloads.account_uid(owner), "positions": rows, "seq": 0}

    def _balances(self, owner: Account, now: datetime) -> Json:
        found = payloads.wallet(self._simulator, owner, now)
        told = payloads.streamed_balances(found)
        return {"account": payloads.account_uid(owner), "flex_futures": told, "seq": 0}

    def _ticker(self, name: str, now: datetime) -> Outgoing:
        self._tickers[name] = beat(now)
        row = streamed_ticker(self._simulator, self._listings[name], now)
        return Outgoing.of(f"{TICKER}:{name}", row)


def _order_change(order: Order, happening: Happening) -> Json:
    """Return what a change of an order is told as: one that has ended by its names alone."""
    if happening is Happening.TRADE and order.remaining:
        return {"order": streamed_order(order), "is_cancel": False, "reason": "partial_fill"}
    if happening is Happening.NEW:
        placed = {"order": streamed_order(order), "is_cancel": False}
        return placed | {"reason": "new_placed_order_by_user"}
    reason = "full_fill" if happening is Happening.TRADE else "cancelled_by_user"
    ended = {"order_id": order.venue_order_id, "cli_ord_id": order.client_order_id}
    return {**ended, "is_cancel": True, "reason": reason}


def _feed(name: str, payload: Json) -> Outgoing:
    return Outgoing.of(name.removesuffix("_snapshot"), {"feed": name, **payload})


def _reply(**payload: object) -> Outgoing:
    return Outgoing.of(REPLY_TOPIC, payload)
