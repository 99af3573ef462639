"""One client per credential, and what its venue lists, shared by all clients of that venue."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Any, TypeVar

from exchanges.ccxt_adapter.clock import VenueClock
from exchanges.ccxt_adapter.connections import ConnectionBudget
from exchanges.ccxt_adapter.faults import reading, setting, submitting
from exchanges.ccxt_adapter.library import REAL, Credential, Surroundings, create_exchange
from exchanges.ccxt_adapter.listing import (
    Listing,
    Listings,
    delivered_listing,
    former_listing,
    read_listings,
)
from exchanges.ccxt_adapter.numbers import exact
from exchanges.ccxt_adapter.rows import fetch_rows
from exchanges.ccxt_adapter.sent import since_sent
from exchanges.ccxt_adapter.tiers import FamilyRates
from exchanges.domain import Instrument, Symbol
from exchanges.errors import (
    ClockRefused,
    InvalidOrder,
    UnexpectedPayload,
    VenueError,
    VenueUnavailable,
)
from exchanges.outcomes import about_orders
from exchanges.venues.practice import Practice
from exchanges.venues.profile import VenueProfile

T = TypeVar("T")

PING_SECONDS = 10.0
QUICK_MILLISECONDS = 1_000
# Beyond it a venue is asked anew before anybody is told of it.
DOUBTED = timedelta(seconds=1)
# Of a machine whose clock is off by more no certificate of a venue would be valid.
MOST_APART_MILLISECONDS = 86_400_000
# A symbol we do not know may just have been listed.
RELIST_MISSING_SECONDS = 60.0


class Catalogue:
    """What one venue lists, loaded once per process and shared by all its clients."""

    def __init__(self, profile: VenueProfile, *, processes: int = 1) -> None:
        self.profile = profile
        self.listings = Listings()
        self.ended: dict[Symbol, Listing] = {}
        self.ever = Listings()
        # Contracts that the venue lists and we do not: inverse ones, for example.
        self.others: frozenset[str] = frozenset()
        self.generation = 0
        self.loaded_at = -math.inf
        self.source: Any = None
        self.connections = ConnectionBudget(profile.quotas.sockets, processes=processes)
        families = profile.family_tiers
        self._family_rates = FamilyRates(families) if families else None
        self._lock = asyncio.Lock()

    async def load(self, exchange: Any, *, newer_than: int) -> None:
        """Read what the venue lists unless another client did since `newer_than`."""
        async with self._lock:
            if self.generation > newer_than:
                return
            asked_at = monotonic()
            markets = await exchange.load_markets(True)
            maintenance = await self._maintenance_rates(exchange, markets)
            before = self.listings.by_symbol
            listings = read_listings(self.profile, markets.values(), maintenance)
            if not listings.by_symbol:
                raise UnexpectedPayload("a venue that lists nothing", venue=self.profile.name)
            self.listings = listings
            gone = before.keys() - self.listings.by_symbol.keys()
            self.ended |= {symbol: before[symbol] for symbol in gone}
            self._note_ever()
            contracts = (market for market in markets.values() if market["contract"])
            names = {str(market.get(self.profile.name_key)) for market in contracts}
            self.others = frozenset(names - self.ever.of(is_spot=False).keys())
            self.source = exchange
            self.loaded_at = asked_at
            self.generation += 1

    def remember(self, instruments: Iterable[Instrument]) -> None:
        """Know what was traded here before this process began, should it be listed no more."""
        for instrument in instruments:
            self.ended.setdefault(instrument.symbol, former_listing(self.profile, instrument))
        self._note_ever()

    def _note_ever(self) -> None:
        # A name that was given anew means the new one: what is listed comes last.
        listed = self.listings.by_symbol
        # Copied first: who remembers is another thread than who loads.
        former = [one for one in list(self.ended.values()) if one.symbol not in listed]
        self.ever = Listings([*former, *listed.values()])

    def is_older_than(self, seconds: float) -> bool:
        """Tell whether the venue was last asked longer ago than that."""
        return monotonic() - self.loaded_at > seconds

    @property
    def is_due(self) -> bool:
        """Tell whether it is time to ask the venue again."""
        return self.is_older_than(self.profile.relisted_every.total_seconds())

    @property
    def is_loading(self) -> bool:
        """Tell whether somebody is asking the venue."""
        return self._lock.locked()

    async def _maintenance_rates(
        self, exchange: Any, markets: Mapping[str, Any]
    ) -> dict[str, Decimal]:
        if self._family_rates is not None:
            return await self._family_rates.by_venue_symbol(exchange, markets.values())
        tiers = self.profile.leverage_tiers
        if tiers is None:
            return {}
        columns = tiers.columns
        return {
            row[columns["symbol"]]: exact(row[columns["maintenance"]])
            for row in await fetch_rows(exchange, tiers)
            if row[columns["is_lowest"]]
        }


class VenueClient:
    """One ccxt instance of one credential (or none) with the listings of its venue."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        credential: Credential | None = None,
        simulator_url: str | None = None,
        surroundings: Surroundings = REAL,
        practice: Practice | None = None,
    ) -> None:
        self.profile = catalogue.profile
        self.practice = practice
        self._surroundings = surroundings
        self.exchange = create_exchange(
            self.profile,
            credential=credential,
            simulator_url=simulator_url,
            surroundings=surroundings,
            practice=practice,
        )
        self._catalogue = catalogue
        self._clock = VenueClock(surroundings.now, surroundings.monotonic)
        self._generation = 0
        self._pings: asyncio.Task[None] | None = None
        self._relisting: asyncio.Task[None] | None = None

    @property
    def connections(self) -> ConnectionBudget:
        """Return what all sockets of this venue in this process share."""
        return self._catalogue.connections

    def now(self) -> datetime:
        """Return what this client's clock says."""
        return self._surroundings.now()

    async def dated(self, call: Awaitable[T]) -> tuple[T, datetime]:
        """Await what asks the venue; return the answer and when its first request was sent."""
        return await since_sent(call, asked_at=self.now())

    async def reading(self, call: Awaitable[T]) -> T:
        """Await a read or a cancel; raise only VenueError kinds."""
        return await self._watched(reading(self.profile, call))

    async def submitting(self, call: Awaitable[T]) -> T:
        """Await the one request that places an order."""
        with about_orders():
            return await self._watched(submitting(self.profile, call))

    async def setting(self, call: Awaitable[object]) -> None:
        """Await a change of leverage, mode or margin."""
        await self._watched(setting(self.profile, call))

    async def _watched(self, call: Awaitable[T]) -> T:
        """Note what a call says of the venue's health, once."""
        try:
            answer = await call
        except VenueError as failure:
            if failure.symptom is not None:
                self._surroundings.note(failure.symptom)
                failure.symptom = None
            if isinstance(failure, ClockRefused):
                await self._set_clock_at_once()
            raise
        self._surroundings.note("")
        return answer

    async def ready(self) -> Listings:
        """Return the listings; load them, or take them from another client, where needed."""
        if self._catalogue.generation == 0:
            await self.reading(self._catalogue.load(self.exchange, newer_than=0))
        if self._generation != self._catalogue.generation:
            if self._catalogue.source is not self.exchange:
                self.exchange.set_markets_from_exchange(self._catalogue.source)
            self._generation = self._catalogue.generation
        return self._catalogue.listings

    @property
    def listings(self) -> Listings:
        """Return what is known to be listed at this moment."""
        return self._catalogue.listings

    async def keep_listed(self) -> None:
        """Have the list read again when it is due, for all clients of this venue.

        Nobody waits for it: a socket whose ping waited for a slow list would be taken for dead.
        """
        if self._catalogue.is_due and not self._catalogue.is_loading:
            self._relisting = asyncio.create_task(self._relist())

    async def _relist(self) -> None:
        # A venue that is down is noticed by those who ask it something.
        with contextlib.suppress(VenueError):
            await self.refresh()

    async def recent(self) -> Listings:
        """Return listings of the last minute, older ones where the venue cannot be asked."""
        await self.ready()
        if self._catalogue.is_older_than(RELIST_MISSING_SECONDS):
            with contextlib.suppress(VenueError):
                await self.refresh()
        return await self.ready()

    async def refresh(self) -> Listings:
        """Read anew what the venue lists, for all clients of this venue."""
        load = self._catalogue.load(self.exchange, newer_than=self._catalogue.generation)
        await self.reading(load)
        return await self.ready()

    async def listing(self, symbol: Symbol) -> Listing:
        """Return one listing. Raise InvalidOrder with the symbol where there is none."""
        found = (await self.ready()).by_symbol.get(symbol)
        # It may be new: what we know is from when this process last asked.
        if found is None and self._catalogue.is_older_than(RELIST_MISSING_SECONDS):
            found = (await self.refresh()).by_symbol.get(symbol)
        if found is None:
            raise InvalidOrder(
                f"{symbol} is not listed here as spot or linear contract", venue=self.profile.name
            )
        return found

    async def ever_listed(self, symbol: Symbol) -> Listing:
        """Return one listing, of what has ended too: its fills are read after its end."""
        listed = (await self.ready()).by_symbol
        if symbol not in listed:
            ended = self._catalogue.ended.get(symbol)
            ended = ended or delivered_listing(self.profile, symbol, self.now(), listed)
            if ended is not None:
                return ended
        return await self.listing(symbol)

    def remember(self, instruments: Iterable[Instrument]) -> None:
        """Know for all clients of this venue what was traded here before this process began."""
        self._catalogue.remember(instruments)

    async def all_ever_listed(self) -> Listings:
        """Return all listings, of what has ended too: it may be held until its venue settles it."""
        await self.ready()
        return self._catalogue.ever

    async def is_unknown(self, venue_symbol: str) -> bool:
        """Tell whether no contract has or had a name, after the list was read anew."""
        if venue_symbol in self._catalogue.others:
            return False
        if self._catalogue.is_older_than(RELIST_MISSING_SECONDS):
            await self.refresh()
        catalogue = self._catalogue
        return venue_symbol not in catalogue.others | catalogue.ever.of(is_spot=False).keys()

    def keep_warm(self) -> None:
        """Keep a connection open and the listings fresh from now on, for the order to come."""
        if self._pings is None:
            self._pings = asyncio.create_task(self._ping_forever())

    async def close(self) -> None:
        for task in (self._pings, self._relisting):
            if task is not None:
                task.cancel()
        self._pings = self._relisting = None
        await self.exchange.close()

    def forget_clock(self) -> None:
        """Sign by our own clock again, as a process does that has just begun."""
        self.exchange.options["timeDifference"] = 0
        self._clock.forget()

    async def set_clock(self) -> None:
        """Sign with the venue's time from now on, read from an answer quick enough to tell it.

        A machine whose clock is off could not even close: venues refuse what is signed late or
        ahead of their own time. By one that is no time nothing is signed: Kraken would refuse all
        that follows such a number.
        """
        asked = self.exchange.milliseconds()
        theirs = await self.reading(self.exchange.fetch_time())
        heard = self.exchange.milliseconds()
        if theirs is not None and heard - asked <= QUICK_MILLISECONDS:
            ahead = (asked + heard) // 2 - theirs
            if abs(ahead) > MOST_APART_MILLISECONDS:
                raise UnexpectedPayload("a time that no clock shows", venue=self.profile.name)
            self.exchange.options["timeDifference"] = ahead
            self._clock.tell(timedelta(milliseconds=ahead))

    async def clock_error(self) -> timedelta:
        """Return how far our clock is ahead of the venue's; behind is negative.

        Raise VenueUnavailable where the venue does not tell its time quickly enough to know.
        """
        await self.keep_time()
        ahead = self._clock.ahead
        if ahead is None:
            raise VenueUnavailable("its time could not be read within 1 s", venue=self.profile.name)
        return ahead

    async def keep_time(self) -> None:
        """Have what is signed next carry the venue's time, where that is not known for sure."""
        ahead = self._clock.ahead
        if ahead is None or abs(ahead) > DOUBTED:
            await self._set_clock_at_once()

    async def _set_clock_at_once(self) -> None:
        """Have the next request signed by the venue's time, if the venue tells it quickly."""
        with contextlib.suppress(VenueError, TimeoutError):
            await asyncio.wait_for(self.set_clock(), QUICK_MILLISECONDS / 1000)

    async def _ping_forever(self) -> None:
        while True:
            # A venue that is down is noticed by those who ask it something.
            with contextlib.suppress(VenueError):
                await self.set_clock()
                await self.keep_listed()
            await asyncio.sleep(PING_SECONDS)
