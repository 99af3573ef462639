"""Every number and choice a user can configure: one table, one place; `docs/DOMAIN.md` section 7.

Names ending in `_pct` outside are percent and become fractions here, durations become timedeltas.
A set of values is valid as a whole or refused as a whole.
"""
# ruff: noqa: RUF009  (`parameter` is a `dataclasses.field`)

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

from trading.core.entry_style import EntryStyle, FirstLeg
from trading.core.funding import CarryEstimator, CarryModel, beta_at
from trading.core.parameter_field import METADATA_KEY, ParameterField, Unit, parameter


class EntryPolicy(StrEnum):
    NET = "net"
    SPREAD_ONLY = "spread_only"


class Tolerance(StrEnum):
    """When a spread that has turned against us closes a position; `docs/DOMAIN.md` section 6."""

    CONSERVATIVE = "conservative"
    MODERATE = "moderate"
    AGGRESSIVE = "aggressive"
    COST_AWARE = "cost_aware"


class Ranking(StrEnum):
    NET_PROFIT = "net_profit"
    NET_BPS = "net_bps"
    SPREAD = "spread"


_U = Unit
DEFAULT_PAIRS = ("BTC-USDT", "ETH-USDT", "SOL-USDT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """One user's configuration, checked. Build it with `from_values`."""

    # A table: the formatter would give every word a line of its own.
    # fmt: off
    # What is traded, and whether by itself
    auto_entry: bool = parameter(
        _U.BOOL, False, "Automatic entry",
        "The scheduler opens positions by itself; exits and risk rules always run.")
    symbols: tuple[str, ...] = parameter(
        _U.SYMBOLS, DEFAULT_PAIRS, "Symbols", "Only these pairs are opened.")
    ranking: Ranking = parameter(
        _U.CHOICE, Ranking.NET_PROFIT, "Ranking", "Which opportunity is taken first.")

    # What must be true of an opportunity
    entry_policy: EntryPolicy = parameter(
        _U.CHOICE, EntryPolicy.NET, "Entry policy",
        "net asks for a return after all costs; spread_only takes the bare threshold and lost "
        "money on the recorded data.")
    min_spread_base: Decimal = parameter(
        _U.FRACTION, "0.0001", "Least 8 h spread",
        "Least funding spread per 8 h for a position of no size.", least="0", most="0.1")
    min_spread_per_10k: Decimal = parameter(
        _U.FRACTION, "0.00001", "Least spread per 10,000 USD",
        "Added to the least spread for every 10,000 USD of size.", least="0", most="0.1")
    hold_horizon: timedelta = parameter(
        _U.HOURS, "168", "Hold time",
        "How long a position is planned to be held; costs are weighed against this.", least="0.01",
        most="8760")
    min_net_return: Decimal = parameter(
        _U.FRACTION, "0", "Least net return",
        "Least expected return over the hold time after all costs.", least="-1", most="1")
    max_spread: Decimal = parameter(
        _U.FRACTION, "0.05", "Implausible beyond",
        "A price gap or funding spread beyond this is taken for bad data.", least="0.0001",
        most="1")

    # What funding is expected
    carry_estimator: CarryEstimator = parameter(
        _U.CHOICE, CarryEstimator.EWMA, "Carry estimate",
        "ewma shrinks the settled rates; predicted believes the venue's next rate.")
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

    # When it is opened
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

    # How large it may be
    leverage: Decimal = parameter(
        _U.MULTIPLE, "2", "Leverage", "Leverage of a perpetual hedged by a perpetual.", least="1",
        most="5")
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
    max_position_per_pair_usd: Decimal = parameter(
        _U.USD, "50000", "Limit per pair", "Largest notional of one leg of a pair.", least="1")
    max_position_per_venue_usd: Decimal = parameter(
        _U.USD, "150000", "Limit per venue", "Largest notional of all legs at one venue.",
        least="1")
    max_position_per_user_usd: Decimal = parameter(
        _U.USD, "250000", "Limit in all", "Largest notional of all positions, one leg each.",
        least="1")
    max_open_positions: int = parameter(
        _U.COUNT, "10", "Open positions", "Most positions open at once.", least="1", most="1000")

    # How orders are sent
    entry_style: EntryStyle = parameter(
        _U.CHOICE, EntryStyle.LIMIT_AT_MID, "Entry style",
        "limit_at_mid works the first leg at the mid; maker posts it at the touch and follows; "
        "both_at_once sends both legs together, for price gaps.")
    first_leg: FirstLeg = parameter(
        _U.CHOICE, FirstLeg.AUTO, "First leg",
        "auto works the leg first that is harder to fill; spot and perp count where the legs "
        "differ.")
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
    perpetual_market_slippage_buffer: Decimal = parameter(
        _U.PERCENT, "0.05", "Perpetual limit buffer",
        "How far beyond the touch a marketable perpetual limit may fill.", least="0", most="10")
    max_orders_per_position_minute: int = parameter(
        _U.COUNT, "30", "Orders per minute", "Most orders of one position in a minute.", least="1",
        most="600")

    # When it is closed
    negative_spread_tolerance: Tolerance = parameter(
        _U.CHOICE, Tolerance.COST_AWARE, "Negative spread",
        "How long a spread against us is borne.")
    aggressive_tolerance: Decimal = parameter(
        _U.FRACTION, "-0.0003", "Aggressive tolerance",
        "8 h spread, 24 h mean, below which aggressive closes.", least="-0.1", most="0")
    min_hold: timedelta = parameter(
        _U.HOURS, "72", "Least hold",
        "moderate and aggressive never close a position younger than this.", least="0", most="8760")
    target_spread: Decimal | None = parameter(
        _U.FRACTION, None, "Target spread",
        "8 h spread at or below which the position has done its work; empty is off.", least="-0.1",
        most="0.1", optional=True)
    take_profit_usd: Decimal | None = parameter(
        _U.USD, None, "Take profit", "Net profit that closes; empty is off.", least="0.01",
        optional=True)
    take_profit: Decimal | None = parameter(
        _U.PERCENT, None, "Take profit, of capital", "Net profit that closes; empty is off.",
        least="0.01", most="100", optional=True, suffix="_pct")
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

    # How an open position is cared for
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
    exit_must_last: timedelta = parameter(
        _U.SECONDS, "60", "A loss must last",
        "How long a stop loss or an adverse gap must last at fresh prices before it acts.",
        least="0", most="3600", suffix="_seconds")
    margin_top_up_cap: Decimal = parameter(
        _U.FRACTION, "0.5", "Margin added at most",
        "Most margin added to an isolated leg by itself, as a part of its initial margin; 0 never "
        "adds any.", least="0", most="5")
    min_margin_ratio: Decimal = parameter(
        _U.MULTIPLE, "2", "Margin ratio kept",
        "Equity per used margin of an account below which nothing is opened there.", least="1",
        most="20")

    # What data is trusted
    max_book_age: timedelta = parameter(
        _U.SECONDS, "3", "Oldest book", "Older quotes never trade.", least="0.1", most="300",
        suffix="_seconds")
    max_funding_age: timedelta = parameter(
        _U.SECONDS, "10", "Oldest funding rate", "Older rates never trade.", least="0.1",
        most="300", suffix="_seconds")
    max_venue_latency: timedelta = parameter(
        _U.MILLISECONDS, "2000", "Slowest venue", "No entry where answers take longer.", least="1",
        most="60000", suffix="_ms")
    perpetual_fee_fallback: Decimal = parameter(
        _U.PERCENT, "0.05", "Perpetual fee if unknown",
        "Assumed, and marked, where the account's fee cannot be asked.", least="0", most="5",
        suffix="_pct")
    # fmt: on

    @classmethod
    def from_values(cls, values: Mapping[str, object]) -> Parameters:
        """Return checked parameters; absent keys take their default.

        Raise ParameterErrors with every error at once, by outer key.
        """
        known = {described.key: described for described in PARAMETER_FIELDS}
        errors = {key: f"There is no parameter {key!r}." for key in values if key not in known}
        inner: dict[str, Any] = {}
        for key, described in known.items():
            if key not in values:
                continue
            try:
                inner[described.name] = described.parse(values[key])
            except ValueError as error:
                errors[key] = f"{described.label}: {error}"
        # The checks across fields read defaults where a field is broken; its own error stays.
        parameters = replace(cls(), **inner)
        errors = {**_contradictions(parameters), **errors}
        if errors:
            raise ParameterErrors(errors)
        return parameters

    @classmethod
    def from_stored(cls, values: Mapping[str, object]) -> Parameters:
        """Return parameters that were checked before they were stored; parsed once per process."""
        return _parsed(json.dumps(values, sort_keys=True))

    def to_values(self) -> dict[str, str | bool | list[str]]:
        """Return every field by outer key: decimals and durations as strings in their unit."""
        return {
            described.key: described.dump(getattr(self, described.name))
            for described in PARAMETER_FIELDS
        }

    @property
    def bases(self) -> frozenset[str]:
        """Return the base assets of the whitelist."""
        return frozenset(pair.partition("/")[0] for pair in self.symbols)

    @property
    def carry_model(self) -> CarryModel:
        """Return the carry estimate over the hold time."""
        points = (
            (timedelta(days=3), self.carry_beta_3d),
            (timedelta(days=7), self.carry_beta_7d),
            (timedelta(days=14), self.carry_beta_14d),
        )
        return CarryModel(estimator=self.carry_estimator, beta=beta_at(self.hold_horizon, points))


class ParameterErrors(ValueError):
    """A set of values is not valid. `errors`: one sentence per outer key."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


def _contradictions(p: Parameters) -> dict[str, str]:
    shown = {described.key: described.dumped_with_unit(p) for described in PARAMETER_FIELDS}
    opens, closes = shown["entry_window_opens_minutes"], shown["entry_window_closes_minutes"]
    errors: dict[str, str] = {}
    if p.entry_window_closes >= p.entry_window_opens:
        errors["entry_window_closes_minutes"] = (
            f"The entry window would close {closes} before the settlement, and open only {opens} "
            "before it."
        )
    elif not p.entry_window_closes <= p.entry_buffer <= p.entry_window_opens:
        errors["entry_buffer_minutes"] = (
            f"{shown['entry_buffer_minutes']} before the settlement is outside the entry window, "
            f"{opens} to {closes} before it."
        )
    if p.leverage > p.leverage_cap:
        errors["leverage"] = (
            f"{shown['leverage']} is above the leverage cap, {shown['leverage_cap']}."
        )
    parts = p.active_fraction + p.buffer_fraction + p.fee_fraction
    if parts > 1:
        errors["active_fraction"] = (
            f"Active capital, margin buffer and fee reserve add up to {parts}, more than 1."
        )
    for key in ("max_position_per_venue_usd", "max_position_per_user_usd"):
        if p.max_position_per_pair_usd > getattr(p, key):
            errors[key] = (
                f"{shown[key]} is less than the limit of one pair, "
                f"{shown['max_position_per_pair_usd']}."
            )
    return errors


PARAMETER_FIELDS: tuple[ParameterField, ...] = tuple(
    replace(declared.metadata[METADATA_KEY], name=declared.name) for declared in fields(Parameters)
)
"""Every field in the order in which a form shows them."""


@lru_cache(maxsize=256)
def _parsed(stored: str) -> Parameters:
    return Parameters.from_values(json.loads(stored))
