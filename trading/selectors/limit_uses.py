"""How much of each limit of a user is used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from arbsite.accounts.models import User
from trading.core.parameters import Parameters
from trading.models import LimitUse
from trading.selectors.positions import open_count
from trading.services import configure
from trading.services.capital import capital_of
from trading.services.daily_stop import lost_today
from trading.services.engine import usable_accounts
from trading.services.limits import USER_SCOPE, exposure_scope
from trading.services.money_mode import mode_of

PAIR, VENUE = "pair", "venue"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitLine:
    """One limit: `scope` is its key, `words` what it limits, `used` and `most` how full it is.

    `share` is used over most.
    """

    scope: str
    words: str
    used: str
    most: str
    share: Decimal


def limit_uses(user: User, now: datetime) -> list[LimitLine]:
    """Return every limit that something is used of, the fullest first."""
    parameters = configure.current(user).parameters
    rows = LimitUse.objects.filter(user=user, mode=mode_of(user), reserved_cents__gt=0)
    lines = [line for row in rows if (line := _notional(row, parameters)) is not None]
    count, most = open_count(user), parameters.max_open_positions
    if count and most:
        lines.append(
            LimitLine(
                scope="positions",
                words="the number of open positions",
                used=str(count),
                most=str(most),
                share=Decimal(count) / most,
            )
        )
    stop = _daily_stop(user, parameters.daily_stop, now)
    return sorted([*lines, *stop], key=lambda line: -line.share)


def _notional(row: LimitUse, parameters: Parameters) -> LimitLine | None:
    cap, words = _cap(row.scope, parameters)
    if not cap:
        return None
    used = Decimal(row.reserved_cents) / 100
    return LimitLine(
        scope=row.scope,
        words=words,
        used=f"{used:,.0f} USD",
        most=f"{cap:,.0f} USD",
        share=used / cap,
    )


def _cap(scope: str, parameters: Parameters) -> tuple[Decimal | None, str]:
    kind, _, name = scope.partition(":")
    if scope == USER_SCOPE:
        return parameters.max_position_per_user_usd, "your total limit"
    if kind == PAIR:
        return parameters.max_position_per_pair_usd, f"the limit per pair on {name}"
    if kind == VENUE:
        return parameters.max_position_per_venue_usd, f"the limit at {name}"
    if scope == exposure_scope("basis"):
        return parameters.max_basis_exposure_usd, "the limit of gap positions"
    return parameters.max_funding_exposure_usd, "the limit of funding positions"


def _daily_stop(user: User, most: Decimal, now: datetime) -> list[LimitLine]:
    accounts = {account.exchange.code: account for account in usable_accounts(user)}
    lost = lost_today(user, accounts.values(), capital_of(accounts)[1], now)
    if lost <= 0 or most <= 0:
        return []
    return [
        LimitLine(
            scope="daily_stop",
            words="the loss of a day",
            used=f"{lost * 100:.2f} %",
            most=f"{most * 100:.2f} %",
            share=lost / most,
        )
    ]
