"""The venues' side of a run: accounts, market, faults, streams, and what they saw with whose eyes.

Everything here is the outside: it goes on when Carry dies, and observers believe only this.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, cast

from exchanges.domain import OrderType, Side, TimeInForce
from exchanges.simulator.accounts import Account, Order, Origin, Pin
from exchanges.simulator.admission import OrderIntent, Refusal
from exchanges.simulator.core import Simulator
from exchanges.simulator.deliveries import Delivery
from exchanges.simulator.events import AccountEvent
from exchanges.simulator.faults import FaultRule
from exchanges.simulator.ledger import FLAT, Ledger
from exchanges.simulator.listings import GATE, OWNERS, SPOT, WALLETS, Listing
from exchanges.simulator.market import GeneratedMarket
from exchanges.simulator.venues import VENUE_OF_HOST, Venues
from exchanges.simulator.wire import WireRequest
from tests.simulation.crash import Boundaries
from tests.simulation.markets import (
    ALL_VENUES,
    BASES,
    CREATE,
    PERPETUALS,
    WITH_PASSPHRASE,
    api_key,
    key_of,
    listed_symbol,
    own_id_of,
    secret_of,
    wallets,
)
from tests.simulation.memory import MemoryStorage
from tests.simulation.pauses import asked_seconds
from tests.simulation.timeline import START, Timeline
from tests.simulation.transport import LATENCY, LATENCY_SPREAD

USERS = ("alice", "bob")
CREATES = frozenset(CREATE.values())
INTERVAL = timedelta(minutes=4)
BEAT = timedelta(milliseconds=500)
MOST_BEATS = 8
ASKS_SILENCE = frozenset({403, 418, 429, 451})
# Gate says 403 of keys and of clocks too.
SAYS_403_OF_MORE = frozenset({GATE})
USDT = Decimal(100_000)
PASSPHRASE = "pass-phrase-canary"
ADDRESS = "here"
DEPTH = {"BTC": Decimal(2), "ETH": Decimal(40)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request that reached a venue, whatever became of it there."""

    at: datetime
    venue: str
    method: str
    path: str
    api_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A venue asked for silence until then, and this was heard."""

    heard_at: datetime
    until: datetime
    is_ban: bool
    by: Arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One create request as the venue received it, and what our database said in that moment."""

    at: datetime
    venue: str
    api_key: str
    client_order_id: str
    intent: dict[str, Any] | None
    is_in_transaction: bool


def credential_name(user: str, venue: str) -> str:
    """Return how limits name a key: not by itself."""
    return f"{user} at {venue}"


class VenueSide:
    """All venues over one ledger, and the wire to them; `market` is what the day trades."""

    def __init__(
        self, seed: int, timeline: Timeline, boundaries: Boundaries, database: sqlite3.Connection
    ) -> None:
        self._timeline = timeline
        self._boundaries = boundaries
        self._database = database
        self._draws = Random(f"latency {seed}")  # noqa: S311 - it must repeat
        self.market = PERPETUALS
        self.storage = MemoryStorage()
        self.ledger = Ledger(self.storage)
        market = GeneratedMarket(
            seed=seed, epoch=START, interval=INTERVAL, bases=BASES, watched=True
        )
        self.simulator = Simulator(
            ledger=self.ledger, market=market, seed=seed, now=lambda: timeline.at
        )
        self.venues = Venues(self.simulator)
        self.sights: list[Sight] = []
        self.arrivals: list[Arrival] = []
        self.silences: list[Silence] = []
        self.on_arrival: Callable[[Arrival], None] | None = None
        self.faults_fired = 0
        self.on_create: Callable[[Sight], None] | None = None
        self.on_fault: Callable[[], None] | None = None
        # How much time is excused, as the world counts it, and when a fault last struck.
        self.excused: Callable[[], timedelta] = timedelta
        self.struck = (timeline.at - timedelta(days=1), timedelta())
        self.travelling: set[asyncio.Task[Delivery]] = set()
        self._beaten_at = timeline.at
        for user in USERS:
            for venue in ALL_VENUES:
                if venue != SPOT:
                    self._open_account(user, venue)
        for base in BASES:
            self.thin_out(base, DEPTH[base], venues=ALL_VENUES)

    # --- The wire -----------------------------------------------------------------------------

    def disturbance(self, request: WireRequest) -> FaultRule | None:
        arrival = self._arrival(request)
        self.arrivals.append(arrival)
        if self.on_arrival is not None:
            self.on_arrival(arrival)
        rule = self.venues.disturbance(request)
        if rule is not None:
            self.faults_fired += 1
            self.struck = (self._timeline.at, self.excused())
        if rule is not None and self.on_fault is not None:
            self.on_fault()
        return rule

    def answer(self, request: WireRequest, rule: FaultRule | None) -> Delivery:
        if request.method == "POST" and request.path in CREATES:
            self._see(request)
        return self.venues.answer(request, rule)

    def heard(self, request: WireRequest, status: int, headers: Mapping[str, str]) -> None:
        """Note what silence a venue asked for: Carry knows of it from now on."""
        waits = asked_seconds(status, headers, self._timeline.at)
        if status == 403 and VENUE_OF_HOST[request.host] in SAYS_403_OF_MORE:
            return
        if status in ASKS_SILENCE and waits is not None:
            self.silences.append(
                Silence(
                    heard_at=self._timeline.at,
                    until=self._timeline.at + timedelta(seconds=waits),
                    is_ban=status != 429,
                    by=self._arrival(request),
                )
            )

    def _arrival(self, request: WireRequest) -> Arrival:
        return Arrival(
            at=self._timeline.at,
            venue=VENUE_OF_HOST[request.host],
            method=request.method,
            path=request.path,
            api_key=key_of(request),
        )

    def latency(self) -> float:
        return LATENCY + LATENCY_SPREAD * self._draws.random()

    def pass_by(self, name: str) -> None:
        self._boundaries.pass_by(name)

    def travels(self, task: asyncio.Task[Delivery]) -> None:
        self.travelling.add(task)
        task.add_done_callback(self.travelling.discard)

    def _see(self, request: WireRequest) -> None:
        """Note what our own database says of the intent at this very moment, past any service."""
        venue = VENUE_OF_HOST[request.host]
        own_id = own_id_of(request)
        cursor = self._database.execute(
            "SELECT o.*, p.user_id FROM trading_order o JOIN trading_position p "
            "ON p.id = o.position_id WHERE o.client_order_id = ?",
            (own_id,),
        )
        row = cursor.fetchone()
        names = [column[0] for column in cursor.description]
        sight = Sight(
            at=self._timeline.at,
            venue=venue,
            api_key=key_of(request),
            client_order_id=own_id,
            intent=None if row is None else dict(zip(names, row, strict=True)),
            is_in_transaction=self._database.in_transaction,
        )
        self.sights.append(sight)
        if self.on_create is not None:
            self.on_create(sight)

    # --- Time ---------------------------------------------------------------------------------

    def beat(self, now: datetime) -> None:
        """Let the venues live up to `now`: settle, match what rests, liquidate what is weak."""
        if now - self._beaten_at < BEAT:
            return
        is_quiet = not self.ledger.open_orders()
        if not is_quiet:
            self._match_on_the_way(now)
        self._beaten_at = now
        self.simulator.tick()

    def _match_on_the_way(self, now: datetime) -> None:
        moment = self._beaten_at + BEAT
        for _ in range(MOST_BEATS):
            if moment >= now:
                return
            self.simulator.advance(moment)
            self.simulator.engine.match_resting(moment)
            moment += BEAT

    # --- What happens at venues ---------------------------------------------------------------

    def listing(self, venue: str, base: str) -> Listing:
        return self.simulator.market.listings[(venue, listed_symbol(venue, base))]

    def account(self, user: str, venue: str) -> Account:
        return self.ledger.accounts[api_key(user, venue)]

    def held(self, user: str, venue: str, base: str) -> Decimal:
        """Return what the venue says the account holds, > 0 long; of spot, the coins."""
        if venue == SPOT:
            return self.account(user, venue).balance(WALLETS[SPOT], base)
        return self.ledger.holding(
            api_key(user, venue), self.listing(venue, base).key
        ).base_quantity

    def disturb(self, **rule: Any) -> None:
        self.venues.faults.add(rule)

    def calm(self) -> None:
        """End all faults; prices are the market's again."""
        self.venues.faults.clear()

    def move_price(self, base: str, factor: Decimal, venues: tuple[str, ...] | None = None) -> None:
        """Move the price of one asset by a factor and hold it there."""
        for venue in venues or self.market.venues:
            listing = self.listing(venue, base)
            mid = self.simulator.market.mid(listing, self._timeline.at)
            price = (mid * factor / listing.tick).quantize(Decimal(1)) * listing.tick
            self._pin(listing, price=price)

    def thin_out(
        self, base: str, level_quantity: Decimal, venues: tuple[str, ...] | None = None
    ) -> None:
        """Put so much on each level of the books of one asset."""
        for venue in venues or self.market.venues:
            self._pin(self.listing(venue, base), level_quantity=level_quantity)

    def resize_contract(self, venue: str, base: str, value: Decimal) -> None:
        """Let a contract be another part of a coin: holdings in coins stay as they are."""
        self.list_as(venue, base, contract_value=value)

    def rename(self, user: str, venue: str, base: str, symbol: str) -> None:
        """Tell of what a user holds by a name that the venue does not list; the old one is gone."""
        old, key = self.listing(venue, base), api_key(user, venue)
        new, price = replace(old, symbol=symbol), self.simulator.market.mark(old, self._timeline.at)
        cast(dict[Any, Listing], self.simulator.market.listings)[new.key] = new
        self._pin(new, price=price)
        self.simulator.unlist(old)
        now, held = self._timeline.at, self.ledger.holding(key, old.key)
        # The market makes no prices of a name that it never listed.
        self._pin(new, price=self.simulator.market.mark(old, now))
        self.ledger.put_holding(key, new.key, held, now=now)
        self.ledger.put_holding(key, old.key, FLAT, now=now)

    def list_as(self, venue: str, base: str, **facts: Any) -> None:
        """Let a venue list an instrument with other facts than before."""
        old = self.listing(venue, base)
        new = replace(old, **facts)
        listed = (self.simulator.market.listings, self.simulator.listings_at(venue))
        for rows, key in zip(listed, (old.key, old.symbol), strict=True):
            cast(dict[Any, Listing], rows)[key] = new

    def _pin(self, listing: Listing, **values: Any) -> None:
        before = self.ledger.pins.get(listing.key, Pin(venue=listing.venue, symbol=listing.symbol))
        self.ledger.put_pin(replace(before, **values))
        self.simulator.books.forget(listing)

    def trade_by_hand(
        self, user: str, venue: str, base: str, side: Side, quantity: Decimal
    ) -> bool:
        """Trade on the account as its owner would on the venue's own page."""
        intent = OrderIntent(
            listing=self.listing(venue, base),
            client_order_id="",
            side=side,
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.IOC,
            base_quantity=quantity,
            price=None,
            reduce_only=False,
            origin=Origin.FOREIGN,
        )
        account = self.account(user, venue)
        placed = self.simulator.place(account, intent, now=self._timeline.at)
        return not isinstance(placed, Refusal)

    def liquidate(self, user: str, venue: str, base: str) -> Order | None:
        listing = self.listing(venue, base)
        account = self.account(user, venue)
        return self.simulator.engine.close_by_venue(
            account, listing, Origin.LIQUIDATION, now=self._timeline.at
        )

    def deleverage(self, user: str, venue: str, base: str, share: Decimal) -> Order | None:
        """Let the venue close a share of a holding against others who won."""
        listing = self.listing(venue, base)
        part = abs(self.held(user, venue, base)) * share // listing.lot * listing.lot
        if not part:
            return None
        return self.simulator.engine.close_by_venue(
            self.account(user, venue),
            listing,
            Origin.ADL,
            now=self._timeline.at,
            base_quantity=part,
        )

    def listen(self, listener: Callable[[AccountEvent], None]) -> None:
        self.simulator.listeners.append(listener)

    def _open_account(self, user: str, venue: str) -> None:
        account = Account(
            venue=OWNERS[venue],
            api_key=api_key(user, venue),
            secret=secret_of(api_key(user, venue)),
            uid=len(self.ledger.accounts) + 1,
            wallets={name: {"USDT": USDT} for name in wallets(venue)},
            passphrase=PASSPHRASE if venue in WITH_PASSPHRASE else "",
            created_at=self._timeline.at,
        )
        self.ledger.put_account(account)
