"""Django's own SQL, written faster: what it says of a column is the same each time it is asked.

Half of a run's time went into naming columns and finding their converters again and again. A
database backend names the module of its compilers, and this is the one of `SimulatedDatabase`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from django.db.models import Field
from django.db.models.expressions import Col
from django.db.models.sql import compiler
from django.db.models.sql.compiler import (
    SQLAggregateCompiler,
    SQLDeleteCompiler,
    SQLInsertCompiler,
    SQLUpdateCompiler,
)

__all__ = [
    "SQLAggregateCompiler",
    "SQLCompiler",
    "SQLDeleteCompiler",
    "SQLInsertCompiler",
    "SQLUpdateCompiler",
]

Converters = tuple[Callable[..., Any], ...]
_converters: dict[tuple[Field[Any, Any], Field[Any, Any]], Converters] = {}


class SQLCompiler(compiler.SQLCompiler):
    """Compiles selects; plain columns are looked up."""

    def compile(self, node: Any) -> tuple[str, Any]:
        if type(node) is Col and node.alias:
            return _quoted(node.alias, node.target.column), []
        return super().compile(node)

    def get_converters(self, expressions: Iterable[Any]) -> dict[int, Any]:
        found = {}
        for index, expression in enumerate(expressions):
            converters = self._converters_of(expression)
            if converters:
                found[index] = (list(converters), expression)
        return found

    def _converters_of(self, expression: Any) -> Converters:
        if not expression:
            return ()
        if type(expression) is not Col:
            return self._asked(expression)
        key = (expression.target, expression.output_field)
        if key not in _converters:
            _converters[key] = self._asked(expression)
        return _converters[key]

    def _asked(self, expression: Any) -> Converters:
        of_backend = self.connection.ops.get_db_converters(expression)
        return (*of_backend, *expression.get_db_converters(self.connection))


@cache
def _quoted(alias: str, column: str) -> str:
    return f'"{alias}"."{column}"'
