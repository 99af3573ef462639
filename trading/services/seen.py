"""The market as one process sees it: the board, and the order books shared lately."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from exchanges.board import Board, Key
from exchanges.domain import Depth
from trading.core.elapsed import elapsed
from trading.services.universe import Paired

DEPTH_LASTS = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Seen:
    board: Board
    depths: Mapping[Key, Depth] = field(default_factory=dict)

    def depth(self, paired: Paired, now: datetime) -> Depth | None:
        """Return the order book if it was read a moment ago."""
        depth = self.depths.get(paired.key)
        is_young = depth is not None and elapsed(depth.observed_at, now) <= DEPTH_LASTS
        return depth if is_young else None
