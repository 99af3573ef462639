"""The synthetic order book: a ladder around the mid, drawn anew each beat.

Levels have finite size, so large orders fill in part. What an order has taken cannot be taken again
before the next beat; published books show the ladder as drawn, so that snapshots and streams, whose
update ids count beats, always agree.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from functools import cached_property

from exchanges.domain import Level, Side
from exchanges.simulator.listings import Listing, ListingKey
from exchanges.simulator.noise import uniform
from exchanges.simulator.pins import PinnedMarket

BEAT_MILLISECONDS = 250
LEVELS = 25
STEP_BPS = Decimal("0.8")
SIZE_HOLDS_BEATS = 8
ONE = Decimal(1)
TEN_THOUSAND = Decimal(10_000)


Ladder = tuple[Level, ...]


class Book:
    """Bids from the highest, asks from the lowest price; below the touch drawn when looked at."""

    def __init__(
        self, *, update_id: int, bid: Level, ask: Level, draw: Callable[[Side], Ladder]
    ) -> None:
        self.update_id = update_id
        self.bid = bid
        self.ask = ask
        self._draw = draw

    @cached_property
    def bids(self) -> Ladder:
        return self._draw(Side.BUY)

    @cached_property
    def asks(self) -> Ladder:
        return self._draw(Side.SELL)

    def opposite(self, side: Side) -> tuple[Level, ...]:
        """Return the levels an order of `side` would take."""
        return self.asks if side is Side.BUY else self.bids

    def touch(self, side: Side) -> Level:
        """Return the best level on the order's own side."""
        return self.bid if side is Side.BUY else self.ask


class Books:
    """Books of all listings, one per listing and beat."""

    def __init__(self, market: PinnedMarket, *, seed: int) -> None:
        self._market = market
        self._seed = seed
        self._current: dict[ListingKey, Book] = {}
        self._left: dict[ListingKey, Book] = {}
        self._drawn_sizes: dict[ListingKey, tuple[int, list[Decimal]]] = {}

    def book(self, listing: Listing, at: datetime) -> Book:
        update_id = beat(at)
        current = self._current.get(listing.key)
        if current is None or current.update_id != update_id:
            current = self._drawn(listing, at, update_id)
            self._current[listing.key] = current
            self._left.pop(listing.key, None)
        return current

    def remaining(self, listing: Listing, at: datetime) -> Book:
        """Return what may still be taken in this beat."""
        drawn = self.book(listing, at)
        return self._left.get(listing.key, drawn)

    def forget(self, listing: Listing) -> None:
        """Draw this book anew at the next look: its pin has changed."""
        self._current.pop(listing.key, None)
        self._drawn_sizes.pop(listing.key, None)

    def consume(self, listing: Listing, side: Side, taken: tuple[Level, ...]) -> None:
        """Remove what an order of `side` took; the last level stays, at one lot if need be."""
        current = self._left.get(listing.key, self._current[listing.key])
        gone = {level.price: level.base_quantity for level in taken}
        rest = tuple(
            Level(price=level.price, base_quantity=left)
            for level in current.opposite(side)
            if (left := level.base_quantity - gone.get(level.price, Decimal(0))) > 0
        ) or (Level(price=current.opposite(side)[-1].price, base_quantity=listing.lot),)
        is_buy = side is Side.BUY
        self._left[listing.key] = Book(
            update_id=current.update_id,
            bid=current.bid if is_buy else rest[0],
            ask=rest[0] if is_buy else current.ask,
            draw=lambda own: rest if own is not side else current.opposite(own.opposite),
        )

    def _drawn(self, listing: Listing, at: datetime, update_id: int) -> Book:
        mid, tick = self._market.mid(listing, at), listing.tick
        half = mid * listing.spread_bps / TEN_THOUSAND / 2
        bid = _to_tick(mid - half, tick, ROUND_FLOOR)
        ask = max(_to_tick(mid + half, tick, ROUND_CEILING), bid + tick)
        step = max(_to_tick(mid * STEP_BPS / TEN_THOUSAND, tick, ROUND_FLOOR), tick)
        sizes = self._sizes(listing, mid, update_id // SIZE_HOLDS_BEATS)

        def ladder(side: Side) -> Ladder:
            # Near zero a coarse tick could walk a ladder below the first tick.
            first, offset = (bid, 0) if side is Side.BUY else (ask, LEVELS)
            return tuple(
                Level(price=price, base_quantity=sizes[offset + number])
                for number in range(LEVELS)
                if (price := first - side.sign * number * step) > 0
            )

        return Book(
            update_id=update_id,
            bid=Level(price=bid, base_quantity=sizes[0]),
            ask=Level(price=ask, base_quantity=sizes[LEVELS]),
            draw=ladder,
        )

    def _sizes(self, listing: Listing, mid: Decimal, draw: int) -> list[Decimal]:
        """Return level sizes, which hold for a while."""
        pin = self._market.pin(listing)
        if pin is not None and pin.level_quantity is not None:
            return [pin.level_quantity] * (2 * LEVELS)
        held = self._drawn_sizes.get(listing.key)
        if held is not None and held[0] == draw:
            return held[1]
        name, touch = f"size/{listing.key}", listing.touch_notional / mid
        sizes = [
            max(listing.lot, _to_tick(touch * factor, listing.lot, ROUND_DOWN))
            for factor in (
                Decimal(str(0.5 + uniform(self._seed, name, draw * 64 + number)))
                * (1 + Decimal(number % LEVELS) / 2)
                for number in range(2 * LEVELS)
            )
        ]
        self._drawn_sizes[listing.key] = (draw, sizes)
        return sizes


def beat(at: datetime) -> int:
    """Return the number of the market's beat at `at`."""
    return int(at.timestamp() * 1000) // BEAT_MILLISECONDS


def _to_tick(value: Decimal, tick: Decimal, rounding: str) -> Decimal:
    return (value / tick).quantize(ONE, rounding=rounding) * tick
