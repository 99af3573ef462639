"""A position's profit and loss in parts, from its trades, payments and the marks of now."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from exchanges.domain import Side
from trading.core.pnl import LegFill, LegLedger, PnlParts
from trading.core.pnl import position_pnl as parts_of
from trading.models import Leg, LegSide, Position, Trade


def position_pnl(position: Position, *, marks: Mapping[UUID, Decimal]) -> PnlParts:
    """Return the parts in USD; what is still held is valued at `marks` (instrument id → price).

    Without a mark a leg is valued at its last fill, which the caller may only show as stale.
    """
    legs = position.legs.select_related("instrument").prefetch_related("trades", "funding_events")
    return parts_of([_ledger(leg, marks.get(leg.instrument_id)) for leg in legs])


def realised_parts(position: Position) -> PnlParts:
    """Return the parts of a position that holds nothing any more."""
    return position_pnl(position, marks={})


def _ledger(leg: Leg, mark: Decimal | None) -> LegLedger:
    trades = list(leg.trades.all())
    last = trades[-1].price if trades else leg.decision_entry_mid
    valued_at = mark if mark is not None else last
    return LegLedger(
        side=Side.BUY if leg.side == LegSide.LONG else Side.SELL,
        fills=[ledger_fill(trade, leg) for trade in trades],
        entry_mid=leg.decision_entry_mid,
        exit_mid=leg.decision_exit_mid if leg.decision_exit_mid is not None else valued_at,
        mark_price=valued_at,
        funding=[event.payment for event in leg.funding_events.all()],
    )


def ledger_fill(trade: Trade, leg: Leg) -> LegFill:
    """Return a trade as the ledger counts it: a fee in the base asset is worth its price."""
    in_base = trade.fee_asset == leg.instrument.base
    return LegFill(
        side=Side(trade.order_side),
        price=trade.price,
        base_quantity=trade.base_quantity,
        fee=trade.fee * trade.price if in_base else trade.fee,
    )


def entry_price(leg: Leg) -> Decimal | None:
    """Return the average price at which the leg was opened, None before its first fill."""
    opened = [trade for trade in leg.trades.all() if trade.action == "OPEN"]
    quantity = sum((trade.base_quantity for trade in opened), Decimal(0))
    paid = sum((trade.base_quantity * trade.price for trade in opened), Decimal(0))
    return paid / quantity if quantity else None
