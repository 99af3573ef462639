"""One Bitget v2 call: its reading, its signature, its answer and its pages."""

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
from exchanges.simulator.listings import BITGET, Listing
from exchanges.simulator.wire import Json, VenueRefusal, WireRequest, milliseconds

MOST_ROWS = 100
STAMP_LASTS = timedelta(seconds=30)
LOGIN_TEXT = "GET/user/verify"
SUCCESS = "00000"
PRODUCT, COIN = "USDT-FUTURES", "USDT"
# Products that are listed empty here.
PRODUCTS = (
    PRODUCT,
    "USDC-FUTURES",
    "COIN-FUTURES",
    "SUSDT-FUTURES",
    "SUSDC-FUTURES",
    "SCOIN-FUTURES",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(FaceCall):
    """One Bitget call."""

    def anonymous(self) -> VenueRefusal:
        return VenueRefusal(40001, "ACCESS_KEY cannot be empty")

    def missing(self, name: str) -> VenueRefusal:
        return VenueRefusal(40019, f"Parameter {name} cannot be empty")

    def bad(self, name: str) -> VenueRefusal:
        return bad(name)

    @property
    def is_of_dollars(self) -> bool:
        """Tell whether the product asked for is the one that lists contracts here."""
        return self.required("productType").upper() == PRODUCT


def listing_named(listings: Mapping[str, Listing], call: Call) -> Listing:
    listing = listings.get(call.required("symbol").upper())
    if listing is None or not call.is_of_dollars:
        raise VenueRefusal(40034, f"Parameter {call.text('symbol')} does not exist")
    return listing


def bad(name: str) -> VenueRefusal:
    return VenueRefusal(40017, f"Parameter verification failed {name}")


def envelope(data: object, now: datetime) -> Json:
    return {"code": SUCCESS, "msg": "success", "requestTime": milliseconds(now), "data": data}


def refusal(code: int, message: str) -> Json:
    return {"code": str(code), "msg": message, "requestTime": 0, "data": None}


def account_of(simulator: Simulator, api_key: str) -> Account:
    account = simulator.ledger.accounts.get(api_key)
    if account is None or account.venue != BITGET:
        raise VenueRefusal(40037, "Apikey does not exist")
    return account


def authenticated(simulator: Simulator, request: WireRequest, now: datetime) -> Account:
    """Check environment, key, passphrase, clock and signature of a private request."""
    headers = request.headers
    for name, code in (
        ("key", 40001),
        ("sign", 40003),
        ("timestamp", 40005),
        ("passphrase", 40011),
    ):
        if not headers.get(f"access-{name}"):
            raise VenueRefusal(code, f"ACCESS_{name.upper()} cannot be empty")
    account = account_of(simulator, headers["access-key"])
    if (headers.get("paptrading") == "1") is not account.practices:
        raise VenueRefusal(40099, "exchange environment is incorrect")
    if not hmac.compare_digest(account.passphrase, headers["access-passphrase"]):
        raise VenueRefusal(40012, "apikey/password is incorrect")
    stamp = headers["access-timestamp"]
    if not stamp.isdigit():
        raise VenueRefusal(40005, "Invalid ACCESS_TIMESTAMP")
    if abs(now - datetime.fromtimestamp(int(stamp) / 1000, UTC)) > STAMP_LASTS:
        raise VenueRefusal(40008, "Request timestamp expired")
    query = f"?{request.query}" if request.query else ""
    text = f"{stamp}{request.method}{request.path}{query}{request.body.decode()}"
    if not hmac.compare_digest(signature(account.secret, text), headers["access-sign"]):
        raise VenueRefusal(40009, "sign signature error")
    return account


def page(
    call: Call,
    rows: Sequence[Any],
    name: str,
    *,
    number_of: Callable[[Any], str],
    time_of: Callable[[Any], datetime],
    build: Callable[[Any], Json],
) -> Json:
    """Return one page of rows given newest first; a list of none is null, as the venue tells it."""
    start, end = call.number("startTime", 0), call.number("endTime", 0)
    if end > milliseconds(call.now):
        raise VenueRefusal(40902, "Future time is not allowed")
    kept = [
        row
        for row in rows
        if start <= milliseconds(time_of(row)) and (not end or milliseconds(time_of(row)) <= end)
    ]
    numbers, older = [number_of(row) for row in kept], call.text("idLessThan")
    if older:
        kept = kept[numbers.index(older) + 1 :] if older in numbers else []
    kept = kept[: min(call.number("limit", MOST_ROWS), MOST_ROWS)]
    if not kept:
        return {name: None, "endId": None}
    return {name: [build(row) for row in kept], "endId": number_of(kept[-1])}


def encoded(payload: Json) -> bytes:
    return orjson.dumps(payload)
