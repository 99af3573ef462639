"""What is read of a body: JSON alone, of a bounded size and depth, decimals as written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from trading.views.api.errors import refuse

MOST_BYTES = 64 * 1024
DEEPEST = 8
LONGEST_NUMBER = 60


class BoundedJson(BaseParser):
    """Parse an object; refuse what is too large, too deep, twice named or no number."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        raw = stream.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            sentence = f"The body is longer than {MOST_BYTES // 1024} KiB."
            raise refuse("too_large", sentence, status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            parsed = json.loads(
                raw.decode("utf-8"),
                parse_float=_number,
                parse_int=_number,
                parse_constant=_no_number,
                object_pairs_hook=_once,
            )
        except UnicodeDecodeError:
            raise ParseError("The body is not UTF-8.") from None
        except json.JSONDecodeError as error:
            sentence = f"The body is not JSON: {error.msg} in line {error.lineno}."
            raise ParseError(sentence) from None
        except RecursionError:
            raise ParseError(f"The body is deeper than {DEEPEST} levels.") from None
        if not isinstance(parsed, dict):
            raise ParseError('The body must be a JSON object: {"name": value}.')
        _check(parsed, DEEPEST)
        return parsed


class AlwaysFirst(BaseContentNegotiation):
    """Answer JSON whatever is accepted: an error that is not understood helps nobody."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        kind = str(request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, str(first.media_type)


def _number(text: str) -> Decimal | int:
    if len(text) > LONGEST_NUMBER:
        raise ParseError(f"A number has more than {LONGEST_NUMBER} characters.")
    return int(text) if text.lstrip("-").isdigit() else Decimal(text)


def _no_number(word: str) -> Any:
    raise ParseError(f"{word} is no number.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ParseError(f"{twice!r} is there twice.")
    return named


def _check(value: Any, levels: int) -> None:
    """Refuse what is nested too deep, and halves of characters, which no database stores."""
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise ParseError("A text holds half of a character (a lone surrogate).") from None
    if not isinstance(value, dict | list):
        return
    if levels == 0:
        raise ParseError(f"The body is deeper than {DEEPEST} levels.")
    for each in [*value, *value.values()] if isinstance(value, dict) else value:
        _check(each, levels - 1)
