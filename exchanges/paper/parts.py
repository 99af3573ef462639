"""The parts of a funding period: in each the same was held, and each owes a rate of its own.

Rates are fractions of the index, > 0 where longs paid; quantities are signed, long > 0.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from exchanges.paper.facts import Span
from exchanges.paper.rows import PaperFill

ZERO = Decimal(0)
MEAN_TO = Decimal("1e-12")
# By how much the parts of a period may miss the whole: of what they are, and of the index.
MISSED_PART, MISSED = Decimal("0.02"), Decimal("1e-7")
MILLISECOND = 1000


class Part(NamedTuple):
    """What was held from one instant to another, and whether the holding ends there."""

    since: datetime
    until: datetime
    held: Decimal
    is_last: bool

    @property
    def span(self) -> Span:
        """Return the whole milliseconds that a venue is asked about."""
        return Span(_whole(self.since), _whole(self.until))


def parts_of(
    held_now: Decimal, fills: Iterable[PaperFill], since: datetime, until: datetime
) -> list[Part]:
    """Return the parts of (since, until], oldest first.

    `fills` are those after `since`, oldest first. A holding ends when it is flat or turns round, as
    a venue that owes all along pays at such a fill whom it closes; the last one ends with the span.
    """
    later = list(fills)
    held = held_now - sum((fill.signed for fill in later), ZERO)
    found, last = [], since
    for fill in (fill for fill in later if fill.filled_at <= until):
        after = held + fill.signed
        is_last = bool(held) and held * after <= 0
        found.append(Part(last, fill.filled_at, held, is_last))
        last, held = fill.filled_at, after
    return [*found, Part(last, until, held, is_last=True)]


def holdings_of(parts: Iterable[Part]) -> list[list[Part]]:
    """Return the parts of each holding, which are paid for together."""
    found: list[list[Part]] = [[]]
    for part in parts:
        found[-1].append(part)
        if part.is_last:
            found.append([])
    return found[:-1]


def mean_of(holding: Sequence[Part], period: timedelta) -> Decimal:
    """Return what was held on average of a whole period."""
    whole = period // timedelta.resolution
    weighted = (part.held * ((part.until - part.since) // timedelta.resolution) for part in holding)
    return (sum(weighted, ZERO) / whole).quantize(MEAN_TO)


def spans_of(parts: Iterable[Part]) -> list[Span]:
    """Return the spans that a period falls into; several fills of one moment part nothing."""
    return [part.span for part in parts if part.span.since < part.span.until]


def adds_up(rates: Collection[Decimal], whole: Decimal) -> bool:
    """Tell whether the rates of a period's parts make up that of the whole.

    Else they are of another unit, or of what the venue has not counted to its end.
    """
    allowed = MISSED_PART * sum(map(abs, rates)) + MISSED
    return abs(sum(rates, ZERO) - whole) <= allowed


def _whole(instant: datetime) -> datetime:
    return instant.replace(microsecond=instant.microsecond // MILLISECOND * MILLISECOND)
