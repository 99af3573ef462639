"""A position's profit and loss in parts, from its trades, payments and the marks of now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from uuid import UUID

from exchanges.domain import Side
from trading.core.pnl import Interest, LegFill, LegLedger, PnlParts
from trading.core.pnl import position_pnl as parts_of
from trading.models import BorrowInterest, Leg, LegSide, Position, Trade
from trading.services.capital import DOLLARS
from trading.services.holdings import base_fee, is_short_spot


def position_pnl(position: Position, *, marks: Mapping[UUID, Decimal]) -> PnlParts:
    """Return the parts in USD; what is still held is valued at `marks` (instrument id → price).

    Without a mark a leg is valued at its last fill, which the caller may only show as stale.
    """
    legs = position.legs.select_related("instrument").prefetch_related("trades", "funding_events")
    added_at = _addition_mids(position)
    return parts_of([_ledger(leg, marks.get(leg.instrument_id), added_at) for leg in legs])


def fetched_pnl(position: Position, *, marks: Mapping[UUID, Decimal]) -> PnlParts:
    """Return the same of a position whose legs were fetched with all that is read of them."""
    legs = position.legs.all()
    added_at: dict[UUID | None, Decimal] = {}
    if position.add_steps:
        orders = (order for leg in legs for order in leg.orders.all())
        mids = ((order.pk, order.decision_mid) for order in orders)
        added_at = {order_id: mid for order_id, mid in mids if mid is not None}
    return parts_of([_ledger(leg, marks.get(leg.instrument_id), added_at) for leg in legs])


def realised_parts(position: Position) -> PnlParts:
    """Return the parts of a position that holds nothing any more."""
    return position_pnl(position, marks={})


def _addition_mids(position: Position) -> dict[UUID | None, Decimal]:
    """Return by order the mid that an addition was decided on; most positions have none."""
    if not position.add_steps:
        return {}
    mids = position.orders.values_list("pk", "decision_mid")
    return {order_id: mid for order_id, mid in mids if mid is not None}


def _entry_mid(leg: Leg, added_at: Mapping[UUID | None, Decimal]) -> Decimal:
    """Return the mid that the leg was decided on, on average of what was opened.

    So each fill's slippage is against the mid of its own decision, the entry's or an addition's.
    """
    opened = [trade for trade in leg.trades.all() if trade.action == "OPEN"]
    quantity = sum((trade.base_quantity for trade in opened), Decimal(0))
    at_entry: Decimal = leg.decision_entry_mid
    if not (added_at and quantity):
        return at_entry
    mids = (trade.base_quantity * added_at.get(trade.order_id, at_entry) for trade in opened)
    return sum(mids, Decimal(0)) / quantity


def _ledger(leg: Leg, mark: Decimal | None, added_at: Mapping[UUID | None, Decimal]) -> LegLedger:
    trades = list(leg.trades.all())
    last = trades[-1].price if trades else leg.decision_entry_mid
    valued_at = mark if mark is not None else last
    return LegLedger(
        side=Side.BUY if leg.side == LegSide.LONG else Side.SELL,
        fills=[ledger_fill(trade, leg) for trade in trades],
        ratio=leg.ratio,
        interest=[ledger_interest(row, leg) for row in interest_of(leg)],
        entry_mid=_entry_mid(leg, added_at),
        exit_mid=leg.decision_exit_mid if leg.decision_exit_mid is not None else valued_at,
        mark_price=valued_at,
        funding=[event.payment for event in leg.funding_events.all()],
    )


def ledger_fill(trade: Trade, leg: Leg) -> LegFill:
    """Return a trade as the ledger counts it, its fee in quote currency."""
    return LegFill(
        side=Side(trade.order_side),
        price=trade.price,
        base_quantity=trade.base_quantity,
        fee=fee_value(trade, leg) or Decimal(0),
        base_fee=base_fee(trade, leg),
    )


def ledger_interest(row: BorrowInterest, leg: Leg) -> Interest:
    in_base = row.asset == leg.instrument.base
    return Interest(value=row.amount_usd, base_quantity=row.amount if in_base else Decimal(0))


def interest_of(leg: Leg) -> Iterable[BorrowInterest]:
    """Return what a leg was charged for what it borrowed; nobody else is asked for."""
    return leg.interest.all() if is_short_spot(leg) else ()


def fee_value(trade: Trade, leg: Leg) -> Decimal | None:
    """Return a trade's fee in quote currency; None in an asset whose price nobody knew.

    A fee in the base asset is worth the price of its own trade.
    """
    instrument = leg.instrument
    fee: Decimal = trade.fee
    if trade.fee_asset in DOLLARS or trade.fee_asset in (instrument.quote, instrument.settle):
        return fee
    price = trade.price if trade.fee_asset == instrument.base else trade.fee_price
    return None if price is None else fee * price


def unvalued_fees(position: Position) -> dict[str, Decimal]:
    """Return by asset the fees that no P&L counts, since no price of the asset was known."""
    missing: dict[str, Decimal] = {}
    for leg in position.legs.select_related("instrument").prefetch_related("trades"):
        for trade in leg.trades.all():
            if fee_value(trade, leg) is None:
                asset = trade.fee_asset
                missing[asset] = missing.get(asset, Decimal(0)) + trade.fee
    return missing


def entry_price(leg: Leg) -> Decimal | None:
    """Return the average price at which the leg was opened, None before its first fill."""
    opened = [trade for trade in leg.trades.all() if trade.action == "OPEN"]
    quantity = sum((trade.base_quantity for trade in opened), Decimal(0))
    paid = sum((trade.base_quantity * trade.price for trade in opened), Decimal(0))
    return paid / quantity if quantity else None
