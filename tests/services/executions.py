"""Executions as venues list them, for orders of one coin at 100."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.domain import Fill, Side, Symbol
from tests.services import test_submit as orders


def execution(**changes: Any) -> Fill:
    """Return a purchase of one coin as a taker, of an order without an id of ours."""
    told = Fill(
        venue="bybit",
        symbol=Symbol("BTC/USDT:USDT"),
        venue_trade_id="t1",
        venue_order_id="77",
        client_order_id=None,
        side=Side.BUY,
        price=Decimal(100),
        base_quantity=Decimal(1),
        fee=Decimal("0.05"),
        fee_asset="USDT",
        is_maker=False,
        filled_at=orders.NOW,
    )
    return replace(told, **changes)
