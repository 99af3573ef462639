"""Open interest and 24 h turnover of one base, venue by venue, and how old each figure is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.board import Board
from exchanges.models import Activity, Exchange
from exchanges.selectors import instrument_key


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityLine:
    """What is held and was traded at one venue; None is what it has not told, or has no mark for.

    `open_interest` is in base units, `open_interest_usd` the same at the mark.
    """

    venue: str
    symbol: str
    open_interest: Decimal | None
    open_interest_usd: Decimal | None
    interest_age: timedelta | None
    turnover_usd: Decimal | None
    turnover_age: timedelta | None


def activity(
    base: str, exchanges: Iterable[Exchange], board: Board, now: datetime
) -> tuple[ActivityLine, ...]:
    """Return the perpetuals and spot markets of which something was told."""
    rows = Activity.objects.filter(
        instrument__base=base, instrument__is_active=True, instrument__exchange__in=exchanges
    ).select_related("instrument__exchange")
    return tuple(_line(row, board, now) for row in rows.order_by("instrument__exchange__name"))


def _line(row: Activity, board: Board, now: datetime) -> ActivityLine:
    told = board.row(*instrument_key(row.instrument))
    quote = None if told is None else told.quote
    held = row.open_interest
    return ActivityLine(
        venue=row.instrument.exchange.name,
        symbol=row.instrument.symbol,
        open_interest=held,
        open_interest_usd=None if held is None or quote is None else held * quote.mark_price,
        interest_age=None if row.open_interest_at is None else now - row.open_interest_at,
        turnover_usd=row.turnover_usd,
        turnover_age=None if row.turnover_at is None else now - row.turnover_at,
    )
