"""How a position is entered and left, and which of its legs goes first; `docs/DOMAIN.md` 10."""

from __future__ import annotations

from enum import StrEnum


class EntryStyle(StrEnum):
    LIMIT_AT_MID = "limit_at_mid"
    MAKER = "maker"
    BOTH_AT_ONCE = "both_at_once"


class FirstLeg(StrEnum):
    """AUTO: the thinner one. SPOT and PERP fall back to it where both legs are of one kind."""

    AUTO = "auto"
    LONG = "long"
    SHORT = "short"
    SPOT = "spot"
    PERP = "perp"


class CloseOrder(StrEnum):
    """Which leg of a calm exit goes first; where the legs are of one kind both go together."""

    SIMULTANEOUS = "simultaneous"
    PERP_FIRST = "perp_first"
    SPOT_FIRST = "spot_first"
