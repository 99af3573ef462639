"""What a user may take home: the ledger and positions as flat tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet

from arbsite.accounts.models import User
from exchanges.board import Board
from trading.models import Position
from trading.selectors.ledger import funding_of, orders_of, trades_of
from trading.selectors.positions import PositionLine, position_line, with_parts

Value = Any
MOST_ROWS = 20_000


class Kind(StrEnum):
    """What a column holds; numbers are exact."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind
    read: Callable[[Any], Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as it is exported, oldest row first."""

    columns: tuple[Column, ...]
    rows: Sequence[tuple[Value, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From a time on, and before another; None is without end."""

    since: datetime | None = None
    until: datetime | None = None


class TooManyRows(Exception):
    """More was asked than one file carries."""


def export(name: str, user: User, span: Span) -> Table:
    """Return one of `TABLES`. Raise TooManyRows with a sentence."""
    columns, by, rows_of, lines = TABLES[name]
    rows = rows_of(user).order_by(by, "pk")
    if span.since is not None:
        rows = rows.filter(**{f"{by}__gte": span.since})
    if span.until is not None:
        rows = rows.filter(**{f"{by}__lt": span.until})
    found = list(rows[: MOST_ROWS + 1])
    if len(found) > MOST_ROWS:
        raise TooManyRows(f"There are more than {MOST_ROWS} {name}: ask for a shorter time.")
    read = [tuple(column.read(line) for column in columns) for line in lines(found)]
    return Table(columns=columns, rows=read)


def _text(name: str, read: Callable[[Any], Value]) -> Column:
    return Column(name, Kind.TEXT, lambda row: "" if (value := read(row)) is None else str(value))


def _number(name: str, read: Callable[[Any], Value]) -> Column:
    return Column(name, Kind.NUMBER, read)


def _time(name: str, read: Callable[[Any], Value]) -> Column:
    return Column(name, Kind.TIME, read)


OF_LEG = (
    _text("position", lambda row: row.position_id),
    _text("base", lambda row: row.position.base),
    _text("venue", lambda row: row.leg.instrument.exchange.code),
    _text("symbol", lambda row: row.leg.instrument.symbol),
    _text("leg_side", lambda row: row.leg.side),
)
TRADES = (
    _time("filled_at", lambda row: row.filled_at),
    *OF_LEG,
    _text("action", lambda row: row.action),
    _text("side", lambda row: row.order_side),
    _number("price", lambda row: row.price),
    _number("base_quantity", lambda row: row.base_quantity),
    _number("size", lambda row: row.size),
    _number("fee", lambda row: row.fee),
    _text("fee_asset", lambda row: row.fee_asset),
    _text("cause", lambda row: row.cause),
    _text("venue_trade_id", lambda row: row.venue_trade_id),
)
FUNDING = (
    _time("paid_at", lambda row: row.paid_at),
    *OF_LEG,
    _number("funding_rate", lambda row: row.funding_rate),
    _number("payment", lambda row: row.payment),
    _text("asset", lambda row: row.asset),
    _number("payment_usd", lambda row: row.payment_usd),
)
ORDERS = (
    _time("created_at", lambda row: row.created_at),
    *OF_LEG,
    _text("purpose", lambda row: row.purpose),
    _text("side", lambda row: row.side),
    _text("order_type", lambda row: row.order_type),
    _number("base_quantity", lambda row: row.base_quantity),
    _number("price", lambda row: row.price),
    _text("state", lambda row: row.state),
    _number("filled_base_quantity", lambda row: row.filled_base_quantity),
    _text("client_order_id", lambda row: row.client_order_id),
    _text("refusal", lambda row: row.refusal),
)
POSITIONS = (
    _time("created_at", lambda line: line.position.created_at),
    _time("closed_at", lambda line: line.position.close_timestamp),
    _text("position", lambda line: line.position.pk),
    _text("base", lambda line: line.position.base),
    _text("strategy", lambda line: line.position.strategy),
    _text("mode", lambda line: line.position.mode),
    _text("state", lambda line: line.position.state),
    _number("size_usd", lambda line: line.position.size_usd),
    _number("net_usd", lambda line: line.pnl.total),
    _number("funding_usd", lambda line: line.pnl.funding),
    _number("price_usd", lambda line: line.pnl.price_pnl),
    _number("fees_usd", lambda line: line.pnl.fees),
    _number("borrow_usd", lambda line: line.pnl.borrow),
    _text("opened_by", lambda line: line.position.opened_by),
    _text("close_reason", lambda line: line.position.close_reason),
    _text("close_sentence", lambda line: line.position.close_sentence),
)


def _positions_of(user: User) -> QuerySet[Position]:
    return with_parts(Position.objects.for_user(user).exclude(close_timestamp=None))


def _ended(rows: Iterable[Position]) -> Iterator[PositionLine]:
    """Yield what ended with its result, which no price of now changes."""
    for row in rows:
        at = row.close_timestamp
        yield position_line(row, {}, Board(), row.created_at if at is None else at)


TABLES: dict[str, Any] = {
    "trades": (TRADES, "filled_at", trades_of, list),
    "funding": (FUNDING, "paid_at", funding_of, list),
    "orders": (ORDERS, "created_at", orders_of, list),
    "positions": (POSITIONS, "close_timestamp", _positions_of, _ended),
}
