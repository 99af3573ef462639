"""Polls that take all they may of a venue's limits, as ten thousand queued ones do."""

from __future__ import annotations

from contextlib import suppress

from exchanges.ccxt_adapter.pace import Asker, Pace
from exchanges.errors import RateLimited
from exchanges.limits.lanes import Lane, asking
from exchanges.limits.limiter import Limiter
from exchanges.venues import PROFILES
from tests.simulation.venue_side import ADDRESS, USERS, credential_name

MOST = 3000


async def flood(venue: str, limiter: Limiter) -> None:
    """Ask in the poll lane, with every key, until no more is given at once."""
    for user in USERS:
        asker = Asker(address=ADDRESS, key=credential_name(user, venue), tenant=user)
        pace = Pace(PROFILES[venue], limiter, asker)
        for group in {quota.group for quota in PROFILES[venue].quotas.all}:
            with suppress(RateLimited), asking(Lane.POLL, within=0):
                for _ in range(MOST):
                    await pace.wait(group, "GET", "flood", {})
