"""Read the risk tiers of what may be traded or is held; what nobody asked for is not read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from exchanges import selectors
from exchanges.domain import InstrumentKind, Symbol
from exchanges.models import Exchange, ExchangeAccount, Instrument
from exchanges.risk_tiers import TierLadder
from exchanges.services import good_answers
from exchanges.tier_rows import store_ladders
from trading.core.states import LIVE_POSITION_STATES
from trading.models import Leg
from trading.services import configure
from trading.services.halt import openable
from trading.services.venues import READ_SECONDS, Venues

Told = Mapping[Symbol, TierLadder]
TIERS_LAST = timedelta(hours=1)
# So soon one that is lowered under a position is known, whatever the venue says of the latter.
HELD_TIERS_LAST = timedelta(minutes=10)
# Of a venue where each contract is asked for by itself; the rest is asked a minute later.
MOST_AT_ONCE = 20


class _Question(NamedTuple):
    """Contracts of one venue that are asked for together, and who may ask."""

    instruments: list[Instrument]
    account: ExchangeAccount | None


def refresh_tiers(*, venues: Venues, now: datetime) -> int:
    """Read tiers that are missing, in doubt or old; return of how many contracts they were told."""
    calls = [_ask(question, venues) for question in _questions(venues, now)]
    answers = good_answers(venues.call_all(calls, READ_SECONDS))
    return sum(store_ladders(instruments, told, now) for instruments, told in answers)


async def _ask(question: _Question, venues: Venues) -> tuple[list[Instrument], Told]:
    instruments, account = question
    symbols = [Symbol(one.symbol) for one in instruments]
    if account is not None:
        return instruments, await venues.account(account).risk_tiers(symbols)
    return instruments, await venues.tiers(instruments[0].exchange, symbols)


def _questions(venues: Venues, now: datetime) -> Iterable[_Question]:
    accounts = list(ExchangeAccount.objects.active().select_related("exchange", "user"))
    askers = {one.exchange_id: one for one in openable(accounts, venues=venues, now=now)}
    for exchange, rows in _due(accounts, now).items():
        told, asker = selectors.tiers_told(exchange.code), None
        if not told.to_everybody:
            asker = askers.get(exchange.pk)
            if asker is None or not told.to_accounts:
                continue
        for some in [rows] if told.at_once else [[row] for row in rows[:MOST_AT_ONCE]]:
            yield _Question(some, asker)


def _due(accounts: Sequence[ExchangeAccount], now: datetime) -> dict[Exchange, list[Instrument]]:
    """Return by exchange what is held, then what may be entered, whose tiers are old or missing."""
    held = set(
        Leg.objects.filter(
            account__in=accounts, position__state__in=LIVE_POSITION_STATES
        ).values_list("instrument", flat=True)
    )
    bases: dict[UUID, set[str]] = {}
    for account in accounts:
        chosen = configure.current(account.user).parameters.bases
        bases.setdefault(account.exchange_id, set()).update(chosen)
    wanted = Q(pk__in=held)
    for exchange_id, some in bases.items():
        wanted |= Q(exchange=exchange_id, base__in=some)
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
