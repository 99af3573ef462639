"""Enter the other side of a position that was left because its funding is about to turn.

The wish is written with the exit and served once the position is CLOSED: a doorbell announces it, a
round of the entry workers finds what no doorbell did. It is asked every gate like any entry; only
the pause after the position that it turns is lifted for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from trading.core.parameters import Parameters
from trading.core.states import PositionState
from trading.doorbell import ring_drive
from trading.events import announce
from trading.models import Leg, Position
from trading.services.apart import apart
from trading.services.cool_downs import BETWEEN_ENTRIES, cool_down, lift
from trading.services.entry_legs import EntryLeg
from trading.services.equity import read_accounts
from trading.services.plan_entry import Refused, plan_entry
from trading.services.venues import REAL, Venues
from trading.strategies.base import Candidate, ExitReason


def wish_to_switch(opposite: Candidate, legs: Sequence[Leg]) -> dict[str, Any]:
    """Return the other side of `legs` as a position keeps it: an entry that is asked for later."""
    listed = {(leg.instrument.exchange.code, leg.instrument.symbol): leg for leg in legs}
    wanted = [
        EntryLeg(
            listed[leg.facts.instrument.venue, leg.facts.instrument.symbol].instrument,
            leg.side,
            leg.ratio,
        )
        for leg in opposite.legs
    ]
    return {
        "strategy": opposite.strategy,
        "legs": [leg.as_dict() for leg in wanted],
        "size_usd": str(opposite.size_usd),
    }


def serve_switches(*, venues: Venues = REAL, clock: Callable[[], datetime] = timezone.now) -> int:
    """Serve every wish whose position has ended; return how many became positions."""
    waiting = Position.objects.filter(state=PositionState.CLOSED, switch_to__isnull=False)
    entered = 0
    for position_id in waiting.values_list("pk", flat=True):
        serve = partial(switch_sides, position_id, venues=venues, now=clock())
        planned = apart(serve, "side not switched", position=position_id)
        if planned is not None:
            ring_drive(planned.pk)
            entered += 1
    return entered


def switch_sides(position_id: UUID, *, venues: Venues, now: datetime) -> Position | None:
    """Plan the other side of a closed position; None where nothing is entered.

    Asked twice it plans once: the position's id is the key of the entry.
    """
    position = (
        Position.objects.select_related("user")
        .filter(pk=position_id, state=PositionState.CLOSED, switch_to__isnull=False)
        .first()
    )
    if position is None:
        return None
    planned = _enter(position, venues, now)
    _answer(position, planned, now)
    if isinstance(planned, Position):
        return planned
    return None


def _enter(position: Position, venues: Venues, now: datetime) -> Position | str:
    """Return the other side, planned, or why it is not entered."""
    if position.close_reason != ExitReason.FUNDING_FLIP:
        return f"it was closed for another reason, {position.close_reason}."
    if not position.user.is_active:
        return "its owner is disabled."
    wish: Mapping[str, Any] = position.switch_to or {}
    # What the closed side held is free again, and sizing must know of it.
    accounts = {
        leg.account_id: leg.account for leg in position.legs.select_related("account__exchange")
    }
    read_accounts(accounts.values(), venues=venues, now=now)
    lift(position, BETWEEN_ENTRIES)
    planned = plan_entry(
        user=position.user,
        strategy=wish["strategy"],
        base=position.base,
        legs=EntryLeg.read(wish["legs"]),
        size_usd=Decimal(wish["size_usd"]),
        opened_by="scheduler",
        is_manual=False,
        idempotency_key=f"switch {position.pk}",
        now=now,
    )
    if isinstance(planned, Refused):
        return " ".join(refusal.sentence for refusal in planned.refusals)
    return planned


def _answer(position: Position, planned: Position | str, now: datetime) -> None:
    """End the wish and tell what became of it; without an entry the pair rests as after any."""
    with transaction.atomic():
        sentence = "the other side is entered"
        if not isinstance(planned, Position):
            sentence = f"the other side is not entered: {planned}"
            # Whoever lifted the pause puts it back, also where another worker has answered.
            pause = Parameters.from_stored(position.parameters).next_arbitrage_opening_delay
            cool_down(position, pause, BETWEEN_ENTRIES, now=now)
        served = Position.objects.filter(pk=position.pk, switch_to__isnull=False)
        if not served.update(switch_to=None):
            return
        announce(
            user_id=position.user_id,
            kind="position.switched",
            sentence=f"{position.base}: {sentence}",
            position=position,
            now=now,
        )
