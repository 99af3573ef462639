"""Exact decimal columns on both databases.

SQLite gives a DecimalField numeric affinity, which rounds to about 15 digits; here it is text, and
what SQL would then order or add up wrongly is refused.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.lookups import Lookup

if TYPE_CHECKING:
    _Base = models.DecimalField[Any, Any]
else:
    _Base = models.DecimalField

EXACT_LOOKUPS = frozenset({"exact", "in", "isnull"})
DIGITS = 38
# The usual 28 digits are too few: 10,000,000,000 coins with 18 decimals have 29.
_WHOLE = Context(prec=DIGITS)


class ExactDecimalField(_Base):
    """A Decimal stored digit by digit. Compare and sum it in Python, never in SQL."""

    def get_internal_type(self) -> str:
        return "ExactDecimalField"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        if connection.vendor == "sqlite":
            return "text"
        return f"numeric({self.max_digits}, {self.decimal_places})"

    def get_lookup(self, lookup_name: str) -> type[Lookup[Any]] | None:
        if lookup_name not in EXACT_LOOKUPS:
            raise FieldError(f"{self.name}: compare exact decimals in Python, not by {lookup_name}")
        return super().get_lookup(lookup_name)

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        if not prepared:
            value = self.get_prep_value(value)
        if connection.vendor == "sqlite" and isinstance(value, Decimal):
            return format(self.as_stored(value), "f")
        return value

    def as_stored(self, value: Decimal) -> Decimal:
        """Return a value with the decimals that the column keeps."""
        return value.quantize(Decimal(1).scaleb(-self.decimal_places), context=_WHOLE)

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        return self.get_db_prep_value(value, connection)

    def from_db_value(self, value: Any, *_: Any) -> Decimal | None:
        return None if value is None else Decimal(value)


def price_field(**options: Any) -> ExactDecimalField:
    """Return a column for a price or a base quantity: 18 decimals."""
    return ExactDecimalField(max_digits=DIGITS, decimal_places=18, **options)


quantity_field = price_field


def rate_field(**options: Any) -> ExactDecimalField:
    """Return a column for a rate as a fraction: 12 decimals."""
    return ExactDecimalField(max_digits=20, decimal_places=12, **options)


def money_field(**options: Any) -> ExactDecimalField:
    """Return a column for an amount of an asset: 18 decimals, as the venue booked it."""
    return ExactDecimalField(max_digits=DIGITS, decimal_places=18, **options)
