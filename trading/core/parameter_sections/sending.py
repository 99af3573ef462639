"""How the orders of a position are sent."""
# ruff: noqa: RUF009  (`parameter` is a `dataclasses.field`)

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from trading.core.entry_style import CloseOrder, EntryStyle, FirstLeg
from trading.core.parameter_field import Unit, parameter

_U = Unit


@dataclass(frozen=True, kw_only=True)
class Sending:
    """A section of `Parameters`."""

    # A table: the formatter would give every word a line of its own.
    # fmt: off
    entry_style: EntryStyle = parameter(
        _U.CHOICE, EntryStyle.LIMIT_AT_MID, "Entry style",
        "How the first leg is worked; both at once is for price gaps.")
    first_leg: FirstLeg = parameter(
        _U.CHOICE, FirstLeg.AUTO, "First leg",
        "Which leg is worked first; spot and perpetual count where the legs differ.")
    maker_reprice_budget: int = parameter(
        _U.COUNT, "10", "Maker re-prices",
        "How often a maker order may follow the touch; then the last one works on.", least="0",
        most="100")
    max_entry_slippage: Decimal = parameter(
        _U.FRACTION, "0.002", "Entry price guard",
        "How much worse than the mid of the decision a leg may be entered; beyond it the rest is "
        "left.", least="0.0001", most="0.1")
    order_fill_timeout: timedelta = parameter(
        _U.SECONDS, "30", "First leg works for", "An unfilled first leg is cancelled after this.",
        least="1", most="3600", suffix="_seconds")
    hedge_escalation: timedelta = parameter(
        _U.SECONDS, "1", "Hedge goes to market after",
        "A hedge that rests longer is sent at market.", least="0", most="30", suffix="_seconds")
    spot_market_slippage_buffer: Decimal = parameter(
        _U.PERCENT, "0.05", "Spot limit buffer",
        "How far beyond the touch a marketable spot limit may fill.", least="0", most="10")
    perpetual_market_slippage_buffer: Decimal = parameter(
        _U.PERCENT, "0.05", "Perpetual limit buffer",
        "How far beyond the touch a marketable perpetual limit may fill.", least="0", most="10")
    max_orders_per_position_minute: int = parameter(
        _U.COUNT, "30", "Orders per minute", "Most orders of one position in a minute.", least="1",
        most="600")
    close_order: CloseOrder = parameter(
        _U.CHOICE, CloseOrder.SIMULTANEOUS, "Closing order",
        "Which leg is closed first where nothing is on fire.")
    # fmt: on
