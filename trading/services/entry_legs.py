"""The legs that somebody wants to enter: instruments with their side and part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from exchanges.domain import InstrumentKind, Side
from exchanges.models import Instrument
from trading.core.refusal import Refusal
from trading.strategies.base import Strategy

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class EntryLeg:
    """`ratio` is the leg's part of the position's base quantity."""

    instrument: Instrument
    side: Side
    ratio: Decimal = ONE

    def as_dict(self) -> dict[str, str]:
        """Return the leg as a doorbell or a row carries it."""
        return {
            "instrument": str(self.instrument.pk),
            "side": self.side.value,
            "ratio": str(self.ratio),
        }

    @classmethod
    def read(cls, stored: Iterable[dict[str, Any]]) -> tuple[Self, ...]:
        """Return the legs that were carried so, their instruments read now."""
        rows = list(stored)
        listed = Instrument.objects.select_related("exchange").in_bulk(
            [UUID(row["instrument"]) for row in rows]
        )
        return tuple(
            cls(listed[UUID(row["instrument"])], Side(row["side"]), Decimal(row["ratio"]))
            for row in rows
        )


def long_short(long: Instrument, short: Instrument) -> tuple[EntryLeg, EntryLeg]:
    """Return the two legs of the usual pair."""
    return EntryLeg(long, Side.BUY), EntryLeg(short, Side.SELL)


def wish_of(strategy: str, base: str, legs: Iterable[EntryLeg], size_usd: Decimal) -> str:
    """Return what an entry asks for, as one line: two forms that ask the same read the same."""
    words = " ".join(f"{leg.side} {leg.instrument.pk} {leg.ratio.normalize()}" for leg in legs)
    return f"{strategy} {base} {words} {size_usd.normalize()}"


def refuse_legs(strategy: Strategy, base: str, legs: Sequence[EntryLeg]) -> Refusal | None:
    """Refuse legs of another base, twice the same one, or such as the strategy does not hold."""
    names = " and ".join(str(leg.instrument) for leg in legs)
    instruments = {leg.instrument.pk for leg in legs}
    if len(instruments) < len(legs) or {leg.instrument.base for leg in legs} != {base}:
        words = "no two legs" if len(legs) == 2 else f"no {len(legs)} legs"
        return Refusal(code="no_pair", sentence=f"{names} are {words} of {base}.")
    fits = len(legs) == len(strategy.shape) and all(
        leg.side is shape.side
        and InstrumentKind(leg.instrument.kind) in shape.kinds
        and leg.ratio == shape.ratio
        for leg, shape in zip(legs, strategy.shape, strict=True)
    )
    if fits:
        return None
    return Refusal(
        code="wrong_legs",
        sentence=f"{strategy.key} holds {_words(strategy)}; {names} are not that.",
    )


def in_shape(strategy: Strategy, legs: Iterable[EntryLeg]) -> tuple[EntryLeg, ...]:
    """Return legs in the order of the strategy's shape; those it has no place for are left out."""
    left, ordered = list(legs), []
    for place in strategy.shape:
        for leg in left:
            kind = InstrumentKind(leg.instrument.kind)
            if (leg.side, leg.ratio) == (place.side, place.ratio) and kind in place.kinds:
                ordered.append(leg)
                left.remove(leg)
                break
    return tuple(ordered)


def _words(strategy: Strategy) -> str:
    legs = []
    for shape in strategy.shape:
        kinds = " or ".join(sorted(kind.value for kind in shape.kinds))
        legs.append(f"{kinds} {'bought' if shape.side is Side.BUY else 'sold'}")
    return ", ".join(legs)
