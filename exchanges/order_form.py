"""What an instrument's grid and least sizes say of an order, before any venue is asked."""

from __future__ import annotations

from exchanges.domain import Instrument, OrderRequest, OrderType


def off_the_grid(request: OrderRequest, instrument: Instrument) -> str | None:
    """Say why the library would change or the venue refuse the order, None where all is well."""
    quantity, price = request.base_quantity, request.price
    if quantity < instrument.min_base_quantity or quantity <= 0:
        return (
            f"{quantity} {instrument.base} is below the smallest order of "
            f"{instrument.min_base_quantity} {instrument.base}"
        )
    if instrument.lot and quantity % instrument.lot:
        return f"{quantity} {instrument.base} is no multiple of the lot {instrument.lot}"
    if request.order_type is OrderType.MARKET:
        return None
    if price is None or price <= 0:
        return f"a limit order needs a price above 0, not {price}"
    if instrument.price_tick and price % instrument.price_tick:
        return f"the price {price} is no multiple of the tick {instrument.price_tick}"
    return None
