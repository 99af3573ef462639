"""Read the risk tiers of what may be traded or is held; what nobody asked for is not read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q

from exchanges import selectors
from exchanges.domain import InstrumentKind, Symbol
from exchanges.models import Exchange, ExchangeAccount, Instrument
from exchanges.tier_rows import store_ladders
from trading.core.states import LIVE_POSITION_STATES
from trading.models import Leg
from trading.services import configure
from trading.services.halt import openable
from trading.services.venues import READ_SECONDS, Tiers, Venues

TIERS_LAST = timedelta(hours=1)
# A tier that is lowered under a position is known before its venue acts on it.
HELD_TIERS_LAST = timedelta(minutes=10)
# Where each contract is asked for by itself; the rest is asked a minute later.
MOST_AT_ONCE = 40


class _Question(NamedTuple):
    """Contracts of one venue that are asked for together, and who may ask."""

    instruments: list[Instrument]
    account: ExchangeAccount | None


def refresh_tiers(*, venues: Venues, now: datetime) -> int:
    """Read tiers that are missing, in doubt or old; return of how many contracts they were told."""
    questions = list(_questions(venues, now))[:MOST_AT_ONCE]
    answers = venues.call_all([_ask(one, venues) for one in questions], READ_SECONDS)
    return sum(
        store_ladders(one.instruments, answer, now)
        for one, answer in zip(questions, answers, strict=True)
        if not isinstance(answer, BaseException)
    )


def _ask(question: _Question, venues: Venues) -> Tiers:
    symbols = [Symbol(one.symbol) for one in question.instruments]
    if question.account is not None:
        return venues.account(question.account).risk_tiers(symbols)
    return venues.tiers(question.instruments[0].exchange, symbols)


def _questions(venues: Venues, now: datetime) -> Iterable[_Question]:
    active = ExchangeAccount.objects.active().select_related("exchange", "user")
    accounts = list(openable(active, venues=venues, now=now))
    due = _due(accounts, now)
    for exchange in {account.exchange for account in accounts}:
        told, rows = selectors.tiers_told(exchange.code), due.get(exchange, [])
        if not rows or not (told.to_everybody or told.to_accounts):
            continue
        asker = None
        if not told.to_everybody:
            asker = next(account for account in accounts if account.exchange == exchange)
        for some in [rows] if told.at_once else [[row] for row in rows]:
            yield _Question(some, asker)


def _due(accounts: Iterable[ExchangeAccount], now: datetime) -> dict[Exchange, list[Instrument]]:
    """Return by exchange what is held, then what may be entered, whose tiers are old or missing."""
    accounts = list(accounts)
    held = set(
        Leg.objects.filter(
            account__in=accounts, position__state__in=LIVE_POSITION_STATES
        ).values_list("instrument", flat=True)
    )
    wanted = Q(pk__in=held)
    for account in accounts:
        bases = configure.current(account.user).parameters.bases
        wanted |= Q(exchange=account.exchange, base__in=bases)
    contracts = selectors.active_instruments().exclude(kind=InstrumentKind.SPOT)
    found: dict[Exchange, list[Instrument]] = {}
    rows = contracts.filter(wanted).select_related("exchange", "risk_tiers")
    for row in sorted(rows, key=lambda row: row.pk not in held):
        lasts = HELD_TIERS_LAST if row.pk in held else TIERS_LAST
        known = getattr(row, "risk_tiers", None)
        asked_at = None if known is None else known.asked_at
        if asked_at is None or abs(now - asked_at) >= lasts:
            found.setdefault(row.exchange, []).append(row)
    return found
