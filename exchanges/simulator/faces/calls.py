"""A request to a face, read the same at every venue, and refused in the venue's own words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from exchanges.simulator.accounts import Account
from exchanges.simulator.wire import decimal_of


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceCall(ABC):
    """One request, read; what stands in it and where is the venue's own, and so are refusals."""

    parameters: Mapping[str, Any]
    now: datetime
    account: Account | None = None

    @abstractmethod
    def anonymous(self) -> Exception:
        """Return the refusal of a private call without a key."""

    @abstractmethod
    def missing(self, name: str) -> Exception:
        """Return the refusal of a call that lacks a parameter."""

    @abstractmethod
    def bad(self, name: str) -> Exception:
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
