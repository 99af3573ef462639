"""The eight figures of the summary strip."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.core.cache import cache

from arbsite.accounts.models import User
from exchanges.board import Board
from trading.core.funding import HOURS_PER_YEAR
from trading.core.liquidation import Danger
from trading.models import EquitySnapshot, FundingEvent, Position, Trade
from trading.selectors.legs import LegLine, worst
from trading.selectors.positions import PositionLine, position_line, with_parts

DAY = timedelta(days=1)
APR_WINDOW = timedelta(days=30)
APR_IS_KEPT_SECONDS = 60
MOST_CLOSED_COUNTED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestLiquidation:
    base: str
    leg: LegLine
    danger: Danger


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Money in USD; None is unknown. `delta` and `gross` are values at mark over all legs."""

    equity: Decimal | None
    free: Decimal | None
    today: Decimal | None
    funding_24h: Decimal
    fees_24h: Decimal
    net_apr_30d: Decimal | None
    gross: Decimal
    delta: Decimal
    liquidation: NearestLiquidation | None
    next_funding_at: datetime | None
    next_cash: Decimal | None

    @property
    def today_share(self) -> Decimal | None:
        """Return today's result as a fraction of the equity it began with."""
        if self.today is None or self.equity is None or self.equity == self.today:
            return None
        return self.today / (self.equity - self.today)

    @property
    def gross_multiple(self) -> Decimal | None:
        return self.gross / self.equity if self.equity else None


def summary(user: User, lines: Sequence[PositionLine], board: Board, now: datetime) -> Summary:
    """Return the summary of one user with these open positions."""
    snapshots = EquitySnapshot.objects.for_user(user)
    latest = snapshots.last()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    first = snapshots.filter(at__gte=midnight).first()
    next_at, next_cash = _next_funding(lines)
    return Summary(
        equity=latest.equity_usd if latest else None,
        free=latest.free_usd if latest else None,
        today=latest.equity_usd - first.equity_usd if latest and first else None,
        funding_24h=_funding_since(user, now - DAY),
        fees_24h=_fees_since(user, now - DAY),
        net_apr_30d=_net_apr(user, lines, board, now),
        gross=sum((line.gross for line in lines), Decimal(0)),
        delta=sum((line.delta for line in lines), Decimal(0)),
        liquidation=_nearest_liquidation(lines),
        next_funding_at=next_at,
        next_cash=next_cash,
    )


def _funding_since(user: User, since: datetime) -> Decimal:
    received = FundingEvent.objects.filter(position__user=user, paid_at__gte=since)
    return sum(received.values_list("payment_usd", flat=True), Decimal(0))


def _fees_since(user: User, since: datetime) -> Decimal:
    """Return what was paid in fees, valued in USD at the price of the fill where paid in base."""
    trades = Trade.objects.filter(position__user=user, filled_at__gte=since)
    return sum(
        (
            trade.fee * trade.price if trade.fee_asset == trade.leg.instrument.base else trade.fee
            for trade in trades.select_related("leg__instrument")
        ),
        Decimal(0),
    )


def _net_apr(
    user: User, lines: Iterable[PositionLine], board: Board, now: datetime
) -> Decimal | None:
    """Return net P&L over one-leg notional and time held, of what is open or closed in 30 days."""
    earned, held = _closed_result(user, board, now)
    for line in lines:
        earned += line.pnl.total
        held += line.position.size_usd * _hours(line.age)
    return earned / held * HOURS_PER_YEAR if held else None


def _closed_result(user: User, board: Board, now: datetime) -> tuple[Decimal, Decimal]:
    key = f"closed-result.{user.pk}"
    known: tuple[Decimal, Decimal] | None = cache.get(key)
    if known is not None:
        return known
    closed = Position.objects.for_user(user).filter(close_timestamp__gte=now - APR_WINDOW)
    newest = with_parts(closed).order_by("-close_timestamp")[:MOST_CLOSED_COUNTED]
    earned = held = Decimal(0)
    for position in newest:
        line = position_line(position, {}, board, now)
        earned += line.pnl.total
        held += position.size_usd * _hours(line.age)
    cache.set(key, (earned, held), APR_IS_KEPT_SECONDS)
    return earned, held


def _nearest_liquidation(lines: Iterable[PositionLine]) -> NearestLiquidation | None:
    nearest = worst(line.worst_leg for line in lines if line.worst_leg is not None)
    for line in lines:
        if nearest is not None and line.worst_leg == nearest:
            return NearestLiquidation(base=line.position.base, leg=nearest, danger=line.danger)
    return None


def _next_funding(lines: Sequence[PositionLine]) -> tuple[datetime | None, Decimal | None]:
    due = [line for line in lines if line.next_funding_at is not None]
    if not due:
        return None, None
    at = min(line.next_funding_at for line in due if line.next_funding_at is not None)
    amounts = [line.expected_cash for line in due if line.next_funding_at == at]
    if None in amounts:
        return at, None
    return at, sum((amount for amount in amounts if amount is not None), Decimal(0))


def _hours(span: timedelta) -> Decimal:
    return Decimal(str(span / timedelta(hours=1)))
