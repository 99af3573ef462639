"""Accounts that could not be compared with their venue: silent ones wait, others are halted.

A venue that answers, in words that leave unknown what is held, is no silent one: its answer will
be the same for as long as nobody does anything, and until then nothing may be opened there.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from exchanges.errors import VenueError, VenueUnavailable
from exchanges.loop import DeadlinePassed
from exchanges.models import ExchangeAccount
from trading.models import AccountReview
from trading.services.halt import halt_account, release_account
from trading.services.reviews import postpone_review
from trading.services.silence import NO_ANSWER

# One answer that was cut off says nothing of the next.
HALTED_AFTER = timedelta(seconds=20)
UNREAD = "what it holds cannot be read: "
HELP = (
    ". Positions there are kept as they are, nothing is opened; look at the account at the venue, "
    "and close there by hand what must not wait."
)


def note_unread(account: ExchangeAccount, failure: BaseException, *, now: datetime) -> None:
    """Look at the account again soon; halt it, with the venue's words, once that lasts."""
    if isinstance(failure, VenueUnavailable | DeadlinePassed | TimeoutError):
        postpone_review(account.pk, reason=NO_ANSWER, now=now)
        return
    detail = failure.detail if isinstance(failure, VenueError) else type(failure).__name__
    reason = f"{UNREAD}{detail}"[:300]
    review = AccountReview.objects.filter(account=account, reason__startswith=UNREAD).first()
    postpone_review(account.pk, reason=reason, now=now)
    if review is None:
        AccountReview.objects.filter(account=account).update(asked_at=now)
    elif now - review.asked_at >= HALTED_AFTER:
        halt_account(account, reason=f"{reason[: 300 - len(HELP)]}{HELP}", now=now)


def release_read(account: ExchangeAccount, *, now: datetime) -> None:
    """Lift the halt of an account that can be read again, which nobody else has halted."""
    halted = ExchangeAccount.objects.filter(pk=account.pk, halted_reason__startswith=UNREAD)
    if halted.exists():
        release_account(account, actor="a read that succeeded", now=now)
