"""What moved of an account, where the only list of it has all else that happened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]

# How late an entry may be listed, in milliseconds.
LISTED_WITHIN = 3_600_000


class KnownMoves:
    """Moves are asked for each minute since the last one: what was read before is kept.

    Of that the last hour alone is read again.
    """

    def __init__(self) -> None:
        self._found: dict[str, Row] = {}
        # From when to when all was read.
        self._read: tuple[int, int] | None = None

    def unread_since(self, since: int, until: int) -> int:
        """Return from when on the list has to be read, in milliseconds."""
        first, last = self._read or (until, until)
        return max(since, last - LISTED_WITHIN) if first <= since else since

    def with_these(self, moved: Iterable[Row], since: int, until: int) -> list[Row]:
        """Keep what was read up to `until`, and return all that moved from `since` on."""
        first, _ = self._read or (until, until)
        self._found |= {str(row["key"]): row for row in moved}
        self._read = (min(first, since), until)
        return [row for row in self._found.values() if since <= row["time"] <= until]
