"""One account of a paper venue: reads the public side, then steps the account's rows.

Reading is awaited before a transaction begins; what is written runs on a thread of its own, one
step at a time, under the account's lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import DatabaseError, close_old_connections, connections, transaction

from exchanges.assumed_loans import lends
from exchanges.domain import SettlementKind, Symbol
from exchanges.errors import VenueUnavailable
from exchanges.modes import Mode
from exchanges.paper.facts import Facts
from exchanges.paper.funding import parted
from exchanges.paper.ledger import Ledger
from exchanges.paper.passing import pass_time
from exchanges.paper.public_side import PublicSide
from exchanges.paper.terms import Terms, terms_of
from exchanges.venues.profile import VenueProfile

ASK_AGAIN_AFTER = timedelta(minutes=1)

T = TypeVar("T")
Step = Callable[[Ledger, Facts, Terms], T]


@dataclass(frozen=True, slots=True)
class Watched:
    """What of an account must be asked for: symbols of orders, and since when others may settle."""

    ordered: Sequence[Symbol]
    unsettled: Sequence[tuple[Symbol, datetime]]
    has_countdown: bool
    borrows: bool

    @property
    def is_idle(self) -> bool:
        return not (self.ordered or self.unsettled or self.has_countdown or self.borrows)


class PaperVenue:
    """What the paper ports of one account share."""

    def __init__(self, account_id: str, public: PublicSide) -> None:
        self.account_id = account_id
        self.public = public
        # When the venue did last not tell what was owed in a part of a period.
        self._in_vain: dict[Symbol, datetime] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="paper")

    @property
    def profile(self) -> VenueProfile:
        return self.public.profile

    def now(self) -> datetime:
        return self.public.now()

    async def facts(self, *symbols: Symbol) -> Facts:
        """Return instruments and marks of now, and the books of these symbols."""
        instruments, quotes = await self.public.instruments(), await self.public.quotes()
        unlisted = self.public.unlisted
        known = [one for one in symbols if one in instruments and one not in unlisted]
        depths = await asyncio.gather(*map(self.public.depth, known))
        return Facts(
            now=self.now(),
            instruments=instruments,
            quotes=quotes,
            depths={one: depth for one, depth in zip(known, depths, strict=True) if depth},
            unlisted=self.public.unlisted,
        )

    async def step(self, facts: Facts, work: Step[T]) -> T:
        """Run `work` in one transaction under the account's lock, at the moment it comes to run.

        Raise VenueUnavailable where the database did not take it.
        """

        def locked() -> T:
            with transaction.atomic():
                ledger = Ledger.locked(self.account_id)
                terms = terms_of(ledger.paper, self.profile)
                return work(ledger, replace(facts, now=self.now()), terms)

        return await self._run(locked)

    async def read(self, facts: Facts, work: Step[T]) -> T:
        """Run what only reads, without the lock."""

        def unlocked() -> T:
            ledger = Ledger.read(self.account_id)
            return work(ledger, facts, terms_of(ledger.paper, self.profile))

        return await self._run(unlocked)

    async def advance(self, symbol: Symbol | None = None) -> Facts:
        """Bring the account to now and return the facts it was done with.

        Books are read of what has working orders, of one symbol alone where it is named. A venue
        that cannot be read raises, as it would if it kept the account itself.
        """
        now = self.now()
        watched = await self._run(self._watched)
        facts = await self.facts(*(one for one in watched.ordered if symbol in (None, one)))
        if watched.is_idle:
            return facts
        facts = replace(
            await self._with_parts(await self._with_settlements(facts, watched.unsettled)),
            loans=await self.public.borrow_rates() if watched.borrows else {},
        )
        if facts.depths or watched.unsettled or watched.has_countdown or watched.borrows:
            await self.step(facts, pass_time)
        return replace(facts, now=max(now, self.now()))

    async def _with_settlements(
        self, facts: Facts, unsettled: Sequence[tuple[Symbol, datetime]]
    ) -> Facts:
        """Add what was settled; where it accrues nothing is due before its period is known."""
        periods: dict[Symbol, timedelta] = {}
        if self.public.profile.settlement is SettlementKind.ACCRUED:
            unsettled = [one for one in unsettled if not self._asked_in_vain(one[0])]
            told = {symbol: await self.public.period(symbol) for symbol, _ in unsettled}
            periods = {symbol: period for symbol, period in told.items() if period is not None}
            unsettled = [one for one in unsettled if one[0] in periods]
        settled = await asyncio.gather(*(self.public.settled_since(*one) for one in unsettled))
        names = [symbol for symbol, _ in unsettled]
        return replace(facts, settled=dict(zip(names, settled, strict=True)), periods=periods)

    async def _with_parts(self, facts: Facts) -> Facts:
        """Add what was owed in parts of periods, where no rate stands for a whole one.

        What is not told is not guessed: it is due until the venue tells.
        """
        if self.profile.accrued_rate is None or not any(facts.settled.values()):
            return facts
        due = await self.read(facts, lambda ledger, facts, terms: parted(ledger, facts))
        told = await asyncio.gather(*(self.public.owed(*one) for one in due))
        owed = {settled: rates for (settled, _), rates in zip(due, told, strict=True)}
        self._in_vain |= {one.symbol: self.now() for one, rates in owed.items() if not rates}
        return replace(facts, owed=owed)

    def _asked_in_vain(self, symbol: Symbol) -> bool:
        asked_at = self._in_vain.get(symbol)
        return asked_at is not None and abs(self.now() - asked_at) < ASK_AGAIN_AFTER

    async def close(self) -> None:
        await asyncio.wrap_future(self._thread.submit(connections.close_all))
        self._thread.shutdown(wait=False)

    def _watched(self) -> Watched:
        ledger = Ledger.read(self.account_id)
        return Watched(
            ordered=list(dict.fromkeys(Symbol(row.symbol) for row in ledger.orders())),
            unsettled=[(Symbol(row.symbol), row.settled_until) for row in ledger.unsettled()],
            has_countdown=ledger.counts_down(),
            borrows=lends(self.profile.name, Mode.PAPER) and ledger.may_owe(),
        )

    async def _run(self, work: Callable[[], T]) -> T:
        def fresh() -> T:
            close_old_connections()
            return work()

        try:
            return await asyncio.wrap_future(self._thread.submit(fresh))
        except DatabaseError as error:
            raise VenueUnavailable(
                f"the paper account's books do not answer: {error}", venue=self.profile.name
            ) from None
