"""What differs between two configurations, as people read it."""

from __future__ import annotations

from dataclasses import dataclass

from trading.core.parameter_field import SHOWN_UNITS, ParameterField
from trading.core.parameter_table import PARAMETER_FIELDS, ParameterTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field before and after, in its unit."""

    key: str
    label: str
    old: str
    new: str

    @property
    def sentence(self) -> str:
        return f"{self.label} {self.old} → {self.new}"


def changes(before: ParameterTable, after: ParameterTable) -> list[Change]:
    """Return the fields that differ, in the order of the table."""
    return [
        Change(
            key=described.key,
            label=described.label,
            old=shown(described, before),
            new=shown(described, after),
        )
        for described in PARAMETER_FIELDS
        if getattr(before, described.name) != getattr(after, described.name)
    ]


def shown(described: ParameterField, parameters: ParameterTable) -> str:
    """Return the value of a field for people: `2 %`, `on`, `BTC-USDT, ETH-USDT`."""
    outer = described.dump(getattr(parameters, described.name))
    if isinstance(outer, bool):
        return "on" if outer else "off"
    if isinstance(outer, list):
        return ", ".join(outer) or "empty"
    return f"{outer}{SHOWN_UNITS.get(described.unit, '')}" if outer else "off"
