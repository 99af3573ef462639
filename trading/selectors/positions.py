"""Positions as screens show them: open with live figures, closed with what was realised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Prefetch
from django.shortcuts import get_object_or_404

from arbsite.accounts.models import User
from exchanges.board import Board
from exchanges.models import Instrument
from trading.core.exposure import Exposure, LegExposure, exposure
from trading.core.funding import HOURS_PER_YEAR
from trading.core.liquidation import Danger
from trading.core.pnl import PnlParts
from trading.core.states import Goal, PositionState
from trading.models import LegSide, Order, Position
from trading.models.position import PositionQuerySet
from trading.selectors.legs import (
    LegLine,
    LiquidationPrices,
    danger,
    leg_line,
    liquidation_prices,
    worst,
)
from trading.services.money_mode import mode_of
from trading.services.pnl import fetched_pnl

STATE_WORDS = {
    PositionState.PLANNED: "Planned",
    PositionState.ENTERING: "Entering",
    PositionState.OPEN: "Hedged",
    PositionState.EXITING: "Closing",
    PositionState.UNWINDING: "Unwinding",
    PositionState.HELD: "Held",
    PositionState.CLOSED: "Closed",
    PositionState.ABANDONED: "Abandoned",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionLine:
    """One position with the market facts of now; money in USD, > 0 is mine."""

    position: Position
    legs: tuple[LegLine, ...]
    pnl: PnlParts
    now: datetime

    @property
    def state_word(self) -> str:
        if self.position.goal == Goal.FLAT and self.position.state == PositionState.OPEN:
            return "To be closed"
        if self.position.add_quantity is not None and self.position.state == PositionState.ENTERING:
            return "Adding"
        return STATE_WORDS[PositionState(self.position.state)]

    @property
    def age(self) -> timedelta:
        until = self.position.close_timestamp or self.now
        return until - (self.position.entry_timestamp or self.position.created_at)

    @property
    def long(self) -> LegLine:
        return next(line for line in self.legs if line.leg.side == LegSide.LONG)

    @property
    def short(self) -> LegLine:
        return next(line for line in self.legs if line.leg.side == LegSide.SHORT)

    @property
    def apr(self) -> Decimal | None:
        """Return the current funding spread, annualised."""
        if self.long.apr is None or self.short.apr is None:
            return None
        return self.short.apr - self.long.apr

    @property
    def worst_leg(self) -> LegLine | None:
        return worst(self.legs)

    @property
    def danger(self) -> Danger:
        return danger(self.worst_leg)

    @property
    def next_funding_at(self) -> datetime | None:
        times = [at for line in self.legs if (at := line.settles_at(self.now)) is not None]
        return min(times, default=None)

    @property
    def expected_cash(self) -> Decimal | None:
        """Return what the legs that settle next will pay, at predicted rates."""
        due = [line for line in self.legs if line.settles_at(self.now) == self.next_funding_at]
        amounts = [line.expected_payment for line in due]
        if self.next_funding_at is None or None in amounts:
            return None
        return sum((amount for amount in amounts if amount is not None), Decimal(0))

    @property
    def gross(self) -> Decimal:
        """Return the value of both legs at mark; legs without a mark count nothing."""
        return sum((abs(line.notional or Decimal(0)) for line in self.legs), Decimal(0))

    @property
    def delta(self) -> Decimal:
        """Return the unhedged value at mark, signed."""
        return sum((line.notional or Decimal(0) for line in self.legs), Decimal(0))

    @property
    def net_base(self) -> Decimal:
        """Return the unhedged base quantity by our own fills: > 0 bought, < 0 sold."""
        return sum((line.base_quantity for line in self.legs), Decimal(0))

    @property
    def is_held(self) -> bool:
        return self.position.state == PositionState.HELD

    @property
    def may_close_one_leg(self) -> bool:
        """Tell whether closing one leg alone is offered: asked to be flat, or held, and not yet."""
        wanted = self.is_held or self.position.goal == Goal.FLAT
        holds = any(line.base_quantity for line in self.legs)
        return self.position.is_live and wanted and holds and not self.position.force_one_sided

    @property
    def unhedged_leg(self) -> LegLine | None:
        """Return the leg that is larger than the other beyond a lot, None while hedged or flat."""
        held = [
            LegExposure(
                net_base=line.base_quantity, lot=line.leg.instrument.lot, ratio=line.leg.ratio
            )
            for line in self.legs
        ]
        if exposure(held) is not Exposure.IMBALANCED:
            return None
        return max(self.legs, key=lambda line: abs(line.base_quantity) / line.leg.ratio)

    @property
    def charges(self) -> Decimal:
        """Return fees and interest together, > 0 paid: funding, price and charges are the net."""
        return self.pnl.fees + self.pnl.borrow

    @property
    def exit_cost(self) -> Decimal | None:
        """Return the estimated cost of closing both legs now."""
        costs = [line.exit_cost for line in self.legs]
        if None in costs:
            return None
        return sum((cost for cost in costs if cost is not None), Decimal(0))

    @property
    def net_after_exit(self) -> Decimal | None:
        return None if self.exit_cost is None else self.pnl.total - self.exit_cost

    @property
    def realised_apr(self) -> Decimal | None:
        """Return the net result on one leg's notional, annualised over the time held."""
        hours = Decimal(str(self.age / timedelta(hours=1)))
        if not hours or not self.position.size_usd:
            return None
        size: Decimal = self.position.size_usd
        return self.pnl.total / size / hours * HOURS_PER_YEAR


def open_positions(user: User, board: Board, now: datetime) -> list[PositionLine]:
    """Return the live positions, those nearer to liquidation first, then the oldest."""
    liquidations = liquidation_prices(user)
    rows = with_parts(Position.objects.for_user(user).live())
    lines = [position_line(position, liquidations, board, now) for position in rows]
    return sorted(lines, key=_urgency)


def _urgency(line: PositionLine) -> tuple[Decimal, datetime]:
    leg = line.worst_leg
    if leg is None or leg.distance is None:
        return Decimal("Infinity"), line.position.created_at
    # In steps of a tenth: rows that change places with every price cannot be clicked.
    return round(leg.distance, 1), line.position.created_at


def closed_positions(user: User, board: Board, now: datetime, *, limit: int) -> list[PositionLine]:
    """Return positions that ended with a trade, newest first."""
    rows = with_parts(ended_positions(user))
    newest = rows.order_by("-close_timestamp")[:limit]
    return [position_line(position, {}, board, now) for position in newest]


def closed_count(user: User) -> int:
    """Return how many positions ended with a trade."""
    return ended_positions(user).count()


def ended_positions(user: User) -> PositionQuerySet:
    """Return what ended in the mode in use: results of different money are not compared."""
    return Position.objects.for_user(user).filter(state=PositionState.CLOSED, mode=mode_of(user))


def open_count(user: User | None) -> int:
    """Return how many positions are live, of one user or of everyone with None."""
    live = Position.objects.live()
    return live.count() if user is None else live.for_user(user).count()


def pending_orders(user: User) -> list[Order]:
    """Return orders that are planned, on their way or working."""
    orders = Order.objects.for_user(user).pending()
    return list(orders.select_related("position", "leg__instrument__exchange"))


def get_position_for_user(user: User, position_id: UUID) -> Position:
    """Return the user's own position. Raise Http404 for anyone else's and for unknown ids."""
    return get_object_or_404(with_parts(Position.objects.for_user(user)), pk=position_id)


def position_line(
    position: Position, liquidations: LiquidationPrices, board: Board, now: datetime
) -> PositionLine:
    """Return one position with figures at the marks of the board."""
    legs = tuple(leg_line(leg, liquidations, board) for leg in position.legs.all())
    marks = {line.leg.instrument_id: line.mark for line in legs if line.mark is not None}
    return PositionLine(
        position=position, legs=legs, pnl=fetched_pnl(position, marks=marks), now=now
    )


def with_parts(positions: PositionQuerySet) -> PositionQuerySet:
    """Fetch with the rows that a `PositionLine` reads, a query per table."""
    return positions.prefetch_related(
        Prefetch("legs__instrument", Instrument.objects.select_related("exchange")),
        *("legs__orders", "legs__trades", "legs__funding_events", "legs__interest"),
    )
