"""Whether an order that a venue shows under our id is the one that we sent."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from exchanges.domain import OrderReport, Side
from trading.core.money import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What an intent of ours asked for."""

    symbol: str
    side: Side
    base_quantity: Decimal


def contradiction(sent: Sent, report: OrderReport) -> str:
    """Return how the report differs from what was sent, empty where it does not.

    What the venue did not say contradicts nothing.
    """
    if report.symbol != sent.symbol:
        return f"it trades {report.symbol}, ours {sent.symbol}"
    if report.side is not None and report.side is not sent.side:
        return f"it is to {report.side}, ours to {sent.side}"
    if report.base_quantity is not None and report.base_quantity != sent.base_quantity:
        return f"it is for {plain(report.base_quantity)}, ours for {plain(sent.base_quantity)}"
    filled = report.filled_base_quantity
    if filled is not None and filled > sent.base_quantity:
        return f"it filled {plain(filled)}, ours asked for {plain(sent.base_quantity)}"
    return ""
