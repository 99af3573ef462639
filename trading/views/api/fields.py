"""How values are written: decimals as strings, times in UTC, and no field that nobody asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property
from operator import attrgetter
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from trading.core.money import plain

LONGEST_NUMBER = 40
DECIMAL_SCHEMA: dict[str, Any] = {
    "type": "string",
    "format": "decimal",
    "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
    "maxLength": LONGEST_NUMBER * 2,
}


@extend_schema_field(DECIMAL_SCHEMA)
class Exact(serializers.Field[Decimal, Any, str, Any]):
    """A decimal: written as a string without exponent, read from a string or a JSON number."""

    default_error_messages = {  # noqa: RUF012  # the framework's own declaration
        "invalid": "{given!r} is no decimal: write it as 0.0001, without exponent.",
        "positive": "{given} must be above zero.",
    }

    def __init__(self, *, positive: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.positive = positive

    def to_internal_value(self, data: Any) -> Decimal:
        given = str(data)
        if isinstance(data, bool) or not isinstance(data, str | int | Decimal):
            self.fail("invalid", given=given[:LONGEST_NUMBER])
        try:
            value = Decimal(given)
        except InvalidOperation:
            self.fail("invalid", given=given[:LONGEST_NUMBER])
        if not value.is_finite() or "e" in given.lower() or len(given) > LONGEST_NUMBER:
            self.fail("invalid", given=given[:LONGEST_NUMBER])
        if self.positive and value <= 0:
            self.fail("positive", given=given)
        return value

    def to_representation(self, value: Decimal) -> str:
        return plain(value) if value else "0"


class Utc(serializers.DateTimeField):
    """A time in UTC, whatever zone its reader has chosen for pages."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=UTC, **options)


@extend_schema_field({"type": "number", "minimum": 0, "description": "Seconds."})
class Seconds(serializers.Field[timedelta, Any, float, Any]):
    """A span of time, written in seconds."""

    def to_representation(self, value: timedelta) -> float:
        return round(value.total_seconds(), 3)


class Answer(serializers.Serializer[Any]):
    """What is answered; every field is read only.

    Lists have dozens of fields in each of hundreds of rows: the framework's own way of looking up
    each of them was half of what a list costs.
    """

    @cached_property
    def _getters(
        self,
    ) -> list[tuple[str, Callable[[Any], Any], serializers.Field[Any, Any, Any, Any]]]:
        return [
            (
                name,
                field.get_attribute if field.source == "*" else attrgetter(str(field.source)),
                field,
            )
            for name, field in self.fields.items()
        ]

    def to_representation(self, instance: Any) -> dict[str, Any]:
        if isinstance(instance, Mapping):
            return super().to_representation(instance)
        told: dict[str, Any] = {}
        for name, get, field in self._getters:
            try:
                value = get(instance)
            except AttributeError:
                # On the way there was nothing, or a mapping: the framework knows what that means.
                value = field.get_attribute(instance)
            told[name] = None if value is None else field.to_representation(value)
        return told


class Strict(serializers.Serializer[Any]):
    """What is asked; a field that is not known is refused by its name."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [name for name in data if name not in self.fields]
            if unknown:
                known = ", ".join(self.fields) or "none"
                raise serializers.ValidationError(
                    {
                        str(name)[:60]: [f"There is no such field; known: {known}."]
                        for name in unknown
                    }
                )
        return super().to_internal_value(data)


class Word(serializers.CharField):
    """A text; numbers and booleans are not silently taken for one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


def utc(at: datetime | None) -> str | None:
    """Return a time as `Utc` writes it."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
