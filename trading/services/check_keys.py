"""Check what a key may do before anything is opened with it, and again every day."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from exchanges.access import KeyFacts
from exchanges.account_keys import claim_venue_account
from exchanges.errors import CredentialRefused, UnexpectedPayload
from exchanges.models import ExchangeAccount
from exchanges.modes import Mode
from trading.events import announce_once
from trading.models import Discrepancy, Event
from trading.services.halt import halt_account, openable
from trading.services.venues import READ_SECONDS, Venues

CHECK_LASTS = timedelta(hours=24)
# A check that failed is repeated every few minutes for a day before it bars anything.
CHECK_BARS_AFTER = 2 * CHECK_LASTS
EXPIRY_WARNED_BEFORE = timedelta(days=14)
SAY_AGAIN = timedelta(hours=23)
UNREADABLE_SAID_AGAIN = timedelta(hours=1)
UNBOUND_SAID_AGAIN = timedelta(days=7)


def why_unchecked(account: ExchangeAccount, now: datetime) -> str:
    """Return why nothing is opened with a key whose rights are not known now, empty if they are."""
    venue, checked_at = account.exchange.code, account.checked_at
    if checked_at is None:
        return f"The key for {venue} has not been checked yet: wait a moment."
    if now - checked_at <= CHECK_BARS_AFTER:
        return ""
    return (
        f"What the key for {venue} may do was last read on {checked_at:%Y-%m-%d %H:%M} UTC, more "
        f"than {CHECK_BARS_AFTER // timedelta(hours=1)} h ago: nothing is opened with it until "
        "the venue tells it again; closing goes on."
    )


def check_keys(*, venues: Venues, now: datetime) -> int:
    """Check new keys and those not checked for a day; return how many may trade.

    A key that is refused, may withdraw or move money, or opens an account that is in use here
    already halts its own account with what to do. Rights that cannot be read bar real money, and
    are warned of elsewhere. A new key lifts a halt, but not that of a difference nobody has
    resolved. A venue that does not answer is asked again next time.
    """
    due = ExchangeAccount.objects.active().filter(
        Q(checked_at=None) | Q(checked_at__lte=now - CHECK_LASTS), halted_at=None
    )
    accounts = openable(due.select_related("exchange"), venues=venues, now=now)
    answers = venues.call_all(
        [venues.account(account).check_key() for account in accounts], READ_SECONDS
    )
    return sum(
        _judge(account, answer, now) for account, answer in zip(accounts, answers, strict=True)
    )


def _judge(account: ExchangeAccount, answer: KeyFacts | BaseException, now: datetime) -> bool:
    if isinstance(answer, KeyFacts):
        return _take(account, answer, now)
    if isinstance(answer, CredentialRefused):
        halt_account(account, reason=answer.detail, now=now)
    elif isinstance(answer, UnexpectedPayload):
        return _bear_unreadable(account, now)
    return False


def _take(account: ExchangeAccount, facts: KeyFacts, now: datetime) -> bool:
    if not claim_venue_account(account, facts.venue_uid):
        name = account.exchange.name
        reason = (
            f"this account at {name} is already traded here with another key, and two would undo "
            f"each other's positions: make a sub-account at {name} and enter a key of that"
        )
        halt_account(account, reason=reason, now=now)
        return False
    ExchangeAccount.objects.filter(pk=account.pk).update(key_expires_at=facts.expires_at)
    _warn_of_expiry(account, facts.expires_at, now)
    if facts.is_bound_to_address is False:
        sentence = (
            f"{account}: its key may be used from any address. At {account.exchange.name} open API "
            "management and restrict it to the address of this machine"
        )
        _warn(account, "key.unbound", sentence, UNBOUND_SAID_AGAIN, now)
    return _pass(account, now)


def _warn_of_expiry(account: ExchangeAccount, ends: datetime | None, now: datetime) -> None:
    if ends is None or ends - now > EXPIRY_WARNED_BEFORE:
        return
    sentence = (
        f"{account}: its key ends on {ends:%Y-%m-%d %H:%M} UTC, in "
        f"{max((ends - now).days, 0)} days. Make a new one at {account.exchange.name} and enter it "
        "before: without a key nothing can be closed"
    )
    _warn(account, "key.expires", sentence, SAY_AGAIN, now)


def _bear_unreadable(account: ExchangeAccount, now: datetime) -> bool:
    """Let what is not real money trade with a key whose rights are not told, with a warning."""
    is_real = account.exchange.mode == Mode.LIVE
    what = "nothing is opened with it" if is_real else "it is used all the same: no money is real"
    sentence = (
        f"{account}: {account.exchange.name} does not say in a way we understand what its key may "
        f"do; {what}"
    )
    _warn(account, "key.unreadable", sentence, UNREADABLE_SAID_AGAIN, now)
    return False if is_real else _pass(account, now)


def _warn(
    account: ExchangeAccount, kind: str, sentence: str, within: timedelta, now: datetime
) -> None:
    announce_once(
        user_id=account.user_id,
        kind=f"{kind}.{account.exchange.code}"[:40],
        severity=Event.Severity.WARNING,
        sentence=sentence,
        within=within,
        now=now,
    )


def _pass(account: ExchangeAccount, now: datetime) -> bool:
    """Note a good key; False where a difference that still stands halts its account again."""
    standing = Discrepancy.objects.confirmed().filter(account=account).first()
    with transaction.atomic():
        if standing is not None:
            halt_account(account, reason=standing.sentence, now=now)
        ExchangeAccount.objects.filter(pk=account.pk).update(checked_at=now)
    return standing is None
