"""A market board in this process, where no Redis runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from exchanges import selectors
from tests.simulation.memory import MemoryRedis
from trading.services import evaluate


@contextmanager
def board_in_memory() -> Iterator[MemoryRedis]:
    """Serve the board from memory for a while; what was read of another is forgotten."""
    memory = MemoryRedis()
    selectors.stand_in_for_board(memory)  # type: ignore[arg-type]  # what is used of it
    evaluate._shared.cache_clear()
    try:
        yield memory
    finally:
        selectors.stand_in_for_board(None)
        evaluate._shared.cache_clear()
