"""Accounts whose venue has been silent for a while: nobody else waits for them.

Reconciliation asks each again every few seconds and writes down what came of it; whoever has other
accounts to look at believes that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NoReturn, cast
from uuid import UUID

from exchanges.errors import VenueUnavailable
from exchanges.models import ExchangeAccount
from exchanges.ports import Account, Trading
from trading.models import AccountReview
from trading.services.venues import Venues

NO_ANSWER = "the venue did not answer"
# One lost answer is no silence; a note that nobody renews any more says nothing of now.
SILENT_AFTER, NOTE_LASTS = timedelta(seconds=10), timedelta(seconds=60)


def silent_accounts(*, now: datetime) -> set[UUID]:
    """Return the accounts whose venue has not answered reconciliation for a while."""
    silent = AccountReview.objects.filter(
        reason=NO_ANSWER, asked_at__lte=now - SILENT_AFTER, due_at__gt=now - NOTE_LASTS
    )
    return set(silent.values_list("account_id", flat=True))


def past_silent(venues: Venues, *, now: datetime) -> Venues:
    """Return doors that fail at once for silent accounts, and are as they were for all others."""
    silent = silent_accounts(now=now)
    return _past(venues, silent) if silent else venues


def _past(venues: Venues, silent: Collection[UUID]) -> Venues:
    def account(row: ExchangeAccount) -> Account:
        return cast(Account, _Silent()) if row.pk in silent else venues.account(row)

    def trading(row: ExchangeAccount) -> Trading:
        return cast(Trading, _Silent()) if row.pk in silent else venues.trading(row)

    return replace(venues, account=account, trading=trading)


class _Silent:
    """Stands for the ports of such an account: every question fails, and nothing is waited for."""

    def __getattr__(self, question: str) -> Callable[..., Coroutine[Any, Any, NoReturn]]:
        return _not_asked


async def _not_asked(*_: object, **__: object) -> NoReturn:
    raise VenueUnavailable("it has not answered for a while")
