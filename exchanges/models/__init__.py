"""What we know of venues: exchanges, instruments, accounts and the last facts read from them."""

from __future__ import annotations

import exchanges.paper.margin_rows  # noqa: F401 - Django finds their tables here, those of rows too
from exchanges.models.accounts import (
    AccountBalance,
    AccountFee,
    AccountPosition,
    ExchangeAccount,
    ExchangeAccountQuerySet,
    KeyCanary,
)
from exchanges.models.market import (
    Activity,
    ActivityBar,
    HourlyActivity,
    HourlyBorrowRate,
    HourlyMid,
    MidBar,
    SettledFundingRate,
    StablecoinRate,
)
from exchanges.models.notices import FactChange, VenueNotice
from exchanges.models.venues import MODES, Exchange, Instrument, RiskTiers, VenueHealth

__all__ = [
    "MODES",
    "AccountBalance",
    "AccountFee",
    "AccountPosition",
    "Activity",
    "ActivityBar",
    "Exchange",
    "ExchangeAccount",
    "ExchangeAccountQuerySet",
    "FactChange",
    "HourlyActivity",
    "HourlyBorrowRate",
    "HourlyMid",
    "Instrument",
    "KeyCanary",
    "MidBar",
    "RiskTiers",
    "SettledFundingRate",
    "StablecoinRate",
    "VenueHealth",
    "VenueNotice",
]
