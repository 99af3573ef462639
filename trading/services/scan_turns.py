"""Which bases a round of the scan counts through for whom: counting all of them takes seconds."""

from __future__ import annotations

from collections.abc import Collection, Sequence

# Of the bases that are not on a user's list: 500 are seen through within two minutes.
OTHERS_AT_ONCE = 5


class ScanTurns:
    """Bases on a user's list in every round, the others a few at a time, in turns."""

    def __init__(self) -> None:
        self._round = 0

    def begin(self) -> None:
        """Go on to the next of the others."""
        self._round += 1

    def bases(self, listed: Sequence[str], wanted: Collection[str]) -> list[str]:
        others = [base for base in listed if base not in wanted]
        start = self._round * OTHERS_AT_ONCE % max(len(others), 1)
        in_turn = (others[start:] + others[:start])[:OTHERS_AT_ONCE]
        return [base for base in listed if base in wanted] + in_turn
