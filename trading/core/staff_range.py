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
)


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
    return replace(parameters, **moved) if moved else parameters


def beyond(parameters: Parameters, ranges: StaffRanges) -> dict[str, str]:
    """Return a sentence per outer key whose value staff does not allow, with both values."""
    errors: dict[str, str] = {}
    for described, staff, value in _ranged(parameters, ranges):
        held = staff.held(described.key, value)
        if held == value or held is None:
            continue
        unit = SHOWN_UNITS.get(described.unit, "")
        shown = "off" if value is None else f"{plain(value)}{unit}"
        side = "most" if held == staff.most else "least"
        errors[described.key] = (
            f"{described.label}: {shown} is beyond what staff allows, at {side} "
            f"{plain(held)}{unit}."
        )
    return errors


def _ranged(
    parameters: Parameters, ranges: StaffRanges
) -> list[tuple[ParameterField, StaffRange, Decimal | None]]:
    rows = []
    for key, staff in ranges.items():
        described = RANGED_FIELDS[key]
        outer = described.dump(getattr(parameters, described.name))
        rows.append((described, staff, Decimal(str(outer)) if outer != "" else None))
    return rows
