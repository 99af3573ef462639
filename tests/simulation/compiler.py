"""Django's own SQL, written faster: a select of the same shape has the same text each time.

More than half of a run's time went into naming columns, joins and orders again and again. A
database backend names the module of its compilers, and this is the one of `SimulatedDatabase`.
Only the condition is compiled each time, as Django does it, for it carries the values.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db.models import Field
from django.db.models.expressions import Col
from django.db.models.sql import compiler
from django.db.models.sql.compiler import (
    SQLAggregateCompiler,
    SQLDeleteCompiler,
    SQLInsertCompiler,
    SQLUpdateCompiler,
)
from django.db.models.sql.query import Query

__all__ = [
    "SQLAggregateCompiler",
    "SQLCompiler",
    "SQLDeleteCompiler",
    "SQLInsertCompiler",
    "SQLUpdateCompiler",
]

Converters = tuple[Callable[..., Any], ...]
_converters: dict[tuple[Field[Any, Any], Field[Any, Any]], Converters] = {}
# What a compiler knows of its columns once it has written a select; rows are made with it.
KNOWN = ("select", "klass_info", "annotation_col_map", "col_count", "has_extra_select")
WHERE = " WHERE "


@dataclass(slots=True)
class Shape:
    """A select without its condition: the text on either side of it, and its columns."""

    before: str
    after: str
    known: dict[str, Any]
    converters: dict[int, Any] | None = None


_shapes: dict[Hashable, Shape | None] = {}


class SQLCompiler(compiler.SQLCompiler):
    """Compiles selects; plain columns, and shapes that were met before, are looked up."""

    _shape: Shape | None = None

    def as_sql(self, with_limits: bool = True, with_col_aliases: bool = False) -> Any:
        query = self.query
        if with_col_aliases or not with_limits or not _is_plain(query):
            return super().as_sql(with_limits, with_col_aliases)
        try:
            condition, values = self.compile(query.where)
        except EmptyResultSet:
            return super().as_sql(with_limits, with_col_aliases)
        except FullResultSet:
            condition, values = "", ()
        key = (_shape_of(query), bool(condition))
        if key not in _shapes:
            written = super().as_sql(with_limits, with_col_aliases)
            _shapes[key] = self._learned(written, condition, values)
            return written
        shape = _shapes[key]
        if shape is None:
            return super().as_sql(with_limits, with_col_aliases)
        self.__dict__.update(shape.known)
        self._shape = shape
        where = WHERE + condition if condition else ""
        return f"{shape.before}{where}{shape.after}", tuple(values)

    def _learned(self, written: Any, condition: str, values: Iterable[Any]) -> Shape | None:
        """Cut the condition out of a text; None where values stand outside of it."""
        text, params = written
        if params != tuple(values) or text.count(WHERE) != bool(condition):
            return None
        before, _, after = text.partition(WHERE + condition) if condition else (text, "", "")
        return Shape(before, after, {name: getattr(self, name) for name in KNOWN})

    def compile(self, node: Any) -> tuple[str, Any]:
        if type(node) is Col and node.alias:
            return _quoted(node.alias, node.target.column), []
        return super().compile(node)

    def get_converters(self, expressions: Iterable[Any]) -> dict[int, Any]:
        if self._shape is None:
            return self._found_converters(expressions)
        if self._shape.converters is None:
            self._shape.converters = self._found_converters(expressions)
        return self._shape.converters

    def _found_converters(self, expressions: Iterable[Any]) -> dict[int, Any]:
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


def _is_plain(query: Query) -> bool:
    """Tell whether values can stand nowhere but in the condition."""
    is_bent = (
        query.combinator
        or query.annotations
        or query.extra
        or query.extra_tables
        or query.extra_order_by
        or query.group_by is not None
        or query.distinct_fields
        or query.explain_info
        or query.subquery
    )
    return (
        not is_bent
        and all(type(column) is Col for column in query.select)
        and all(type(name) is str for name in query.order_by)
    )


def _shape_of(query: Query) -> Hashable:
    """Return all that the text of a select depends on, except its condition."""
    joins = tuple(
        (
            alias,
            query.alias_refcount[alias] > 0,
            join.join_type,
            join.parent_alias,
            join.table_name,
            getattr(join, "join_field", None),
        )
        for alias, join in query.alias_map.items()
    )
    columns = tuple((c.alias, c.target) for c in query.select if isinstance(c, Col))
    fields, is_deferred = query.deferred_loading
    return (
        query.model,
        joins,
        columns,
        query.default_cols,
        None if query.selected is None else tuple(query.selected.items()),
        _frozen(query.select_related),
        frozenset(fields),
        is_deferred,
        query.order_by,
        query.default_ordering,
        query.standard_ordering,
        query.low_mark,
        query.high_mark,
        query.distinct,
    )


def _frozen(related: Any) -> Hashable:
    if not isinstance(related, dict):
        return bool(related)
    return tuple((name, _frozen(inner)) for name, inner in related.items())


@cache
def _quoted(alias: str, column: str) -> str:
    return f'"{alias}"."{column}"'
