"""What a kill has not closed in time: each leg is told of once, with its quantity and reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from trading.core.elapsed import elapsed
from trading.core.money import plain
from trading.core.states import LIVE_POSITION_STATES, PositionState
from trading.events import announce
from trading.models import Event, KillSwitch, Leg, Order, Position
from trading.services import slots
from trading.services.holdings import leg_net_base
from trading.services.kill_switch import FLAT_WITHIN, of_scope

KIND = "kill.leftover"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """A leg that still holds something or has an order in the market; quantity signed."""

    leg: Leg
    base_quantity: Decimal
    reason: str

    @property
    def sentence(self) -> str:
        leg = self.leg
        owner = leg.position.user.get_username()
        return (
            f"Not flat after the kill: {owner}, {leg.account}, {leg.instrument.symbol} "
            f"{plain(self.base_quantity)} {leg.instrument.base}: {self.reason}"
        )


def leftovers(user_id: UUID | None) -> list[Leftover]:
    """Return each leg of the scope that is not flat, of one user or of all with None."""
    live = of_scope(Position.objects.filter(state__in=LIVE_POSITION_STATES), user_id)
    legs = (
        Leg.objects.filter(position__in=live)
        .select_related("position__user", "account__exchange", "instrument__exchange")
        .prefetch_related("orders", "trades")
        .order_by("position__created_at", "index")
    )
    found = [(leg, leg_net_base(leg), _pending(leg)) for leg in legs]
    return [
        Leftover(leg=leg, base_quantity=net, reason=_reason(leg, pending))
        for leg, net, pending in found
        if abs(net) >= leg.instrument.lot or pending
    ]


def tell_leftovers(pressed: KillSwitch, *, now: datetime) -> list[Leftover]:
    """Announce one CRITICAL for each leftover of a press that should be flat by now, once each."""
    if elapsed(pressed.pressed_at, now) < FLAT_WITHIN:
        return []
    return tell_now(pressed, now=now)


def tell_now(pressed: KillSwitch, *, now: datetime) -> list[Leftover]:
    """Announce one CRITICAL for each leftover of a press, once each, without waiting longer."""
    found = leftovers(pressed.user_id)
    for leftover in found:
        with transaction.atomic():
            if not slots.claim_once(f"leftover {pressed.epoch} {leftover.leg.pk}", now=now):
                continue
            announce(
                user_id=leftover.leg.position.user_id,
                kind=KIND,
                severity=Event.Severity.CRITICAL,
                sentence=leftover.sentence,
                position=leftover.leg.position,
                now=now,
            )
    return found


def _pending(leg: Leg) -> list[Order]:
    return [order for order in leg.orders.all() if order.is_pending]


def _reason(leg: Leg, pending: list[Order]) -> str:
    """Say why it is there: held, an order under way, what the venue answered, or the last word."""
    position = leg.position
    if position.state == PositionState.HELD:
        return f"held, {position.held_reason}"
    if pending:
        return f"an order is {pending[-1].state} at {leg.instrument.exchange.name}"
    refused = [order for order in leg.orders.all() if order.refusal]
    if refused:
        newest = max(refused, key=lambda order: order.created_at)
        return f"{leg.instrument.exchange.name} refused the last order: {newest.refusal}"
    latest = position.events.exclude(kind=KIND).order_by("-id").first()
    return latest.sentence if latest is not None else "nobody has driven it yet"
