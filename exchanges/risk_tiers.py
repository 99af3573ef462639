"""The ladder of risk tiers of one contract, as its venue told it.

Pure. What a tier asks for is counted by `exchanges.matching` alone; here a ladder is checked, kept
as text and compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise, zip_longest

from exchanges.domain import Instrument
from exchanges.matching import ZERO, LeverageTier

NO_CAP = Decimal("Infinity")
LONGEST_WORDS = 64

Stored = Sequence[Sequence[str]]
"""Rows of cap (empty: none), largest leverage, maintenance rate and deduction."""


@dataclass(frozen=True, slots=True)
class TierLadder:
    """The tiers, lowest first. With `in_base` their caps are base units, else of the settle asset.

    Raise ValueError for what is no ladder: caps rise, leverage does not, rates are fractions.
    """

    tiers: tuple[LeverageTier, ...]
    in_base: bool = False

    def __post_init__(self) -> None:
        if not self.tiers or not all(map(_is_sound, self.tiers)):
            raise ValueError("a risk tier that is none")
        for lower, higher in pairwise(self.tiers):
            is_risen = lower.notional_cap < higher.notional_cap
            if not is_risen or lower.max_leverage < higher.max_leverage:
                raise ValueError("risk tiers that make no ladder")

    def at(self, price: Decimal) -> tuple[LeverageTier, ...]:
        """Return the tiers by notional, caps in base units made so at `price`."""
        if not self.in_base:
            return self.tiers
        return tuple(replace(one, notional_cap=one.notional_cap * price) for one in self.tiers)

    def stored(self) -> list[list[str]]:
        """Return the ladder as text without loss."""
        return [
            [
                "" if tier.notional_cap == NO_CAP else _plain(tier.notional_cap),
                _plain(tier.max_leverage),
                _plain(tier.maintenance_rate),
                _plain(tier.maintenance_amount),
            ]
            for tier in self.tiers
        ]


def tiers_at(
    price: Decimal, ladder: TierLadder | None, instrument: Instrument
) -> tuple[LeverageTier, ...]:
    """Return the tiers by notional at `price`; without a ladder the one that the listing tells."""
    if ladder is not None:
        return ladder.at(price)
    return (
        LeverageTier(
            notional_cap=NO_CAP,
            max_leverage=instrument.max_leverage,
            maintenance_rate=instrument.maintenance_margin_rate,
        ),
    )


def ladder_of(tiers: Iterable[LeverageTier], *, in_base: bool = False) -> TierLadder:
    """Return the ladder of tiers told in any order. Raise ValueError where they make none."""
    ordered = sorted(tiers, key=lambda tier: tier.notional_cap)
    return TierLadder(tuple(ordered), in_base=in_base)


def read_ladder(stored: Stored, *, in_base: bool) -> TierLadder | None:
    """Return a ladder that was stored, None of no rows."""
    tiers = [
        LeverageTier(
            notional_cap=Decimal(cap) if cap else NO_CAP,
            max_leverage=Decimal(leverage),
            maintenance_rate=Decimal(rate),
            maintenance_amount=Decimal(amount),
        )
        for cap, leverage, rate, amount in stored
    ]
    return TierLadder(tuple(tiers), in_base=in_base) if tiers else None


def first_difference(old: TierLadder, new: TierLadder) -> tuple[str, str] | None:
    """Return the lowest tier that differs in words, as it was and as it is; None if none does."""
    if old == new:
        return None
    both = enumerate(zip_longest(old.tiers, new.tiers), start=1)
    number, (before, after) = next(
        (found for found in both if found[1][0] != found[1][1]), (1, (old.tiers[0], new.tiers[0]))
    )
    return _words(number, before, old.in_base), _words(number, after, new.in_base)


def _words(number: int, tier: LeverageTier | None, in_base: bool) -> str:
    if tier is None:
        return f"{number}: none"
    unit = " coins" if in_base else ""
    cap = "any size" if tier.notional_cap == NO_CAP else f"up to {_plain(tier.notional_cap)}{unit}"
    less = f" less {_plain(round(tier.maintenance_amount, 2))}" if tier.maintenance_amount else ""
    rate = _plain(round(tier.maintenance_rate * 100, 4))
    leverage = _plain(round(tier.max_leverage, 2))
    return f"{number}: {cap} at {leverage}x, {rate} %{less}"[:LONGEST_WORDS]


def _is_sound(tier: LeverageTier) -> bool:
    return (
        tier.notional_cap > 0
        and tier.max_leverage >= 1
        and 0 < tier.maintenance_rate <= 1
        and tier.maintenance_amount >= ZERO
    )


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
