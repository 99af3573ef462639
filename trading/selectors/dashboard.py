"""The eight figures of the summary strip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.core.cache import cache

from arbsite.accounts.models import User
from exchanges.board import Board
from exchanges.modes import Mode
from trading.core.funding import HOURS_PER_YEAR
from trading.core.liquidation import Danger
from trading.models import EquitySnapshot, FundingEvent, Position, Trade
from trading.selectors.legs import LegLine, worst
from trading.selectors.positions import PositionLine, position_line, with_parts
from trading.services.pnl import fee_value

DAY = timedelta(days=1)
APR_WINDOW = timedelta(days=30)
CLOSED_IS_KEPT_SECONDS = 30
MOST_CLOSED_COUNTED = 500
FEE_COLUMNS = (
    *("fee", "fee_asset", "fee_price", "price"),
    *("leg__instrument__base", "leg__instrument__quote", "leg__instrument__settle"),
)
"""What a fee is valued by: a day has many fills."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestLiquidation:
    base: str
    leg: LegLine
    danger: Danger


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedResult:
    """What the positions closed in 30 days earned, and their one-leg notional times hours held."""

    earned: Decimal
    held: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Money in USD; None is unknown. `delta` and `gross` are values at mark over all legs.

    `unvalued_fees_24h` are by asset: those whose price nobody told.
    """

    equity: Decimal | None
    free: Decimal | None
    today: Decimal | None
    funding_24h: Decimal
    fees_24h: Decimal
    unvalued_fees_24h: Mapping[str, Decimal]
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


def summary(
    user: User, mode: Mode, lines: Sequence[PositionLine], board: Board, now: datetime
) -> Summary:
    """Return the summary of one user with these open positions; money of the mode in use alone."""
    everything = lines
    lines = [line for line in everything if line.position.mode == mode]
    latest = EquitySnapshot.objects.for_user(user).filter(mode=mode).last()
    closed = _closed_result(user, mode, board, now)
    fees, unvalued = _fees_since(user, mode, now - DAY)
    next_at, next_cash = _next_funding(lines)
    return Summary(
        equity=latest.equity_usd if latest else None,
        free=latest.free_usd if latest else None,
        today=_today(user, latest, closed.earned + _earned(lines), now),
        funding_24h=_funding_since(user, mode, now - DAY),
        fees_24h=fees,
        unvalued_fees_24h=unvalued,
        net_apr_30d=_net_apr(closed, lines),
        gross=sum((line.gross for line in lines), Decimal(0)),
        delta=sum((line.delta for line in lines), Decimal(0)),
        liquidation=_nearest_liquidation(everything),
        next_funding_at=next_at,
        next_cash=next_cash,
    )


def _funding_since(user: User, mode: Mode, since: datetime) -> Decimal:
    received = FundingEvent.objects.filter(
        position__user=user, position__mode=mode, paid_at__gte=since
    )
    return sum(received.values_list("payment_usd", flat=True), Decimal(0))


def _fees_since(user: User, mode: Mode, since: datetime) -> tuple[Decimal, dict[str, Decimal]]:
    """Return what was paid in fees, in USD, and by asset what nobody told a price of."""
    valued, unvalued = Decimal(0), dict[str, Decimal]()
    trades = Trade.objects.filter(position__user=user, position__mode=mode, filled_at__gte=since)
    for trade in trades.select_related("leg__instrument").only(*FEE_COLUMNS):
        value = fee_value(trade, trade.leg)
        if value is not None:
            valued += value
        else:
            unvalued[trade.fee_asset] = unvalued.get(trade.fee_asset, Decimal(0)) + trade.fee
    return valued, unvalued


def _today(
    user: User, latest: EquitySnapshot | None, earned: Decimal, now: datetime
) -> Decimal | None:
    """Return the change of equity since midnight UTC, as the venues said it.

    On the first day nothing was read before: then all that was earned was earned today.
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if latest is None:
        return None
    readings = EquitySnapshot.objects.for_user(user).filter(at__lt=midnight)
    before = readings.filter(mode=latest.mode).last()
    change: Decimal = latest.equity_usd - before.equity_usd if before is not None else earned
    return change


def _net_apr(closed: ClosedResult, lines: Iterable[PositionLine]) -> Decimal | None:
    """Return net P&L over one-leg notional and time held, of what is open or closed in 30 days."""
    lines = list(lines)
    held = sum((line.position.size_usd * _hours(line.age) for line in lines), closed.held)
    return (closed.earned + _earned(lines)) / held * HOURS_PER_YEAR if held else None


def _earned(lines: Iterable[PositionLine]) -> Decimal:
    return sum((line.pnl.total for line in lines), Decimal(0))


def _closed_result(user: User, mode: Mode, board: Board, now: datetime) -> ClosedResult:
    key = f"closed-result.{user.pk}.{mode}"
    known: ClosedResult | None = cache.get(key)
    if known is not None:
        return known
    own = Position.objects.for_user(user).filter(mode=mode)
    closed = own.filter(close_timestamp__gte=now - APR_WINDOW)
    newest = with_parts(closed).order_by("-close_timestamp")[:MOST_CLOSED_COUNTED]
    lines = [position_line(position, {}, board, now) for position in newest]
    held = sum((line.position.size_usd * _hours(line.age) for line in lines), Decimal(0))
    result = ClosedResult(earned=_earned(lines), held=held)
    cache.set(key, result, CLOSED_IS_KEPT_SECONDS)
    return result


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
