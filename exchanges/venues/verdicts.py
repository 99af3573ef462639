"""What answers of venues prove."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """What a venue's error code proves. A code that is not listed proves nothing."""

    REJECTED = "rejected"
    INSUFFICIENT_MARGIN = "insufficient_margin"
    INVALID_ORDER = "invalid_order"
    WOULD_TAKE = "would_take"
    NOTHING_TO_REDUCE = "nothing_to_reduce"
    DUPLICATE = "duplicate"
    NOT_PLACED = "not_placed"
    CLOCK = "clock"
    RATE_LIMITED = "rate_limited"
    CREDENTIAL = "credential"
    NOT_FOUND = "not_found"
    UNCHANGED = "unchanged"
