"""The records of `docs/DOMAIN.md` section 9, a module per noun."""

from __future__ import annotations

from trading.models.account_books import AccountEquity, Transfer
from trading.models.append_only import AppendOnlyViolation
from trading.models.borrow import BorrowInterest
from trading.models.care import DeadManSwitch, LastingCondition, MarginTopUp
from trading.models.config import ConfigurationPreset, ConfigurationVersion, StaffLimit
from trading.models.control import (
    CoolDown,
    Engine,
    EnginePulse,
    FailedAttempt,
    IdempotencyKey,
    JobRun,
    KillSwitch,
    LimitUse,
    OrderFailures,
    Reconciliation,
)
from trading.models.daily_stop import DailyStop
from trading.models.discrepancy import AccountReview, Discrepancy
from trading.models.fitted_beta import FittedBeta
from trading.models.journal import Event, StateChange
from trading.models.ledger import EquitySnapshot, ExpectedFunding, FundingEvent, Trade
from trading.models.opportunity import Opportunity
from trading.models.order import Order
from trading.models.position import Leg, LegSide, Position
from trading.models.rehearsal import RehearsedHour
from trading.models.stream import StreamCounter, StreamEntry

__all__ = [
    "AccountEquity",
    "AccountReview",
    "AppendOnlyViolation",
    "BorrowInterest",
    "ConfigurationPreset",
    "ConfigurationVersion",
    "CoolDown",
    "DailyStop",
    "DeadManSwitch",
    "Discrepancy",
    "Engine",
    "EnginePulse",
    "EquitySnapshot",
    "Event",
    "ExpectedFunding",
    "FailedAttempt",
    "FittedBeta",
    "FundingEvent",
    "IdempotencyKey",
    "JobRun",
    "KillSwitch",
    "LastingCondition",
    "Leg",
    "LegSide",
    "LimitUse",
    "MarginTopUp",
    "Opportunity",
    "Order",
    "OrderFailures",
    "Position",
    "Reconciliation",
    "RehearsedHour",
    "StaffLimit",
    "StateChange",
    "StreamCounter",
    "StreamEntry",
    "Trade",
    "Transfer",
]
