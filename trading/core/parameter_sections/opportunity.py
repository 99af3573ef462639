"""What must be true of an opportunity before it is entered."""
# ruff: noqa: RUF009  (`parameter` is a `dataclasses.field`)

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from trading.core.parameter_field import Unit, parameter
from trading.core.policies import EntryPolicy

_U = Unit


@dataclass(frozen=True, kw_only=True)
class Opportunity:
    """A section of `Parameters`."""

    # A table: the formatter would give every word a line of its own.
    # fmt: off
    entry_policy: EntryPolicy = parameter(
        _U.CHOICE, EntryPolicy.NET, "Entry policy",
        "What is asked of an opportunity; the bare threshold lost money on the recorded data.")
    hold_horizon: timedelta = parameter(
        _U.HOURS, "168", "Hold time",
        "How long a position is planned to be held; costs are weighed against this.", least="0.01",
        most="8760")
    min_spread_base: Decimal = parameter(
        _U.FRACTION, "0.0001", "Least 8 h spread",
        "Least funding spread per 8 h for a position of no size.", least="0", most="0.1")
    min_spread_per_10k: Decimal = parameter(
        _U.FRACTION, "0.00001", "Least spread per 10,000 USD",
        "Added to the least spread for every 10,000 USD of size.", least="0", most="0.1")
    min_net_return: Decimal = parameter(
        _U.FRACTION, "0", "Least net return",
        "Least expected return over the hold time after all costs.", least="-1", most="1",
        usual="0.001")
    min_opening_arbitrage: Decimal = parameter(
        _U.PERCENT, "1.0", "Opens at a price gap of",
        "Least price gap between the legs for strategies of the gap.", least="-100", most="100",
        suffix="_pct")
    min_price_gap: Decimal = parameter(
        _U.FRACTION, "0.001", "Least price gap",
        "Gap between two perpetuals, after costs, that is worth a position.", least="0", most="0.5")
    max_spread: Decimal = parameter(
        _U.FRACTION, "0.05", "Implausible beyond",
        "A price gap or funding spread beyond this is taken for bad data.", least="0.0001",
        most="1")
    max_warning_probability: Decimal = parameter(
        _U.FRACTION, "0.05", "Margin warning at most",
        "Highest chance of a margin warning over the hold time, from the recorded history.",
        least="0", most="1")
    # fmt: on
