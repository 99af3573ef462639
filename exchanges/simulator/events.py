"""What happens to accounts, as the engine tells it to their private streams."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from exchanges.simulator.accounts import Account, FundingRow, Order, TradeRow


class Happening(StrEnum):
    """What an account event reports."""

    NEW = "new"
    TRADE = "trade"
    CANCELED = "canceled"
    EXPIRED = "expired"
    FUNDING = "funding"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEvent:
    """One thing that happened to an account, told to its private streams."""

    happening: Happening
    account: Account
    venue: str
    at: datetime
    order: Order | None = None
    trade: TradeRow | None = None
    funding: FundingRow | None = None
