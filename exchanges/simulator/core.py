"""The simulator without any transport: clock, seed and state in, venue behaviour out.

`handle` answers one request, `tick` lets time pass. Both are synchronous and atomic: what they
changed is on disk before their result can leave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.matching import LeverageTier
from exchanges.simulator.accounts import Account, Order
from exchanges.simulator.admission import OrderIntent, Refusal
from exchanges.simulator.announcements import Announcements
from exchanges.simulator.books import Book, Books
from exchanges.simulator.countdowns import fire_countdowns
from exchanges.simulator.engine import Engine
from exchanges.simulator.events import AccountEvent
from exchanges.simulator.expiry import ExpiryClock
from exchanges.simulator.interest import InterestClock
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import Listing
from exchanges.simulator.market import Market, previous_settlement
from exchanges.simulator.pins import PinnedMarket
from exchanges.simulator.settlement import FundingClock, liquidate_weak, settlement_price

HISTORY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """One past settlement as a venue publishes it."""

    at: datetime
    rate: Decimal
    price: Decimal


class Simulator:
    """All simulated venues over one ledger, one market and one clock."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        market: Market,
        seed: int,
        now: Callable[[], datetime],
    ) -> None:
        self.ledger = ledger
        self.now = now
        self._unpinned = market
        self.market = PinnedMarket(market, ledger)
        self.books = Books(self.market, seed=seed)
        self.announcements = Announcements(ledger)
        self.listeners: list[Callable[[AccountEvent], None]] = []
        self.engine = Engine(ledger=ledger, market=self.market, books=self.books, tell=self._tell)
        self.funding_clock = FundingClock(
            ledger=ledger, market=self.market, tell=self._tell, started_at=now()
        )
        self.interest_clock = InterestClock(ledger=ledger, market=self.market, started_at=now())
        self.expiry_clock = ExpiryClock(ledger=ledger, market=self.market, engine=self.engine)
        self._listed: dict[str, dict[str, Listing]] = {}
        for listing in market.listings.values():
            if self.expiry_clock.is_listed(listing):
                self._listed.setdefault(listing.venue, {})[listing.symbol] = listing
        self.advance(now())

    def advance(self, now: datetime) -> None:
        """Book settlements, expiries and countdowns that are due, before anything else happens."""
        self.funding_clock.settle_due(now)
        for listing in self.expiry_clock.deliver_due(now):
            self.unlist(listing)
        self.interest_clock.charge_due(now)
        fire_countdowns(self.ledger, self.engine, now=now)

    def tick(self) -> datetime:
        """Let one beat pass: settle, match resting orders, liquidate. Return its moment."""
        now = self.now()
        self.advance(now)
        self.engine.match_resting(now)
        liquidate_weak(self.ledger, self.market, self.engine, now=now)
        self.ledger.commit()
        return now

    def place(self, account: Account, intent: OrderIntent, *, now: datetime) -> Order | Refusal:
        return self.engine.place(account, intent, now=now)

    def book(self, listing: Listing, now: datetime) -> Book:
        return self.books.book(listing, now)

    def deliver(self, listing: Listing, *, price: Decimal | None, now: datetime) -> list[Order]:
        """Deliver a dated future now, before its time."""
        orders = self.expiry_clock.deliver(listing, at=now, price=price)
        self.unlist(listing)
        return orders

    def set_tiers(self, listing: Listing, tiers: tuple[LeverageTier, ...]) -> None:
        """Give a contract other risk tiers, for what is held of it already too."""
        changed = replace(listing, tiers=tiers)
        self.market.relist(changed)
        self._listed[listing.venue][listing.symbol] = changed

    def listings_at(self, venue: str) -> Mapping[str, Listing]:
        """Return what a venue lists, as a view that what has expired goes away from."""
        return self._listed.setdefault(venue, {})

    def once_listed_at(self, venue: str) -> Mapping[str, Listing]:
        """Return what a venue lists or has listed: it still tells of orders in the latter."""
        return {row.symbol: row for row in self.market.listings.values() if row.venue == venue}

    def settled(
        self, listing: Listing, *, now: datetime, since: datetime | None = None
    ) -> list[Settled]:
        """Return past settlements, oldest first; before this state's birth the market's own."""
        recorded = [
            Settled(at=row.settled_at, rate=row.funding_rate, price=row.settlement_price)
            for row in self.ledger.settlements(listing.key)
        ]
        interval = self.market.interval(listing)
        limit = HISTORY if since is None else min(HISTORY, (now - since) // interval + 2)
        missing = limit - len(recorded)
        last = previous_settlement(now, interval)
        if recorded:
            last = recorded[0].at - interval
        earlier = [
            self._before_birth(listing, last - number * interval)
            for number in reversed(range(max(0, missing)))
        ]
        return (earlier + recorded)[-limit:]

    def unlist(self, listing: Listing) -> None:
        """Name an instrument no more, whatever is held of it."""
        self._listed[listing.venue].pop(listing.symbol, None)

    def list_again(self, listing: Listing) -> None:
        self._listed[listing.venue][listing.symbol] = listing

    def _before_birth(self, listing: Listing, at: datetime) -> Settled:
        return Settled(
            at=at,
            rate=self._unpinned.settled_rate(listing, at),
            price=settlement_price(self._unpinned, listing, at),
        )

    def _tell(self, event: AccountEvent) -> None:
        for listener in self.listeners:
            listener(event)


def whole_minutes(interval: timedelta) -> float | int:
    """Return an interval in minutes, as an int where it is whole."""
    minutes = interval / timedelta(minutes=1)
    return int(minutes) if minutes == int(minutes) else minutes
