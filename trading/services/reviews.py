"""Which accounts are to be compared with their venues before the minute is over.

A row in the database asks for it, so that any process may ask and a lost message loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, F, Q

from exchanges.models import ExchangeAccount
from exchanges.selectors import look_up_every
from trading.core.states import EXPOSED_POSITION_STATES
from trading.models import AccountReview, Leg, Reconciliation
from trading.services.in_use import accounts_in_use

# A venue that did not answer, and a difference that may be lag, are looked at again after this.
AGAIN_AFTER = timedelta(seconds=3)
# Without a stream, what a venue closes is seen by then and somebody is told within 10 s.
EXPOSED_EVERY = timedelta(seconds=5)
# Where a key may ask so little that its orders are looked up slowly, most of it is left for those.
LOOK_UPS = 4
# Where many are exposed at one venue they take turns, so that its limit is never spent on this: a
# Binance address may ask 2,400 a minute and two comparisons a second take 600. Nobody waits longer
# than it takes to mend within 30 s.
TURN, LONGEST_TURN = timedelta(seconds=0.5), timedelta(seconds=20)
# No review is put off longer, and none takes longer; beyond it a clock was set back.
LONGEST_WAIT = timedelta(minutes=1)


def ask_for_review(account_id: UUID, *, reason: str, now: datetime) -> None:
    """Have an account compared with its venue soon; asking again makes it no later."""
    review, is_new = AccountReview.objects.get_or_create(
        account_id=account_id,
        defaults={"reason": reason[:300], "asked_at": now, "due_at": now},
    )
    if not is_new and review.due_at > now:
        AccountReview.objects.filter(pk=review.pk).update(due_at=now, reason=reason[:300])


def ask_for_all(accounts: Iterable[ExchangeAccount], *, now: datetime) -> None:
    """Have every account compared, as after a start."""
    for account in accounts:
        ask_for_review(account.pk, reason="the engine started", now=now)


def due_accounts(*, now: datetime) -> list[ExchangeAccount]:
    """Return the accounts in use to compare now: asked for, or exposed and not compared lately.

    Those that were asked for come first; one that was put off waits, exposed or not.
    """
    is_due = Q(review__due_at__lte=now) | Q(review__due_at__gt=now + LONGEST_WAIT)
    accounts = accounts_in_use().filter(is_due | (Q(review=None) & _is_stale(now)))
    return list(accounts.order_by(F("review__due_at").asc(nulls_last=True)))


def exposed_every(venue: str, accounts: int) -> timedelta:
    """Return how often each of so many exposed accounts of one venue is compared."""
    return min(max(EXPOSED_EVERY, TURN * accounts, LOOK_UPS * look_up_every(venue)), LONGEST_TURN)


def _is_stale(now: datetime) -> Q:
    """Return what holds of exposed accounts whose turn has come."""
    legs = Leg.objects.filter(position__state__in=EXPOSED_POSITION_STATES)
    exposed = ExchangeAccount.objects.filter(pk__in=legs.values("account"))
    turns = Q(pk__in=[])
    crowds = exposed.values_list("exchange", "exchange__code").annotate(Count("pk")).order_by()
    for exchange, venue, number in crowds:
        every = exposed_every(venue, number)
        # What lies further ahead was written before the clock was set back: not fresh, but old.
        fresh = Reconciliation.objects.filter(
            compared_at__gt=now - every, compared_at__lt=now + every
        )
        turns |= Q(exchange=exchange) & ~Q(pk__in=fresh.values("account"))
    return Q(pk__in=exposed) & turns


def close_review(account_id: UUID, *, asked_until: datetime) -> None:
    """End the reviews asked for until then: what was asked for later is still to be done."""
    is_earlier = Q(asked_at__lte=asked_until) | Q(asked_at__gt=asked_until + LONGEST_WAIT)
    done = AccountReview.objects.filter(is_earlier, account_id=account_id)
    if done.exists():
        done.delete()


def postpone_review(account_id: UUID, *, reason: str, now: datetime) -> None:
    """Look at an account again in a moment, whether or not somebody had asked for it."""
    AccountReview.objects.update_or_create(
        account_id=account_id,
        defaults={"reason": reason[:300], "due_at": now + AGAIN_AFTER},
        create_defaults={"reason": reason[:300], "asked_at": now, "due_at": now + AGAIN_AFTER},
    )
