"""Instants as venues write them, in milliseconds since 1970."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from exchanges.ccxt_adapter.numbers import exact
from exchanges.ccxt_adapter.parse import milliseconds


def of_iso(text: str) -> int:
    """Return the milliseconds of a time like `2025-12-08T16:00:00.219Z`; it must name its zone."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("a time without a zone")
    return milliseconds(instant)


def of_seconds(value: Any) -> int:
    """Return the milliseconds of seconds, which may have a fraction."""
    return int(exact(value) * 1000)


def next_full(now: int, every: int) -> int:
    """Return the next instant that is a whole multiple of `every`, in milliseconds all."""
    return (now // every + 1) * every
