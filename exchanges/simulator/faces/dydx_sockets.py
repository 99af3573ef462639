"""dYdX's indexer socket: markets, books and blocks; each channel begins with its present state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from exchanges.simulator.books import beat
from exchanges.simulator.core import Simulator
from exchanges.simulator.events import AccountEvent
from exchanges.simulator.faces import dydx as market
from exchanges.simulator.faces.feeds import Ladder, changes, ladder
from exchanges.simulator.faces.sockets import Outgoing, read_message
from exchanges.simulator.listings import DYDX
from exchanges.simulator.wire import Json

MARKETS, BOOK, BLOCKS = "v4_markets", "v4_orderbook", "v4_block_height"
CONNECTION_ID = "simulated"
REPLY_TOPIC = "reply"
MOST_OF_A_CHANNEL = 32


@dataclass(slots=True)
class Channel:
    """One subscription and what was told of it last."""

    name: str
    of: str
    batched: bool
    stamp: int = -1
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def topic(self) -> str:
        return f"{self.name}:{self.of}"


class Socket:
    """One client's channels; messages are numbered as they leave.

    The word of welcome to a new socket is left out.
    """

    venue = DYDX

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(DYDX)
        self._channels: dict[str, Channel] = {}
        self._number = 0
        self._first: dict[str, Callable[[Channel, datetime], Json]] = {
            MARKETS: self._markets,
            BOOK: self._book,
            BLOCKS: self._block,
        }

    @property
    def topics(self) -> list[str]:
        return list(self._channels)

    def receive(self, text: str, *, now: datetime) -> list[Outgoing]:
        message = read_message(text)
        kind, name = message.get("type"), message.get("channel")
        if kind not in ("subscribe", "unsubscribe") or name not in self._first:
            return [self._error(f"Invalid message type: {kind}, channel: {name}")]
        of = str(message.get("id", name))
        if name == BOOK and of not in self._listings:
            return [self._error(f"Invalid subscription id for channel: ({name}-{of})")]
        channel = Channel(name, of, bool(message.get("batched")))
        if kind == "unsubscribe":
            self._channels.pop(channel.topic, None)
            return [self._message("unsubscribed", channel)]
        if channel.topic in self._channels:
            return [self._error(f"Invalid subscribe message: already subscribed ({name}-{of})")]
        if sum(one.name == name for one in self._channels.values()) >= MOST_OF_A_CHANNEL:
            return [self._error(f"Per-connection subscription limit reached for {name}")]
        self._channels[channel.topic] = channel
        return [self._message("subscribed", channel, self._first[name](channel, now))]

    def beat(self, *, now: datetime) -> list[Outgoing]:
        return [
            self._message("channel_batch_data", channel, [contents])
            if channel.batched
            else self._message("channel_data", channel, contents)
            for channel in self._channels.values()
            if (contents := self._due(channel, now))
        ]

    def happened(self, event: AccountEvent) -> list[Outgoing]:
        return []

    def _due(self, channel: Channel, now: datetime) -> Json:
        """Return what has changed since a channel was told of last; nothing is empty.

        Markets change with the blocks, of which there is one every second.
        """
        stamp = beat(now) if channel.name == BOOK else int(now.timestamp())
        if channel.stamp == stamp:
            return {}
        channel.stamp, before = stamp, channel.told
        after = self._first[channel.name](channel, now)
        if channel.name == BLOCKS:
            return after if after != before else {}
        if channel.name == MARKETS:
            return _changed_markets(before, after["markets"], now)
        sides = {side: changes(before[side], channel.told[side]) for side in ("bids", "asks")}
        return {side: rows for side, rows in sides.items() if rows}

    def _markets(self, channel: Channel, now: datetime) -> Json:
        rows = enumerate(self._listings.values())
        channel.told = {
            row.symbol: market.market(self._simulator, row, number, now) for number, row in rows
        }
        return {"markets": channel.told}

    def _book(self, channel: Channel, now: datetime) -> Json:
        book = self._simulator.book(self._listings[channel.of], now)
        told: dict[str, Ladder] = {"bids": ladder(book.bids), "asks": ladder(book.asks)}
        channel.told = told
        return {
            side: [{"price": price, "size": size} for price, size in levels.items()]
            for side, levels in told.items()
        }

    def _block(self, channel: Channel, now: datetime) -> Json:
        second = now.replace(microsecond=0)
        height = str(int(second.timestamp()))
        channel.told = {"blockHeight": height, "time": market.iso(second)}
        return channel.told

    def _message(self, kind: str, channel: Channel, contents: Any = None) -> Outgoing:
        self._number += 1
        told: Json = {
            "type": kind,
            "connection_id": CONNECTION_ID,
            "message_id": self._number,
            "channel": channel.name,
        }
        if channel.name != MARKETS:
            told["id"] = channel.of
        if kind.startswith("channel"):
            told["version"] = "1.0.0"
        if contents is not None:
            told["contents"] = contents
        return Outgoing.of(channel.topic, told)

    def _error(self, text: str) -> Outgoing:
        self._number += 1
        told = {
            "type": "error",
            "message": text,
            "connection_id": CONNECTION_ID,
            "message_id": self._number,
        }
        return Outgoing.of(REPLY_TOPIC, told)


def _changed_markets(before: Json, after: Json, now: datetime) -> Json:
    """Return oracle prices and rates that have changed, as two messages in one."""
    trading, prices = {}, {}
    for number, (name, row) in enumerate(after.items()):
        known = before.get(name, {})
        if row["oraclePrice"] != known.get("oraclePrice"):
            prices[name] = {
                "oraclePrice": row["oraclePrice"],
                "effectiveAt": market.iso(now),
                "effectiveAtHeight": str(int(now.timestamp())),
                "marketId": number,
            }
        if row["nextFundingRate"] != known.get("nextFundingRate"):
            trading[name] = {"nextFundingRate": row["nextFundingRate"]}
    return {key: rows for key, rows in (("trading", trading), ("oraclePrices", prices)) if rows}
