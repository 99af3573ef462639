"""Prices for venues that know no order without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any

from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.numbers import exact
from exchanges.domain import Side
from exchanges.errors import VenueUnavailable


def worst_price(
    book: Mapping[str, Any], side: Side, listing: Listing, *, slippage: Decimal, digits: int | None
) -> Decimal:
    """Return the venue price a market order may go to: the opposite touch and `slippage` beyond.

    Rounded back towards the touch, to the digits and the tick of the venue. Raise VenueUnavailable
    where nobody stands on the other side.
    """
    levels: Sequence[Sequence[Any]] = book["asks" if side is Side.BUY else "bids"]
    if not levels:
        raise VenueUnavailable(
            f"nobody stands on the other side of {listing.symbol} now",
            venue=listing.instrument.venue,
        )
    rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
    price = exact(levels[0][0]) * (1 + slippage * side.sign)
    if digits is not None:
        price = Context(prec=digits, rounding=rounding).plus(price)
    tick = listing.venue_price(listing.instrument.price_tick)
    return (price / tick).to_integral_value(rounding) * tick if tick else price


def has_too_many_digits(price: Decimal, digits: int | None) -> bool:
    """Tell whether a price has more digits than the venue takes; a whole one may have any."""
    if digits is None or price == price.to_integral_value():
        return False
    return len(price.normalize().as_tuple().digits) > digits
