"""One Bybit v5 call: its reading, its signature, its answer and its pages."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from exchanges.simulator.accounts import Account
from exchanges.simulator.core import Simulator
from exchanges.simulator.listings import BYBIT
from exchanges.simulator.wire import (
    Json,
    VenueRefusal,
    WireRequest,
    decimal_of,
    milliseconds,
)

MAX_AHEAD = 1000
DEFAULT_RECV_WINDOW = 5000
REACH = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One authenticated request, read: query of a GET, JSON body of a POST."""

    parameters: Mapping[str, Any]
    now: datetime
    account: Account | None = None

    @property
    def owner(self) -> Account:
        if self.account is None:
            raise VenueRefusal(10003, "API key is invalid.", status=200)
        return self.account

    def text(self, name: str) -> str:
        return str(self.parameters.get(name) or "")

    def number(self, name: str, default: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not value.isdigit():
            raise invalid(f"{name} invalid")
        return int(value)

    def moment(self, name: str) -> int | None:
        return self.number(name, 0) or None

    def decimal(self, name: str) -> Decimal:
        value = decimal_of(self.parameters.get(name))
        if value is None:
            raise invalid(f"{name} invalid")
        return value


def invalid(message: str) -> VenueRefusal:
    return VenueRefusal(10001, f"params error: {message}", status=200)


def signature(secret: str, payload: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def envelope(result: Json, now: datetime, *, code: int = 0, message: str = "OK") -> bytes:
    return orjson.dumps(
        {
            "retCode": code,
            "retMsg": message,
            "result": result,
            "retExtInfo": {},
            "time": milliseconds(now),
        }
    )


def refusal(code: int, message: str) -> Json:
    return {"retCode": code, "retMsg": message, "result": {}, "retExtInfo": {}, "time": 0}


def account_of(simulator: Simulator, api_key: str) -> Account:
    account = simulator.ledger.accounts.get(api_key)
    if account is None or account.venue != BYBIT:
        raise VenueRefusal(10003, "API key is invalid.", status=200)
    return account


def authenticated(simulator: Simulator, request: WireRequest, now: datetime) -> Account:
    """Check key, clock and signature of a private request."""
    headers = request.headers
    key, stamp = headers.get("x-bapi-api-key", ""), headers.get("x-bapi-timestamp", "")
    window = headers.get("x-bapi-recv-window", str(DEFAULT_RECV_WINDOW))
    account = account_of(simulator, key)
    sent_at, width = decimal_of(stamp), decimal_of(window)
    server_at = milliseconds(now)
    if (
        sent_at is None
        or width is None
        or not (server_at - width <= sent_at < server_at + MAX_AHEAD)
    ):
        message = (
            "invalid request, please check your server timestamp or recv_window param. "
            f"req_timestamp[{stamp}],server_timestamp[{server_at}],recv_window[{window}]"
        )
        raise VenueRefusal(10002, message, status=200)
    signed = request.body.decode() if request.method == "POST" else request.query
    expected = signature(account.secret, f"{stamp}{key}{window}{signed}")
    if not hmac.compare_digest(expected, headers.get("x-bapi-sign", "")):
        message = "error sign! please check your signature generation algorithm."
        raise VenueRefusal(10004, message, status=200)
    return account


def within(rows: list[Any], call: Call, time_of: Callable[[Any], datetime]) -> list[Any]:
    """Return rows inside startTime and endTime; without them, of the last seven days."""
    start, end = call.moment("startTime"), call.moment("endTime")
    reach = int(REACH.total_seconds() * 1000)
    if start is None:
        start = (end or milliseconds(call.now)) - reach
    if end is None:
        end = start + reach
    if end - start > reach:
        raise invalid("The time range between startTime and endTime cannot exceed 7 days")
    return [row for row in rows if start <= milliseconds(time_of(row)) <= end]


def listed(call: Call, rows: Sequence[Any], build: Callable[[Any], Json]) -> Json:
    """Return one page of rows given newest first; the cursor is the offset of the next one."""
    offset = call.number("cursor", 0)
    limit = min(call.number("limit", 50), 200)
    has_more = offset + limit < len(rows)
    return {
        "category": call.text("category"),
        "list": [build(row) for row in rows[offset : offset + limit]],
        "nextPageCursor": str(offset + limit) if has_more else "",
    }
