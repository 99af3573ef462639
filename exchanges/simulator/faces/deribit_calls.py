"""One Deribit call: its reading by GET or as JSON-RPC by POST, its signature and its answer."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from exchanges.simulator.accounts import Account
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.calls import FaceCall
from exchanges.simulator.listings import DERIBIT, Listing
from exchanges.simulator.wire import Json, VenueRefusal, WireRequest, milliseconds, plain

ROOT = "/api/v2"
TEST_HOST = "test.deribit.com"
AUTHORIZATION = re.compile(r"deri-hmac-sha256 id=([^,]+),ts=(\d+),sig=([0-9a-f]+),nonce=([^,]+)")
# What a venue writes as a number of JSON, every digit of it.
Number = orjson.Fragment


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(FaceCall):
    """One Deribit call; a POST tells its parameters as JSON, a GET as texts."""

    def anonymous(self) -> VenueRefusal:
        return VenueRefusal(13009, "unauthorized", status=401)

    def missing(self, name: str) -> VenueRefusal:
        return bad(name)

    def bad(self, name: str) -> VenueRefusal:
        return bad(name)

    def flag(self, name: str) -> bool:
        return self.text(name).lower() == "true"


def bad(name: str) -> VenueRefusal:
    return VenueRefusal(-32602, f"Invalid params: {name}")


def method_of(request: WireRequest) -> str:
    """Return what is called: a POST names it in its body."""
    if request.method == "POST":
        return str(request.json.get("method", ""))
    return request.path.removeprefix(f"{ROOT}/")


def parameters_of(request: WireRequest) -> Mapping[str, Any]:
    if request.method != "POST":
        return request.query_parameters
    asked = request.json.get("params")
    return asked if isinstance(asked, dict) else {}


def listing_named(listings: Mapping[str, Listing], name: str) -> Listing:
    listing = listings.get(name)
    if listing is None:
        raise VenueRefusal(13020, "not_found")
    return listing


def signature(secret: str, text: str) -> str:
    """Return the HMAC-SHA256 of a text in hex."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def account_of(simulator: Simulator, api_key: str, *, is_test: bool) -> Account:
    account = simulator.ledger.accounts.get(api_key)
    is_known = account is not None and account.venue == DERIBIT
    if account is None or not is_known or account.practices is not is_test:
        raise VenueRefusal(13004, "invalid_credentials")
    return account


def authenticated(simulator: Simulator, request: WireRequest) -> Account:
    """Check the key and what is signed: stamp, number, and the request as it is written."""
    found = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        raise VenueRefusal(13009, "unauthorized", status=401)
    api_key, stamp, given, nonce = found.groups()
    account = account_of(simulator, api_key, is_test=request.host == TEST_HOST)
    uri = f"{request.path}?{request.query}" if request.query else request.path
    text = f"{stamp}\n{nonce}\n{request.method}\n{uri}\n{request.body.decode()}\n"
    if not hmac.compare_digest(signature(account.secret, text), given):
        raise VenueRefusal(13009, "unauthorized", status=401)
    return account


def number(value: Decimal) -> Number:
    return Number(plain(value).encode())


def answer(result: object, now: datetime) -> Json:
    spent = {"usIn": milliseconds(now) * 1000, "usOut": milliseconds(now) * 1000, "usDiff": 0}
    return {"jsonrpc": "2.0", "id": 1, "result": result, "testnet": False, **spent}


def refusal(code: int | str, message: str) -> Json:
    """Return an error; what follows the name of one is the reason in its data."""
    name, _, reason = message.partition(": ")
    told = {"code": code, "message": name, "data": {"reason": reason} if reason else None}
    return {"jsonrpc": "2.0", "error": told, "testnet": False}
