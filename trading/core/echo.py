"""Whether an order that a venue shows under our id is the one that we sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from exchanges.domain import Fill, OrderReport, Side, VenueOrderStatus
from trading.core.money import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What an intent of ours asked for. `reduces`: as a reduce-only order."""

    symbol: str
    side: Side
    base_quantity: Decimal
    reduces: bool = False


def as_sent(sent: Sent, report: OrderReport) -> OrderReport:
    """Return the report in terms of what was sent, where the venue cut it to what was left.

    OKX lowers the quantity of a reduce-only order to that of the position. Filled whole then, its
    rest is cancelled. What is smaller by tens is no cut: it was read in another contract size.
    """
    shown = report.base_quantity
    if not sent.reduces or shown is None or not 0 < shown < sent.base_quantity:
        return report
    if is_other_unit(shown, sent.base_quantity):
        return report
    if report.status is not VenueOrderStatus.FILLED:
        return replace(report, base_quantity=sent.base_quantity)
    return replace(
        report,
        base_quantity=sent.base_quantity,
        status=VenueOrderStatus.CANCELED,
        filled_base_quantity=report.filled_base_quantity or shown,
    )


def is_other_unit(shown: Decimal, sent: Decimal) -> bool:
    """Tell whether two quantities are the same one in contracts of two sizes, tens apart."""
    return (sent / shown).normalize().as_tuple().digits == (1,)


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


def fill_contradiction(sent: Sent, fill: Fill) -> str:
    """Return how an execution cannot be one of what was sent, empty where it can."""
    if fill.side is not sent.side:
        return f"it was executed to {fill.side}, ours is to {sent.side}"
    if fill.base_quantity > sent.base_quantity:
        filled, asked = plain(fill.base_quantity), plain(sent.base_quantity)
        return f"one execution of it is {filled}, ours asked for {asked}"
    return ""
