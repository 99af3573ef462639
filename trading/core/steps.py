"""What `plan.next_step` may ask for; `trading.services.drive` does it, one step at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from exchanges.domain import OrderType, Side, TimeInForce
from trading.core.states import PositionEvent, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Write this intent and send it. `base_quantity` > 0."""

    leg_index: int
    purpose: Purpose
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    base_quantity: Decimal
    price: Decimal | None
    reduce_only: bool
    cancel_after: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceAll:
    """Send these together: one for each leg that still has to be closed."""

    orders: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    order_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """End an intent that was never sent."""

    order_id: UUID
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send an intent that was written but not sent yet."""

    order_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """Set one-way mode, margin mode and leverage of every leg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Ask every leg's venue whether it answers, before one leg is closed without the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """Ask both venues for the positions and confirm them, or hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    event: PositionEvent
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Stop for now; with `is_rest` until the exposure, the goal or an order changes."""

    reason: str
    is_rest: bool = False


Step = Place | PlaceAll | Cancel | Drop | Send | Prepare | Reach | ReadBack | Record | Wait
