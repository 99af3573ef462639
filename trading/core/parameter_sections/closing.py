"""When a position is closed."""
# ruff: noqa: RUF009  (`parameter` is a `dataclasses.field`)

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from trading.core.parameter_field import Unit, parameter
from trading.core.policies import Tolerance

_U = Unit


@dataclass(frozen=True, kw_only=True)
class Closing:
    """A section of `Parameters`."""

    # A table: the formatter would give every word a line of its own.
    # fmt: off
    negative_spread_tolerance: Tolerance = parameter(
        _U.CHOICE, Tolerance.BY_STRATEGY, "Negative spread",
        "How long a spread against us is borne; by strategy is cost-aware for funding spreads and "
        "moderate for carries opened on funding.")
    aggressive_tolerance: Decimal = parameter(
        _U.FRACTION, "-0.0003", "Aggressive tolerance",
        "8 h spread, 24 h mean, below which an aggressive tolerance closes.", least="-0.1",
        most="0", usual="-0.0001")
    min_hold: timedelta = parameter(
        _U.HOURS, "72", "Least hold",
        "A moderate or aggressive tolerance never closes a position younger than this.",
        least="0", most="8760")
    target_spread: Decimal | None = parameter(
        _U.FRACTION, None, "Target spread",
        "8 h spread at or below which the position has done its work; empty is off.", least="-0.1",
        most="0.1", optional=True, usual="0.0001")
    min_closing_arbitrage: Decimal = parameter(
        _U.PERCENT, "-0.1", "Closes at a price gap of",
        "Price gap at or below which a position of the gap has done its work.", least="-100",
        most="100", suffix="_pct")
    gap_capture: Decimal = parameter(
        _U.FRACTION, "0.9", "Gap captured",
        "Part of the price gap at entry that, once earned, closes a position of the gap.",
        least="0.01", most="1")
    take_profit_usd: Decimal | None = parameter(
        _U.USD, None, "Take profit", "Net profit that closes; empty is off.", least="0.01",
        optional=True)
    take_profit: Decimal | None = parameter(
        _U.PERCENT, None, "Take profit, of capital", "Net profit that closes; empty is off.",
        least="0.01", most="100", optional=True, usual="2", suffix="_pct")
    stop_loss_usd: Decimal | None = parameter(
        _U.USD, None, "Stop loss", "Net loss that closes; empty is off.", least="0.01",
        optional=True)
    stop_loss: Decimal | None = parameter(
        _U.PERCENT, "2", "Stop loss, of capital", "Net loss that closes; empty is off.",
        least="0.01", most="100", optional=True, suffix="_pct")
    daily_stop: Decimal = parameter(
        _U.PERCENT, "2", "Daily stop, of capital", "Net loss of the day that halts entries.",
        least="0.01", most="100", suffix="_pct")
    funding_regime_exit: bool = parameter(
        _U.BOOL, True, "Exit when funding turns",
        "Closes when the average carry was negative at three settlements in a row and staying "
        "does not pay.")
    expiry_lead: timedelta = parameter(
        _U.HOURS, "24", "Exit before expiry", "Hours before a leg expires at which it is closed.",
        least="0", most="720", suffix="_hours")
    notice_lead: timedelta = parameter(
        _U.HOURS, "1", "Exit before what is announced",
        "Hours before announced maintenance, a delisting or a contract change at which a position "
        "it concerns is closed.", least="0", most="168", suffix="_hours")
    # fmt: on
