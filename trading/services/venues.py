"""How services reach venues: ports by account, and blocking calls with a deadline of our own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from django.utils import timezone

from exchanges import domain, loop, registry
from exchanges import services as exchange_services
from exchanges.account_keys import account_key
from exchanges.domain import Symbol
from exchanges.errors import VenueError
from exchanges.models import Exchange, ExchangeAccount, Instrument
from exchanges.modes import Mode
from exchanges.ports import Account, Trading
from exchanges.risk_tiers import TierLadder
from trading.models import Leg

logger = logging.getLogger(__name__)
T = TypeVar("T")

Tiers = Coroutine[Any, Any, Mapping[Symbol, TierLadder]]

READ_SECONDS = 8.0
SEND_SECONDS = 8.0


class Call(Protocol):
    def __call__(self, coroutine: Coroutine[Any, Any, T], timeout: float) -> T: ...


class CallAll(Protocol):
    def __call__(
        self, coroutines: Sequence[Coroutine[Any, Any, T]], timeout: float
    ) -> list[T | BaseException]: ...


@dataclass(frozen=True, slots=True)
class Venues:
    """The doors a service may use; tests and the simulation hand in their own."""

    trading: Callable[[ExchangeAccount], Trading]
    account: Callable[[ExchangeAccount], Account]
    call: Call
    call_all: CallAll
    # When an answer has come.
    clock: Callable[[], datetime] = timezone.now
    # One small public read that tells whether a venue is well.
    probe: Callable[[Exchange], Coroutine[Any, Any, object]] = lambda exchange: _probe(exchange)
    relist: Callable[[Exchange, datetime], object] = exchange_services.refresh_venue
    # The risk tiers that a venue tells everybody.
    tiers: Callable[[Exchange, Sequence[Symbol]], Tiers] = lambda exchange, symbols: _tiers(
        exchange, symbols
    )

    def is_relisted(self, exchange: Exchange, now: datetime) -> bool:
        """Read anew what a venue lists; False, and logged, where it did not answer."""
        try:
            self.relist(exchange, now)
        except VenueError as error:
            logger.warning(
                "listings not read", extra={"venue": exchange.code, "reason": str(error)}
            )
            return False
        return True


def _trading(account: ExchangeAccount) -> Trading:
    return registry.trading(_remembered(account))


def _account(account: ExchangeAccount) -> Account:
    return registry.account(_remembered(account))


def _remembered(account: ExchangeAccount) -> registry.AccountKey:
    """Return an account's key; what is held there may be listed no more since before we began."""
    key = account_key(account)
    registry.remember(key, lambda: traded_at(account.exchange))
    return key


def traded_at(exchange: Exchange) -> list[domain.Instrument]:
    """Return what was ever traded at a venue, as it was kept: listed or not."""
    ours = Leg.objects.filter(instrument__exchange=exchange)
    rows = Instrument.objects.filter(pk__in=ours.values("instrument")).select_related("exchange")
    return [row.snapshot() for row in rows]


def _tiers(exchange: Exchange, symbols: Sequence[Symbol]) -> Tiers:
    return registry.market_data(exchange.code, Mode(exchange.mode)).risk_tiers(symbols)


def _probe(exchange: Exchange) -> Coroutine[Any, Any, object]:
    return registry.market_data(exchange.code, Mode(exchange.mode)).server_time()


REAL = Venues(trading=_trading, account=_account, call=loop.call, call_all=loop.call_all)
