"""One OKX v5 call: its reading, its signature, its answer and its pages."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from exchanges.simulator.accounts import Account
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.calls import FaceCall
from exchanges.simulator.faces.passphrase_signature import signature
from exchanges.simulator.listings import OKX, Listing
from exchanges.simulator.wire import Json, VenueRefusal, WireRequest, decimal_of, milliseconds

MOST_ROWS = 100
STAMP_LASTS = timedelta(seconds=30)
LOGIN_TEXT = "GET/users/self/verify"
# Refusals of single orders come in their row, below an answer that says that something failed.
FIRST_OF_ORDERS, LAST_OF_ORDERS = 51_000, 51_999


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(FaceCall):
    """One OKX call."""

    def anonymous(self) -> VenueRefusal:
        return VenueRefusal(50103, 'Request header "OK-ACCESS-KEY" cannot be empty.', status=401)

    def missing(self, name: str) -> VenueRefusal:
        return VenueRefusal(50014, f"Parameter {name} can not be empty.", status=400)

    def bad(self, name: str) -> VenueRefusal:
        return bad(name)


def listing_named(listings: Mapping[str, Listing], call: Call) -> Listing:
    listing = listings.get(call.required("instId"))
    if listing is None:
        raise VenueRefusal(51001, "Instrument ID doesn't exist.", status=200)
    return listing


def bad(name: str) -> VenueRefusal:
    return VenueRefusal(51000, f"Parameter {name} error", status=400)


def envelope(rows: Sequence[Json], *, code: str = "0", message: str = "") -> Json:
    return {"code": code, "msg": message, "data": list(rows)}


def refused_row(code: int, message: str, *, client_order_id: str = "", tag: str = "") -> Json:
    """Return the row of an order, or of a cancel, that was refused."""
    return {
        "clOrdId": client_order_id,
        "ordId": "",
        "tag": tag,
        "ts": "",
        "sCode": str(code),
        "sMsg": message,
    }


def refusal(code: int, message: str) -> Json:
    """Return what a fault makes the venue say: of an order in its row, else of the call."""
    if FIRST_OF_ORDERS <= code <= LAST_OF_ORDERS:
        return envelope([refused_row(code, message)], code="1", message="All operations failed")
    return envelope([], code=str(code), message=message)


def account_of(simulator: Simulator, api_key: str) -> Account:
    account = simulator.ledger.accounts.get(api_key)
    if account is None or account.venue != OKX:
        raise VenueRefusal(50111, "Invalid OK-ACCESS-KEY.", status=401)
    return account


def authenticated(simulator: Simulator, request: WireRequest, now: datetime) -> Account:
    """Check environment, key, passphrase, clock, signature and deadline of a private request."""
    headers = request.headers
    for name, code in (
        ("key", 50103),
        ("passphrase", 50104),
        ("sign", 50106),
        ("timestamp", 50107),
    ):
        if not headers.get(f"ok-access-{name}"):
            message = f'Request header "OK-ACCESS-{name.upper()}" cannot be empty.'
            raise VenueRefusal(code, message, status=401)
    account = account_of(simulator, headers["ok-access-key"])
    if (headers.get("x-simulated-trading") == "1") is not account.practices:
        raise VenueRefusal(50101, "APIKey does not match current environment.", status=401)
    if not hmac.compare_digest(account.passphrase, headers["ok-access-passphrase"]):
        message = 'Request header "OK-ACCESS-PASSPHRASE" incorrect.'
        raise VenueRefusal(50105, message, status=401)
    stamp = headers["ok-access-timestamp"]
    if abs(now - _moment(stamp)) > STAMP_LASTS:
        raise VenueRefusal(50102, "Timestamp request expired.", status=401)
    query = f"?{request.query}" if request.query else ""
    text = f"{stamp}{request.method}{request.path}{query}{request.body.decode()}"
    if not hmac.compare_digest(signature(account.secret, text), headers["ok-access-sign"]):
        raise VenueRefusal(50113, "Invalid Sign", status=401)
    deadline = decimal_of(headers.get("exptime", milliseconds(now)))
    if deadline is None or deadline < milliseconds(now):
        raise VenueRefusal(50037, "Order expired.", status=200)
    return account


def _moment(stamp: str) -> datetime:
    try:
        found = datetime.fromisoformat(stamp)
    except ValueError:
        raise VenueRefusal(50112, "Invalid OK-ACCESS-TIMESTAMP.", status=401) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def page(
    call: Call,
    rows: Sequence[Any],
    *,
    number_of: Callable[[Any], str],
    time_of: Callable[[Any], datetime],
) -> list[Any]:
    """Return one page of rows given newest first, inside begin and end, beyond after or before."""
    begin, end = call.number("begin", 0), call.number("end", 0)
    kept = [
        row
        for row in rows
        if begin <= milliseconds(time_of(row)) and (not end or milliseconds(time_of(row)) <= end)
    ]
    numbers = [number_of(row) for row in kept]
    after, before = call.text("after"), call.text("before")
    if after:
        kept = kept[numbers.index(after) + 1 :] if after in numbers else []
    elif before:
        kept = kept[: numbers.index(before)] if before in numbers else []
    return kept[: min(call.number("limit", MOST_ROWS), MOST_ROWS)]


def encoded(payload: Json) -> bytes:
    return orjson.dumps(payload)
