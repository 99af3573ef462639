"""Books as streams carry them: what changed since the last published ladder."""

from __future__ import annotations

from collections.abc import Sequence

from exchanges.domain import Level
from exchanges.simulator.wire import plain

Ladder = dict[str, str]


def ladder(levels: Sequence[Level]) -> Ladder:
    return {plain(level.price): plain(level.base_quantity) for level in levels}


def changes(before: Ladder, after: Ladder) -> list[list[str]]:
    """Return changed levels as [price, quantity]; a level that went has quantity 0."""
    gone = [[price, "0"] for price in before if price not in after]
    new = [[price, size] for price, size in after.items() if before.get(price) != size]
    return gone + new
