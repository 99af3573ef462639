"""What a person reads of a position that the engine cannot bring to rest by itself."""

from __future__ import annotations

from trading.core.exposure import net_base
from trading.core.money import plain
from trading.core.sentence import usd
from trading.core.snapshot import LegView, PositionView


def cannot_close(view: PositionView, leg: LegView, orders: int) -> str:
    """Name the leg, its venue, what is unhedged in base and USD, and what a person can do."""
    return (
        f"the {leg.name} could not be closed after {orders} orders. {_unhedged(view)} "
        "Press Close to try again, or close it at the venue and adopt that on Reconciliation."
    )


def wrong_way_round(view: PositionView, leg: LegView) -> str:
    """Say that a leg holds the opposite of its side, which no closing order may touch."""
    return (
        f"the {leg.name} holds {plain(leg.net_base)} {leg.instrument.base}, the wrong way round. "
        f"{_unhedged(view)} Close it at the venue and adopt that on Reconciliation."
    )


def dust(view: PositionView) -> str:
    """Name what is left below a lot, empty where nothing is."""
    left = [
        f"{plain(leg.net_base)} {leg.instrument.base} at {leg.instrument.venue}"
        for leg in view.legs
        if leg.net_base
    ]
    return f"; dust of {' and '.join(left)} is left" if left else ""


def _unhedged(view: PositionView) -> str:
    net = net_base([leg.exposure for leg in view.legs])
    mids = [leg.book.mid if leg.book else leg.decision_mid for leg in view.legs]
    mid = next((mid for mid in mids if mid is not None), None)
    worth = "" if mid is None else f" ({usd(abs(net) * mid)})"
    legs = ", ".join(f"{plain(leg.net_base)} at {leg.instrument.venue}" for leg in view.legs)
    return f"Unhedged: {plain(net)} {view.legs[0].instrument.base}{worth}; held: {legs}."
