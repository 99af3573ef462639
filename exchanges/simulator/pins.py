"""Market controls: prices, rates and depth that a test has set by hand, over any market."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.simulator.accounts import Pin
from exchanges.simulator.characters import character_of
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import Listing, ListingKey
from exchanges.simulator.market import Market, on_tick

# Nobody else trades here: what is held of a contract at its first price, how often a day it turns.
HELD_USD, DAY_TURNS = Decimal(480_000_000), 3


class PinnedMarket:
    """A market whose pinned listings answer what was pinned; implements `Market`."""

    def __init__(self, market: Market, ledger: Ledger) -> None:
        self._market = market
        self._ledger = ledger
        self._listings = dict(market.listings)

    @property
    def listings(self) -> Mapping[ListingKey, Listing]:
        return self._listings

    def relist(self, listing: Listing) -> None:
        """Have a contract listed with other terms from now on; a new start forgets them."""
        self._listings[listing.key] = listing

    def pin(self, listing: Listing) -> Pin | None:
        return self._ledger.pins.get(listing.key)

    def interval(self, listing: Listing) -> timedelta:
        return self._market.interval(listing)

    def mid(self, listing: Listing, at: datetime) -> Decimal:
        return self._price(listing) or self._market.mid(listing, at)

    def mark(self, listing: Listing, at: datetime) -> Decimal:
        return self._price(listing) or self._market.mark(listing, at)

    def index(self, listing: Listing, at: datetime) -> Decimal:
        return self._price(listing) or self._market.index(listing, at)

    def predicted_rate(self, listing: Listing, at: datetime) -> Decimal:
        pinned = self._rate(listing)
        return self._market.predicted_rate(listing, at) if pinned is None else pinned

    def settled_rate(self, listing: Listing, settlement_at: datetime) -> Decimal:
        pinned = self._rate(listing)
        return self._market.settled_rate(listing, settlement_at) if pinned is None else pinned

    def borrow_rate(self, listing: Listing, at: datetime) -> Decimal:
        pin = self.pin(listing)
        if pin is not None and pin.borrow_rate is not None:
            return pin.borrow_rate
        return self._market.borrow_rate(listing, at)

    def open_interest(self, listing: Listing) -> Decimal:
        """Return what is held of a contract in base units: worth as much of every one."""
        pin = self.pin(listing)
        if pin is not None and pin.open_interest is not None:
            return pin.open_interest
        held = HELD_USD / Decimal(character_of(listing.base).start_price)
        return on_tick(held, listing.lot)

    def day_volume(self, listing: Listing) -> Decimal:
        """Return what was traded of a contract within a day, in base units."""
        pin = self.pin(listing)
        if pin is not None and pin.day_volume is not None:
            return pin.day_volume
        return DAY_TURNS * self.open_interest(listing)

    def _price(self, listing: Listing) -> Decimal | None:
        pin = self.pin(listing)
        return pin.price if pin else None

    def _rate(self, listing: Listing) -> Decimal | None:
        pin = self.pin(listing)
        return pin.funding_rate if pin else None
