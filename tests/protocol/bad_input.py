"""Answers and messages that no venue should send, made of those that they do send."""

from __future__ import annotations

import random
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import orjson
from hypothesis import strategies as st

LONG = "123456789012345678901234567890"
BODIES = (
    b"",
    b"null",
    b"[]",
    b"{}",
    b"0",
    b'"text"',
    b"true",
    b"NaN",
    b"<html><body>502 Bad Gateway</body></html>",
    b"\xff\xfe\x00",
    b'{"a":' * 2000,
)
VALUES: tuple[Any, ...] = (
    *(None, "", [], {}, True, False, 0, -1, 1.5, "0", "-1", "NaN", "Infinity", "-Infinity"),
    *("1e400", "1e-400", "text", "<html>", LONG, f"-{LONG}", f"0.{LONG}", int(LONG)),
    *([None], {"a": 1}),
)


@dataclass(frozen=True, slots=True)
class Spoiling:
    """One way to spoil a body; the same spoiling of the same body is always the same."""

    kind: str
    seed: int

    def of(self, body: bytes) -> bytes:
        dice = random.Random(self.seed)  # noqa: S311 - picks test data, guards nothing
        if self.kind == "body":
            return dice.choice(BODIES)
        if self.kind == "truncated":
            return body[: dice.randrange(max(len(body), 1))]
        try:
            payload = orjson.loads(body)
        except orjson.JSONDecodeError:
            return body
        return dumped(self.of_payload(payload, dice))

    def of_payload(self, payload: Any, dice: random.Random | None = None) -> Any:
        """Return the payload with one place of it, sometimes two, holding something else."""
        dice = dice or random.Random(self.seed)  # noqa: S311
        for _ in range(dice.choice((1, 1, 2))):
            places = list(_places(payload))
            if not places:
                return deepcopy(dice.choice(VALUES))
            holder, key = dice.choice(places)
            if self.kind == "missing" and isinstance(holder, dict):
                del holder[key]
            else:
                holder[key] = deepcopy(dice.choice(VALUES))
        return payload


spoilings = st.builds(
    Spoiling,
    st.sampled_from(("value", "value", "value", "missing", "truncated", "body")),
    st.integers(0, 2**32 - 1),
)


def dumped(payload: Any) -> bytes:
    """Return JSON, of integers beyond 64 bits too."""
    return orjson.dumps(payload, default=str) if _fits(payload) else _long_json(payload)


def wrong_with(fact: Any) -> list[str]:
    """Return what of a domain value is not as its class says, or is no finite number."""
    hints = get_type_hints(type(fact))
    found = []
    for field in fields(fact):
        held = getattr(fact, field.name)
        if not _is(held, hints[field.name]):
            found.append(f"{type(fact).__name__}.{field.name} is {held!r}")
        elif isinstance(held, Decimal) and not held.is_finite():
            found.append(f"{type(fact).__name__}.{field.name} is {held}")
        elif isinstance(held, datetime) and held.tzinfo is None:
            found.append(f"{type(fact).__name__}.{field.name} has no zone")
    return found


def facts_in(answer: Any) -> list[Any]:
    if isinstance(answer, list | tuple):
        return [fact for part in answer for fact in facts_in(part)]
    if isinstance(answer, dict):
        return facts_in(list(answer.values()))
    return [answer] if hasattr(answer, "__dataclass_fields__") else []


def _is(held: Any, hint: Any) -> bool:
    hint = getattr(hint, "__supertype__", hint)
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return any(_is(held, part) for part in get_args(hint))
    if origin is not None and issubclass(origin, Sequence):
        return all(_is(part, get_args(hint)[0]) or wrong_with(part) == [] for part in held)
    if hint is bool or hint is int:
        return type(held) is hint
    return isinstance(held, hint)


def _places(payload: Any) -> Any:
    if isinstance(payload, dict):
        for key, inner in payload.items():
            yield payload, key
            yield from _places(inner)
    elif isinstance(payload, list):
        for index, inner in enumerate(payload):
            yield payload, index
            yield from _places(inner)


def _fits(payload: Any) -> bool:
    try:
        orjson.dumps(payload)
    except TypeError:
        return False
    return True


def _long_json(payload: Any) -> bytes:
    marked = orjson.dumps(_marked(payload))
    return marked.replace(b'"\\u0000long"', LONG.encode())


def _marked(payload: Any) -> Any:
    if isinstance(payload, dict):
        return {key: _marked(inner) for key, inner in payload.items()}
    if isinstance(payload, list):
        return [_marked(inner) for inner in payload]
    return "\x00long" if type(payload) is int and payload == int(LONG) else payload
