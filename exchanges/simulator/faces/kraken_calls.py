"""One Kraken call: its reading, its signature and its refusals, which are words."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from exchanges.simulator.accounts import Account
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.calls import FaceCall
from exchanges.simulator.listings import KRAKEN, KRAKEN_NAMES, Listing
from exchanges.simulator.wire import Json, VenueRefusal, WireRequest

# How far below the highest number of a key another one may be.
NONCE_WINDOW = 10_000_000
NONCES_KEPT = 1000
ASSETS = {"BTC": "XXBT", "ETH": "XETH", "USD": "ZUSD"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(FaceCall):
    """One Kraken call: query of a GET, form of a POST."""

    def anonymous(self) -> Exception:
        return refused("EAPI:Invalid key")

    def missing(self, name: str) -> Exception:
        return bad(name)

    def bad(self, name: str) -> Exception:
        return bad(name)


def refused(message: str) -> VenueRefusal:
    """Return a refusal, which has words and status 200."""
    return VenueRefusal(0, message, status=200)


def bad(name: str) -> VenueRefusal:
    return refused(f"EGeneral:Invalid arguments:{name}")


def error_body(message: str) -> Json:
    return {"error": [message]}


def encoded(payload: Any) -> bytes:
    return orjson.dumps(payload)


def asset_name(asset: str) -> str:
    """Return what balances call an asset."""
    return ASSETS.get(asset, asset)


def socket_name(listing: Listing) -> str:
    """Return what the socket calls a pair."""
    return listing.pair


def listed_name(listing: Listing) -> str:
    """Return by what name of the socket a pair is listed, which has the older names."""
    return f"{KRAKEN_NAMES.get(listing.base, listing.base)}/{listing.quote}"


def listing_named(listings: Mapping[str, Listing], call: Call) -> Listing:
    listing = listings.get(call.required("pair"))
    if listing is None:
        raise refused("EQuery:Unknown asset pair")
    return listing


def signature(secret: str, path: str, nonce: str, body: str) -> str:
    """Return HMAC-SHA512 of the path and the SHA256 of number and body, in base64."""
    digest = hashlib.sha256((nonce + body).encode()).digest()
    key = base64.b64decode(secret)
    return base64.b64encode(hmac.new(key, path.encode() + digest, hashlib.sha512).digest()).decode()


class Gate:
    """Lets signed requests in; it remembers the numbers of each key."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._used: dict[str, list[int]] = {}

    def authenticated(self, request: WireRequest) -> Account:
        """Check key, signature and number of a private request."""
        account = self._simulator.ledger.accounts.get(request.headers.get("api-key", ""))
        if account is None or account.venue != KRAKEN:
            raise refused("EAPI:Invalid key")
        nonce = request.parameters.get("nonce", "")
        if not nonce.isdigit():
            raise refused("EAPI:Invalid nonce")
        if not self._is_signed(account, request, nonce):
            raise refused("EAPI:Invalid signature")
        self._use(account.api_key, int(nonce))
        return account

    @staticmethod
    def _is_signed(account: Account, request: WireRequest, nonce: str) -> bool:
        sent = request.headers.get("api-sign", "")
        try:
            own = signature(account.secret, request.path, nonce, request.body.decode())
        except binascii.Error:
            return False
        return hmac.compare_digest(own, sent)

    def _use(self, api_key: str, nonce: int) -> None:
        used = self._used.setdefault(api_key, [])
        if nonce in used or (used and nonce < used[-1] - NONCE_WINDOW):
            raise refused("EAPI:Invalid nonce")
        used.append(nonce)
        used.sort()
        del used[:-NONCES_KEPT]
