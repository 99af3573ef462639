"""What each calculator asks for: its fields, their units and what they start with.

The starting values are the worked examples of `docs/DOMAIN.md`, so that a page explains itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.core.parameter_field import ParameterField, Unit

MOST = Decimal("1e12")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalculatorField:
    """One field; `leg` puts it into the column of that leg. `start` as it is typed.

    `fact` names the live fact of its leg that fills it in, empty where there is none.
    """

    field: ParameterField
    start: str
    leg: str = ""
    fact: str = ""

    @property
    def key(self) -> str:
        return self.field.key


@dataclass(frozen=True, slots=True, kw_only=True)
class CalculatorForm:
    """One calculator's fields. `legs`: how many venues its market facts come from."""

    key: str
    title: str
    lead: str
    legs: int
    fields: tuple[CalculatorField, ...]

    def typed(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return what stands in each field: what was given, else what it starts with."""
        values = {each.key: given.get(each.key, "").strip() for each in self.fields}
        return {
            each.key: values[each.key]
            or ("" if each.key in given and each.field.optional else each.start)
            for each in self.fields
        }

    def parse(self, typed: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
        """Return inner values, and a sentence by key for what cannot be used."""
        values: dict[str, Any] = {}
        errors: dict[str, str] = {}
        for each in self.fields:
            try:
                values[each.key] = each.field.parse(typed[each.key])
            except ValueError as error:
                errors[each.key] = f"{each.field.label}: {error}"
        return values, errors


def _field(
    key: str,
    unit: Unit,
    start: str,
    label: str,
    sentence: str = "",
    *,
    least: str = "0",
    most: str | None = None,
    optional: bool = False,
    leg: str = "",
    fact: str = "",
) -> CalculatorField:
    described = ParameterField(
        unit=unit,
        label=label,
        help=sentence,
        minimum=Decimal(least),
        maximum=Decimal(most) if most is not None else MOST,
        optional=optional,
        name=key,
    )
    return CalculatorField(field=described, start=start, leg=leg, fact=fact)


def _leg_fields(leg: str, price: str, rate: str) -> tuple[CalculatorField, ...]:
    return (
        _field(f"{leg}_price", Unit.USD, price, "Price", "Mid price of one base unit.",
               least="0.000000000001", leg=leg, fact="price"),
        _field(f"{leg}_rate", Unit.PERCENT, rate, "Funding rate",
               "Per settlement; positive: longs pay shorts.", least="-10", most="10", leg=leg,
               fact="rate"),
        _field(f"{leg}_interval", Unit.HOURS, "8", "Funding interval",
               "Empty for a spot leg, which settles nothing.", least="0.01", most="24",
               optional=True, leg=leg, fact="interval"),
        _field(f"{leg}_next", Unit.MINUTES, "60", "Next settlement in", most="1440", leg=leg,
               fact="next"),
        _field(f"{leg}_fee", Unit.PERCENT, "0.05", "Fee", "Of one order; a rebate counts as 0.",
               most="5", leg=leg, fact="fee"),
        _field(f"{leg}_slippage", Unit.PERCENT, "0.01", "Slippage at entry",
               "Of one order, from mid.", most="10", leg=leg, fact="slippage"),
        _field(f"{leg}_exit_slippage", Unit.PERCENT, "", "Slippage at exit",
               "The other side of the book; empty: as at entry.", most="10", optional=True, leg=leg,
               fact="exit_slippage"),
    )  # fmt: skip


ARBITRAGE = CalculatorForm(
    key="arbitrage",
    title="Arbitrage",
    lead="What a hedged pair brings over a hold, all costs paid.",
    legs=2,
    fields=(
        *_leg_fields("long", "49950", "0.005"),
        *_leg_fields("short", "50100", "0.015"),
        _field("size", Unit.USD, "10000", "Size per leg", least="1"),
        _field("hold", Unit.HOURS, "168", "Hold time", least="0.01", most="8760"),
        _field("kept", Unit.FRACTION, "0.5", "Part of the rates that lasts",
               "0.5 over seven days on recorded data: rates fade.", most="1"),
        _field("exit_gap", Unit.PERCENT, "0", "Price gap at exit",
               "A gain from the gap counts half, a loss in full.", least="-50", most="50"),
        _field("borrow", Unit.PERCENT, "0", "Borrowing, a day", "Where spot is sold short.",
               most="100"),
        _field("transfer", Unit.USD, "0", "Transfers, in all",
               "Withdrawal fees of moving capital."),
        _field("round_trips", Unit.COUNT, "1", "Round trips per transfer", least="1",
               most="10000"),
    ),
)  # fmt: skip

INCOME = CalculatorForm(
    key="income",
    title="Size for an income",
    lead="How much one leg must be worth to receive an income, before costs.",
    legs=1,
    fields=(
        _field("income", Unit.USD, "50", "Income a day", least="0.01"),
        _field("rate", Unit.PERCENT, "0.01", "Funding rate", "Per settlement, as received.",
               least="0.000001", most="10", fact="rate"),
        _field("interval", Unit.HOURS, "8", "Funding interval", least="0.01", most="24",
               fact="interval"),
        _field("price", Unit.USD, "50000", "Price", least="0.000000000001",
               fact="price"),
    ),
)  # fmt: skip

MINIMUM = CalculatorForm(
    key="minimum",
    title="Least gap that pays",
    lead="The price gap between spot and perpetual that pays all costs and a profit.",
    legs=0,
    fields=(
        _field("spot_fee", Unit.PERCENT, "0.1", "Spot fee", "Of one order.", most="5"),
        _field("perpetual_fee", Unit.PERCENT, "0.05", "Perpetual fee", "Of one order.", most="5"),
        _field("slippage", Unit.PERCENT, "0.1", "Slippage", "Of one order.", most="10"),
        _field("transfer", Unit.USD, "25", "Transfers, in all"),
        _field("size", Unit.USD, "5000", "Size per leg", least="1"),
        _field("profit", Unit.PERCENT, "0.3", "Profit wanted", "Of one leg.", most="100"),
    ),
)  # fmt: skip

LEVERAGE = CalculatorForm(
    key="leverage",
    title="Safe leverage",
    lead="What daily moves allow: 1 / (2 x volatility); half of it, within the cap.",
    legs=1,
    fields=(
        _field("volatility", Unit.PERCENT, "3", "Daily volatility", least="0.01", most="100"),
        _field("cap", Unit.MULTIPLE, "5", "Leverage cap", least="1", most="125"),
        _field("hold", Unit.HOURS, "168", "Hold time", "For the share of margin warnings.",
               least="0.01", most="8760"),
    ),
)  # fmt: skip

LIQUIDATION = CalculatorForm(
    key="liquidation",
    title="Liquidation",
    lead="Where an isolated linear leg is liquidated, and where it warns. The venue's figure wins.",
    legs=1,
    fields=(
        _field("entry", Unit.USD, "50000", "Entry price", least="0.000000000001",
               fact="price"),
        _field("leverage", Unit.MULTIPLE, "5", "Leverage", least="1", most="125"),
        _field("size", Unit.USD, "", "Position size",
               "Its risk tier tells the maintenance margin; empty: the lowest.",
               least="0", optional=True),
        _field("maintenance", Unit.PERCENT, "0.5", "Maintenance margin", most="50",
               fact="maintenance"),
        _field("mark", Unit.USD, "", "Mark price", "Empty: as the entry.",
               least="0.000000000001", optional=True),
    ),
)  # fmt: skip

CALCULATORS: Mapping[str, CalculatorForm] = {
    form.key: form for form in (ARBITRAGE, INCOME, MINIMUM, LEVERAGE, LIQUIDATION)
}
