"""OKX's public channels, of one instrument each, or of one index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from exchanges.simulator.books import beat
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces import okx_market as market
from exchanges.simulator.listings import OKX, Listing
from exchanges.simulator.wire import Json, milliseconds

INDEX = "index-tickers"
# A channel that rests is sent anew after this time.
RESENT_AFTER = {
    "mark-price": timedelta(seconds=10),
    "index-tickers": timedelta(seconds=60),
    "funding-rate": timedelta(seconds=60),
    "tickers": timedelta(seconds=10),
    "bbo-tbt": timedelta(seconds=10),
}
ANSWER_FIELDS = frozenset({"ts", "seqId"})


@dataclass(frozen=True, slots=True)
class Channel:
    """One subscription."""

    name: str
    symbol: str

    @property
    def topic(self) -> str:
        return f"{self.name}:{self.symbol}"

    @property
    def argument(self) -> Json:
        return {"channel": self.name, "instId": self.symbol}


@dataclass(frozen=True, slots=True)
class Published:
    """What a channel's subscribers have seen last, and when."""

    stamp: int
    at: datetime
    row: Json
    bodies: list[bytes]


class OkxFeed:
    """The public channels of all contracts, each sent where it changed."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(OKX)
        self._published: dict[Channel, Published] = {}
        self._builders: dict[str, Callable[[Simulator, Listing, datetime], Json]] = {
            "mark-price": market.mark_price,
            INDEX: market.index_ticker,
            "funding-rate": market.funding_rate,
            "tickers": market.ticker,
            "bbo-tbt": _best,
        }

    def knows(self, channel: Channel) -> bool:
        listing = self._listings.get(_symbol(channel))
        if listing is None or channel.name not in self._builders:
            return False
        if channel.name in ("mark-price", INDEX):
            return listing.is_contract
        return listing.is_perpetual or channel.name != "funding-rate"

    def _row(self, channel: Channel, now: datetime) -> Json:
        listing = self._listings[_symbol(channel)]
        return self._builders[channel.name](self._simulator, listing, now)

    def snapshot(self, channel: Channel, *, now: datetime) -> bytes:
        """Return what a new subscriber is sent first."""
        row = self._row(channel, now)
        return _message(channel, row)

    def bodies(self, channel: Channel, *, now: datetime) -> list[bytes]:
        """Return the messages due at this beat; what has expired is silent."""
        if not self.knows(channel):
            return []
        last, stamp = self._published.get(channel), beat(now)
        if last is not None and last.stamp == stamp:
            return last.bodies
        row = self._row(channel, now)
        rests = last is not None and _told(row) == _told(last.row)
        if last is not None and rests and now - last.at < RESENT_AFTER[channel.name]:
            self._published[channel] = Published(stamp, last.at, last.row, [])
            return []
        published = Published(stamp, now, row, [_message(channel, row)])
        self._published[channel] = published
        return published.bodies


def _symbol(channel: Channel) -> str:
    """Return what a channel is of; an index is of the perpetual that is named like it."""
    return f"{channel.symbol}-SWAP" if channel.name == INDEX else channel.symbol


def _told(row: Json) -> Json:
    return {name: value for name, value in row.items() if name not in ANSWER_FIELDS}


def _best(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    book = simulator.book(listing, now)
    return {
        "asks": market.levels(listing, (book.ask,)),
        "bids": market.levels(listing, (book.bid,)),
        "ts": str(milliseconds(now)),
        "seqId": book.update_id,
    }


def _message(channel: Channel, row: Json) -> bytes:
    return orjson.dumps({"arg": channel.argument, "data": [row]})
