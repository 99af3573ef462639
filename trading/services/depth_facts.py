"""What an order book says of a size: the price of walking it, and how much it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from exchanges.domain import Depth, Level, Side
from trading.core import costs
from trading.strategies.base import InstrumentFacts

ZERO = Decimal(0)


def with_depth(
    facts: InstrumentFacts, depth: Depth | None, side: Side, size_usd: Decimal
) -> InstrumentFacts:
    """Return the facts with the slippage of walking the book for a size; never below the touch.

    An order on `side` opens, one on the other side closes.
    """
    if depth is None or facts.book is None:
        return facts
    entry, leaving = (
        max(facts.slippage, walked(levels_of(depth, each), size_usd, facts.book.mid))
        for each in (side, side.opposite)
    )
    return replace(facts, slippage=entry, exit_slippage=leaving)


def side_capacity(
    facts: InstrumentFacts, depth: Depth | None, side: Side, max_slippage: Decimal
) -> Decimal:
    """Return the base quantity within the slippage limit, in and out again.

    Of an unread book only the touch that an entry takes.
    """
    if facts.book is None:
        return ZERO
    if depth is not None:
        mid = facts.book.mid
        return min(costs.book_capacity(levels_of(depth, one), mid, max_slippage) for one in Side)
    return facts.book.ask_quantity if side is Side.BUY else facts.book.bid_quantity


def walked(levels: Sequence[Level], size_usd: Decimal, mid: Decimal) -> Decimal:
    """Return the slippage of walking the levels; too thin a book counts as walked to its end."""
    whole = sum((level.base_quantity for level in levels), ZERO)
    found = costs.slippage(levels, min(size_usd / mid, whole), mid) if whole else None
    return found if found is not None else ZERO


def levels_of(depth: Depth, side: Side) -> Sequence[Level]:
    return depth.asks if side is Side.BUY else depth.bids
