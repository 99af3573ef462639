"""How the price gaps that open and close follow the funding regime."""
# ruff: noqa: RUF009  (`parameter` is a `dataclasses.field`)

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.core.parameter_field import Unit, parameter

_U = Unit


@dataclass(frozen=True, kw_only=True)
class FundingRegime:
    """A section of `Parameters`."""

    # A table: the formatter would give every word a line of its own.
    # fmt: off
    dynamic_thresholds: bool = parameter(
        _U.BOOL, False, "Thresholds follow funding",
        "Replaces the two price gaps above while funding is high or low.")
    dynamic_funding_high: Decimal = parameter(
        _U.FRACTION, "0.0005", "Funding is high above", "8 h funding rate.", least="0",
        most="0.1")
    dynamic_open_high: Decimal = parameter(
        _U.PERCENT, "0.2", "High funding: opens at", "Price gap that opens while funding is high.",
        least="-100", most="100", suffix="_pct")
    dynamic_close_high: Decimal = parameter(
        _U.PERCENT, "-0.2", "High funding: closes at",
        "Price gap that closes while funding is high.", least="-100", most="100", suffix="_pct")
    dynamic_funding_low: Decimal = parameter(
        _U.FRACTION, "0.0001", "Funding is low below", "8 h funding rate.", least="0", most="0.1")
    dynamic_open_low: Decimal = parameter(
        _U.PERCENT, "0.8", "Low funding: opens at", "Price gap that opens while funding is low.",
        least="-100", most="100", suffix="_pct")
    dynamic_close_low: Decimal = parameter(
        _U.PERCENT, "0.2", "Low funding: closes at",
        "Price gap that closes while funding is low.", least="-100", most="100", suffix="_pct")
    # fmt: on
