"""Write and send what the planner wants placed, and tell people what they must know of it."""

from __future__ import annotations

from collections.abc import Sequence

from exchanges.domain import Side
from exchanges.errors import VenueError
from exchanges.limits.lanes import Lane, asking
from exchanges.tier_rows import doubt_tiers
from trading.core.order_refusal import RefusalKind
from trading.core.plan_orders import failures_in_a_row
from trading.core.slippage import too_far
from trading.core.snapshot import LegView
from trading.core.states import PositionEvent, Purpose
from trading.core.steps import Place
from trading.core.symbols import shown_pair
from trading.models import Order
from trading.services.intents import TooManyOrders, write_intent
from trading.services.submit import submit
from trading.services.view import Loaded
from trading.services.visit import Visit

FAILED_CLOSES = 3
# So a venue refuses what is beyond its risk tiers, too.
TOO_MUCH = frozenset({RefusalKind.MARGIN, RefusalKind.INVALID, RefusalKind.OTHER})


def place_orders(visit: Visit, loaded: Loaded, places: Sequence[Place]) -> str:
    """Write an intent for each and send them together; return why to stop for now."""
    cap = loaded.parameters.max_orders_per_position_minute
    orders: list[Order] = []
    capped: tuple[Place, str] | None = None
    for place in places:
        leg = loaded.legs[place.leg_index]
        try:
            order = write_intent(visit.position, leg, place, cap=cap, now=visit.now())
        except TooManyOrders as refusal:
            capped = place, str(refusal)
        else:
            orders.append(order)
            loaded.orders[order.pk] = order
    send(visit, orders)
    for place in places:
        _tell_of_dear_hedge(visit, loaded, place)
        _tell_of_failing_close(visit, loaded.view.legs[place.leg_index], place)
    return "" if capped is None else _stop_at_cap(visit, *capped)


def send(visit: Visit, orders: Sequence[Order]) -> None:
    """Send intents that are written; what a venue lists is read anew where it refused its form."""
    if cause := submit(orders, position=visit.position, venues=visit.venues, clock=visit.clock):
        visit.warn("clock", f"nothing was sent: {cause}")
    doubt_tiers(o.leg.instrument_id for o in orders if o.refusal_kind in TOO_MUCH)
    refused = {o.leg.instrument.exchange for o in orders if o.refusal_kind == RefusalKind.INVALID}
    for exchange in refused:
        try:
            # An order waits for it, perhaps one that closes.
            with asking(Lane.LOOK_UP):
                visit.venues.relist(exchange, visit.now())
        except VenueError as error:
            visit.warn(
                "instruments.stale", f"what {exchange.name} lists could not be read: {error}"
            )


def _stop_at_cap(visit: Visit, place: Place, refusal: str) -> str:
    """Stop for now; a leg that may not be hedged any more is unwound, by orders of another cap."""
    visit.cry("orders.capped", refusal)
    if place.purpose is Purpose.HEDGE:
        return visit.record(PositionEvent.IMBALANCED, cause=refusal)
    return refusal


def _tell_of_dear_hedge(visit: Visit, loaded: Loaded, place: Place) -> None:
    """A hedge beyond the guard is sent all the same: a naked leg is worse."""
    leg = loaded.view.legs[place.leg_index]
    if place.purpose is not Purpose.HEDGE or leg.book is None:
        return
    touch = leg.book.ask if place.side is Side.BUY else leg.book.bid
    if words := too_far(loaded.view, leg, touch):
        visit.warn("hedge.slippage", f"hedged all the same, {words}")


def _tell_of_failing_close(visit: Visit, leg: LegView, place: Place) -> None:
    """An exit that keeps failing goes on, and a person hears of it."""
    failed = failures_in_a_row(o for o in leg.orders if o.purpose is Purpose.REDUCE)
    if place.purpose is Purpose.REDUCE and len(failed) >= FAILED_CLOSES:
        visit.cry(
            "exit.failing",
            f"{len(failed)} closing orders failed on {shown_pair(leg.instrument.symbol)} at "
            f"{leg.instrument.venue}; trying on",
        )
