"""Why a venue refused an order, in the kinds that call for different next steps."""

from __future__ import annotations

from enum import StrEnum


class RefusalKind(StrEnum):
    """NONE while an order was not refused."""

    NONE = ""
    WOULD_TAKE = "would_take"
    NOTHING_TO_REDUCE = "nothing_to_reduce"
    INVALID = "invalid"
    MARGIN = "margin"
    CREDENTIAL = "credential"
    UNAVAILABLE = "unavailable"
    OTHER = "other"


# The same order would be refused again: trying on only costs the time in which a leg is naked.
HOPELESS = frozenset({RefusalKind.MARGIN, RefusalKind.CREDENTIAL})
