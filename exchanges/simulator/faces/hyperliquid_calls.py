"""One Hyperliquid call: its reading and its refusals, which are words without a code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from exchanges.simulator.accounts import Account
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.hyperliquid_signatures import address_of
from exchanges.simulator.listings import HYPERLIQUID, Listing
from exchanges.simulator.wire import Json, VenueRefusal, decimal_of

MALFORMED = "Failed to deserialize the JSON body into the target type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of `/info`."""

    body: Json
    now: datetime

    def text(self, name: str) -> str:
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise malformed()
        return value

    def number(self, name: str, default: int | None = None) -> int:
        value = self.body.get(name, default)
        if not isinstance(value, int):
            raise malformed()
        return value

    @property
    def span(self) -> tuple[int, int]:
        """Return the asked for milliseconds, both ends included."""
        return self.number("startTime"), self.number("endTime", 1 << 53)


def malformed() -> VenueRefusal:
    return VenueRefusal(422, MALFORMED, status=422)


def refused(message: str) -> VenueRefusal:
    """Return the refusal of a whole action."""
    return VenueRefusal(0, message, status=200)


def listing_named(listings: Mapping[str, Listing], question: Question) -> Listing:
    listing = listings.get(question.text("coin"))
    if listing is None:
        raise VenueRefusal(500, "null", status=500)
    return listing


def number_in(order: Json, name: str) -> Decimal:
    value = decimal_of(order.get(name))
    if value is None:
        raise malformed()
    return value


def account_of(simulator: Simulator, wallet: str) -> Account | None:
    """Return the account of a wallet's address, whatever its letters' case."""
    for account in simulator.ledger.accounts.values():
        if account.venue == HYPERLIQUID and account.api_key.lower() == wallet.lower():
            return account
    return None


def account_of_agent(simulator: Simulator, signer: str) -> Account | None:
    """Return the account for which an address may act: as its agent or as the wallet itself."""
    for account in simulator.ledger.accounts.values():
        if account.venue == HYPERLIQUID and address_of(account.secret) == signer:
            return account
    return None


def error_body(message: str) -> Json:
    return {"status": "err", "response": message}


def encoded(payload: Any) -> bytes:
    return orjson.dumps(payload)
