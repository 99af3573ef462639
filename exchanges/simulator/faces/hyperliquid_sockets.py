"""Hyperliquid's one WebSocket: market channels, and those of a wallet, which anybody may hear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from exchanges.simulator.books import beat
from exchanges.simulator.core import Simulator
from exchanges.simulator.events import AccountEvent
from exchanges.simulator.faces import hyperliquid_market as market
from exchanges.simulator.faces import hyperliquid_orders as orders
from exchanges.simulator.faces.hyperliquid_calls import account_of
from exchanges.simulator.faces.sockets import Outgoing, read_message
from exchanges.simulator.listings import HYPERLIQUID, Listing
from exchanges.simulator.wire import Json

OF_MARKET = frozenset({"bbo", "l2Book", "activeAssetCtx"})
OF_WALLET = frozenset({"orderUpdates", "userFills", "userFundings"})
MIDS = "allMids"
# A channel that rests is sent anew after this time.
RESENT_AFTER = timedelta(seconds=5)
REPLY_TOPIC = "reply"

Builder = Callable[[Simulator, Listing, datetime], Json]


@dataclass(frozen=True, slots=True)
class Channel:
    """One subscription: of a coin, of a wallet, or of everything."""

    name: str
    of: str = ""

    @property
    def topic(self) -> str:
        return f"{self.name}:{self.of}"


@dataclass(frozen=True, slots=True)
class Published:
    stamp: int
    at: datetime
    told: Any


def _asset_context(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    return {"coin": listing.symbol, "ctx": market.context(simulator, listing, now)}


BUILDERS: dict[str, Builder] = {
    "bbo": market.best,
    "l2Book": market.book,
    "activeAssetCtx": _asset_context,
}


class Socket:
    """One client's subscriptions; each market channel begins with its present state."""

    venue = HYPERLIQUID

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(HYPERLIQUID)
        self._channels: dict[Channel, Published | None] = {}

    @property
    def topics(self) -> list[str]:
        return [channel.topic for channel in self._channels]

    def receive(self, text: str, *, now: datetime) -> list[Outgoing]:
        message = read_message(text)
        method, asked = message.get("method"), message.get("subscription")
        if method == "ping":
            return [Outgoing.of(REPLY_TOPIC, {"channel": "pong"})]
        channel = self._channel(asked) if isinstance(asked, dict) else None
        if channel is None or method not in ("subscribe", "unsubscribe"):
            return [_error(f"Error parsing JSON into valid websocket request: {text}")]
        reply = Outgoing.of(
            REPLY_TOPIC,
            {
                "channel": "subscriptionResponse",
                "data": {"method": method, "subscription": asked},
            },
        )
        if method == "unsubscribe":
            self._channels.pop(channel, None)
            return [reply]
        if channel in self._channels:
            return [_error(f"Already subscribed: {text}")]
        self._channels[channel] = None
        return [reply, *self._first(channel, now)]

    def beat(self, *, now: datetime) -> list[Outgoing]:
        return [message for channel in self._channels for message in self._due(channel, now)]

    def happened(self, event: AccountEvent) -> list[Outgoing]:
        if event.venue != HYPERLIQUID:
            return []
        wallet = event.account.api_key
        found: list[tuple[str, object]] = []
        if event.order is not None:
            updated = [orders.update(event.order, orders.basic_order(event.order))]
            found.append(("orderUpdates", updated))
        if event.trade is not None and event.order is not None:
            fills = [orders.fill_payload(event.trade, event.order)]
            found.append(("userFills", {"user": wallet, "fills": fills}))
        if event.funding is not None:
            told = orders.payment_payload(event.funding)
            payment = {**told["delta"], "time": told["time"]}
            found.append(("userFundings", {"user": wallet, "fundings": [payment]}))
        return [
            Outgoing.of(f"{name}:{wallet}", {"channel": name, "data": data})
            for name, data in found
            if Channel(name, wallet) in self._channels
        ]

    def _channel(self, asked: Json) -> Channel | None:
        name = str(asked.get("type"))
        if name == MIDS:
            return Channel(name)
        if name in OF_MARKET and asked.get("coin") in self._listings:
            return Channel(name, asked["coin"])
        if name not in OF_WALLET:
            return None
        owner = account_of(self._simulator, str(asked.get("user")))
        return None if owner is None else Channel(name, owner.api_key)

    def _first(self, channel: Channel, now: datetime) -> list[Outgoing]:
        """Return what a channel begins with; of fills the latest ones, marked as such."""
        if channel.name != "userFills":
            return self._due(channel, now)
        ledger = self._simulator.ledger
        trades = ledger.account_trades(channel.of, HYPERLIQUID, None)
        fills = [orders.fill_payload(row, ledger.orders[row.order_number]) for row in trades]
        data = {"user": channel.of, "fills": fills[::-1], "isSnapshot": True}
        return [Outgoing.of(channel.topic, {"channel": channel.name, "data": data})]

    def _due(self, channel: Channel, now: datetime) -> list[Outgoing]:
        """Return the message of this beat where something changed, or rested for long."""
        last, stamp = self._channels.get(channel), beat(now)
        if channel.name in OF_WALLET or (last is not None and last.stamp == stamp):
            return []
        data = self._market_data(channel, now)
        if data is None:
            return []
        told = {name: value for name, value in data.items() if name != "time"}
        rests = last is not None and told == last.told
        if last is not None and rests and now - last.at < RESENT_AFTER:
            return []
        self._channels[channel] = Published(stamp, now, told)
        return [Outgoing.of(channel.topic, {"channel": channel.name, "data": data})]

    def _market_data(self, channel: Channel, now: datetime) -> Json | None:
        if channel.name == MIDS:
            return {"mids": market.mids(self._simulator, now)}
        listing = self._listings.get(channel.of)
        return None if listing is None else BUILDERS[channel.name](self._simulator, listing, now)


def _error(message: str) -> Outgoing:
    return Outgoing.of(REPLY_TOPIC, {"channel": "error", "data": message})
