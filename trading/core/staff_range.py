"""The range of a field that staff leaves to a user; `docs/DOMAIN.md` section 7."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from trading.core.money import plain
from trading.core.parameter_field import LISTS, SHOWN_UNITS, ParameterField, Unit
from trading.core.parameters import PARAMETER_FIELDS, Parameters

WITHOUT_RANGE = (Unit.BOOL, Unit.CHOICE, *LISTS)
RANGED_FIELDS = {
    described.key: described
    for described in PARAMETER_FIELDS
    if described.unit not in WITHOUT_RANGE
}
# Empty is the loosest setting of these, of the other fields that may be empty the tightest.
LOOSE_WHEN_OFF = (
    "max_basis_exposure_usd",
    "max_funding_exposure_usd",
    "stop_loss_usd",
    "stop_loss_pct",
    "basis_reduce_at",
    "order_amount",
    "order_amount_usd",
)
# Of these a user gives one: the other may stay empty.
EITHER = {"order_amount": "order_amount_usd", "order_amount_usd": "order_amount"}
# What bounds the lines of `leverage_overrides`, which hold against perpetuals and spot alike.
LEVERAGES = ("leverage", "spot_perp_leverage")


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRange:
    """Bounds in the field's own unit; None leaves that end to the table."""

    least: Decimal | None = None
    most: Decimal | None = None

    def narrowed(self, other: StaffRange) -> StaffRange:
        """Return the tighter of both at either end."""
        least = [bound for bound in (self.least, other.least) if bound is not None]
        most = [bound for bound in (self.most, other.most) if bound is not None]
        return StaffRange(least=max(least, default=None), most=min(most, default=None))

    def held(self, key: str, value: Decimal | None) -> Decimal | None:
        """Return the value, moved into the range."""
        if value is None:
            return self.most if key in LOOSE_WHEN_OFF else None
        if self.most is not None and value > self.most:
            return self.most
        if self.least is not None and value < self.least:
            return self.least
        return value


StaffRanges = Mapping[str, StaffRange]


def tightened(parameters: Parameters, ranges: StaffRanges) -> Parameters:
    """Return the parameters with every value moved into what staff allows."""
    moved: dict[str, Any] = {}
    for described, staff, value in _ranged(parameters, ranges):
        held = staff.held(described.key, value)
        if held != value:
            moved[described.name] = described.parse("" if held is None else plain(held))
    most = _most_leverage(ranges)
    if most is not None:
        moved["leverage_overrides"] = tuple(
            replace(line, leverage=min(line.leverage, most))
            for line in parameters.leverage_overrides
        )
    return replace(parameters, **moved) if moved else parameters


def beyond(parameters: Parameters, ranges: StaffRanges) -> dict[str, str]:
    """Return a sentence per outer key whose value staff does not allow, with both values."""
    errors: dict[str, str] = {}
    for described, staff, value in _ranged(parameters, ranges):
        held = staff.held(described.key, value)
        other = EITHER.get(described.key)
        is_given_otherwise = other is not None and getattr(parameters, other) is not None
        if held == value or held is None or (value is None and is_given_otherwise):
            continue
        unit = SHOWN_UNITS.get(described.unit, "")
        shown = "off" if value is None else f"{plain(value)}{unit}"
        side = "most" if held == staff.most else "least"
        errors[described.key] = (
            f"{described.label}: {shown} is beyond what staff allows, at {side} "
            f"{plain(held)}{unit}."
        )
    return {**_lines_beyond(parameters, ranges), **errors}


def _most_leverage(ranges: StaffRanges) -> Decimal | None:
    """Return the highest leverage that staff leaves to a line of its own."""
    bounds = [ranges[key].most for key in LEVERAGES if key in ranges]
    return min((bound for bound in bounds if bound is not None), default=None)


def _lines_beyond(parameters: Parameters, ranges: StaffRanges) -> dict[str, str]:
    most = _most_leverage(ranges)
    lines = parameters.leverage_overrides
    over = [line.dump() for line in lines if most is not None and line.leverage > most]
    if most is None or not over:
        return {}
    return {
        "leverage_overrides": f"Leverage per venue and pair: {', '.join(over)} is beyond what "
        f"staff allows, at most {plain(most)}x."
    }


def _ranged(
    parameters: Parameters, ranges: StaffRanges
) -> list[tuple[ParameterField, StaffRange, Decimal | None]]:
    rows = []
    for key, staff in ranges.items():
        described = RANGED_FIELDS[key]
        outer = described.dump(getattr(parameters, described.name))
        rows.append((described, staff, Decimal(str(outer)) if outer != "" else None))
    return rows
