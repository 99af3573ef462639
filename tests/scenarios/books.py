"""Our own books as an outside observer reads them: the database file, read-only, in plain SQL."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

FILLS = """
    SELECT exchange.code, instrument.venue_symbol, venue_trade_id, client_order_id,
        trade.order_side, trade.price, trade.base_quantity, fee, fee_asset, filled_at
    FROM trading_trade AS trade
    JOIN trading_order AS sent ON sent.id = trade.order_id
    JOIN trading_leg AS leg ON leg.id = trade.leg_id
    JOIN exchanges_instrument AS instrument ON instrument.id = leg.instrument_id
    JOIN exchanges_exchange AS exchange ON exchange.id = instrument.exchange_id
"""
PAYMENTS = """
    SELECT exchange.code, instrument.venue_symbol, venue_payment_id, asset, payment
    FROM trading_fundingevent AS paid
    JOIN trading_leg AS leg ON leg.id = paid.leg_id
    JOIN exchanges_instrument AS instrument ON instrument.id = leg.instrument_id
    JOIN exchanges_exchange AS exchange ON exchange.id = instrument.exchange_id
"""
INTENTS = """
    SELECT exchange.code, client_order_id, sent.position_id, purpose, sent.state, created_at,
        sent_at, answered_at
    FROM trading_order AS sent
    JOIN trading_leg AS leg ON leg.id = sent.leg_id
    JOIN exchanges_instrument AS instrument ON instrument.id = leg.instrument_id
    JOIN exchanges_exchange AS exchange ON exchange.id = instrument.exchange_id
"""
POSITIONS = """
    SELECT id, base, state, opened_by, close_reason, lease_owner
    FROM trading_position ORDER BY created_at
"""
STORY = """
    SELECT change.at, sent.purpose, client_order_id, from_state, to_state, cause
    FROM trading_statechange AS change
    LEFT JOIN trading_order AS sent ON sent.id = order_id
    WHERE change.position_id = ? ORDER BY change.id
"""


class Fill(NamedTuple):
    """One execution, alike in our books and in the venue's."""

    venue: str
    symbol: str
    venue_trade_id: str
    client_order_id: str
    side: str
    price: Decimal
    base_quantity: Decimal
    fee: Decimal
    fee_asset: str
    filled_at: datetime


class Payment(NamedTuple):
    """One funding payment, alike in our books and in the venue's; > 0 was received."""

    venue: str
    symbol: str
    venue_payment_id: str
    asset: str
    payment: Decimal


class Intent(NamedTuple):
    """One order as we wrote it down before it was sent."""

    venue: str
    client_order_id: str
    position_id: UUID
    purpose: str
    state: str
    created_at: datetime
    sent_at: datetime | None
    answered_at: datetime | None


class Held(NamedTuple):
    """One position row."""

    id: UUID
    base: str
    state: str
    opened_by: str
    close_reason: str
    lease_owner: str


class Books:
    """The database of a running Carry."""

    def __init__(self, database: Path) -> None:
        self._address = f"file:{database}?mode=ro"

    def rows(self, query: str, *parameters: str) -> list[sqlite3.Row]:
        connection = sqlite3.connect(self._address, uri=True, timeout=20)
        connection.row_factory = sqlite3.Row
        try:
            return connection.execute(query, parameters).fetchall()
        finally:
            connection.close()

    def fills(self) -> list[Fill]:
        return sorted(
            Fill(
                venue=row["code"],
                symbol=row["venue_symbol"],
                venue_trade_id=row["venue_trade_id"],
                client_order_id=row["client_order_id"],
                side=row["order_side"],
                price=Decimal(row["price"]),
                base_quantity=Decimal(row["base_quantity"]),
                fee=Decimal(row["fee"]),
                fee_asset=row["fee_asset"],
                filled_at=_moment(row["filled_at"]),
            )
            for row in self.rows(FILLS)
        )

    def payments(self) -> list[Payment]:
        return sorted(
            Payment(
                venue=row["code"],
                symbol=row["venue_symbol"],
                venue_payment_id=row["venue_payment_id"],
                asset=row["asset"],
                payment=Decimal(row["payment"]),
            )
            for row in self.rows(PAYMENTS)
        )

    def intents(self) -> list[Intent]:
        return [
            Intent(
                venue=row["code"],
                client_order_id=row["client_order_id"],
                position_id=UUID(row["position_id"]),
                purpose=row["purpose"],
                state=row["state"],
                created_at=_moment(row["created_at"]),
                sent_at=_moment_or_none(row["sent_at"]),
                answered_at=_moment_or_none(row["answered_at"]),
            )
            for row in self.rows(INTENTS)
        ]

    def positions(self) -> list[Held]:
        """Return all positions, the oldest first."""
        return [
            Held(
                id=UUID(row["id"]),
                base=row["base"],
                state=row["state"],
                opened_by=row["opened_by"],
                close_reason=row["close_reason"],
                lease_owner=row["lease_owner"],
            )
            for row in self.rows(POSITIONS)
        ]

    def position(self, position_id: UUID) -> Held:
        return next(held for held in self.positions() if held.id == position_id)

    def story(self, position_id: UUID) -> str:
        """Return the journal of a position, for a test that failed."""
        changes = self.rows(STORY, position_id.hex)
        return "\n".join(" ".join(str(value or "-") for value in row) for row in changes)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else _moment(text)
