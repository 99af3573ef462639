"""One Kraken Futures call: its reading, its signature and its answer.

Refusals are names, numbers are JSON numbers there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qsl

import orjson

from exchanges.simulator.accounts import Account
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.calls import FaceCall
from exchanges.simulator.listings import KRAKEN_FUTURES, Listing
from exchanges.simulator.wire import Json, WireRequest, milliseconds

# Left out of what is signed.
SERVICE = "/derivatives"


class Refused(Exception):
    """An error by its name, in an answer of this status."""

    def __init__(self, name: str, *, status: int = 200) -> None:
        super().__init__(name)
        self.name = name
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(FaceCall):
    """One Kraken Futures call: what stands in its address and in its body together."""

    def anonymous(self) -> Exception:
        return Refused("authenticationError")

    def missing(self, name: str) -> Exception:
        return Refused("requiredArgumentMissing")

    def bad(self, name: str) -> Exception:
        return Refused("invalidArgument")

    @property
    def is_late(self) -> bool:
        """Tell whether the request wanted to be processed before now."""
        until = self.text("processBefore")
        return bool(until) and instant(until) <= self.now


def asked(request: WireRequest) -> str:
    """Return what a request asks for, as it is written: it is signed so."""
    return request.query or request.body.decode()


def parameters_of(request: WireRequest) -> dict[str, str]:
    return dict(parse_qsl(asked(request), keep_blank_values=True))


def listing_named(listings: Mapping[str, Listing], name: str) -> Listing:
    listing = listings.get(name.upper())
    if listing is None:
        raise Refused("contractNotFound")
    return listing


def signature(secret: str, text: str) -> str:
    """Return the HMAC-SHA512 by the secret, which is base64, of a text's SHA-256; in base64."""
    digest = hmac.new(base64.b64decode(secret), hashlib.sha256(text.encode()).digest(), "sha512")
    return base64.b64encode(digest.digest()).decode()


def is_signed(secret: str, text: str, given: str) -> bool:
    try:
        return hmac.compare_digest(signature(secret, text), given)
    except binascii.Error:
        return False


def authenticated(simulator: Simulator, request: WireRequest) -> Account:
    """Check the environment, the key and the signature of a private request."""
    headers = request.headers
    account = simulator.ledger.accounts.get(headers.get("apikey", ""))
    path = request.path.removeprefix(SERVICE)
    text = f"{asked(request)}{headers.get('nonce', '')}{path}"
    is_known = account is not None and account.venue == KRAKEN_FUTURES
    if account is None or not is_known or account.practices is not request.host.startswith("demo-"):
        raise Refused("authenticationError")
    if not is_signed(account.secret, text, headers.get("authent", "")):
        raise Refused("authenticationError")
    return account


def told(now: datetime, **fields: object) -> Json:
    return {"result": "success", **fields, "serverTime": iso(now)}


def refusal(name: str, now: datetime) -> Json:
    return {"result": "error", "error": name, "serverTime": iso(now)}


def number(value: Decimal) -> float | int:
    """Return a decimal as a JSON number; its shortest form has up to 15 digits as they are."""
    return int(value) if value == int(value) else float(value)


def iso(at: datetime) -> str:
    """Return a moment as text, to the same millisecond as where it is a number."""
    rounded = datetime.fromtimestamp(milliseconds(at) / 1000, UTC)
    return rounded.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant(text: str) -> datetime:
    """Return the moment that a request names; refuse what is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused("invalidArgument") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def encoded(payload: Json) -> bytes:
    return orjson.dumps(payload)
