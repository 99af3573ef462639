"""Rows of a paper account as the domain's values, as an adapter parses a venue's."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from exchanges.domain import (
    BorrowInterest,
    ClientOrderId,
    Fill,
    FillCause,
    FundingPayment,
    OrderReport,
    Side,
    Symbol,
    VenueOrderStatus,
)
from exchanges.paper.facts import is_contract
from exchanges.paper.margin_rows import PaperInterest
from exchanges.paper.rows import PaperFill, PaperFunding, PaperOrder


def report_of(order: PaperOrder, now: datetime) -> OrderReport:
    filled: Decimal = order.filled
    return OrderReport(
        client_order_id=ClientOrderId(order.client_order_id),
        venue_order_id=order.venue_order_id,
        symbol=Symbol(order.symbol),
        status=VenueOrderStatus(order.status),
        observed_at=now,
        side=Side(order.side),
        base_quantity=order.base_quantity,
        filled_base_quantity=filled,
        average_price=order.filled_quote / filled if filled else None,
        reduce_only=order.reduce_only if is_contract(order.symbol) else None,
    )


def fill_of(row: PaperFill, venue: str) -> Fill:
    """Return one execution; `row.order` has been read with it."""
    order = row.order
    return Fill(
        venue=venue,
        symbol=Symbol(row.symbol),
        venue_trade_id=row.venue_trade_id,
        venue_order_id=order.venue_order_id,
        client_order_id=ClientOrderId(order.client_order_id),
        side=Side(row.side),
        price=row.price,
        base_quantity=row.base_quantity,
        fee=row.fee,
        fee_asset=row.fee_asset,
        is_maker=row.is_maker,
        filled_at=row.filled_at,
        cause=FillCause(order.cause),
    )


def payment_of(row: PaperFunding, venue: str) -> FundingPayment:
    return FundingPayment(
        venue=venue,
        symbol=Symbol(row.symbol),
        venue_payment_id=row.venue_payment_id,
        payment=row.payment,
        asset=row.asset,
        paid_at=row.settled_at,
        funding_rate=row.funding_rate,
    )


def charge_of(row: PaperInterest, venue: str) -> BorrowInterest:
    return BorrowInterest(
        venue=venue,
        venue_interest_id=row.venue_interest_id,
        amount=row.amount,
        asset=row.asset,
        charged_at=row.charged_at,
        borrowed=row.borrowed,
        hourly_rate=row.hourly_rate,
    )
