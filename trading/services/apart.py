"""One of many that breaks keeps none of the others waiting."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

logger = logging.getLogger(__name__)
T = TypeVar("T")


def apart(work: Callable[[], T], otherwise: str, **of: object) -> T | None:
    """Return what the work returns, None if an error ends it: it is logged as `otherwise`."""
    try:
        return work()
    except Exception:
        # A boundary, as a task is: whatever this one meets, the next one has its turn.
        logger.exception(otherwise, extra={name: str(value) for name, value in of.items()})
        return None
