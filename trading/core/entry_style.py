"""How an entry is worked, and which of its legs goes first; `docs/DOMAIN.md` section 10."""

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
