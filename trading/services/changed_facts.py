"""What follows when a fact of an instrument changes while somebody holds it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from exchanges.board import Key
from exchanges.domain import Symbol
from exchanges.models import ExchangeAccount
from exchanges.models.notices import (
    CONTRACT_BASE,
    INTERVAL,
    IS_LISTED,
    OFF,
    ON,
    RISK_TIER,
    FactChange,
)
from trading.core.states import LIVE_POSITION_STATES
from trading.doorbell import ring_drive
from trading.events import announce
from trading.models import Event, Leg, Reconciliation
from trading.services.reviews import ask_for_review
from trading.services.venues import Venues

MOST_AT_ONCE = 200
# Each process that trades reads the sizes anew within seconds; until then it may count by the old.
SIZES_RENEWED = timedelta(seconds=30)
RESIZED_LASTS = timedelta(days=1)
SEVERITIES: Mapping[str, str] = {
    CONTRACT_BASE: Event.Severity.CRITICAL,
    IS_LISTED: Event.Severity.CRITICAL,
    INTERVAL: Event.Severity.WARNING,
    "expires_at": Event.Severity.WARNING,
    "max_leverage": Event.Severity.WARNING,
    "maintenance_margin_rate": Event.Severity.WARNING,
    RISK_TIER: Event.Severity.WARNING,
}
FOLLOWS: Mapping[str, str] = {
    CONTRACT_BASE: "; the account is compared with the venue before anything is opened there again",
    INTERVAL: "; funding is expected at the new settlements from now on",
    "expires_at": "; the position is left before it",
    RISK_TIER: "; how near it is to its liquidation is judged by the new one",
}
FOLLOWS_TRADING: Mapping[str, str] = {
    OFF: "; nothing is opened there, and all legs are kept as they hedge each "
    "other until it trades again or the venue settles it",
    ON: "; what waited for it goes on",
}
# After these the account is compared with its venue and the position looked at, at once.
COMPARED_AFTER = (CONTRACT_BASE, IS_LISTED)


def heed_changes(*, now: datetime) -> int:
    """Tell those who hold an instrument of what changed; return how many changes were new.

    After another contract size, and when trading ends or begins again, the account is compared and
    each position driven by what is true.
    """
    unheeded = FactChange.objects.filter(heeded_at=None).select_related("instrument__exchange")
    return sum(_heed(change, now) for change in unheeded.order_by("id")[:MOST_AT_ONCE])


def _heed(change: FactChange, now: datetime) -> bool:
    legs = list(
        Leg.objects.filter(
            instrument=change.instrument_id, position__state__in=LIVE_POSITION_STATES
        ).select_related("position")
    )
    if change.account_id is not None:
        legs = [leg for leg in legs if leg.account_id == change.account_id]
    with transaction.atomic():
        fresh = FactChange.objects.filter(pk=change.pk, heeded_at=None).update(heeded_at=now)
        if not fresh:
            return False
        for leg in legs:
            _tell(leg, change, now)
            if change.fact in COMPARED_AFTER:
                ask_for_review(leg.account_id, reason=change.sentence, now=now)
    if change.fact in COMPARED_AFTER:
        for leg in legs:
            ring_drive(leg.position_id)
    return True


def _tell(leg: Leg, change: FactChange, now: datetime) -> None:
    venue, follows = change.instrument.exchange.name, FOLLOWS.get(change.fact, "")
    if change.fact == IS_LISTED:
        follows = FOLLOWS_TRADING[change.new]
    announce(
        user_id=leg.position.user_id,
        kind=f"fact.{change.fact}"[:40],
        severity=SEVERITIES.get(change.fact, Event.Severity.INFO),
        sentence=f"{leg.position.base}: at {venue} {change.sentence}{follows}",
        position=leg.position,
        now=now,
    )


def resized(accounts: Iterable[ExchangeAccount], now: datetime) -> Mapping[Key, datetime]:
    """Return the contracts whose size changed and was not compared with the account since."""
    compared = dict(
        Reconciliation.objects.filter(account__in=list(accounts)).values_list(
            "account__exchange_id", "compared_at"
        )
    )
    changes = FactChange.objects.filter(
        fact=CONTRACT_BASE, seen_at__gt=now - RESIZED_LASTS
    ).values_list("exchange_id", "exchange__code", "instrument__symbol", "seen_at")
    return {
        (code, Symbol(symbol)): seen_at
        for exchange_id, code, symbol, seen_at in changes
        if (compared_at := compared.get(exchange_id)) is None
        or compared_at < seen_at
        or now - seen_at < SIZES_RENEWED
    }


class ListingWatch:
    """Has this process read listings anew as soon as any process saw another contract size."""

    def __init__(self) -> None:
        self._seen = _newest(_size_changes())

    def renew(self, *, venues: Venues, now: datetime) -> int:
        """Read the listings whose sizes changed since the last look; return of how many venues."""
        news = list(_size_changes().filter(pk__gt=self._seen).select_related("exchange"))
        exchanges = {change.exchange_id: change.exchange for change in news}.values()
        read = [exchange for exchange in exchanges if venues.is_relisted(exchange, now)]
        if len(read) == len(exchanges):
            self._seen = max([self._seen, *(change.pk for change in news)])
        return len(read)


def _size_changes() -> Any:
    return FactChange.objects.filter(fact=CONTRACT_BASE)


def _newest(changes: Any) -> int:
    keys: Collection[int] = changes.order_by("-pk").values_list("pk", flat=True)[:1]
    return next(iter(keys), 0)
