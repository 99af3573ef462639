"""Binance's public streams: one message per stream and beat, shared by all its subscribers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from exchanges.simulator.books import beat
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces import binance_spot_payloads, binance_usdm_market
from exchanges.simulator.faces.feeds import Ladder, changes, ladder
from exchanges.simulator.listings import SPOT, Listing
from exchanges.simulator.wire import Json, milliseconds, plain

BEATS_PER_SECOND = 4


@dataclass(slots=True)
class Published:
    """What a stream last said. `stamp` is the beat at which it was made."""

    stamp: int
    bodies: list[bytes]
    bids: Ladder
    asks: Ladder


class BinanceFeed:
    """Streams of one Binance interface, spot or USD-M."""

    def __init__(self, simulator: Simulator, venue: str) -> None:
        self._simulator = simulator
        self._is_spot = venue == SPOT
        self._listings: Mapping[str, Listing] = simulator.listings_at(venue)
        self._published: dict[str, Published] = {}
        per_symbol: dict[str, Callable[[Listing, datetime], Json]] = {
            "bookTicker": self._book_ticker,
            "miniTicker": self._mini_ticker,
            "ticker": self._ticker,
        }
        if not self._is_spot:
            per_symbol |= {"markPrice": self._mark_price, "markPrice@1s": self._mark_price}
        self._per_symbol = per_symbol

    def bodies(self, stream: str, *, now: datetime) -> list[bytes]:
        """Return the messages due on `stream` at this beat; an unknown stream is silent."""
        stamp = beat(now)
        last = self._published.get(stream)
        if last is not None and last.stamp == stamp:
            return last.bodies
        published = self._next(stream, last, stamp, now)
        self._published[stream] = published
        return published.bodies

    def _next(self, stream: str, last: Published | None, stamp: int, now: datetime) -> Published:
        name, _, kind = stream.partition("@")
        if kind.startswith("depth"):
            return self._depth(name, last, stamp, now)
        payloads: list[object] = []
        is_slow = not name.endswith("bookTicker") and kind != "bookTicker"
        is_due = not is_slow or last is None or stamp % BEATS_PER_SECOND == 0
        if is_due:
            payloads = self._payloads(name, kind, now)
        bodies = [orjson.dumps(payload) for payload in payloads]
        return Published(stamp, bodies, {}, {})

    def _payloads(self, name: str, kind: str, now: datetime) -> list[object]:
        if name == "!bookTicker":
            return [self._book_ticker(row, now) for row in self._listings.values()]
        if name in ("!markPrice", "!miniTicker", "!ticker"):
            build = self._per_symbol.get(name[1:])
            return [[build(row, now) for row in self._listings.values()]] if build else []
        build, listing = self._per_symbol.get(kind), self._listings.get(name.upper())
        return [build(listing, now)] if build and listing else []

    def _depth(self, name: str, last: Published | None, stamp: int, now: datetime) -> Published:
        listing = self._listings.get(name.upper())
        if listing is None:
            return Published(stamp, [], {}, {})
        book = self._simulator.book(listing, now)
        bids, asks = ladder(book.bids), ladder(book.asks)
        previous = last or Published(stamp - 1, [], {}, {})
        payload: Json = {
            "e": "depthUpdate",
            "E": milliseconds(now),
            "s": listing.symbol,
            "U": previous.stamp + 1,
            "u": stamp,
            "b": changes(previous.bids, bids),
            "a": changes(previous.asks, asks),
        }
        if not self._is_spot:
            extra = {"T": milliseconds(now), "pu": previous.stamp, "ps": listing.symbol, "st": 1}
            payload |= extra
        return Published(stamp, [orjson.dumps(payload)], bids, asks)

    def _book_ticker(self, listing: Listing, now: datetime) -> Json:
        book = self._simulator.book(listing, now)
        payload: Json = {
            "u": book.update_id,
            "s": listing.symbol,
            "b": plain(book.bid.price),
            "B": plain(book.bid.base_quantity),
            "a": plain(book.ask.price),
            "A": plain(book.ask.base_quantity),
        }
        if self._is_spot:
            return payload
        stamp = milliseconds(now)
        extra = {"e": "bookTicker", "E": stamp, "T": stamp, "st": 1, "ps": listing.symbol}
        return payload | extra

    def _mark_price(self, listing: Listing, now: datetime) -> Json:
        market = self._simulator.market
        index = plain(market.index(listing, now))
        return {
            "e": "markPriceUpdate",
            "E": milliseconds(now),
            "s": listing.symbol,
            "p": plain(market.mark(listing, now)),
            "i": index,
            "P": index,
            "r": binance_usdm_market.predicted_rate(self._simulator, listing, now),
            "T": binance_usdm_market.next_funding_time(self._simulator, listing, now),
            "st": 1,
        }

    def _day(self, listing: Listing, now: datetime) -> Json:
        if self._is_spot:
            return binance_spot_payloads.ticker(self._simulator, listing, now)
        return binance_usdm_market.ticker(self._simulator, listing, now)

    def _mini_ticker(self, listing: Listing, now: datetime) -> Json:
        day = self._day(listing, now)
        return {
            "e": "24hrMiniTicker",
            "E": milliseconds(now),
            "s": listing.symbol,
            "c": day["lastPrice"],
            "o": day["openPrice"],
            "h": day["highPrice"],
            "l": day["lowPrice"],
            "v": day["volume"],
            "q": day["quoteVolume"],
        }

    def _ticker(self, listing: Listing, now: datetime) -> Json:
        day = self._day(listing, now)
        payload = self._mini_ticker(listing, now) | {
            "e": "24hrTicker",
            "p": day["priceChange"],
            "P": day["priceChangePercent"],
            "w": day["weightedAvgPrice"],
            "Q": day["lastQty"],
            "O": day["openTime"],
            "C": day["closeTime"],
            "F": day["firstId"],
            "L": day["lastId"],
            "n": day["count"],
        }
        if not self._is_spot:
            payload["st"] = 1
        else:
            payload |= {
                "x": day["prevClosePrice"],
                "b": day["bidPrice"],
                "B": day["bidQty"],
                "a": day["askPrice"],
                "A": day["askQty"],
            }
        return payload
