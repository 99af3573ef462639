"""When a position may be opened, and what an entry waits for."""
# ruff: noqa: RUF009  (`parameter` is a `dataclasses.field`)

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from trading.core.parameter_field import Unit, parameter

_U = Unit


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A section of `Parameters`."""

    # A table: the formatter would give every word a line of its own.
    # fmt: off
    entry_window_opens: timedelta = parameter(
        _U.MINUTES, "30", "Entry window opens",
        "Minutes before the settlement; at most three quarters of the interval.", least="0",
        most="1440", suffix="_minutes")
    entry_window_closes: timedelta = parameter(
        _U.MINUTES, "15", "Entry window closes",
        "Minutes before the settlement; at most a quarter of the interval.", least="0", most="1440",
        suffix="_minutes")
    entry_buffer: timedelta = parameter(
        _U.MINUTES, "20", "Scheduler tries at",
        "Minutes before the settlement; at most half the interval.", least="0", most="1440",
        suffix="_minutes")
    settlement_guard: timedelta = parameter(
        _U.SECONDS, "60", "Settlement guard",
        "A fill this close to a settlement makes its payment uncertain.", least="0", most="3600")
    next_arbitrage_opening_delay: timedelta = parameter(
        _U.SECONDS, "120", "Pause between entries", "Least time between two entries on one pair.",
        least="0", most="86400")
    failed_entry_cooldown: timedelta = parameter(
        _U.MINUTES, "15", "Pause after a failed entry",
        "No entry on the pair for this long after one failed.", least="0", most="10080")
    liquidation_cooldown: timedelta = parameter(
        _U.MINUTES, "60", "Pause after a liquidation",
        "No entry on the pair for this long after a venue liquidated a leg.",
        least="0", most="10080")
    adl_cooldown: timedelta = parameter(
        _U.MINUTES, "1440", "Pause after an auto-deleveraging",
        "No entry on the pair for this long after a venue auto-deleveraged a leg.",
        least="0", most="10080")
    # fmt: on
