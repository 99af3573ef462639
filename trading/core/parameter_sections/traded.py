"""What is traded, and whether by itself."""
# ruff: noqa: RUF009  (`parameter` is a `dataclasses.field`)

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.core.parameter_field import Unit, parameter
from trading.core.policies import KNOWN_STRATEGIES, Ranking

_U = Unit
DEFAULT_PAIRS = ("BTC-USDT", "ETH-USDT", "SOL-USDT")


@dataclass(frozen=True, kw_only=True)
class Traded:
    """A section of `Parameters`."""

    # A table: the formatter would give every word a line of its own.
    # fmt: off
    auto_entry: bool = parameter(
        _U.BOOL, False, "Automatic entry",
        "The scheduler opens positions by itself; exits and risk rules always run.")
    strategies: tuple[str, ...] = parameter(
        _U.WORDS, ("funding_spread",), "Strategies", "Only these strategies open positions.",
        among=KNOWN_STRATEGIES)
    symbols: tuple[str, ...] = parameter(
        _U.SYMBOLS, DEFAULT_PAIRS, "Symbols", "Only these pairs are opened.")
    venues: tuple[str, ...] = parameter(
        _U.WORDS, (), "Venues", "Only these venues are used; empty is all of yours.",
        optional=True)
    ranking: Ranking = parameter(
        _U.CHOICE, Ranking.NET_PROFIT, "Ranking", "Which opportunity is taken first.")
    order_amount: Decimal | None = parameter(
        _U.BASE, None, "Size of an automatic entry, in the base asset",
        "Quantity of one leg that automation asks for, like 0.01 BTC; empty is off.",
        least="0.00000001", optional=True)
    order_amount_usd: Decimal | None = parameter(
        _U.USD, None, "Size of an automatic entry",
        "Notional of one leg that automation asks for; empty takes what limits and depth allow.",
        least="1", optional=True)
    capital_rotation: bool = parameter(
        _U.BOOL, False, "Capital rotation",
        "Leaves a position for a clearly better pair when capital is used up.")
    rotation_gain_multiple: Decimal = parameter(
        _U.MULTIPLE, "1.5", "Rotation must gain",
        "How many times the cost of leaving one pair and entering the other must be gained.",
        least="1", most="100")
    # fmt: on
