"""Numbers as venues write them: exact, finite, and none that no market could have."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Never

# No price, quantity or value reaches this; our columns could not hold it.
BEYOND = Decimal(10) ** 20


def exact(value: Any) -> Decimal:
    """Return a number as the venue wrote it.

    Raise ValueError for NaN, infinities and what is beyond any market, TypeError for what is no
    number at all. What the library hands over as a float enters by its shortest text.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise TypeError("a number that is none")
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    if not number.is_finite() or abs(number) >= BEYOND:
        raise ValueError("a number that is none, or beyond any market")
    return number


def streamed(value: Any) -> Decimal:
    """Return a number of a socket's message, where a float has already lost what was written."""
    if isinstance(value, float):
        raise TypeError("a number that is not written as text")
    return exact(value)


def as_written(message: str | bytes) -> Any:
    """Return what JSON tells, its numbers as they are written; raise ValueError for no JSON.

    For venues that stream numbers and no text: slower than a decoder that makes floats of them.
    """
    try:
        return json.loads(message, parse_float=Decimal, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deep for a message") from None


def _no_number(name: str) -> Never:
    raise ValueError(f"{name} is no number")


def plain(number: Decimal) -> str:
    """Return a number without exponent and trailing zeros."""
    return format(number.normalize(), "f")


def text(value: Any) -> str:
    """Return an id or a name; raise TypeError for what is neither text nor a whole number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError("a name that is none")
    return str(value)


def flag(value: Any) -> bool:
    """Return a yes or no; raise TypeError for what is neither."""
    if not isinstance(value, bool):
        raise TypeError("neither yes nor no")
    return value
