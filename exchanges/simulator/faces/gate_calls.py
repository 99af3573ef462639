"""One Gate APIv4 call: its reading, its signature, its refusals and its pages."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_plus

import orjson

from exchanges.simulator.accounts import Account
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.calls import FaceCall
from exchanges.simulator.listings import GATE, Listing
from exchanges.simulator.wire import Json, VenueRefusal, WireRequest, milliseconds, plain

# Of Gate's contracts that are margined in USDT.
PREFIX = "/api/v4/futures/usdt/"
STAMP_LASTS = timedelta(seconds=60)
MOST_ROWS = 100
TESTNET_HOSTS = "api-testnet.gateapi.io", "ws-testnet.gate.com"
# What a venue writes as a number of JSON, every digit of it.
Number = orjson.Fragment


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(FaceCall):
    """One Gate call; `named` is an id or contract in its path.

    `has_parts`: whether it wants sizes as texts, which may have a fraction.
    """

    named: str = ""
    has_parts: bool = True

    def anonymous(self) -> VenueRefusal:
        return VenueRefusal("MISSING_REQUIRED_HEADER", "Missing required header: KEY")

    def missing(self, name: str) -> VenueRefusal:
        return VenueRefusal("MISSING_REQUIRED_PARAM", f"Missing required parameter: {name}")

    def bad(self, name: str) -> VenueRefusal:
        return bad(name)

    def size(self, listing: Listing, base_quantity: Decimal) -> str | int:
        """Return base units in contracts."""
        return size(listing, base_quantity) if self.has_parts else whole(listing, base_quantity)


def size(listing: Listing, base_quantity: Decimal) -> str:
    return plain(base_quantity / listing.contract_value)


def whole(listing: Listing, base_quantity: Decimal) -> int:
    return int(base_quantity / listing.contract_value)


def seconds(at: datetime) -> Number:
    """Return an instant as the venue writes it, with three digits behind the point."""
    return number(Decimal(milliseconds(at)) / 1000)


def number(value: Decimal) -> Number:
    return Number(plain(value).encode())


def refusal(label: int | str, message: str) -> Json:
    return {"label": str(label), "message": message}


def bad(name: str) -> VenueRefusal:
    return VenueRefusal("INVALID_PARAM_VALUE", f"Invalid request parameter `{name}` value")


def unknown_order() -> VenueRefusal:
    return VenueRefusal("ORDER_NOT_FOUND", "Order not found")


def listing_named(listings: Mapping[str, Listing], name: str) -> Listing:
    listing = listings.get(name)
    if listing is None:
        raise VenueRefusal("CONTRACT_NOT_FOUND", "Contract not found")
    return listing


def account_of(simulator: Simulator, api_key: str, host: str) -> Account:
    account = simulator.ledger.accounts.get(api_key)
    is_known = account is not None and account.venue == GATE
    if account is None or not is_known or account.practices is not (host in TESTNET_HOSTS):
        raise VenueRefusal("INVALID_KEY", "Invalid key provided", status=401)
    return account


def signature(secret: str, text: str) -> str:
    """Return HMAC-SHA512 of a text in hex."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha512).hexdigest()


def signed_text(request: WireRequest, stamp: str) -> str:
    """Return what is signed of a request: its query as it reads, its body as a hash."""
    body = hashlib.sha512(request.body).hexdigest()
    query = unquote_plus(request.query)
    return "\n".join((request.method, request.path, query, body, stamp))


def authenticated(simulator: Simulator, request: WireRequest, now: datetime) -> Account:
    """Check clock, key, signature and, of an order, its deadline."""
    headers = request.headers
    for name in ("KEY", "SIGN", "Timestamp"):
        if not headers.get(name.lower()):
            message = f"Missing required header: {name}"
            raise VenueRefusal("MISSING_REQUIRED_HEADER", message)
    stamp = headers["timestamp"]
    gap = abs(milliseconds(now) // 1000 - int(stamp)) if stamp.isdigit() else math.inf
    if gap > STAMP_LASTS.total_seconds():
        message = "gap between request Timestamp and server time exceeds 60"
        raise VenueRefusal("REQUEST_EXPIRED", message, status=403)
    account = account_of(simulator, headers["key"], request.host)
    made = signature(account.secret, signed_text(request, stamp))
    if not hmac.compare_digest(made, headers["sign"]):
        raise VenueRefusal("INVALID_SIGNATURE", "Signature mismatch", status=401)
    deadline = headers.get("x-gate-exptime", "")
    if deadline.isdigit() and milliseconds(now) > int(deadline):
        raise VenueRefusal("REQUEST_EXPIRED", "request is past its x-gate-exptime", status=403)
    return account


def page(
    call: Call,
    rows: Sequence[Any],
    time_of: Callable[[Any], datetime],
) -> Sequence[Any]:
    """Return one page of rows given newest first, of those between two seconds."""
    start, end = call.number("from", 0), call.number("to", 0)
    kept = [
        row
        for row in rows
        if start * 1000 <= milliseconds(time_of(row))
        and (not end or milliseconds(time_of(row)) <= end * 1000)
    ]
    first = call.number("offset", 0)
    return kept[first : first + min(call.number("limit", MOST_ROWS), 10 * MOST_ROWS)]
