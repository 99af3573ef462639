"""What an observer may look at: the world, the chronicle of its venues, and plain database rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from exchanges.simulator.accounts import Order
from tests.simulation.chronicle import Chronicle, net_of_fee
from tests.simulation.markets import base_of
from tests.simulation.world import World

Row = dict[str, Any]
Sentences = Iterator[str]

# Times within which things must have happened while Carry lived and venues could be reached.
HEDGED_WITHIN = timedelta(seconds=30)
CALM_WITHIN = timedelta(seconds=10)
RESOLVED_WITHIN = timedelta(seconds=30)
ALERTED_WITHIN = timedelta(seconds=10)
IN_FLIGHT = timedelta(seconds=5)
DISPATCHED_WITHIN = timedelta(seconds=5)
FLAT_WITHIN = timedelta(seconds=60)

ORDERS = """
SELECT o.*, p.user_id, p.base, l."index" AS leg_index, l.side AS leg_side, e.code AS venue
FROM trading_order o JOIN trading_position p ON p.id = o.position_id
JOIN trading_leg l ON l.id = o.leg_id
JOIN exchanges_exchangeaccount a ON a.id = l.account_id
JOIN exchanges_exchange e ON e.id = a.exchange_id ORDER BY o.created_at, o.client_order_id
"""
POSITIONS = """
SELECT p.*, u.username FROM trading_position p
JOIN accounts_user u ON u.id = p.user_id ORDER BY p.created_at, p.id
"""

ALERTS = """
SELECT e.id, u.username, p.base FROM trading_event e
JOIN trading_position p ON p.id = e.position_id JOIN accounts_user u ON u.id = e.user_id
WHERE e.severity = 'critical' AND e.id > ? ORDER BY e.id
"""


def moment(stored: datetime | None) -> datetime | None:
    """Return a stored instant as an aware one."""
    return None if stored is None else stored.replace(tzinfo=UTC)


@dataclass
class Case:
    """One run under observation. `orders` and `positions` are read anew at each step."""

    world: World
    chronicle: Chronicle
    orders: list[Row] = field(default_factory=list)
    positions: list[Row] = field(default_factory=list)
    before: dict[str, Row] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)
    trades_checked: int = 0
    windows_checked: int = 0
    events_seen: int = 0
    # Since when the outcome of an order is open, and what was excused by then.
    unresolved: dict[str, tuple[datetime, timedelta]] = field(default_factory=dict)
    # Since when an open position is to be flat while nothing is disturbed, and what was excused.
    to_close: dict[str, tuple[datetime, timedelta]] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        return self.world.now

    def read(self) -> None:
        """Look at the database afresh."""
        self.before = {row["client_order_id"]: row for row in self.orders}
        self.orders = self.rows(ORDERS)
        self.positions = self.rows(POSITIONS)

    def rows(self, query: str, *values: object) -> list[Row]:
        return self.world.laboratory.database.rows(query, *values)

    def at_venue(self, own_id: str) -> list[Order]:
        """Return what the venues hold under one of our ids."""
        return [
            order
            for order in self.world.far.ledger.orders.values()
            if order.client_order_id == own_id
        ]

    def own_base(self, position: Row) -> dict[str, Decimal]:
        """Return by venue what this position's own orders hold there, by the venues' fills."""
        mine = {
            row["client_order_id"] for row in self.orders if row["position_id"] == position["id"]
        }
        held: dict[str, Decimal] = {}
        for trade in self.world.far.ledger.trades:
            if trade.client_order_id in mine:
                held[trade.venue] = held.get(trade.venue, Decimal(0)) + net_of_fee(trade)
        return held

    def last_price(self, position: Row, venue: str) -> Decimal:
        """Return the price at which this position last traded at a venue."""
        mine = {
            row["client_order_id"] for row in self.orders if row["position_id"] == position["id"]
        }
        trades = self.world.far.ledger.trades
        own = [t for t in trades if t.client_order_id in mine and t.venue == venue]
        return own[-1].price if own else Decimal(0)

    def note_alerts(self) -> None:
        """Note for each open window when its user was first alerted of that asset.

        Events are counted and not timed: Carry's own clock may be off.
        """
        alerts = self.rows(ALERTS, self.events_seen)
        self.events_seen = max([self.events_seen, *(row["id"] for row in alerts)])
        told = {(row["username"], row["base"]) for row in alerts}
        for key, window in self.chronicle.open.items():
            if key in told and window.alerted_after is None:
                excused = self.world.excused - window.excused_before
                window.alerted_after = self.now - window.starts_at - excused

    def was_alerted_of(self, position: Row, *, after: int = 0) -> bool:
        """Tell whether a CRITICAL names this position; `after` is the last event not to count."""
        query = (
            "SELECT 1 FROM trading_event WHERE position_id = ? AND severity = 'critical' "
            "AND id > ? LIMIT 1"
        )
        return bool(self.rows(query, position["id"], after))

    def was_liquidated(self, user: str, base: str) -> bool:
        return any(
            trade.origin != "user" and trade.row.api_key.startswith(f"{user}-")
            for trade in self.chronicle.trades
            if base_of(trade.row.symbol) == base
        )

    def is_foreign(self, user: str, base: str) -> bool:
        """Tell whether anybody else has traded this asset on the user's accounts."""
        return any(key[0] == user and key[2] == base for key in self.chronicle.foreign)
