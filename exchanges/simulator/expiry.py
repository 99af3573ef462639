"""Delivery of dated futures: settled at the mean of their index, then listed no more."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.simulator.accounts import Order, Origin
from exchanges.simulator.engine import Engine
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import Listing, ListingKey
from exchanges.simulator.market import on_tick
from exchanges.simulator.pins import PinnedMarket
from exchanges.simulator.settlement import delist

DELIVERED = "delivered"
MINUTE = timedelta(minutes=1)
AVERAGED_MINUTES = 30


class ExpiryClock:
    """Delivers each dated future exactly once, those missed while stopped included."""

    def __init__(self, *, ledger: Ledger, market: PinnedMarket, engine: Engine) -> None:
        self._ledger = ledger
        self._market = market
        self._engine = engine
        self._delivered: set[ListingKey] = {
            (venue, symbol) for venue, symbol in ledger.meta(DELIVERED) or []
        }
        self._due_at = self._next_due()

    def is_listed(self, listing: Listing) -> bool:
        return listing.key not in self._delivered

    def deliver_due(self, now: datetime) -> list[Listing]:
        """Deliver what has expired, in order of time, and return it."""
        if self._due_at is None or now < self._due_at:
            return []
        due = [(at, listing) for at, listing in self._undelivered() if at <= now]
        for expired_at, listing in due:
            self.deliver(listing, at=expired_at)
        return [listing for _, listing in due]

    def deliver(
        self, listing: Listing, *, at: datetime, price: Decimal | None = None
    ) -> list[Order]:
        """Settle every position at `price`, else at the mean index of the last half hour."""
        orders = delist(
            self._ledger,
            self._engine,
            listing,
            origin=Origin.DELIVERY,
            price=price or self.delivery_price(listing, at),
            now=at,
        )
        self._delivered.add(listing.key)
        self._due_at = self._next_due()
        self._ledger.put_meta(DELIVERED, sorted(self._delivered))
        self._ledger.commit()
        return orders

    def _undelivered(self) -> list[tuple[datetime, Listing]]:
        found = [
            (listing.expires_at, listing)
            for listing in self._market.listings.values()
            if listing.expires_at is not None and self.is_listed(listing)
        ]
        return sorted(found, key=lambda row: row[0])

    def _next_due(self) -> datetime | None:
        return next((at for at, _ in self._undelivered()), None)

    def delivery_price(self, listing: Listing, at: datetime) -> Decimal:
        minutes = (at - number * MINUTE for number in range(AVERAGED_MINUTES))
        prices = [self._market.index(listing, minute) for minute in minutes]
        return on_tick(sum(prices, Decimal(0)) / len(prices), listing.tick)
