"""What funding is expected of the settlements to come."""
# ruff: noqa: RUF009  (`parameter` is a `dataclasses.field`)

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from trading.core.funding import CarryEstimator
from trading.core.parameter_field import Unit, parameter

_U = Unit


@dataclass(frozen=True, kw_only=True)
class ExpectedFunding:
    """A section of `Parameters`."""

    # A table: the formatter would give every word a line of its own.
    # fmt: off
    carry_estimator: CarryEstimator = parameter(
        _U.CHOICE, CarryEstimator.EWMA, "Carry estimate",
        "What is believed of the settlements to come; the average of settled rates is shrunk to "
        "what lasts.")
    carry_half_life: timedelta = parameter(
        _U.HOURS, "72", "Carry half-life",
        "Age at which a settled rate counts half in the average.", least="1", most="2160")
    carry_beta_3d: Decimal = parameter(
        _U.FRACTION, "0.65", "Carry kept over 3 days",
        "Part of the average settled spread expected over 3 days.", least="0", most="1")
    carry_beta_7d: Decimal = parameter(
        _U.FRACTION, "0.5", "Carry kept over 7 days",
        "Part of the average settled spread expected over 7 days.", least="0", most="1")
    carry_beta_14d: Decimal = parameter(
        _U.FRACTION, "0.4", "Carry kept over 14 days",
        "Part of the average settled spread expected over 14 days.", least="0", most="1")
    persistence: int = parameter(
        _U.COUNT, "3", "Persistence",
        "Settlements in a row above the threshold that the predicted estimate needs.", least="0",
        most="1000")
    funding_flip: bool = parameter(
        _U.BOOL, False, "Trade funding flips",
        "Turns a position round when funding is expected to change its sign.")
    flip_probability: Decimal = parameter(
        _U.FRACTION, "0.7", "Flip must be as likely as",
        "Least probability of the forecast sign before a position is turned.", least="0.5",
        most="1")
    # fmt: on
