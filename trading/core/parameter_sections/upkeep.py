"""How an open position is cared for."""
# ruff: noqa: RUF009  (`parameter` is a `dataclasses.field`)

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from trading.core.parameter_field import Unit, parameter

_U = Unit


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """A section of `Parameters`."""

    # A table: the formatter would give every word a line of its own.
    # fmt: off
    trim_drift: Decimal = parameter(
        _U.FRACTION, "0.005", "Trim from a drift of",
        "Difference of the legs from which the larger is trimmed where the trim is worth an order.",
        least="0.0001", most="1")
    rebalance_threshold: Decimal = parameter(
        _U.FRACTION, "0.02", "Trim always from",
        "Difference of the legs from which the larger is always trimmed.", least="0.0001", most="1")
    basis_reduce_at: Decimal | None = parameter(
        _U.FRACTION, "0.005", "Halve at an adverse gap of",
        "For each such move of the price gap against us both legs are halved once; empty is off.",
        least="0.0005", most="1", optional=True)
    basis_add_at: Decimal | None = parameter(
        _U.FRACTION, None, "Add at a favourable gap of",
        "For each such move of the price gap for us, three at most, all legs grow by a quarter "
        "while in profit and every gate of an entry is open; usually 0.01, empty is off.",
        least="0.001", most="1", optional=True, usual="0.01")
    exit_must_last: timedelta = parameter(
        _U.SECONDS, "60", "A loss must last",
        "How long a stop loss or a moved gap must last at fresh prices before it acts.",
        least="0", most="3600", suffix="_seconds")
    margin_top_up_cap: Decimal = parameter(
        _U.FRACTION, "0.5", "Margin added at most",
        "Most margin added to an isolated leg by itself, as a part of its initial margin; 0 never "
        "adds any.", least="0", most="5")
    min_margin_ratio: Decimal = parameter(
        _U.MULTIPLE, "2", "Margin ratio kept",
        "Equity per used margin of an account below which nothing is opened there.", least="1",
        most="20")
    # fmt: on
