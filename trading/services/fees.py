"""Read each account's own fees for what it may trade; what cannot be asked stays a guess."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from exchanges import selectors
from exchanges.domain import FeeTier, Symbol
from exchanges.models import AccountFee, ExchangeAccount, Instrument
from trading.services import configure
from trading.services.halt import openable
from trading.services.venues import READ_SECONDS, Venues

FEES_LAST = timedelta(hours=1)
# A venue charges each question against its rate budget; the rest is asked a minute later.
MOST_AT_ONCE = 40


def refresh_fees(*, venues: Venues, now: datetime) -> int:
    """Read fees that are missing or older than an hour; return how many were stored."""
    due = _due(venues, now)[:MOST_AT_ONCE]
    answers = venues.call_all(
        [venues.account(account).fee_tier(Symbol(i.symbol)) for account, i in due], READ_SECONDS
    )
    stored = 0
    for (account, instrument), answer in zip(due, answers, strict=True):
        if isinstance(answer, FeeTier):
            _store(account, instrument, answer, now)
            stored += 1
    return stored


def _due(venues: Venues, now: datetime) -> list[tuple[ExchangeAccount, Instrument]]:
    """Return every account with the whitelisted instruments of its exchange whose fee is old."""
    active = ExchangeAccount.objects.active().select_related("exchange", "user")
    accounts = openable(active, venues=venues, now=now)
    known = set(
        AccountFee.objects.filter(observed_at__gt=now - FEES_LAST).values_list(
            "account_id", "instrument_id"
        )
    )
    return [
        (account, instrument)
        for account in accounts
        for instrument in _whitelisted(account)
        if (account.pk, instrument.pk) not in known
    ]


def _whitelisted(account: ExchangeAccount) -> Iterable[Instrument]:
    bases = configure.current(account.user).parameters.bases
    return selectors.active_instruments().filter(exchange=account.exchange, base__in=bases)


def _store(account: ExchangeAccount, instrument: Instrument, tier: FeeTier, now: datetime) -> None:
    AccountFee.objects.update_or_create(
        account=account,
        instrument=instrument,
        defaults={
            "maker": tier.maker,
            "taker": tier.taker,
            "is_fallback": tier.is_fallback,
            "observed_at": now,
        },
    )
