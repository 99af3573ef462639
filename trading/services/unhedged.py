"""Tell a person of legs that have not cancelled out for a while, whatever is done about it."""

from __future__ import annotations

from datetime import datetime, timedelta

from trading.core.elapsed import elapsed
from trading.core.exposure import Exposure, exposure, net_base
from trading.core.money import plain
from trading.core.states import PositionState
from trading.models import Order
from trading.services.view import Loaded
from trading.services.visit import Visit

TOLD_AFTER = timedelta(seconds=10)


def tell_if_unhedged(visit: Visit, loaded: Loaded) -> None:
    """Cry when the legs are beyond the tolerance and nothing was filled for ten seconds."""
    legs = [leg.exposure for leg in loaded.view.legs]
    if exposure(legs) is not Exposure.IMBALANCED:
        return
    since = max(
        (_last_filled(order) for order in loaded.orders.values() if order.filled_base_quantity),
        default=visit.position.created_at,
    )
    if elapsed(since, visit.now()) >= TOLD_AFTER:
        is_held = loaded.view.state is PositionState.HELD
        follows = "a person must decide" if is_held else "trying on"
        visit.cry(
            "position.unhedged",
            f"{plain(net_base(legs))} {visit.position.base} is unhedged since "
            f"{since:%H:%M:%S} UTC, position {loaded.view.state}; {follows}",
        )


def _last_filled(order: Order) -> datetime:
    """Return when the order filled last; of one whose fills are not booked yet, when it began."""
    return max((trade.filled_at for trade in order.trades.all()), default=order.created_at)
