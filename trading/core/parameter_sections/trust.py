"""What data is trusted, and what is assumed where a venue does not tell."""
# ruff: noqa: RUF009  (`parameter` is a `dataclasses.field`)

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from trading.core.parameter_field import Unit, parameter

_U = Unit


@dataclass(frozen=True, kw_only=True)
class Trust:
    """A section of `Parameters`."""

    # A table: the formatter would give every word a line of its own.
    # fmt: off
    max_book_age: timedelta = parameter(
        _U.SECONDS, "3", "Oldest book", "Older quotes never trade.", least="0.1", most="300",
        suffix="_seconds")
    max_funding_age: timedelta = parameter(
        _U.SECONDS, "10", "Oldest funding rate", "Older rates and mark prices never trade.",
        least="0.1", most="300", suffix="_seconds")
    max_venue_latency: timedelta = parameter(
        _U.MILLISECONDS, "2000", "Slowest venue", "No entry where answers take longer.", least="1",
        most="60000", suffix="_ms")
    spot_fee_fallback: Decimal = parameter(
        _U.PERCENT, "0.1", "Spot fee if unknown",
        "Assumed, and marked, where the account's fee cannot be asked.", least="0", most="5",
        suffix="_pct")
    perpetual_fee_fallback: Decimal = parameter(
        _U.PERCENT, "0.05", "Perpetual fee if unknown",
        "Assumed, and marked, where the account's fee cannot be asked.", least="0", most="5",
        suffix="_pct")
    transfer_cost_usd: Decimal = parameter(
        _U.USD, "0", "Cost of a transfer",
        "What moving capital between two venues costs once.", least="0", most="10000")
    planned_round_trips: int = parameter(
        _U.COUNT, "10", "Round trips per transfer",
        "How many positions share the cost of one transfer.", least="1", most="10000")
    # fmt: on
