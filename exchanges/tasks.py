"""Doorbells for reading venues; everything they do is in `exchanges.services`."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from exchanges import lending, maintenance, mids, open_interest, selectors, services

POLLING = "carry:polling"
POLL_LOCK_MS = 10_000


@shared_task
def poll_market(force: bool = False) -> list[str]:
    """Read by REST what streams have not brought lately; one poll runs at a time."""
    if force:
        return services.poll_market(timezone.now(), force=True)
    redis = selectors.board_redis()
    if not redis.set(POLLING, 1, nx=True, px=POLL_LOCK_MS):
        return []
    try:
        return services.poll_market(timezone.now())
    finally:
        redis.delete(POLLING)


@shared_task
def refresh_instruments() -> dict[str, list[str]]:
    return services.refresh_instruments(timezone.now())


@shared_task
def poll_maintenance() -> int:
    return maintenance.poll_maintenance(timezone.now())


@shared_task
def poll_activity() -> int:
    return open_interest.poll_activity(timezone.now())


@shared_task
def poll_borrow_rates() -> int:
    return lending.poll_borrow_rates(timezone.now())


@shared_task
def sample_mids() -> int:
    return mids.sample_mids(selectors.market_board(), timezone.now())


@shared_task
def poll_settlements() -> int:
    return services.poll_settlements(timezone.now())
