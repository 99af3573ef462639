"""Count what an addition has brought, once the legs are hedged again."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from trading.core.exposure import smallest_size
from trading.core.money import plain
from trading.core.states import PositionState
from trading.events import announce
from trading.models import Event, Position
from trading.services import limits
from trading.services.holdings import leg_exposure

CENT, ZERO = Decimal("0.01"), Decimal(0)


def settle_addition(position: Position, cause: str, now: datetime) -> None:
    """End the addition: the size grows by what was added, the limits get back what was not.

    Call it inside the transaction that makes the position hedged, for `cause`.
    """
    wanted: Decimal = position.add_quantity
    added = min(max(_held(position) - (position.target_base_quantity - wanted), ZERO), wanted)
    unused = (position.add_usd * (1 - added / wanted)).quantize(CENT, ROUND_FLOOR)
    if unused:
        limits.give_back(position, unused)
    position.size_usd += position.add_usd - unused
    position.add_outcome = _outcome(position, added, cause)
    position.add_quantity, position.add_usd = None, ZERO
    position.save(update_fields=["size_usd", "add_outcome", "add_quantity", "add_usd"])
    announce(
        user_id=position.user_id,
        kind="position.added" if added else "position.not_added",
        severity=Event.Severity.INFO if added == wanted else Event.Severity.WARNING,
        sentence=f"{position.base}: {position.add_outcome}",
        position=position,
        now=now,
    )


def _held(position: Position) -> Decimal:
    legs = position.legs.select_related("instrument").prefetch_related("orders", "trades")
    return smallest_size([leg_exposure(leg) for leg in legs])


def _outcome(position: Position, added: Decimal, cause: str) -> str:
    """Say what was added and why, and what kept it from being more."""
    if position.state == PositionState.UNWINDING:
        entered = position.changes.filter(order=None, to_state=PositionState.UNWINDING)
        cause = f"{entered.latest('id').cause}; {cause}"
    base, wanted = position.base, position.add_quantity
    if not added:
        return f"nothing was added although {position.add_cause}: {cause}"[:600]
    if added < wanted:
        part = f"added {plain(added)} of {plain(wanted)} {base}"
        return f"{part} because {position.add_cause}; {cause}"[:600]
    return f"added {plain(added)} {base} because {position.add_cause}"[:600]
