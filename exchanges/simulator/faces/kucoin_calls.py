"""One KuCoin call: its reading, its signature, its answer and its pages."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from exchanges.simulator.accounts import Account
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.calls import FaceCall
from exchanges.simulator.faces.passphrase_signature import signature
from exchanges.simulator.listings import KUCOIN, Listing
from exchanges.simulator.wire import Json, VenueRefusal, WireRequest, milliseconds, plain

SUCCESS = "200000"
STAMP_LASTS = timedelta(seconds=5)
KEY_VERSION = "3"
MOST_ROWS, MOST_SLID = 1000, 100
COIN, COINS = "USDT", ("USDT", "USDC")
HEADERS = ("kc-api-key", "kc-api-sign", "kc-api-timestamp", "kc-api-passphrase")
NANOSECONDS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(FaceCall):
    """One KuCoin call."""

    def anonymous(self) -> VenueRefusal:
        return VenueRefusal(400001, "Please check the header of your request.", status=401)

    def missing(self, name: str) -> VenueRefusal:
        return bad(name)

    def bad(self, name: str) -> VenueRefusal:
        return bad(name)


def bad(name: str) -> VenueRefusal:
    return VenueRefusal(100001, f"There are invalid parameters: {name}")


def listing_named(listings: Mapping[str, Listing], call: Call) -> Listing:
    listing = listings.get(call.required("symbol"))
    if listing is None:
        raise VenueRefusal(100003, "Contract parameter invalid")
    return listing


def number(value: Decimal) -> orjson.Fragment:
    """Return a number as JSON has it, with every digit."""
    return orjson.Fragment(plain(value))


def contracts(listing: Listing, base_quantity: Decimal) -> int:
    return int(base_quantity / listing.contract_value)


def nanoseconds(at: datetime) -> int:
    return milliseconds(at) * NANOSECONDS


def envelope(data: object) -> Json:
    return {"code": SUCCESS, "data": data}


def refusal(code: int, message: str) -> Json:
    return {"code": str(code), "msg": message}


def encoded(payload: Json) -> bytes:
    return orjson.dumps(payload)


def authenticated(simulator: Simulator, request: WireRequest, now: datetime) -> Account:
    """Check key, version, passphrase, clock and signature of a private request."""
    headers = request.headers
    if not all(headers.get(name) for name in HEADERS):
        raise VenueRefusal(400001, "Please check the header of your request.", status=401)
    account = simulator.ledger.accounts.get(headers["kc-api-key"])
    if account is None or account.venue != KUCOIN:
        raise VenueRefusal(400003, "KC-API-KEY not exists", status=401)
    if headers.get("kc-api-key-version") != KEY_VERSION:
        raise VenueRefusal(400009, "Invalid KC-API-KEY-VERSION.", status=401)
    passphrase = signature(account.secret, account.passphrase)
    if not hmac.compare_digest(passphrase, headers["kc-api-passphrase"]):
        raise VenueRefusal(400004, "Invalid KC-API-PASSPHRASE", status=401)
    stamp = headers["kc-api-timestamp"]
    if not stamp.isdigit() or _is_late(stamp, now):
        raise VenueRefusal(400002, "Invalid KC-API-TIMESTAMP")
    query = f"?{request.query}" if request.query else ""
    text = f"{stamp}{request.method}{request.path}{query}{request.body.decode()}"
    if not hmac.compare_digest(signature(account.secret, text), headers["kc-api-sign"]):
        raise VenueRefusal(400005, "Invalid KC-API-SIGN", status=401)
    return account


def _is_late(stamp: str, now: datetime) -> bool:
    return abs(now - datetime.fromtimestamp(int(stamp) / 1000, UTC)) > STAMP_LASTS


def _within(
    call: Call, rows: Sequence[Any], time_of: Callable[[Any], datetime], longest: timedelta | None
) -> list[Any]:
    """Return the rows of the span asked for, of the last part of it where that is too long."""
    start, end = call.number("startAt", 0), call.number("endAt", milliseconds(call.now))
    if longest is not None:
        start = max(start, end - longest // timedelta(milliseconds=1))
    return [row for row in rows if start <= milliseconds(time_of(row)) <= end]


def page(
    call: Call,
    rows: Sequence[Any],
    *,
    time_of: Callable[[Any], datetime],
    build: Callable[[Any], Json],
    longest: timedelta | None = None,
) -> Json:
    """Return one numbered page of rows given newest first."""
    kept = _within(call, rows, time_of, longest)
    size = min(call.number("pageSize", 50), MOST_ROWS)
    current = call.number("currentPage", 1)
    shown = kept[(current - 1) * size : current * size]
    return {
        "currentPage": current,
        "pageSize": size,
        "totalNum": len(kept),
        "totalPage": -(-len(kept) // size),
        "items": [build(row) for row in shown],
    }


def slide(
    call: Call,
    rows: Sequence[Any],
    *,
    usual: int,
    time_of: Callable[[Any], datetime],
    build: Callable[[Any], Json],
) -> Json:
    """Return the newest rows of a span, and whether there are more of it."""
    kept = _within(call, rows, time_of, None)
    size = min(call.number("maxCount", usual), MOST_SLID)
    return {"dataList": [build(row) for row in kept[:size]], "hasMore": len(kept) > size}
