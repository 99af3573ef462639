"""Figures as they stand in a refusal or a reason. For reading only, never for arithmetic."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from trading.core.money import for_display

_MILLISECOND = timedelta(milliseconds=1)


def percent(fraction: Decimal, places: int = 4) -> str:
    return f"{_shown(fraction * 100, places)} %"


def usd(amount: Decimal) -> str:
    return f"{_shown(amount, 2)} USD"


def _shown(value: Decimal, places: int) -> str:
    return f"{for_display(value, places):,}".replace("-", "\N{MINUS SIGN}")


def seconds(span: timedelta) -> str:
    return f"{for_display(Decimal(span // _MILLISECOND) / 1000, 1)} s"


def hours(span: timedelta) -> str:
    return f"{for_display(Decimal(span // _MILLISECOND) / 3_600_000, 1)} h"


def capitalised(text: str) -> str:
    """Raise the first letter only: `str.capitalize` would lower the symbols."""
    return text[:1].upper() + text[1:]
