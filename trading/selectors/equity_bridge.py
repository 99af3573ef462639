"""The P&L page: what changed the equity of each day, and since the first reading, part by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from arbsite.accounts.models import User
from trading.core.money import for_display
from trading.services.equity_bridge import BridgePeriod, daily_bridges, equity_bridge

DAYS_SHOWN = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeLine:
    """One period in whole cents that add up: start, the parts, end. Costs are negative here."""

    name: str
    opened_at: datetime
    closed_at: datetime
    opening: Decimal
    price_pnl: Decimal
    funding: Decimal
    fees: Decimal
    borrow: Decimal
    failed_attempts: Decimal
    quote_fx: Decimal
    transfers: Decimal
    unexplained: Decimal
    closing: Decimal
    needs_alert: bool
    other_fees: Mapping[str, Decimal]

    @property
    def net_pnl(self) -> Decimal:
        earned = self.price_pnl + self.funding + self.fees + self.borrow
        return earned + self.failed_attempts + self.quote_fx


def bridge_lines(user: User, now: datetime) -> list[BridgeLine]:
    """Return a line per UTC day that has readings, today first, and one for all of them."""
    lines = [
        _line(f"{period.closed_at:%Y-%m-%d}", period)
        for period in daily_bridges(user, days=DAYS_SHOWN, now=now)
    ]
    whole = equity_bridge(user, since=None, until=now)
    return [*lines, _line("Since the first reading", whole)] if whole is not None else lines


def bridge_between(user: User, since: datetime, now: datetime) -> BridgeLine | None:
    """Return the line of one span, from the last reading before it; None without two readings."""
    period = equity_bridge(user, since=since, until=now)
    return None if period is None else _line("", period)


def _line(name: str, period: BridgePeriod) -> BridgeLine:
    parts = period.parts
    cents = in_cents(
        [
            period.opening_equity,
            parts.price_pnl,
            parts.funding,
            -parts.fees,
            -parts.borrow,
            -parts.failed_attempts,
            parts.quote_fx,
            parts.transfers,
            parts.unexplained,
        ]
    )
    opening, price, funding, fees, borrow, failed, quote_fx, transfers, unexplained = cents
    return BridgeLine(
        name=name,
        opened_at=period.opened_at,
        closed_at=period.closed_at,
        opening=opening,
        price_pnl=price,
        funding=funding,
        fees=fees,
        borrow=borrow,
        failed_attempts=failed,
        quote_fx=quote_fx,
        transfers=transfers,
        unexplained=unexplained,
        closing=sum(cents, Decimal(0)),
        needs_alert=parts.needs_alert,
        other_fees=period.other_fees,
    )


def in_cents(amounts: Sequence[Decimal]) -> list[Decimal]:
    """Round so that the rounded amounts add up to the rounded sum: each carries its rest on."""
    rounded: list[Decimal] = []
    exact, shown = Decimal(0), Decimal(0)
    for amount in amounts:
        exact += amount
        cents = for_display(exact, 2) - shown
        shown += cents
        rounded.append(cents)
    return rounded
