"""How large a position may be, and how much capital it may use."""
# ruff: noqa: RUF009  (`parameter` is a `dataclasses.field`)

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.core.leverage import LeverageOverride
from trading.core.parameter_field import Unit, parameter

_U = Unit


@dataclass(frozen=True, kw_only=True)
class Size:
    """A section of `Parameters`."""

    # A table: the formatter would give every word a line of its own.
    # fmt: off
    leverage: Decimal = parameter(
        _U.MULTIPLE, "2", "Leverage", "Leverage of a perpetual hedged by a perpetual.", least="1",
        most="5")
    spot_perp_leverage: Decimal = parameter(
        _U.MULTIPLE, "1", "Leverage against spot", "Leverage of a perpetual hedged by spot.",
        least="1", most="5")
    leverage_overrides: tuple[LeverageOverride, ...] = parameter(
        _U.LEVERAGES, (), "Leverage per venue and pair",
        "A line each, like binanceusdm BTC-USDT 3; * stands for every venue or every pair.",
        least="1", most="5", optional=True)
    leverage_cap: Decimal = parameter(
        _U.MULTIPLE, "5", "Leverage cap", "No order is sent at a higher leverage.", least="1",
        most="5")
    active_fraction: Decimal = parameter(
        _U.FRACTION, "0.70", "Active capital",
        "Part of the free collateral that may carry positions.", least="0.01", most="1")
    buffer_fraction: Decimal = parameter(
        _U.FRACTION, "0.20", "Margin buffer", "Part of the free collateral left untouched.",
        least="0", most="1")
    fee_fraction: Decimal = parameter(
        _U.FRACTION, "0.10", "Fee reserve", "Part of the free collateral kept for fees.", least="0",
        most="1")
    planned_fraction: Decimal = parameter(
        _U.FRACTION, "0.8", "Planned part", "Part of what margin would allow that is planned.",
        least="0.01", most="1")
    venue_equity_fraction: Decimal = parameter(
        _U.FRACTION, "0.40", "Equity per venue",
        "Most of the total equity that may be margin at one venue.", least="0.01", most="1")
    max_slippage: Decimal = parameter(
        _U.FRACTION, "0.001", "Slippage per leg",
        "Largest book-walk slippage of one order of one leg.", least="0", most="0.1")
    min_position_usd: Decimal = parameter(
        _U.USD, "100", "Least position", "No position is opened whose leg would be smaller.",
        least="0")
    max_position_per_pair_usd: Decimal = parameter(
        _U.USD, "50000", "Limit per pair", "Largest notional of one leg of a pair.", least="1")
    max_position_per_venue_usd: Decimal = parameter(
        _U.USD, "150000", "Limit per venue", "Largest notional of all legs at one venue.",
        least="1")
    max_position_per_user_usd: Decimal = parameter(
        _U.USD, "250000", "Limit in all", "Largest notional of all positions, one leg each.",
        least="1")
    max_basis_exposure_usd: Decimal | None = parameter(
        _U.USD, None, "Limit of gap positions",
        "Largest notional of all positions opened on a price gap; empty is off.", least="1",
        optional=True)
    max_funding_exposure_usd: Decimal | None = parameter(
        _U.USD, None, "Limit of funding positions",
        "Largest notional of all positions opened on funding; empty is off.", least="1",
        optional=True)
    max_open_positions: int = parameter(
        _U.COUNT, "10", "Open positions", "Most positions open at once.", least="1", most="1000")
    # fmt: on
