"""What an order would have met in a real book that never saw it.

Pure. What our own orders took stays taken for a while, since the real book still shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from exchanges.domain import Depth, Instrument, Level, Side
from exchanges.matching import crosses, take

ZERO, ONE = Decimal(0), Decimal(1)
NOTHING: Mapping[Decimal, Decimal] = {}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resting order stands: what is ahead of it at its price, and what the level showed.

    `ahead` is None where the book was not seen as deep as that.
    """

    ahead: Decimal | None
    seen: Decimal | None


def opposite(depth: Depth, side: Side) -> Sequence[Level]:
    """Return the levels that an order of `side` takes, best first."""
    return depth.asks if side is Side.BUY else depth.bids


def own(depth: Depth, side: Side) -> Sequence[Level]:
    """Return the levels that an order of `side` rests among, best first."""
    return depth.bids if side is Side.BUY else depth.asks


def left_of(levels: Sequence[Level], taken: Mapping[Decimal, Decimal]) -> list[Level]:
    """Return the levels without what we took of them lately, by price."""
    return [
        Level(price=level.price, base_quantity=quantity)
        for level in levels
        if (quantity := level.base_quantity - taken.get(level.price, ZERO)) > 0
    ]


def slipped(
    price: Decimal, *, side: Side, slippage: Decimal, instrument: Instrument, limit: Decimal | None
) -> Decimal:
    """Return a level's price made worse by a fraction, on the tick, never beyond the limit.

    Worked: buying at 60,000 with 0.0001 and a tick of 0.1 pays 60,006.0.
    """
    if not slippage:
        return price
    worse, tick = price * (1 + side.sign * slippage), instrument.price_tick
    rounding = ROUND_CEILING if side is Side.BUY else ROUND_FLOOR
    worse = (worse / tick).quantize(ONE, rounding=rounding) * tick
    if limit is None:
        return worse
    return min(worse, limit) if side is Side.BUY else max(worse, limit)


def place_in(depth: Depth, *, side: Side, price: Decimal) -> Place:
    """Return where an order that rests at `price` from now on stands: behind what is there."""
    levels = own(depth, side)
    quantity = _at(levels, price)
    if quantity is not None:
        return Place(quantity, quantity)
    if levels and not _is_seen(levels, side, price):
        return Place(None, None)
    return Place(ZERO, ZERO)


def look(
    depth: Depth,
    place: Place,
    *,
    side: Side,
    price: Decimal,
    base_quantity: Decimal,
    taken: Mapping[Decimal, Decimal] = NOTHING,
) -> tuple[tuple[Level, ...], Place]:
    """Return what a resting order of `base_quantity` trades by this book, and where it stands then.

    Each execution is named by the level it is due to; its price is the order's own. Where the other
    side has come to the price or through it, everything ahead is gone and what stands there trades.
    Where the price is the best of its own side, what the level lost since the last look was traded:
    first from what is ahead, then from the order.
    """
    reached = take(
        left_of(opposite(depth, side), taken), side=side, base_quantity=base_quantity, limit=price
    )
    if reached:
        return reached, Place(ZERO, ZERO)
    levels = own(depth, side)
    visible = _at(levels, price)
    if visible is None:
        gone = not levels or _is_seen(levels, side, price)
        return (), Place(ZERO, ZERO) if gone else place
    if place.ahead is None or place.seen is None:
        return (), Place(visible, visible)
    if levels[0].price != price:
        return (), Place(min(place.ahead, visible), visible)
    traded = max(ZERO, place.seen - visible)
    ours = min(base_quantity, max(ZERO, traded - place.ahead))
    ahead = min(visible, max(ZERO, place.ahead - traded))
    fills = (Level(price=price, base_quantity=ours),) if ours else ()
    return fills, Place(ahead, visible)


def _at(levels: Sequence[Level], price: Decimal) -> Decimal | None:
    return next((level.base_quantity for level in levels if level.price == price), None)


def _is_seen(levels: Sequence[Level], side: Side, price: Decimal) -> bool:
    """Tell whether a price is within what was read of its side, or better than all of it."""
    return crosses(side, price, levels[-1].price)
