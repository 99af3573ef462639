"""Calls of venues that give a key a passphrase (OKX, Bitget): their reading and their signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from exchanges.simulator.accounts import Account
from exchanges.simulator.wire import VenueRefusal, decimal_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PassphraseCall(ABC):
    """One request, read: query of a GET, JSON object of a POST. Refusals are the venue's own."""

    parameters: Mapping[str, Any]
    now: datetime
    account: Account | None = None

    @abstractmethod
    def anonymous(self) -> VenueRefusal:
        """Return the refusal of a private call without a key."""

    @abstractmethod
    def missing(self, name: str) -> VenueRefusal:
        """Return the refusal of a call that lacks a parameter."""

    @abstractmethod
    def bad(self, name: str) -> VenueRefusal:
        """Return the refusal of a parameter that says nothing sensible."""

    @property
    def owner(self) -> Account:
        if self.account is None:
            raise self.anonymous()
        return self.account

    def text(self, name: str) -> str:
        value = self.parameters.get(name)
        return "" if value is None else str(value)

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise self.missing(name)
        return value

    def number(self, name: str, default: int) -> int:
        value = self.text(name)
        if value and not value.isdigit():
            raise self.bad(name)
        return int(value) if value else default

    def decimal(self, name: str) -> Decimal:
        value = decimal_of(self.required(name))
        if value is None:
            raise self.bad(name)
        return value


def signature(secret: str, text: str) -> str:
    """Return HMAC-SHA256 of a text in base64."""
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
