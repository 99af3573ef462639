"""What beat rings and a worker's threads do beside the sweep, each time the sweep has run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from trading.services import slots
from trading.services.dead_man import tend_switches
from trading.services.reconcile import reconcile_due
from trading.services.watch import watch_positions

if TYPE_CHECKING:
    from tests.simulation.world import World

FUNDING_SLOT = timedelta(seconds=10)
# Where nothing has settled there is nothing to book: fewer rounds are as good.
FUNDING_EVERY = timedelta(minutes=2)
RECONCILE_EVERY = timedelta(minutes=1)
WATCHED = """
SELECT EXISTS (SELECT 1 FROM trading_position WHERE state IN
  ('open', 'exiting', 'unwinding', 'held'))
"""
REVIEWS = "SELECT EXISTS (SELECT 1 FROM trading_accountreview)"
NEWS = "SELECT (SELECT max(id) FROM trading_statechange), (SELECT max(id) FROM trading_event)"
COUNTS_DOWN = """
SELECT EXISTS (SELECT 1 FROM trading_deadmanswitch) OR EXISTS (SELECT 1 FROM trading_order
  WHERE purpose = 'open' AND state IN ('sending', 'open', 'partial', 'unknown'))
"""


class Beats:
    """The schedules of one run. The watch comes as often as the sweep."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.slots_run: dict[str, int] = {}
        self._slot_of: dict[timedelta, int] = {}
        self._funding_seen = 0
        self._news_seen: tuple[object, ...] = ()

    def ring(self) -> None:
        """Do what is due now, each slot once, though two beats ring."""
        settled = len(self._world.far.ledger.funding)
        if settled != self._funding_seen or self._is_slot_new(FUNDING_EVERY):
            self._funding_seen = settled
            with self._world.boundaries.passed_over():
                self._world.prices.store_settlements()
            self._claim_twice("book_funding", FUNDING_SLOT, self._world.do_book_funding)
        if self._is_slot_new(RECONCILE_EVERY) and self._has_news():
            self._claim_twice("reconcile_accounts", RECONCILE_EVERY, self._world.do_reconcile)
        if self._world.laboratory.database.asks(COUNTS_DOWN):
            self._world.as_process(self._tend_switches)
        if self._world.laboratory.database.asks(WATCHED):
            self._world.as_process(self._watch)
        if self._world.laboratory.database.asks(REVIEWS):
            self._world.as_process(self._reconcile_due)

    def _watch(self) -> None:
        watch_positions(venues=self._world.venues, clock=self._world.clock)

    def _reconcile_due(self) -> None:
        reconcile_due(venues=self._world.venues, now=self._world.clock())

    def _tend_switches(self) -> None:
        tend_switches(venues=self._world.venues, clock=self._world.clock)

    def _has_news(self) -> bool:
        """Tell whether anything happened on either side since the last reconciliation.

        Without news it would write nothing: that is a rule of its own, checked at the end.
        """
        ledger = self._world.far.ledger
        news = (len(ledger.trades), len(ledger.orders), len(ledger.open_orders()))
        last = self._world.laboratory.database.rows(NEWS)[0]
        seen, self._news_seen = self._news_seen, (*news, *last.values())
        return self._world.is_faulted or seen != self._news_seen

    def _is_slot_new(self, every: timedelta) -> bool:
        slot = int(self._world.clock().timestamp() // every.total_seconds())
        is_new = self._slot_of.get(every) != slot
        self._slot_of[every] = slot
        return is_new

    def _claim_twice(self, job: str, every: timedelta, work: Callable[[], None]) -> None:
        def ring() -> None:
            if slots.claim(job, every=every, now=self._world.clock()):
                slot = f"{job} {self._world.clock().timestamp() // every.total_seconds():.0f}"
                self.slots_run[slot] = self.slots_run.get(slot, 0) + 1
                work()

        self._world.as_process(ring)
        self._world.as_process(ring)
