"""Read each account's own fees for what it may trade; what cannot be asked stays a guess."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from exchanges import selectors
from exchanges.domain import FeeTier, Symbol
from exchanges.models import AccountFee, ExchangeAccount, Instrument
from exchanges.models.notices import FactChange
from trading.core.sentence import percent
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
    """Keep what the account pays; what it no longer pays is written down for its owner."""
    before = AccountFee.objects.filter(account=account, instrument=instrument).first()
    if before is not None and not (before.is_fallback or tier.is_fallback):
        FactChange.objects.bulk_create(_changes(before, account, instrument, tier, now))
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


def _changes(
    before: AccountFee,
    account: ExchangeAccount,
    instrument: Instrument,
    tier: FeeTier,
    now: datetime,
) -> list[FactChange]:
    return [
        FactChange(
            exchange_id=instrument.exchange_id,
            instrument=instrument,
            account=account,
            fact=f"{name}_fee",
            old=percent(old),
            new=percent(new),
            seen_at=now,
        )
        for name, old, new in (
            ("maker", before.maker, tier.maker),
            ("taker", before.taker, tier.taker),
        )
        if old != new
    ]
