"""Rows that say what happened: written once, never changed, never taken back (I22)."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from django.db import models

M = TypeVar("M", bound=models.Model)


class AppendOnlyViolation(RuntimeError):
    """Something tried to change or delete a ledger row: book a new row that corrects it."""


class AppendOnlyQuerySet(models.QuerySet[M]):
    """Reads and inserts; whatever would change rows in bulk is refused."""

    def update(self, **columns: Any) -> NoReturn:
        raise _refusal(self.model)

    def bulk_update(self, *args: Any, **options: Any) -> NoReturn:
        raise _refusal(self.model)

    def bulk_create(self, *args: Any, **options: Any) -> list[M]:
        if options.get("update_conflicts"):
            raise _refusal(self.model)
        return super().bulk_create(*args, **options)

    def delete(self) -> NoReturn:
        raise _refusal(self.model)


class AppendOnlyModel(models.Model):
    """A row that is inserted once. Unique keys make a second booking a refused insert."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise _refusal(type(self))
        super().save(*args, **{**options, "force_insert": True})

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise _refusal(type(self))


def _refusal(model: type[models.Model]) -> AppendOnlyViolation:
    return AppendOnlyViolation(
        f"{model.__name__} rows are append-only: they are never changed or deleted"
    )
