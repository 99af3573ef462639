"""Books of venues that stream no touch by itself: a snapshot, and what changed since.

What such a socket leaves out has not changed: while it brings changes of any book, all tops that it
has told stand, and are told again with the moment of the message that confirms them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, Emit
from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.numbers import streamed
from exchanges.domain import BookTop, Side
from exchanges.errors import UnexpectedPayload

CONFIRMED_EVERY = timedelta(seconds=1)
LOOKED_THROUGH_EVERY = timedelta(seconds=0.25)
# One subscription of a socket may have died alone: a book that never moves is not vouched for.
BELIEVED_FOR = timedelta(minutes=5)

# A price and what stands there, in the venue's units.
Level = tuple[Decimal, Decimal]
Touch = tuple[Level, Level]


class Ladder:
    """The levels of one book by price, as the venue wrote them."""

    def __init__(self) -> None:
        self.bids: dict[Decimal, Decimal] = {}
        self.asks: dict[Decimal, Decimal] = {}

    def levels(self, side: Side) -> dict[Decimal, Decimal]:
        """Return what stands on one side at each price."""
        return self.bids if side is Side.BUY else self.asks

    def put(self, side: Side, price: Any, size: Any) -> None:
        """Set what stands at a price, 0 for nothing. Raise UnexpectedPayload for less."""
        levels = self.levels(side)
        at, standing = streamed(price), streamed(size)
        if standing < 0 or at <= 0:
            raise UnexpectedPayload("a level that no book could have")
        if standing:
            levels[at] = standing
        else:
            levels.pop(at, None)

    def touch(self) -> Touch | None:
        """Return the best bid and ask, None while a side is empty."""
        if not self.bids or not self.asks:
            return None
        bid, ask = max(self.bids), min(self.asks)
        return (bid, self.bids[bid]), (ask, self.asks[ask])

    def trim(self, depth: int) -> None:
        """Forget what lies beyond the best `depth` levels of each side."""
        for price in sorted(self.bids, reverse=True)[depth:]:
            del self.bids[price]
        for price in sorted(self.asks)[depth:]:
            del self.asks[price]


L = TypeVar("L", bound=Ladder)


class Books(Generic[L]):
    """The books of one socket, by the names that it calls them."""

    def __init__(self, listings: ByVenueSymbol, emit: Emit, empty: Callable[[], L]) -> None:
        self._listings = listings
        self._emit = emit
        self._empty = empty
        self._ladders: dict[str, L] = {}
        self._changed_at: dict[str, datetime] = {}
        self._told: dict[str, tuple[Touch, datetime]] = {}
        self._looked_at = datetime.min.replace(tzinfo=UTC)

    def restart(self) -> None:
        """Forget all books: a new socket begins with new snapshots."""
        self._ladders.clear()
        self._changed_at.clear()
        self._told.clear()

    def knows(self, name: str) -> bool:
        """Tell whether that book was asked for."""
        return name in self._listings

    def begin(self, name: str) -> L:
        """Return a new, empty book in the place of what was known."""
        ladder = self._ladders[name] = self._empty()
        return ladder

    def of(self, name: str) -> L:
        """Return a book. Raise UnexpectedPayload where it changes before its snapshot."""
        ladder = self._ladders.get(name)
        if ladder is None:
            raise UnexpectedPayload("a change of a book that has not begun")
        return ladder

    def tell(self, name: str, now: datetime) -> None:
        """Tell the top of a book that has just changed, where that is another now."""
        self._changed_at[name] = now
        touch = self.of(name).touch()
        if touch is None:
            self._told.pop(name, None)
        elif name not in self._told or self._told[name][0] != touch:
            self._tell(name, touch, now)

    def confirm(self, now: datetime) -> None:
        """Tell once a second, upon whatever arrives, the tops that have not changed meanwhile."""
        if now - self._looked_at < LOOKED_THROUGH_EVERY:
            return
        self._looked_at = now
        for name, (touch, told) in self._told.items():
            believed = now - self._changed_at[name] < BELIEVED_FOR
            if believed and now - told >= CONFIRMED_EVERY:
                self._tell(name, touch, now)

    def _tell(self, name: str, touch: Touch, now: datetime) -> None:
        self._told[name] = touch, now
        self._emit(_top(self._listings[name], *touch, now))


def _top(listing: Listing, bid: Level, ask: Level, now: datetime) -> BookTop:
    return BookTop(
        venue=listing.instrument.venue,
        symbol=listing.instrument.symbol,
        bid=listing.price(bid[0]),
        bid_quantity=listing.base_quantity(bid[1]),
        ask=listing.price(ask[0]),
        ask_quantity=listing.base_quantity(ask[1]),
        observed_at=now,
    )
