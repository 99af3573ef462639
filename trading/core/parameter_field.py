"""What one configuration field is: its unit, range and words, and how its value crosses the border.

Outside, values are strings, numbers, booleans and lists in the field's unit (percent, minutes …);
inside they are fractions, timedeltas, enums and tuples. The conversion happens here and only here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from trading.core.leverage import LeverageOverride
from trading.core.money import plain
from trading.core.symbols import parse_pair, shown_pair

METADATA_KEY = "parameter"


class Unit(StrEnum):
    FRACTION = "fraction"
    PERCENT = "percent"
    USD = "usd"
    BASE = "base"
    MULTIPLE = "multiple"
    COUNT = "count"
    MILLISECONDS = "milliseconds"
    SECONDS = "seconds"
    MINUTES = "minutes"
    HOURS = "hours"
    BOOL = "bool"
    CHOICE = "choice"
    SYMBOLS = "symbols"
    WORDS = "words"
    LEVERAGES = "leverages"


MICROSECONDS = {
    Unit.MILLISECONDS: 1_000,
    Unit.SECONDS: 1_000_000,
    Unit.MINUTES: 60_000_000,
    Unit.HOURS: 3_600_000_000,
}
SHOWN_UNITS = {
    Unit.USD: " USD",
    Unit.PERCENT: " %",
    Unit.MULTIPLE: "x",
    Unit.MILLISECONDS: " ms",
    Unit.SECONDS: " s",
    Unit.MINUTES: " min",
    Unit.HOURS: " h",
}
RATIOS = (Unit.FRACTION, Unit.PERCENT)
LISTS = (Unit.SYMBOLS, Unit.WORDS, Unit.LEVERAGES)
SWITCHED = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterField:
    """One field as a form, a file or the API shows it. `key` is its name outside.

    Bounds are in `unit`. An optional field that is empty is off: None inside, () for a list.
    `among` are the only words a list may hold; empty allows any. `usual` is what people enter for a
    fraction or a percentage, so that a mistaken unit can be noticed.
    """

    unit: Unit
    label: str
    help: str
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    choices: type[StrEnum] | None = None
    among: tuple[str, ...] = ()
    optional: bool = False
    usual: Decimal | None = None
    suffix: str = ""
    name: str = ""

    @property
    def key(self) -> str:
        return self.name + self.suffix

    def parse(self, value: object) -> object:
        """Return the inner value. Raise ValueError with a sentence that names the value."""
        if self.unit in LISTS:
            return self._list(value)
        if self.optional and (value is None or value == ""):
            return None
        match self.unit:
            case Unit.BOOL:
                return _boolean(value)
            case Unit.CHOICE:
                return self._choice(value)
        number = self._number(value)
        if self.unit in MICROSECONDS:
            return timedelta(microseconds=round(number * MICROSECONDS[self.unit]))
        if self.unit is Unit.COUNT:
            return int(number)
        return number / 100 if self.unit is Unit.PERCENT else number

    def dump(self, inner: Any) -> str | bool | list[str]:
        """Return the outer value of `inner`; what `parse` reads back."""
        if inner is None:
            return ""
        match self.unit:
            case Unit.BOOL:
                return bool(inner)
            case Unit.SYMBOLS:
                return [shown_pair(pair) for pair in inner]
            case Unit.WORDS:
                return list(inner)
            case Unit.LEVERAGES:
                return [override.dump() for override in inner]
            case Unit.PERCENT:
                return plain(inner * 100)
        if self.unit in MICROSECONDS:
            microseconds = inner // timedelta(microseconds=1)
            return plain(Decimal(microseconds) / MICROSECONDS[self.unit])
        return plain(inner) if isinstance(inner, Decimal) else str(inner)

    def dumped_with_unit(self, parameters: object) -> str:
        """Return this field of `parameters` as a sentence shows it: `30 min`, `2 %`, `5x`."""
        return f"{self.dump(getattr(parameters, self.name))}{SHOWN_UNITS.get(self.unit, '')}"

    def _list(self, value: object) -> tuple[object, ...]:
        texts = _texts(value, "pairs" if self.unit is Unit.SYMBOLS else "lines")
        match self.unit:
            case Unit.SYMBOLS:
                found: tuple[object, ...] = tuple(dict.fromkeys(map(parse_pair, texts)))
            case Unit.WORDS:
                found = tuple(dict.fromkeys(self._word(text) for text in texts))
            case _:
                found = tuple(self._override(text) for text in texts)
        if not found and not self.optional:
            example = "one pair, like BTC-USDT" if self.unit is Unit.SYMBOLS else "one"
            raise ValueError(f"The list is empty: name at least {example}.")
        return found

    def _word(self, text: str) -> str:
        word = text.lower()
        if self.among and word not in self.among:
            raise ValueError(f"{text!r} is not one of {', '.join(self.among)}.")
        return word

    def _override(self, line: str) -> LeverageOverride:
        override = LeverageOverride.parse(line)
        self._bounded(override.leverage, "x")
        return override

    def _choice(self, value: object) -> StrEnum:
        options = list(self.choices or ())
        for option in options:
            if str(value) == option.value:
                return option
        raise ValueError(f"{value!r} is not one of {', '.join(options)}.")

    def _number(self, value: object) -> Decimal:
        number = _decimal(value)
        if self.unit is Unit.COUNT and number != number.to_integral_value():
            raise ValueError(f"{plain(number)} must be a whole number.")
        self._bounded(number, SHOWN_UNITS.get(self.unit, ""))
        return number

    def _bounded(self, number: Decimal, unit: str) -> None:
        if self.minimum is not None and number < self.minimum:
            raise ValueError(f"{plain(number)}{unit} is below the least, {self.minimum}{unit}.")
        if self.maximum is not None and number > self.maximum:
            raise ValueError(f"{plain(number)}{unit} is above the most, {self.maximum}{unit}.")


def parameter(
    unit: Unit,
    default: str | bool | StrEnum | tuple[str, ...] | None,
    label: str,
    sentence: str,
    *,
    least: str | None = None,
    most: str | None = None,
    among: tuple[str, ...] = (),
    optional: bool = False,
    usual: str | None = None,
    suffix: str = "",
) -> Any:
    """Declare a dataclass field from its outer default; bounds are in `unit`.

    `usual` is needed where the default of a fraction or a percentage is nothing or zero.
    """
    if usual is None and unit in RATIOS and isinstance(default, str):
        usual = default
    described = ParameterField(
        unit=unit,
        label=label,
        help=sentence,
        minimum=None if least is None else Decimal(least),
        maximum=None if most is None else Decimal(most),
        choices=type(default) if isinstance(default, StrEnum) else None,
        among=among,
        optional=optional,
        usual=None if usual is None else Decimal(usual),
        suffix=suffix,
    )
    return field(default=described.parse(default), metadata={METADATA_KEY: described})


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError(f"{value!r} is not a number.")
    try:
        number = Decimal(str(value).strip().replace(",", ""))
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number.") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a number.")
    return number


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in SWITCHED:
        return SWITCHED[value.strip().lower()]
    raise ValueError(f"{value!r} is neither true nor false.")


def _texts(value: object, noun: str) -> list[str]:
    texts = value.replace("\n", ",").split(",") if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{value!r} is not a list of {noun}.")
    return [text.strip() for text in texts if text.strip()]
