"""What venues announced, and what follows for what is to be held or is held."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from exchanges.domain import Symbol
from trading.core.refusal import Refusal
from trading.core.sentence import hours

LegKey = tuple[str, Symbol]
"""Venue code and symbol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """One notice. `symbol` None: all that is traded at the venue; `ends_at` None: until told."""

    venue: str
    symbol: str | None
    starts_at: datetime
    ends_at: datetime | None
    sentence: str

    def concerns(self, legs: Iterable[LegKey]) -> bool:
        return any(venue == self.venue and self.symbol in (None, symbol) for venue, symbol in legs)

    def goes_on_at(self, now: datetime) -> bool:
        return self.starts_at <= now and (self.ends_at is None or now < self.ends_at)


def refuse_meeting(
    legs: Iterable[LegKey],
    announced: Iterable[Announced],
    *,
    now: datetime,
    hold: timedelta,
    lead: timedelta,
) -> Refusal | None:
    """Refuse an entry that would be held when something announced begins, or that it goes on at."""
    keys = list(legs)
    for notice in announced:
        if not notice.concerns(keys):
            continue
        if notice.goes_on_at(now):
            return Refusal(code="announced", sentence=f"{notice.sentence}: nothing is opened.")
        if now < notice.starts_at <= now + hold + lead:
            return Refusal(
                code="announced",
                sentence=f"{notice.sentence}, in {hours(notice.starts_at - now)}: it would be "
                f"held for {hours(hold)}, and is left {hours(lead)} before.",
            )
    return None


def leaving_sentence(
    legs: Iterable[LegKey], announced: Iterable[Announced], *, now: datetime, lead: timedelta
) -> str:
    """Return why legs are to be left now, empty while nothing announced is near.

    What has begun is no reason any more: the venue may trade no more, and one leg alone is naked.
    """
    keys = list(legs)
    for notice in announced:
        if notice.concerns(keys) and now < notice.starts_at <= now + lead:
            return f"{notice.sentence}, in {hours(notice.starts_at - now)}"
    return ""
