"""Which leg of an entry works first: the one that is harder to fill decides how much is hedged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from exchanges.domain import InstrumentKind, Side
from trading.core.entry_style import FirstLeg
from trading.core.money import for_display

# A book that takes this many times the size is as good as any deeper one.
DEEP_ENOUGH = Decimal(10)
SIDES = {FirstLeg.LONG: Side.BUY, FirstLeg.SHORT: Side.SELL}


@dataclass(frozen=True, slots=True, kw_only=True)
class LegLiquidity:
    """What is known of filling one leg. `depth`: times its book takes the size, within slippage.

    Counts are of our own recent orders at its venue: sent, filled at least in part, and failed for
    a reason of the venue.
    """

    side: Side
    kind: InstrumentKind
    venue: str
    depth: Decimal
    sent: int = 0
    filled: int = 0
    failed: int = 0

    @property
    def name(self) -> str:
        return f"{'long' if self.side is Side.BUY else 'short'} leg at {self.venue}"

    @property
    def score(self) -> Decimal:
        """Return 0 (cannot be filled) to 1 (fills at once); a venue without orders counts well."""
        depth = min(self.depth, DEEP_ENOUGH) / DEEP_ENOUGH
        known = Decimal(self.sent + 1)
        return depth * ((self.filled + 1) / known) * (1 - self.failed / known)


def choose_first(legs: Sequence[LegLiquidity], preference: FirstLeg) -> tuple[int, str]:
    """Return the index of the leg that works first, and why in a sentence for the journal."""
    allowed = may_go_first([(leg.side, leg.kind) for leg in legs], preference)
    if len(allowed) == 1:
        return allowed[0], f"the {legs[allowed[0]].name} goes first, as configured"
    thinnest = min(range(len(legs)), key=lambda index: legs[index].score)
    first = legs[thinnest]
    others = ", ".join(f"{_depth(leg)} at {leg.venue}" for leg in legs if leg is not first)
    return thinnest, (
        f"the {first.name} goes first, it is harder to fill: its book takes {_depth(first)} the "
        f"size ({others}), {first.filled} of its last {first.sent} orders filled, "
        f"{first.failed} failed"
    )


def may_go_first(
    legs: Sequence[tuple[Side, InstrumentKind]], preference: FirstLeg
) -> Sequence[int]:
    """Return the one leg that a preference names; all of them where it names none or several."""
    wanted = [
        index for index, (side, kind) in enumerate(legs) if _is_wanted(side, kind, preference)
    ]
    return wanted if len(wanted) == 1 else range(len(legs))


def _is_wanted(side: Side, kind: InstrumentKind, preference: FirstLeg) -> bool:
    if preference in SIDES:
        return side is SIDES[preference]
    is_spot = kind is InstrumentKind.SPOT
    return is_spot if preference is FirstLeg.SPOT else preference is FirstLeg.PERP and not is_spot


def _depth(leg: LegLiquidity) -> str:
    return f"{for_display(leg.depth, 1)}x"
