"""One position under one named fault, watched by the observer until everything is at rest."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.simulation.actions import Action, perform
from tests.simulation.disturbances import fault_rules
from tests.simulation.laboratory import Laboratory
from tests.simulation.observer.watching import Observer
from tests.simulation.run import come_to_rest
from tests.simulation.world import World
from trading.models import Event, Order, Position

SEED = 1
SETTLED = 12.0
# One lot on each level: an order meets more than the book shows.
THIN = Decimal("0.001")
FLAT = (Decimal(0), Decimal(0))


class Drill:
    """Alice trades BTC: first at Binance, where she is long, then at Bybit.

    `market` names another kind of day, whose first venue is where she is long.
    """

    def __init__(self, laboratory: Laboratory, market: str = "perpetuals") -> None:
        self.world = World(laboratory, SEED)
        self.far = self.world.far
        self.observer = Observer(self.world)
        if market != "perpetuals":
            self.do("market", kind=market)

    def fault(self, kind: str, venue: str, *, count: int = 1) -> None:
        """Let one of the named disturbances strike the next requests."""
        for rule in fault_rules(kind, venue, count, {}):
            self.disturb(**rule)

    def disturb(self, **rule: Any) -> None:
        """Let a rule strike that no seed draws."""
        self.far.disturb(**rule)
        self.world.note_fault()

    def enter(self, *, user: str = "alice", base: str = "BTC", wait: float = SETTLED) -> Position:
        self.do("open", user=user, base=base, amount="6000", kind="manual", wait=wait)
        return Position.objects.filter(user__username=user, base=base).latest("created_at")

    def rest_first_leg(self, away: str = "0.002") -> Position:
        """Let the first order arrive after the market has left, so that it rests."""
        self.at(0.02, lambda: self.far.move_price("BTC", 1 + Decimal(away)))
        return self.enter(wait=1.0)

    def leave(self, *, wait: float = SETTLED) -> None:
        self.do("close", wait=wait)

    def do(self, name: str, **details: Any) -> None:
        perform(self.world, Action(do=name, **details))

    def at(self, seconds: float, act: Callable[[], None]) -> None:
        """Let something happen at the venues in so many seconds, whatever Carry waits for."""
        self.world.laboratory.loop.call_later(seconds, act)

    def when_struck(self, act: Callable[[], None]) -> None:
        """Let something happen at the venues half a second after a fault strikes."""
        self.far.on_fault = lambda: self.at(0.5, act)

    def rest(self) -> None:
        """End all faults, give everything time, and let the observer judge."""
        come_to_rest(self.world)
        self.observer.see_end()
        assert self.observer.violations == []
        assert len(self.sent()) == len(set(self.sent()))

    def sent(self) -> list[str]:
        """Return the ids of the create requests that reached a venue."""
        return [sight.client_order_id for sight in self.far.sights]

    def orders(self, venue: str) -> list[str]:
        """Return purpose and state of our orders at a venue, in the order they were written."""
        rows = Order.objects.filter(leg__instrument__exchange__code=venue).order_by("created_at")
        return [f"{order.purpose} {order.state}" for order in rows]

    def state(self) -> str:
        """Return the state of alice's position in BTC."""
        return str(Position.objects.get(user__username="alice", base="BTC").state)

    def held(self, user: str = "alice", base: str = "BTC") -> tuple[Decimal, Decimal]:
        """Return what the venues hold, the day's first venue first."""
        first, second = self.far.market.venues
        return self.far.held(user, first, base), self.far.held(user, second, base)

    def cried(self, kind: str) -> bool:
        return Event.objects.filter(kind=kind, severity="critical").exists()
