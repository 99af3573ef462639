"""Doorbells for reading venues: each calls one service."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from exchanges import (
    lending,
    maintenance,
    market_poll,
    mids,
    open_interest,
    selectors,
    services,
)


@shared_task
def poll_market(force: bool = False) -> list[str]:
    return market_poll.poll_market(timezone.now(), force=force)


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
