"""What must be true at a venue before a position's first order goes there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from exchanges.domain import InstrumentKind, Symbol
from exchanges.errors import VenueError
from trading.core.refusal import Refusal
from trading.models import Leg
from trading.services.read_back import expected_quantity, venue_quantity
from trading.services.venues import READ_SECONDS, Venues

# A leg that was prepared on the same instrument and leverage this recently needs no new calls.
PREPARED_LASTS = timedelta(minutes=5)


def prepare_legs(legs: Sequence[Leg], *, venues: Venues, now: datetime) -> Refusal | None:
    """Set one-way mode, margin mode and leverage of every leg; refuse where something foreign is.

    Return the refusal in words when a venue won't; the legs are marked when all of them will.
    """
    fresh = [leg for leg in legs if not _prepared_lately(leg, now)]
    answers = venues.call_all([_prepare(leg, venues) for leg in fresh], READ_SECONDS)
    for leg, answer in zip(fresh, answers, strict=True):
        if isinstance(answer, VenueError):
            return Refusal(
                code="prepare", sentence=f"{leg.instrument.exchange.name}: {answer.detail}"
            )
        if isinstance(answer, BaseException):
            return Refusal(
                code="prepare",
                sentence=f"{leg.instrument.exchange.name} did not answer in {READ_SECONDS:g} s",
            )
        if answer:
            return Refusal(code="foreign_position", sentence=answer)
    Leg.objects.filter(pk__in=[leg.pk for leg in legs]).update(is_prepared=True)
    return None


async def _prepare(leg: Leg, venues: Venues) -> str:
    """Return a sentence when the venue holds a position there that is not ours."""
    symbol = Symbol(leg.instrument.symbol)
    if leg.instrument.kind == InstrumentKind.SPOT:
        return ""
    await venues.trading(leg.account).prepare(symbol, leverage=leg.leverage)
    held = venue_quantity(await venues.account(leg.account).positions(), symbol)
    if abs(held) < leg.instrument.lot:
        return ""
    return (
        f"{leg.instrument.exchange.name} already holds {held.normalize():f} {leg.instrument.base} "
        f"that Carry did not open: close it there first"
    )


def _prepared_lately(leg: Leg, now: datetime) -> bool:
    """Tell whether this account opened the same instrument at the same leverage just now."""
    if leg.instrument.kind == InstrumentKind.SPOT:
        return True
    recent = Leg.objects.filter(
        account=leg.account,
        instrument=leg.instrument,
        is_prepared=True,
        position__created_at__gt=now - PREPARED_LASTS,
    ).exclude(pk=leg.pk)
    same = any(other.leverage == leg.leverage for other in recent)
    return same and expected_quantity(leg.account, leg.instrument) == 0
