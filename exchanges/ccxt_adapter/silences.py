"""For how long a venue wants silence, as its answer says so in one of many ways."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from math import ceil

_BANNED_UNTIL = re.compile(r"banned until (\d{13})")
# As seconds since 1970 in the year 5138, as milliseconds in 1973.
FIRST_MILLISECONDS = 10**11
# Bans last days; a longer one is a slip of theirs, and would shut a venue for good.
LONGEST_SECONDS = 7 * 86_400.0


def silence_asked(
    headers: Mapping[str, str],
    message: str,
    *,
    names: tuple[str, str],
    is_down: bool,
    now: datetime,
) -> float | None:
    """Return the seconds that an answer asks for, None where it does not say.

    `headers` by their small names; `names`: those of the venue's own that tell when a pause ends
    and what is left of it. They stand in every answer: of one that is down they say nothing.
    """
    seconds = _retry_after(headers, now)
    if seconds is None and not is_down:
        seconds = _in_own_words(headers, message, names, now)
    return None if seconds is None else min(seconds, LONGEST_SECONDS)


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that the standard header asks for: a number, or a date to wait for.

    A date is of the venue's clock, as is what its answer says of its own moment.
    """
    waits = headers.get("retry-after", "").strip()
    if waits.replace(".", "", 1).isdecimal():
        return ceil(Decimal(waits))
    until = _http_date(waits)
    if until is None:
        return None
    return max(0.0, (until - (_http_date(headers.get("date", "")) or now)).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        told = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _in_own_words(
    headers: Mapping[str, str], message: str, names: tuple[str, str], now: datetime
) -> float | None:
    """Return for how many seconds a venue's own words and headers ask for silence, if for any."""
    banned = _BANNED_UNTIL.search(message)
    resets, waits = (headers.get(name, "") for name in names)
    until = banned[1] if banned else resets
    if until.isdecimal():
        seconds = int(until) / (1000 if int(until) >= FIRST_MILLISECONDS else 1) - now.timestamp()
    elif waits.isdecimal():
        seconds = int(waits) / 1000
    else:
        return None
    # A moment that is over asks for nothing: it stands in each answer.
    return seconds if seconds > 0 else None
