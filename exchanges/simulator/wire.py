"""Requests and responses of the simulated venues, free of any transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import parse_qsl

import orjson

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class WireRequest:
    """One HTTP request to a venue. `query` and `body` are raw; header names lower-case.

    Without slots, so that each reading is made once.
    """

    host: str
    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Return query and form parameters together, as Binance reads them."""
        text = "&".join(part for part in (self.query, self.body.decode()) if part)
        return dict(parse_qsl(text, keep_blank_values=True))

    @cached_property
    def query_parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @cached_property
    def json(self) -> Json:
        """Return the body as a JSON object; empty when it is none."""
        if not self.body:
            return {}
        try:
            found = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class WireResponse:
    """One answer. `outcome` is the venue's own code or `ok`, for the access log."""

    status: int
    body: bytes
    outcome: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


class VenueRefusal(Exception):
    """A venue's own error answer: code (a number, or a word), text and HTTP status."""

    def __init__(self, code: Any, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def retry_after(seconds: float, now: datetime) -> dict[str, str]:
    """Return the header in which most venues say how long a pause lasts."""
    return {"Retry-After": str(seconds)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a venue words what a fault makes it refuse: a body, its status, and its rate limit.

    `pause` makes the headers that tell how long that lasts.
    """

    body: Callable[[Any, str], Json]
    reject_status: int
    too_many: tuple[Any, str]
    pause: Callable[[float, datetime], dict[str, str]] = retry_after


class Face(Protocol):
    """One venue's protocol over REST. `key_header` is where a signed request names its key."""

    dialect: Dialect
    key_header: str

    def handle(self, request: WireRequest, *, now: datetime) -> WireResponse: ...

    def client_order_id(self, request: WireRequest) -> str:
        """Return the client order id a request names, or an empty string."""


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def plain(value: Decimal) -> str:
    """Return a decimal as venues write it: no exponent, no trailing zeros."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if text not in ("", "-0") else "0"


def decimal_of(text: object) -> Decimal | None:
    """Return a finite decimal, or None if the text is none."""
    try:
        value = Decimal(str(text))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
