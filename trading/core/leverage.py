"""Leverage that differs by venue and pair, as a user writes it; `docs/DOMAIN.md` section 7."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from trading.core.money import plain
from trading.core.symbols import parse_pair, shown_pair

ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverageOverride:
    """`venue` is a code, `pair` unified like BTC/USDT; either may be `*`, which is every one."""

    venue: str
    pair: str
    leverage: Decimal

    @classmethod
    def parse(cls, line: str) -> LeverageOverride:
        """Read `binanceusdm BTC-USDT 3`. Raise ValueError, naming the line."""
        words = line.split()
        if len(words) != 3:
            raise ValueError(
                f"{line!r} is not a venue, a pair and a leverage, like binanceusdm BTC-USDT 3."
            )
        venue, pair, number = words
        try:
            leverage = Decimal(number.rstrip("x"))
        except InvalidOperation:
            raise ValueError(f"{number!r} in {line!r} is not a number.") from None
        if not leverage.is_finite():
            raise ValueError(f"{number!r} in {line!r} is not a number.")
        return cls(
            venue=venue.lower(), pair=pair if pair == ANY else parse_pair(pair), leverage=leverage
        )

    def dump(self) -> str:
        """Return the line that `parse` reads back."""
        return f"{self.target} {plain(self.leverage)}"

    @property
    def target(self) -> str:
        return f"{self.venue} {self.pair if self.pair == ANY else shown_pair(self.pair)}"

    def covers(self, venue: str, pair: str) -> bool:
        return self.venue in (ANY, venue) and self.pair in (ANY, pair.partition(":")[0])


def overridden(
    overrides: Iterable[LeverageOverride], *, venue: str, pair: str, otherwise: Decimal
) -> Decimal:
    """Return the leverage of `pair` at `venue`.

    The line that names both rules; of lines with a `*` the lowest does.
    """
    covering = [override for override in overrides if override.covers(venue, pair)]
    exact = [override for override in covering if ANY not in (override.venue, override.pair)]
    return min((override.leverage for override in exact or covering), default=otherwise)
