"""Instants and spacings as venues write them, in milliseconds."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from exchanges.ccxt_adapter.numbers import exact
from exchanges.ccxt_adapter.parse import milliseconds

HOUR = 3_600_000
# By how much what we take for a venue's time may be off.
CLOCK_ERROR = 1000


def of_iso(text: str) -> int:
    """Return the milliseconds of a time like `2025-12-08T16:00:00.219Z`; it must name its zone."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("a time without a zone")
    return milliseconds(instant)


def of_seconds(value: Any) -> int:
    """Return the milliseconds of seconds, which may have a fraction."""
    return int(exact(value) * 1000)


def hours_of(spacing: Any) -> Decimal | None:
    """Return the hours of a spacing in milliseconds, None where it is not told or 0."""
    return exact(spacing) / HOUR if spacing else None
