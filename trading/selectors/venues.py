"""Venues as the engine panel shows them: feed health, data age, margin in use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from arbsite.accounts.models import User
from exchanges.board import Board, Channel, FeedHealth
from exchanges.models import AccountBalance, Exchange, ExchangeAccount, VenueHealth
from exchanges.modes import Mode
from exchanges.selectors import enabled_exchanges, read_only

DOLLARS = frozenset({"USDT", "USDC", "USD"})
GLYPHS = {
    FeedHealth.OK: "",
    FeedHealth.SLOW: "warn",
    FeedHealth.STALE: "down",
    FeedHealth.DOWN: "down",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueFeed:
    """How fresh a venue's data is: its worst channel that has ever spoken."""

    code: str
    health: FeedHealth
    age: timedelta | None

    @property
    def glyph(self) -> str:
        return GLYPHS[self.health]


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueStatus:
    """One line of the engine panel. `margin_used` is a fraction of equity, None when unknown."""

    code: str
    short_code: str
    name: str
    feed: VenueFeed
    margin_used: Decimal | None
    halted: str
    read_only: str
    """Why the user may trade nothing there; empty where orders are taken."""
    breaker: str
    """Why its breaker is open; empty while it is closed."""


def venue_feed(board: Board, code: str, now: datetime) -> VenueFeed:
    """Judge one venue by the age of its oldest live channel."""
    ages = {
        channel: age for channel in Channel if (age := board.age(code, channel, now)) is not None
    }
    if not ages:
        return VenueFeed(code=code, health=FeedHealth.DOWN, age=None)
    worst = max(ages, key=lambda channel: ages[channel])
    return VenueFeed(code=code, health=board.health(code, worst, now), age=ages[worst])


def venue_statuses(
    accounts: Sequence[ExchangeAccount],
    exchanges: Iterable[Exchange],
    board: Board,
    mode: Mode,
    now: datetime,
) -> list[VenueStatus]:
    """Return one line per venue for a user who trades in a mode, with the margin in use there."""
    margin = _margin_used(accounts)
    halted = {
        account.exchange_id: account.halted_reason
        for account in accounts
        if account.halted_at is not None
    }
    breakers = {row.pk: row.sentence for row in VenueHealth.objects.select_related("exchange")}
    return [
        VenueStatus(
            code=exchange.code,
            short_code=exchange.short_code,
            name=exchange.name,
            feed=venue_feed(board, exchange.code, now),
            margin_used=margin.get(exchange.code),
            halted=halted.get(exchange.id, ""),
            read_only=read_only(exchange.code, mode),
            breaker=breakers.get(exchange.id, ""),
        )
        for exchange in exchanges
    ]


def own_exchanges(user: User) -> list[Exchange]:
    """Return the exchanges in use at which the user has an account in use."""
    own = set(user.exchange_accounts.active().values_list("exchange_id", flat=True))
    return [exchange for exchange in enabled_exchanges() if exchange.id in own]


def _margin_used(accounts: Iterable[ExchangeAccount]) -> dict[str, Decimal]:
    equity: dict[str, Decimal] = {}
    free: dict[str, Decimal] = {}
    codes = {account.pk: account.exchange.code for account in accounts}
    for balance in AccountBalance.objects.filter(account__in=codes, asset__in=DOLLARS):
        code = codes[balance.account_id]
        equity[code] = equity.get(code, Decimal(0)) + balance.equity
        free[code] = free.get(code, Decimal(0)) + balance.free
    return {code: 1 - free[code] / total for code, total in equity.items() if total > 0}
