"""The heartbeat of the rates on all open pages of a process: one reading of the board for all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from asgiref.sync import sync_to_async
from django.db import DatabaseError
from django.utils import timezone

from exchanges.board import Board
from exchanges.selectors import enabled_exchanges
from trading.selectors.board import load_board
from trading.selectors.rates import Cells, RateSheet, next_fundings, rate_cells, rate_sheet

logger = logging.getLogger(__name__)

EVERY_SECONDS = 0.25
SHEET_IS_KEPT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Pulse:
    """Cells, and countdowns by cell in milliseconds since 1970: all of them, or what changed."""

    cells: Cells = field(default_factory=dict)
    until: dict[str, int] = field(default_factory=dict)

    def since(self, before: Pulse) -> Pulse:
        """Return what differs from `before`."""
        return Pulse(
            {key: cell for key, cell in self.cells.items() if before.cells.get(key) != cell},
            {key: at for key, at in self.until.items() if before.until.get(key) != at},
        )


Listener = Callable[[Pulse], None]


class RateTicker:
    """Reads the board while anybody looks and tells each listener what changed."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._latest = Pulse()
        self._sheet: RateSheet | None = None
        self._sheet_read_at = 0.0

    async def join(self, listener: Listener) -> Pulse:
        """Add a listener and return everything as it is now."""
        if self._task is None or self._task.done():
            await self._read()
            self._task = asyncio.get_running_loop().create_task(self._run())
        self._listeners.add(listener)
        return self._latest

    def leave(self, listener: Listener) -> None:
        """Remove a listener; with the last one the reading stops."""
        self._listeners.discard(listener)
        if not self._listeners and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            before = self._latest
            await self._read()
            change = self._latest.since(before)
            for listener in tuple(self._listeners):
                listener(change)

    async def _read(self) -> None:
        sheet = await self._current_sheet()
        if sheet is not None:
            self._latest = await asyncio.to_thread(_read_board, sheet, timezone.now())

    async def _current_sheet(self) -> RateSheet | None:
        clock = asyncio.get_running_loop().time()
        if self._sheet is None or clock - self._sheet_read_at > SHEET_IS_KEPT_SECONDS:
            try:
                self._sheet = await sync_to_async(_read_sheet)()
            except DatabaseError:
                logger.warning("rate sheet unreadable, keeping the one before", exc_info=True)
            self._sheet_read_at = clock
        return self._sheet


def _read_sheet() -> RateSheet:
    return rate_sheet(enabled_exchanges())


def _read_board(sheet: RateSheet, now: datetime) -> Pulse:
    board: Board = load_board(sheet.venue_codes)
    times = next_fundings(sheet, board, now)
    until = {f"p.{base}.next": int(at.timestamp() * 1000) for base, at in times.items()}
    return Pulse(rate_cells(sheet, board, now), until)


ticker = RateTicker()
"""The one of this process."""
