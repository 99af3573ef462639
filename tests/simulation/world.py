"""One run: Carry on one side, the venues on the other, and the time that passes between them.

Production code is called as its processes call it: workers sweep every two seconds, doorbells and
streams drive sooner, beats book and reconcile. A process may die at any boundary; then nothing of
it but the database is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from django.db.models import Q

from arbsite.accounts.models import User
from exchanges.models import ExchangeAccount, Instrument
from tests.simulation.beats import Beats
from tests.simulation.crash import Crash
from tests.simulation.laboratory import Laboratory
from tests.simulation.markets import PERPETUALS, Market
from tests.simulation.prices import Prices
from tests.simulation.streams import Streams, Weather
from tests.simulation.timeline import forget_tasks
from tests.simulation.venue_side import BEAT
from trading.core.states import LIVE_POSITION_STATES
from trading.models import Position
from trading.services import evaluate, lease, lookup
from trading.services.account_facts import record
from trading.services.book_funding import book_funding
from trading.services.breaker import probe_venues, settle_health
from trading.services.drive import drive
from trading.services.equity import read_accounts
from trading.services.reconcile import reconcile_accounts
from trading.services.sweep import sweep

SWEEP_EVERY = 2.0
# While nothing is under way; each message of a stream is heard at its moment all the same.
IDLE_SECONDS = 20.0
BALANCES_EVERY = timedelta(minutes=5)
LICENSED = "SELECT client_order_id FROM trading_order WHERE sent_at IS NOT NULL"
LAST_EVENT = "SELECT max(id) AS id FROM trading_event"
BUSY = """
SELECT EXISTS (SELECT 1 FROM trading_order WHERE state IN
  ('planned', 'sending', 'open', 'partial', 'unknown'))
OR EXISTS (SELECT 1 FROM trading_position WHERE state IN
  ('planned', 'entering', 'exiting', 'unwinding') OR (state = 'open' AND goal = 'flat'))
"""
ILL = "SELECT EXISTS (SELECT 1 FROM exchanges_venuehealth WHERE failures > 0)"
DEAD_PID = 99_999_999
OTHER_MACHINE = "0ther000.1.other.1"
RESTART_SECONDS = 3.0
FAULTS_LINGER = timedelta(minutes=1)


@dataclass(slots=True, kw_only=True)
class Kill:
    """One press of the kill switch, as the person who pressed it remembers it."""

    epoch: int
    user_id: str | None
    pressed_at: datetime
    excused_before: timedelta
    closes: bool
    licensed: frozenset[str]
    events_before: int
    rearmed_at: datetime | None = None


class World:
    """Everything of one seed. `clock` is what Carry's services believe the time is."""

    def __init__(self, laboratory: Laboratory, seed: int) -> None:
        self.laboratory = laboratory
        self.seed = seed
        self.skew = 0.0
        self.far = laboratory.begin(seed)
        self.far.excused = lambda: self.excused
        self.timeline = laboratory.timeline
        self.skewed_at = self.timeline.at
        self.boundaries = laboratory.boundaries
        self.venues = laboratory.venues
        self.prices = Prices(self.far, laboratory.redis)
        self.streams = Streams(self.far.venues, laboratory.calls, seed)
        self.draws = Random(f"world {seed}")  # noqa: S311 - it must repeat
        laboratory.clock = self.clock
        self.users = {user.username: user for user in User.objects.all()}
        self.steps = 0
        self.deaths = 0
        self.opened = 0
        self.recoveries: list[float] = []
        self.kills: list[Kill] = []
        self.released: set[str] = set()
        self.closed_by_hand: set[str] = set()
        self._faulted_at = (self.timeline.at - FAULTS_LINGER, timedelta())
        self.down: set[str] = set()
        self.doorbells_lost = 0.0
        self.is_alive = True
        self.timeline.is_excused = self._nobody_can_act
        self.on_step: Callable[[], None] = lambda: None
        self._may_be_open = False
        self._balances_at = self.timeline.at
        self.beats = Beats(self)
        self.accounts: dict[UUID, ExchangeAccount] = {}
        self.trade_at(PERPETUALS)

    @property
    def now(self) -> datetime:
        return self.timeline.at

    def clock(self) -> datetime:
        return self.timeline.at + timedelta(seconds=self.skew)

    def trade_at(self, market: Market) -> None:
        """Use the accounts of these venues and no others, from before anything is opened."""
        self.far.market = market
        self.streams.close()
        with self.boundaries.passed_over():
            of_the_day = Q(exchange__code__in=market.venues)
            ExchangeAccount.objects.filter(of_the_day).update(is_active=True)
            ExchangeAccount.objects.exclude(of_the_day).update(is_active=False)
            accounts = ExchangeAccount.objects.filter(of_the_day).select_related("exchange")
            self.accounts = {row.pk: row for row in accounts.order_by("created_at", "pk")}
            for account in self.accounts.values():
                client = self.laboratory.clients[account.pk]
                self.streams.open(account.pk, client)
        self.prices.feed(self.now)

    def relist(self, venue: str) -> None:
        """Read anew what a venue lists, as a connection that is kept warm does now and then."""
        client = next(
            self.laboratory.clients[row.pk]
            for row in self.accounts.values()
            if row.exchange.code == venue
        )
        self.laboratory.calls.call(client.refresh(), 60)

    # --- Carry's processes ----------------------------------------------------------------------

    def as_process(self, work: Callable[[], object]) -> None:
        """Do what a process does; when it dies in it, restart it as a supervisor would."""
        if not self.is_alive:
            return
        self.prices.feed(self.now)
        try:
            work()
        except Crash:
            self.die()
        self._step()
        for position_id in self.laboratory.doorbells.take():
            self.ring(position_id)

    def die(self) -> None:
        """Lose everything in memory, be away for a moment, then start as production starts."""
        self.deaths += 1
        self.note_fault()
        self.boundaries.restart()
        forget_tasks(self.laboratory.loop, frozenset(self.far.travelling))
        evaluate._shared.cache_clear()
        lookup.not_found_since.clear()
        self.laboratory.outcomes.take()
        self.streams.lose_all()
        self._leave_leases()
        self.sleep(RESTART_SECONDS)
        before = self.now
        self.as_process(self._start)
        self.recoveries.append((self.now - before).total_seconds())

    def _leave_leases(self) -> None:
        """The dead process's leases stay as they are, under its own name."""
        machine, *_ = lease.owner_name().split(".")
        holder = f"{machine}.{DEAD_PID}.dead.1" if self.draws.random() < 0.7 else OTHER_MACHINE
        Position.objects.filter(lease_owner=lease.owner_name()).update(lease_owner=holder)

    def _start(self) -> None:
        reconcile_accounts(venues=self.venues, now=self.clock())
        sweep(venues=self.venues, clock=self.clock)

    def live(self) -> list[UUID]:
        rows = Position.objects.filter(state__in=LIVE_POSITION_STATES).order_by("created_at", "pk")
        return list(rows.values_list("pk", flat=True))

    def ring(self, position_id: UUID) -> None:
        """A doorbell: it may be lost."""
        if self.draws.random() >= self.doorbells_lost:
            self.as_process(lambda: drive(position_id, venues=self.venues, clock=self.clock))

    def sweep(self) -> None:
        self.as_process(self._sweep)

    def _sweep(self) -> None:
        self._tend_breakers()
        sweep(venues=self.venues, clock=self.clock)

    def _tend_breakers(self) -> None:
        """Write what was seen of the venues, where that is anything but well, and probe."""
        outcomes = self.laboratory.outcomes
        if outcomes.holds_symptoms or self._may_be_open:
            settle_health(outcomes=outcomes, now=self.clock())
            probe_venues(venues=self.venues, clock=self.clock)
            self._may_be_open = self.laboratory.database.asks(ILL)
        outcomes.take()

    def reconcile(self) -> None:
        self.as_process(self.do_reconcile)

    def book_funding(self) -> None:
        self.as_process(self.do_book_funding)

    def do_reconcile(self) -> None:
        reconcile_accounts(venues=self.venues, now=self.clock())
        # Balances decide nothing but sizes, and sizes here are far below them.
        if self.now - self._balances_at >= BALANCES_EVERY:
            self._balances_at = self.now
            accounts = list(self.accounts.values())
            read_accounts(accounts, venues=self.venues, now=self.clock())

    def do_book_funding(self) -> None:
        book_funding(venues=self.venues, now=self.clock())

    def hear_streams(self) -> None:
        """Record what the private streams brought, and drive what it concerns."""
        if not self.is_alive:
            return
        if self.streams.hear(self.now):
            self.as_process(self.streams.follow_up)
        for account_id, facts in self.streams.told():
            found: list[UUID] = []
            account = self.accounts[account_id]

            def work(account=account, facts=facts, found=found) -> None:  # type: ignore[no-untyped-def]
                found += record(account, facts, now=self.clock())

            self.as_process(work)
            for position_id in found:
                self.ring(position_id)

    # --- Time -----------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Let time pass with all processes at work."""
        left = seconds
        while left > 0:
            step = min(SWEEP_EVERY if self._is_busy() else IDLE_SECONDS, left)
            self._wait_listening(step)
            left -= step
            self.sweep()
            self.beats.ring()

    def _wait_listening(self, seconds: float) -> None:
        """Wait, and hear each message of a stream at its moment, as a running Carry does."""
        left = seconds
        while left > 0:
            part = min(left, self._until_news())
            self._wait(part)
            left -= part
            self.hear_streams()

    def _until_news(self) -> float:
        """Return how long surely nothing is told: what rests at a venue may fill at any beat."""
        seconds = self.streams.seconds_to_next(self.now)
        return min(seconds, BEAT.total_seconds()) if self.far.ledger.open_orders() else seconds

    def sleep(self, seconds: float) -> None:
        """Let time pass with every process of Carry away."""
        before, self.is_alive = self.is_alive, False
        self._wait(seconds)
        self.is_alive = before
        self._step()

    def _wait(self, seconds: float) -> None:
        self.laboratory.loop.run_until_complete(asyncio.sleep(seconds))

    def _is_busy(self) -> bool:
        """Tell whether the next sweep may have work; while it has none, fewer are as good."""
        return self.laboratory.database.asks(BUSY) or self.streams.has_news

    def _step(self) -> None:
        self.steps += 1
        self.on_step()

    # --- What people and faults did, as the observer is told ------------------------------------

    @property
    def is_faulted(self) -> bool:
        """Tell whether anything was disturbed in the last minute, or messages get lost now."""
        if self.doorbells_lost or self.streams.weather != Weather():
            return True
        return self.now - self.last_fault[0] < FAULTS_LINGER

    @property
    def excused(self) -> timedelta:
        """Return how long in all Carry was dead or could not reach both venues."""
        return self.timeline.excused

    def _nobody_can_act(self) -> bool:
        return not self.is_alive or bool(self.down or self.prices.silent)

    @property
    def last_fault(self) -> tuple[datetime, timedelta]:
        """Return when something was last disturbed, and how much was excused by then."""
        return max(self._faulted_at, self.far.struck)

    def note_fault(self) -> None:
        self._faulted_at = (self.now, self.excused)

    def note_kill(self, user: User | None, epoch: int, *, closes: bool) -> None:
        known = next((kill for kill in self.kills if kill.epoch == epoch), None)
        if known is not None:
            known.closes = known.closes or closes
            return
        self.kills.append(
            Kill(
                epoch=epoch,
                user_id=None if user is None else user.pk.hex,
                pressed_at=self.now,
                excused_before=self.excused,
                closes=closes,
                events_before=int(self.laboratory.database.rows(LAST_EVENT)[0]["id"] or 0),
                licensed=frozenset(
                    row["client_order_id"] for row in self.laboratory.database.rows(LICENSED)
                ),
            )
        )

    def note_rearm(self, user: User | None) -> None:
        scope = None if user is None else user.pk.hex
        for kill in self.kills:
            if kill.user_id == scope and kill.rearmed_at is None:
                kill.rearmed_at = self.now

    def closers(self, reason: str) -> set[str]:
        """Return the users whose positions a person closed by hand, or by a kill."""
        if reason == "manual":
            return self.closed_by_hand
        everyone = {name for name in self.users if any(k.user_id is None for k in self.kills)}
        ids = {kill.user_id for kill in self.kills}
        return everyone | {name for name, user in self.users.items() if user.pk.hex in ids}

    def instrument(self, venue: str, base: str) -> Instrument:
        return Instrument.objects.select_related("exchange").get(
            exchange__code=venue, symbol=self.far.listing(venue, base).unified_symbol
        )
