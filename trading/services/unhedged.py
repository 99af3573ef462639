"""Tell a person of legs that have not cancelled out for a while, whatever is done about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from exchanges.domain import Side
from trading.core.elapsed import elapsed
from trading.core.exposure import ZERO, Exposure, exposure, net_base
from trading.core.money import plain
from trading.core.states import PositionState
from trading.models import Leg, Position
from trading.services.submit import Clock
from trading.services.venues import Venues
from trading.services.view import Loaded, load
from trading.services.visit import Visit

# A person hears of it within 10 s: the sweep comes every 2 s, and its visit takes a while.
TOLD_AFTER = timedelta(seconds=6)


def tell_if_unhedged(visit: Visit, loaded: Loaded) -> bool:
    """Cry when the legs have been beyond the tolerance for six seconds, filling or not.

    Return whether it is to be told later of a held position, which nothing else drives again.
    """
    legs = [leg.exposure for leg in loaded.view.legs]
    if exposure(legs) is not Exposure.IMBALANCED:
        return False
    is_held = loaded.view.state is PositionState.HELD
    since = _unhedged_since(loaded) or visit.position.created_at
    if elapsed(since, visit.now()) < TOLD_AFTER:
        return is_held
    follows = "a person must decide" if is_held else "trying on"
    visit.cry(
        "position.unhedged",
        f"{plain(net_base(legs))} {visit.position.base} is unhedged since "
        f"{since:%H:%M:%S} UTC, position {loaded.view.state}; {follows}",
    )
    return False


def look_on(position_id: UUID, *, venues: Venues, clock: Clock) -> None:
    """Cry for a position that another worker has: it may have died with the lease in its hands.

    Nothing is acted on or written but the alert, which is the same whoever raises it.
    """
    position = Position.objects.select_related("user").filter(pk=position_id).first()
    if position is not None:
        visit = Visit(position, venues, clock)
        tell_if_unhedged(visit, load(position, contact=visit.contact, now=visit.now()))


def _unhedged_since(loaded: Loaded) -> datetime | None:
    """Return which fill took the legs out of the tolerance last, or else the newest of all."""
    legs = {leg.index: replace(leg.exposure, net_base=ZERO) for leg in loaded.view.legs}
    began, newest = None, None
    fills = (fill for leg in loaded.legs.values() for fill in _fills(leg, loaded))
    for newest, index, quantity in sorted(fills):
        legs[index] = replace(legs[index], net_base=legs[index].net_base + quantity)
        if exposure(list(legs.values())) is not Exposure.IMBALANCED:
            began = None
        elif began is None:
            began = newest
    return began or newest


def _fills(leg: Leg, loaded: Loaded) -> Iterator[tuple[datetime, int, Decimal]]:
    """Yield each signed fill of a leg; what is not booked yet at the moment it was told of."""
    trades = list(leg.trades.all())
    for trade in trades:
        yield trade.filled_at, leg.index, Side(trade.order_side).sign * trade.base_quantity
    for order in loaded.orders.values():
        if order.leg_id == leg.pk:
            booked = sum((t.base_quantity for t in trades if t.order_id == order.pk), ZERO)
            if booked < order.filled_base_quantity:
                told_at = order.looked_up_at or order.created_at
                left = order.filled_base_quantity - booked
                yield told_at, leg.index, Side(order.side).sign * left
