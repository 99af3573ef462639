"""Values of a configuration that are fine one by one and make no sense together."""

from __future__ import annotations

from collections import Counter

from trading.core.parameter_table import PARAMETER_FIELDS, ParameterTable


def contradictions(p: ParameterTable) -> dict[str, str]:
    """Return a sentence per outer key whose value another one contradicts."""
    shown = {described.key: described.dumped_with_unit(p) for described in PARAMETER_FIELDS}
    return {
        **_window(p, shown),
        **_leverage(p, shown),
        **_capital(p),
        **_limits(p, shown),
        **_gaps(p, shown),
        **_regimes(p, shown),
        **_care(p, shown),
    }


def _window(p: ParameterTable, shown: dict[str, str]) -> dict[str, str]:
    opens, closes = shown["entry_window_opens_minutes"], shown["entry_window_closes_minutes"]
    if p.entry_window_closes >= p.entry_window_opens:
        return {
            "entry_window_closes_minutes": (
                f"The entry window would close {closes} before the settlement, and open only "
                f"{opens} before it."
            )
        }
    if not p.entry_window_closes <= p.entry_buffer <= p.entry_window_opens:
        return {
            "entry_buffer_minutes": (
                f"{shown['entry_buffer_minutes']} before the settlement is outside the entry "
                f"window, {opens} to {closes} before it."
            )
        }
    return {}


def _leverage(p: ParameterTable, shown: dict[str, str]) -> dict[str, str]:
    cap = shown["leverage_cap"]
    errors = {
        key: f"{shown[key]} is above the leverage cap, {cap}."
        for key, leverage in (
            ("leverage", p.leverage),
            ("spot_perp_leverage", p.spot_perp_leverage),
        )
        if leverage > p.leverage_cap
    }
    over = [line.dump() for line in p.leverage_overrides if line.leverage > p.leverage_cap]
    times = Counter(line.target for line in p.leverage_overrides)
    twice = [target for target, count in times.items() if count > 1]
    if over:
        errors["leverage_overrides"] = f"{', '.join(over)}: above the leverage cap, {cap}."
    elif twice:
        errors["leverage_overrides"] = f"{', '.join(twice)}: given more than once."
    return errors


def _capital(p: ParameterTable) -> dict[str, str]:
    parts = p.active_fraction + p.buffer_fraction + p.fee_fraction
    if parts <= 1:
        return {}
    return {
        "active_fraction": (
            f"Active capital, margin buffer and fee reserve add up to {parts}, more than 1."
        )
    }


def _limits(p: ParameterTable, shown: dict[str, str]) -> dict[str, str]:
    errors: dict[str, str] = {}
    pair = p.max_position_per_pair_usd
    for key in ("max_position_per_venue_usd", "max_position_per_user_usd"):
        if pair > getattr(p, key):
            errors[key] = (
                f"{shown[key]} is less than the limit of one pair, "
                f"{shown['max_position_per_pair_usd']}."
            )
    if not errors and p.max_position_per_venue_usd > p.max_position_per_user_usd:
        errors["max_position_per_user_usd"] = (
            f"{shown['max_position_per_user_usd']} is less than the limit of one venue, "
            f"{shown['max_position_per_venue_usd']}."
        )
    for key in ("max_basis_exposure_usd", "max_funding_exposure_usd"):
        limit = getattr(p, key)
        if limit is not None and limit > p.max_position_per_user_usd:
            errors[key] = (
                f"{shown[key]} is above the limit in all, {shown['max_position_per_user_usd']}."
            )
    least = f"the least position, {shown['min_position_usd']}: nothing would ever be opened."
    if p.min_position_usd > pair:
        errors["min_position_usd"] = (
            f"The limit of one pair, {shown['max_position_per_pair_usd']}, is below {least}"
        )
    if p.order_amount_usd is not None and p.order_amount_usd < p.min_position_usd:
        errors["order_amount_usd"] = f"{shown['order_amount_usd']} is below {least}"
    if p.order_amount is not None and p.order_amount_usd is not None:
        errors["order_amount"] = (
            f"{shown['order_amount']} of the base asset and {shown['order_amount_usd']}: give one."
        )
    if p.order_amount_usd is not None and p.order_amount_usd > pair:
        errors["order_amount_usd"] = (
            f"{shown['order_amount_usd']} is above the limit of one pair, "
            f"{shown['max_position_per_pair_usd']}."
        )
    return errors


def _gaps(p: ParameterTable, shown: dict[str, str]) -> dict[str, str]:
    errors: dict[str, str] = {}
    for opens, closes in (
        ("min_opening_arbitrage_pct", "min_closing_arbitrage_pct"),
        ("dynamic_open_high_pct", "dynamic_close_high_pct"),
        ("dynamic_open_low_pct", "dynamic_close_low_pct"),
    ):
        if getattr(p, closes.removesuffix("_pct")) >= getattr(p, opens.removesuffix("_pct")):
            errors[closes] = (
                f"A position would close at a gap of {shown[closes]} and open only from "
                f"{shown[opens]}: it would be closed as soon as it is open."
            )
    for key in ("min_spread_base", "min_price_gap"):
        if getattr(p, key) >= p.max_spread:
            errors[key] = (
                f"{shown[key]} is not below {shown['max_spread']}, beyond which data is taken "
                "for bad: nothing would ever be entered."
            )
    return errors


def _regimes(p: ParameterTable, shown: dict[str, str]) -> dict[str, str]:
    if p.dynamic_funding_low < p.dynamic_funding_high:
        return {}
    return {
        "dynamic_funding_low": (
            f"Funding would be low below {shown['dynamic_funding_low']} and high already above "
            f"{shown['dynamic_funding_high']}."
        )
    }


def _care(p: ParameterTable, shown: dict[str, str]) -> dict[str, str]:
    if p.trim_drift <= p.rebalance_threshold:
        return {}
    return {
        "trim_drift": (
            f"{shown['trim_drift']} is above {shown['rebalance_threshold']}, from which the legs "
            "are always trimmed."
        )
    }
