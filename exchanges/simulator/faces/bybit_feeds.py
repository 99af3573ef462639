"""Bybit's public topics: `tickers.SYMBOL` and `orderbook.DEPTH.SYMBOL`, snapshot then deltas.

A spot ticker is a snapshot each time and says nothing of the book.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import orjson

from exchanges.simulator.books import beat
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.bybit_market import ticker
from exchanges.simulator.faces.bybit_spot import spot_ticker
from exchanges.simulator.faces.feeds import Ladder, changes, ladder
from exchanges.simulator.listings import BYBIT, BYBIT_SPOT, Listing
from exchanges.simulator.wire import Json, milliseconds

DEPTHS = ("1", "50", "200", "500")


@dataclass(slots=True)
class Published:
    """The state a topic's subscribers hold, and what was sent to bring them there."""

    stamp: int
    bodies: list[bytes] = field(default_factory=list)
    fields: Json = field(default_factory=dict)
    bids: Ladder = field(default_factory=dict)
    asks: Ladder = field(default_factory=dict)


class BybitFeed:
    """Public topics of one category: linear, inverse or spot."""

    def __init__(self, simulator: Simulator, category: str) -> None:
        self._simulator = simulator
        self._is_inverse = category == "inverse"
        self._is_spot = category == "spot"
        self._listings = simulator.listings_at(BYBIT_SPOT if self._is_spot else BYBIT)
        self._published: dict[str, Published] = {}

    def knows(self, topic: str) -> bool:
        kind, _, rest = topic.partition(".")
        depth, _, symbol = rest.rpartition(".")
        if kind == "tickers":
            return self._lists(rest)
        return kind == "orderbook" and depth in DEPTHS and self._lists(symbol)

    def snapshot(self, topic: str, *, now: datetime) -> bytes:
        """Return the state from which this topic's next delta goes on."""
        self.bodies(topic, now=now)
        state = self._published[topic]
        if topic.startswith("tickers."):
            return _message(topic, "snapshot", state.fields, now, cs=state.stamp)
        return _message(topic, "snapshot", self._book_data(topic, state), now)

    def bodies(self, topic: str, *, now: datetime) -> list[bytes]:
        """Return the messages due on `topic` at this beat; what has expired is silent."""
        if not self.knows(topic):
            return []
        stamp = beat(now)
        last = self._published.get(topic)
        if last is not None and last.stamp == stamp:
            return last.bodies
        build = self._ticker if topic.startswith("tickers.") else self._orderbook
        published = build(topic, last, stamp, now)
        self._published[topic] = published
        return published.bodies

    def _lists(self, symbol: str) -> bool:
        listing = self._listings.get(symbol)
        return listing is not None and listing.is_inverse == self._is_inverse

    def _listing(self, topic: str) -> Listing:
        return self._listings[topic.rpartition(".")[2]]

    def _ticker(self, topic: str, last: Published | None, stamp: int, now: datetime) -> Published:
        build = spot_ticker if self._is_spot else ticker
        fields = build(self._simulator, self._listing(topic), now)
        published = Published(stamp, fields=fields)
        if last is None:
            return published
        if self._is_spot:
            published.bodies = [_message(topic, "snapshot", fields, now, cs=stamp)]
            return published
        changed = {name: value for name, value in fields.items() if last.fields.get(name) != value}
        if changed:
            data = {"symbol": fields["symbol"]} | changed
            published.bodies = [_message(topic, "delta", data, now, cs=stamp)]
        return published

    def _orderbook(
        self, topic: str, last: Published | None, stamp: int, now: datetime
    ) -> Published:
        depth = int(topic.split(".")[1])
        book = self._simulator.book(self._listing(topic), now)
        bids, asks = ((book.bid,), (book.ask,)) if depth == 1 else (book.bids, book.asks)
        published = Published(stamp, bids=ladder(bids[:depth]), asks=ladder(asks[:depth]))
        if last is None:
            return published
        new_bids = changes(last.bids, published.bids)
        new_asks = changes(last.asks, published.asks)
        # The venue sends the top of the book whole each time, deeper books as changes.
        if depth == 1 and (new_bids or new_asks):
            data = self._book_data(topic, published)
            published.bodies = [_message(topic, "snapshot", data, now)]
        elif new_bids or new_asks:
            data = self._book_data(topic, published) | {"b": new_bids, "a": new_asks}
            published.bodies = [_message(topic, "delta", data, now)]
        return published

    def _book_data(self, topic: str, state: Published) -> Json:
        return {
            "s": self._listing(topic).symbol,
            "b": [[price, size] for price, size in state.bids.items()],
            "a": [[price, size] for price, size in state.asks.items()],
            "u": state.stamp,
            "seq": state.stamp,
        }


def _message(topic: str, kind: str, data: Json, now: datetime, **extra: object) -> bytes:
    message: Json = {"topic": topic, "type": kind, "ts": milliseconds(now), "data": data}
    return orjson.dumps(message | extra)
