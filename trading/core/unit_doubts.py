"""Values that look like a percentage typed as a fraction, or the reverse; `docs/DOMAIN.md` 7."""

from __future__ import annotations

from decimal import Decimal

from trading.core.money import plain
from trading.core.parameter_field import SHOWN_UNITS, ParameterField, Unit
from trading.core.parameter_table import PARAMETER_FIELDS, ParameterTable

HUNDRED = Decimal(100)
# A mistaken unit is 100 times off; nobody types the usual value to the digit, so less is asked too.
FAR = Decimal(50)


def unit_doubts(before: ParameterTable, after: ParameterTable) -> dict[str, str]:
    """Return a question per outer key whose new value is far from what is usual.

    A value near an unusual one that is in force was answered for before.
    """
    doubts: dict[str, str] = {}
    for described in PARAMETER_FIELDS:
        old, new = (_number(described, parameters) for parameters in (before, after))
        if described.usual is None or not new or new == old:
            continue
        if not _is_far(new, described.usual):
            continue
        if not old or not _is_far(old, described.usual) or _is_far(new, old):
            doubts[described.key] = _question(described, new, described.usual)
    return doubts


def _number(described: ParameterField, parameters: ParameterTable) -> Decimal | None:
    inner = getattr(parameters, described.name)
    if not isinstance(inner, Decimal):
        return None
    return inner * HUNDRED if described.unit is Unit.PERCENT else inner


def _is_far(value: Decimal, other: Decimal) -> bool:
    larger, smaller = max(abs(value), abs(other)), min(abs(value), abs(other))
    return larger >= FAR * smaller


def _question(described: ParameterField, value: Decimal, usual: Decimal) -> str:
    meant = value * HUNDRED if abs(value) < abs(usual) else value / HUNDRED
    asked = ""
    if not _is_far(meant, usual):
        asked = f" Did you mean {_both(described, meant)}?"
    return f"{_both(described, value)} is far from the usual {_both(described, usual)}.{asked}"


def _both(described: ParameterField, value: Decimal) -> str:
    if described.unit is Unit.PERCENT:
        return f"{plain(value)}{SHOWN_UNITS[Unit.PERCENT]}"
    return f"{plain(value)} ({plain(value * HUNDRED)} %)"
