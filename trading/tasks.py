"""Doorbells: each parses ids, calls one service and may do nothing. None retries by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from django.utils import timezone

from arbsite.accounts.models import User
from arbsite.celery import CLOSE, ENTRY
from arbsite.schedules import slot_intervals
from exchanges import loop, registry
from exchanges.limits.lanes import Lane, asking
from exchanges.stablecoins import poll_stablecoins
from trading.broadcast import broadcast_user
from trading.services import schema, slots
from trading.services.book_funding import book_funding as book_all_funding
from trading.services.book_interest import book_interest
from trading.services.books import read_books as read_all_books
from trading.services.breaker import SETTLE_EVERY_SECONDS, probe_venues, settle_health
from trading.services.changed_facts import ListingWatch, heed_changes
from trading.services.check_keys import check_keys as check_all_keys
from trading.services.dead_man import tend_switches
from trading.services.depegs import tell_of_depegs
from trading.services.drive import drive, drive_planned
from trading.services.entry_legs import EntryLeg
from trading.services.equity import snapshot_equity as snapshot_all_equity
from trading.services.equity_bridge import alert_all_unexplained
from trading.services.evaluate import keep_universe_fresh
from trading.services.fees import refresh_fees
from trading.services.late_slots import tell_of_late_jobs
from trading.services.opportunities import note_refused
from trading.services.plan_entry import Refused, plan_entry
from trading.services.reconcile import reconcile_accounts as reconcile_all_accounts
from trading.services.reconcile import reconcile_after_start, reconcile_due
from trading.services.refit_betas import refit_betas as refit_all_betas
from trading.services.refresh_tiers import refresh_tiers
from trading.services.relay import relay_events as relay_all_events
from trading.services.scan import scan_all
from trading.services.sweep import EVERY_SECONDS, run_every, working_sweep
from trading.services.switch_sides import serve_switches, switch_sides
from trading.services.venues import REAL
from trading.services.warm import warm_venues
from trading.services.watch import watch_positions

# Late work is told within this of being late; the work itself is what beat rings.
LATENESS_EVERY_SECONDS = 5.0
# A round that is sending when the worker is told to end may have its answer.
DRAIN_SECONDS = 10.0

_stop = threading.Event()
_rounds: list[threading.Thread] = []


@shared_task
def drive_position(position_id: str) -> str:
    return schema.misfit() or drive(UUID(position_id))


@shared_task
def close_position(position_id: str) -> str:
    return schema.misfit() or drive(UUID(position_id))


@shared_task
def enter(
    user_id: str,
    strategy: str,
    base: str,
    legs: list[dict[str, str]],
    size_usd: str,
    signalled_at: str,
) -> str:
    """Plan the entry of an opportunity and drive it at once."""
    if why := schema.misfit():
        return why
    user, wanted, now = User.objects.get(pk=user_id), EntryLeg.read(legs), timezone.now()
    planned = plan_entry(
        user=user,
        strategy=strategy,
        base=base,
        legs=wanted,
        size_usd=Decimal(size_usd),
        opened_by="scheduler",
        is_manual=False,
        idempotency_key=None,
        signalled_at=datetime.fromisoformat(signalled_at),
        now=now,
    )
    if isinstance(planned, Refused):
        for refusal in planned.refusals[:1]:
            note_refused(user.pk, strategy, base, wanted, refusal, now=now)
        return "; ".join(refusal.sentence for refusal in planned.refusals)
    return drive_planned(planned)


@shared_task
def switch(position_id: str) -> str:
    """Plan the other side of a position that has ended and drive it at once."""
    planned = switch_sides(UUID(position_id), venues=REAL, now=timezone.now())
    return "" if planned is None else drive_planned(planned)


@shared_task
def scan(force: bool = False) -> int:
    return scan_all(force=force)


@shared_task
def read_books() -> int:
    return read_all_books()


@shared_task
def watch_stablecoins() -> int:
    with asking(Lane.POLL):
        poll_stablecoins()
    return tell_of_depegs(now=timezone.now())


@shared_task
def book_funding() -> int:
    now = timezone.now()
    if not slots.claim("book_funding", every=timedelta(seconds=10), now=now):
        return 0
    with asking(Lane.POLL):
        return book_all_funding(venues=REAL, now=now) + book_interest(venues=REAL, now=now)


@shared_task
def check_keys() -> int:
    with asking(Lane.POLL):
        return check_all_keys(venues=REAL, now=timezone.now())


@shared_task
def reconcile_accounts() -> int:
    now = timezone.now()
    if not slots.claim("reconcile_accounts", every=timedelta(minutes=1), now=now):
        return 0
    return reconcile_all_accounts(venues=REAL, now=now)


@shared_task
def snapshot_equity() -> int:
    now = timezone.now()
    if not slots.claim("snapshot_equity", every=timedelta(minutes=1), now=now):
        return 0
    with asking(Lane.POLL):
        refresh_fees(venues=REAL, now=now)
        refresh_tiers(venues=REAL, now=now)
        written = snapshot_all_equity(venues=REAL, now=now)
    alert_all_unexplained(now=now)
    return written


@shared_task
def refit_betas() -> int:
    now = timezone.now()
    if not slots.claim("refit_betas", every=timedelta(hours=1), now=now):
        return 0
    return refit_all_betas(now)


@shared_task
def relay_events() -> int:
    return relay_all_events(
        now=timezone.now(), announce_to=lambda user_id: broadcast_user(user_id, "events")
    )


@worker_ready.connect
def start_sweep(sender: Any, **_: Any) -> None:
    """Start the sweep in the lanes that trade; closing lanes also watch the owner's rules."""
    queues = set(sender.app.amqp.queues.consume_from)
    _start(settle_health, "health", SETTLE_EVERY_SECONDS)
    if not queues & {CLOSE, ENTRY}:
        return
    _start(warm_venues, "warm")
    _start(working_sweep, "sweep")
    _start(tend_switches, "dead-man")
    _start(probe_venues, "probe")
    listings = ListingWatch()
    _start(lambda: listings.renew(venues=REAL, now=timezone.now()), "listings")
    if ENTRY in queues:
        _start(keep_universe_fresh, "universe")
        _start(serve_switches, "switch")
    if CLOSE in queues:
        _start(review_accounts, "review")
        _start(watch_positions, "watch")
        started = timezone.now()

        def tell_of_lateness() -> None:
            tell_of_late_jobs(slot_intervals(), since=started, now=timezone.now())

        _start(tell_of_lateness, "lateness", LATENESS_EVERY_SECONDS)
        reconcile_after_start(now=started)


def review_accounts() -> int:
    """Reconcile what asks for it: after a start, an unknown order, a venue's return, a trade.

    What changed at the venues is heeded first: another contract size asks for it too.
    """
    heed_changes(now=timezone.now())
    return reconcile_due(venues=REAL, now=timezone.now())


def _start(work: Callable[[], object], name: str, seconds: float = EVERY_SECONDS) -> None:
    _rounds.append(run_every(work, seconds, _stop, name=name))


@worker_shutting_down.connect
def stop_sweep(**_: Any) -> None:
    _stop.set()
    # A task that reads many histories waits most of a minute for room; a stop does not.
    registry.limiter().end_polls()


@worker_shutdown.connect
def close_venues(**_: Any) -> None:
    """Close sockets and the venue loop after the last task and the last round have ended."""
    deadline = time.monotonic() + DRAIN_SECONDS
    for thread in _rounds:
        thread.join(max(0.0, deadline - time.monotonic()))
    registry.close_all()
    loop.close()
