"""When all contracts of a venue settle next, where it says so of none: by what one has settled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from itertools import pairwise

# What settles comes some seconds after the minute; settlements are whole minutes apart.
MINUTE = 60_000
SETTLEMENTS_NEEDED = 3


class SharedSettlements:
    """Remembers the last settlements of one contract; asks again only when one must have passed."""

    def __init__(self) -> None:
        self._settled: tuple[int, ...] = ()

    async def to_come(
        self, now: int, read: Callable[[], Awaitable[Iterable[int]]]
    ) -> tuple[int, int] | None:
        """Return the next settlement and the spacing, in milliseconds.

        `read` returns the instants of the last settlements. None where the last three were not
        evenly spaced, are missing, or are long past.
        """
        if self._upcoming(now, ahead=1) is None:
            stamps = {stamp // MINUTE * MINUTE for stamp in await read()}
            self._settled = tuple(sorted(stamps)[-SETTLEMENTS_NEEDED:])
        # Just after a settlement it is not told yet.
        return self._upcoming(now, ahead=1) or self._upcoming(now, ahead=2)

    def _upcoming(self, now: int, *, ahead: int) -> tuple[int, int] | None:
        gaps = {after - before for before, after in pairwise(self._settled)}
        if len(self._settled) < SETTLEMENTS_NEEDED or len(gaps) > 1:
            return None
        [every] = gaps
        upcoming = self._settled[-1] + every * ahead
        return (upcoming, every) if upcoming > now else None
