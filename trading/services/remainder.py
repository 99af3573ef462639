"""What appeared after a position had ended, while a newer one holds its pair."""

from __future__ import annotations

from trading.core.money import plain
from trading.models import Position
from trading.services.holdings import leg_net_base


def why_it_waits(ended: Position) -> str:
    """Return what is left of it, where, and what it waits for; empty while its pair is free.

    One position of a pair is live at a time, so the older one cannot be brought back to be closed.
    """
    others = Position.objects.for_user(ended.user).live().filter(base=ended.base)
    newer = others.exclude(pk=ended.pk).first()
    if newer is None:
        return ""
    legs = ended.legs.select_related("instrument__exchange").prefetch_related("orders", "trades")
    held = [(leg, leg_net_base(leg)) for leg in legs]
    left = " and ".join(
        f"{plain(net)} {leg.instrument.base} at {leg.instrument.exchange.name}"
        for leg, net in held
        if net
    )
    return (
        f"{left} came after the end of position {ended.short_id} and is hedged by nothing; it is "
        f"closed once the newer position {newer.short_id} has ended: close that, or this by hand"
    )
