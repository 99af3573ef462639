"""The life cycles as text, made from the tables themselves for docs/ARCHITECTURE.md."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from trading.core.states import (
    ORDER_TABLE,
    POSITION_TABLE,
    OrderEvent,
    OrderState,
    PositionEvent,
    PositionState,
)

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


def position_lines() -> list[str]:
    """Return one line per state of a position: each event and where it leads."""
    return _lines(PositionState, PositionEvent, POSITION_TABLE)


def order_lines() -> list[str]:
    """Return one line per state of an order: each event and where it leads."""
    return _lines(OrderState, OrderEvent, ORDER_TABLE)


def _lines(states: type[S], events: type[E], table: Mapping[tuple[S, E], S]) -> list[str]:
    lines = []
    for state in states:
        rows = [f"{event}→{table[state, event]}" for event in events if (state, event) in table]
        lines.append(f"{state:<10} {' · '.join(rows) or 'final'}")
    return lines
