"""How a venue says that it takes limits and no market orders for a while, and what goes instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsOnly:
    """What the raw listing says then, by `key`.

    `slippage`: how far beyond the touch a limit that ends at once goes then in place of one.
    """

    key: str
    value: str
    slippage: Decimal

    def applies(self, info: Mapping[str, object]) -> bool:
        """Tell whether a raw listing says so."""
        return info.get(self.key) == self.value
