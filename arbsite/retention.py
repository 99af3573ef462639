"""How long rows are kept, of every table that grows by itself; what is in neither list is a fault.

Money, what was done with it and who decided it are kept for good. The job runs every five minutes
and takes each table in short batches, so that nothing waits long for its locks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from alerts.models import Alert, BotUpdate, Confirmation, Delivery, LinkCode, MailedCode
from alerts.rules import Severity
from exchanges.models import ActivityBar, HourlyActivity, HourlyBorrowRate, HourlyMid, MidBar
from trading.core.states import PositionState
from trading.models import Event, IdempotencyKey, JobRun, Opportunity, StreamCounter, StreamEntry
from trading.services.number_events import LONGEST_TRANSACTION
from trading.services.opportunities import PASSED_KEPT
from trading.services.slots import ONLY_ONCE

BATCH = 500
# A minute's bars of all listings, five times over, with room to catch up after a stand-still.
MOST_BATCHES = 40

DAY = timedelta(days=1)
MONTH = 30 * DAY
# Last year's month can still be looked up.
YEAR = 400 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Rows whose column `age` lies `span` back may go, of those that fulfil `only`."""

    model: type[Model]
    age: str
    span: timedelta
    why: str
    only: Q = field(default_factory=Q)


_WAITING = Q(severity=Severity.CRITICAL.value, acknowledged_at=None)
_ENDED = Q(position=None) | Q(
    position__state__in=[PositionState.CLOSED.value, PositionState.ABANDONED.value]
)
# Who started, stopped, configured or was halted: for the engine there is no other record of it.
COMMANDS = ("engine", "kill_switch", "configuration.saved", "account.halted", "account.released")


def _was_numbered(at: str) -> Q:
    """What is younger than the numbering's look-back would be given a second number."""
    counter = StreamCounter.objects.filter(
        user=OuterRef("user"), numbered_at__gt=OuterRef(at) + 2 * LONGEST_TRANSACTION
    )
    return Q(Exists(counter))


_HAS_SUCCESSOR = Q(
    Exists(JobRun.objects.filter(job=OuterRef("job"), slot__gt=OuterRef("slot"))),
    slot__gt=ONLY_ONCE,
)

KEPT: tuple[Kept, ...] = (
    Kept(
        model=Delivery,
        age="created_at",
        span=3 * MONTH,
        why="whether a message arrived is asked within days",
        only=~Q(state=Delivery.State.PENDING),
    ),
    Kept(
        model=Alert,
        age="last_at",
        span=YEAR,
        why="a CRITICAL that nobody acknowledged stays",
        only=~_WAITING,
    ),
    Kept(
        model=StreamEntry,
        age="event__created_at",
        span=MONTH,
        why="a program that was away longer begins with a snapshot",
        only=_was_numbered("event__created_at"),
    ),
    Kept(
        model=StreamEntry,
        age="trade__booked_at",
        span=MONTH,
        why="the fill itself stays",
        only=_was_numbered("trade__booked_at"),
    ),
    Kept(
        model=Event,
        age="created_at",
        span=YEAR,
        why="news; what happened to a position is its journal",
        # An alert goes before its event, and a position that lives looks at what was told of it.
        only=_ENDED & Q(alert=None, stream=None) & ~Q(kind__in=COMMANDS),
    ),
    Kept(
        model=IdempotencyKey,
        age="created_at",
        span=MONTH,
        why="nobody repeats a request a month later; a day is promised",
    ),
    Kept(
        model=Opportunity,
        age="seen_at",
        span=PASSED_KEPT,
        why="why something was passed over is asked the next day",
        only=Q(status=Opportunity.Status.PASSED),
    ),
    Kept(
        model=Opportunity,
        age="seen_at",
        span=MONTH,
        why="what was taken stays with its position",
        only=Q(status=Opportunity.Status.CANDIDATE, position=None),
    ),
    Kept(
        model=JobRun,
        age="slot",
        span=timedelta(hours=3),
        why="a clock that jumps ahead and comes back finds what it had claimed",
        # The newest of a job says whether it is late.
        only=_HAS_SUCCESSOR,
    ),
    Kept(
        model=BotUpdate,
        age="taken_at",
        span=8 * DAY,
        why="Telegram sends none again after a day",
    ),
    Kept(
        model=Confirmation,
        age="expires_at",
        span=DAY,
        why="a button that expired does nothing",
    ),
    Kept(
        model=MailedCode,
        age="created_at",
        span=2 * DAY,
        why="it expired, and how many were mailed is asked a day back",
    ),
    Kept(model=LinkCode, age="expires_at", span=DAY, why="a code that expired links nothing"),
    Kept(model=Session, age="expire_date", span=timedelta(0), why="it opens nothing any more"),
    Kept(
        model=HourlyMid,
        age="hour_at",
        span=8 * DAY,
        why="usual gaps look back a week",
    ),
    Kept(
        model=MidBar,
        age="starts_at",
        span=100 * DAY,
        why="history is looked back at 100 days",
    ),
    Kept(
        model=ActivityBar,
        age="minute_at",
        span=2 * DAY,
        why="after that the hours tell it",
    ),
    Kept(
        model=HourlyActivity,
        age="hour_at",
        span=100 * DAY,
        why="the hour before midnight UTC stays for good: one figure a day since day one",
        only=~Q(hour_at__hour=23),
    ),
    Kept(
        model=HourlyBorrowRate,
        age="hour_at",
        span=100 * DAY,
        why="a day's highest is asked; history is looked back at 100 days",
    ),
)

_MONEY = "what happened to money"
_DECIDED = "who decided what"
_STATE = "as many as there are people, accounts, venues or pairs"
_TOLD = "written when a venue changes something, which is rare, and asked for years later"

STAYS: Mapping[str, str] = {
    "trading.Position": _MONEY,
    "trading.Leg": _MONEY,
    "trading.Order": _MONEY,
    "trading.Trade": _MONEY,
    "trading.FundingEvent": _MONEY,
    "trading.ExpectedFunding": _MONEY,
    "trading.BorrowInterest": _MONEY,
    "trading.Transfer": _MONEY,
    "trading.MarginTopUp": _MONEY,
    "trading.FailedAttempt": _MONEY,
    "trading.Discrepancy": _MONEY,
    # The equity bridge counts from each account's first reading: thinned out, sums would move.
    "trading.EquitySnapshot": _MONEY,
    "trading.AccountEquity": _MONEY,
    "exchanges.PaperOrder": _MONEY,
    "exchanges.PaperFill": _MONEY,
    "exchanges.PaperFunding": _MONEY,
    "exchanges.PaperInterest": _MONEY,
    "exchanges.PaperTopUp": _MONEY,
    "trading.StateChange": _DECIDED,
    "trading.ConfigurationVersion": _DECIDED,
    "trading.KillSwitch": _DECIDED,
    "trading.DailyStop": _DECIDED,
    "trading.RehearsedHour": "what permits real money",
    # Each entry is sealed with the digest of the one before.
    "accounts.AuditEntry": _DECIDED,
    "exchanges.SettledFundingRate": "what every forecast and every look back is made from",
    "exchanges.FactChange": _TOLD,
    "exchanges.VenueNotice": _TOLD,
    "accounts.User": _STATE,
    "accounts.AuditHead": _STATE,
    "accounts.ApiToken": "made by a person, a few",
    "alerts.Preferences": _STATE,
    "alerts.Channel": _STATE,
    "trading.ConfigurationPreset": _STATE,
    "trading.StaffLimit": _STATE,
    "trading.CoolDown": _STATE,
    "trading.Engine": _STATE,
    "trading.EnginePulse": _STATE,
    "trading.OrderFailures": _STATE,
    "trading.LimitUse": _STATE,
    "trading.Reconciliation": _STATE,
    "trading.AccountReview": _STATE,
    "trading.LastingCondition": _STATE,
    "trading.DeadManSwitch": _STATE,
    "trading.FittedBeta": _STATE,
    "trading.StreamCounter": _STATE,
    "exchanges.Exchange": _STATE,
    "exchanges.VenueHealth": _STATE,
    "exchanges.Instrument": _STATE,
    "exchanges.RiskTiers": _STATE,
    "exchanges.ExchangeAccount": _STATE,
    "exchanges.AccountBalance": _STATE,
    "exchanges.AccountPosition": _STATE,
    "exchanges.AccountFee": _STATE,
    "exchanges.KeyCanary": _STATE,
    "exchanges.Activity": _STATE,
    "exchanges.StablecoinRate": _STATE,
    "exchanges.PaperAccount": _STATE,
    "exchanges.PaperBalance": _STATE,
    "exchanges.PaperHolding": _STATE,
    "exchanges.PaperLoan": _STATE,
}
"""Tables from which nothing is ever taken for its age, and why."""


def prune(*, now: datetime, batch: int = BATCH, most_batches: int = MOST_BATCHES) -> dict[str, int]:
    """Delete what is older than it is kept; return how many rows by table.

    What does not fit into `most_batches` of a rule is left to the next run.
    """
    gone: dict[str, int] = {}
    for kept in KEPT:
        rows = due(kept, now=now)
        for _ in range(most_batches):
            count = _delete(rows, batch)
            label = kept.model._meta.label
            if count:
                gone[label] = gone.get(label, 0) + count
            if count < batch:
                break
    return gone


def due(kept: Kept, *, now: datetime) -> QuerySet[Model]:
    """Return what a rule lets go."""
    rows = kept.model._default_manager.filter(kept.only)
    return rows.filter(**{f"{kept.age}__lt": now - kept.span})


def _delete(rows: QuerySet[Model], batch: int) -> int:
    """Delete one batch, in a transaction of its own."""
    keys = list(rows.order_by("pk")[:batch].values_list("pk", flat=True))
    # Asked again: what changed meanwhile stays.
    _, by_table = rows.filter(pk__in=keys).delete()
    return by_table.get(rows.model._meta.label, 0)
