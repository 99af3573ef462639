"""Entries that failed, as a whole or in part: what they cost is booked or told, never lost."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trading.core.failed_entry import cut_cost
from trading.core.money import plain
from trading.core.states import PositionEvent
from trading.events import announce
from trading.models import Event, FailedAttempt, Position, Trade
from trading.services.pnl import ledger_fill, realised_parts


def book_failed_attempt(position: Position, now: datetime) -> None:
    """Book price loss and fees of an entry that ended flat; nothing where nothing was filled."""
    if not Trade.objects.filter(position=position).exists():
        return
    cost = -realised_parts(position).total
    failure = position.changes.filter(event=PositionEvent.IMBALANCED).order_by("at").last()
    reason = position.close_sentence or (
        failure.cause if failure else "stopped before it was hedged"
    )
    FailedAttempt.objects.update_or_create(
        position=position, defaults={"cost_usd": cost, "reason": reason, "at": now}
    )
    _tell(position, f"the entry failed and cost {cost:.2f} USD ({reason})", now)


def tell_of_cut(position: Position, now: datetime) -> None:
    """Say what a part that could not be hedged cost; it stays in the position's own P&L."""
    cost, quantity = Decimal(0), Decimal(0)
    for leg in position.legs.select_related("instrument").prefetch_related("trades"):
        trades = list(leg.trades.all())
        cut = [ledger_fill(trade, leg) for trade in trades if trade.action == "CLOSE"]
        opened = [ledger_fill(trade, leg) for trade in trades if trade.action == "OPEN"]
        cost += cut_cost(opened, cut)
        quantity += sum((fill.base_quantity for fill in cut), Decimal(0))
    if quantity:
        _tell(
            position,
            f"the entry was hedged in part; cutting {plain(quantity)} {position.base} cost "
            f"{cost:.2f} USD with fees, counted in the position",
            now,
        )


def _tell(position: Position, sentence: str, now: datetime) -> None:
    announce(
        user_id=position.user_id,
        kind="position.failed_attempt",
        severity=Event.Severity.CRITICAL,
        sentence=f"{position.base}: {sentence}",
        position=position,
        now=now,
    )
