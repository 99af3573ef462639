"""Which events become alerts, who is told of them, when, how loud and how often; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Severity(StrEnum):
    """How much it matters: INFO is silent, WARNING sounds, CRITICAL wants to be acknowledged."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


# What people are told of though nothing is wrong; all else of INFO is only on the pages.
TOLD_INFO = frozenset(
    {
        "position.open",
        "position.closed",
        "position.added",
        "position.switched",
        "funding",
        "account.released",
        "breaker.closed",
        "report.daily",
        "channel.test",
    }
)
# The longest key that a kind begins with names it.
TITLES = {
    "account.halted": "Account Halted",
    "account.released": "Account Released",
    "basis.adverse": "Spread Widening",
    "borrow": "Borrow Interest",
    "breaker": "Venue Not Answering",
    "breaker.closed": "Venue Answers Again",
    "care": "Position Care",
    "configuration": "Configuration Saved",
    "channel.test": "Test",
    "dead_man": "Venue's Own Switch Is Off",
    "depeg": "Stablecoin Off Its Peg",
    "discrepancy": "Books Differ",
    "engine": "Engine",
    "engine.error": "System Error",
    "equity.daily_stop": "Daily Stop",
    "equity.unexplained": "Equity Unexplained",
    "fact": "Venue Changed Its Terms",
    "fee": "Fee Without a Price",
    "funding": "Funding Collected",
    "funding.": "Funding Differs",
    "job": "Work Is Late",
    "key": "API Key",
    "kill.leftover": "Left After a Kill",
    "kill_switch": "Kill Switch",
    "limit": "Approaching a Limit",
    "order": "Order Unclear",
    "position": "Position",
    "position.closed": "Position Closed",
    "position.failed_attempt": "Second Leg Failed",
    "position.held": "Position Held",
    "position.open": "Position Opened",
    "position.unwinding": "Position Unhedged",
    "report.daily": "Daily Report",
    "venue": "Venue Closed a Leg",
    "venue.adl": "Auto-Deleveraging Detected",
    "venue.blocked": "Venue Wants Silence",
    "venue.liquidation": "Liquidation Detected",
    "venue.reads_paused": "Venue Pauses Reads",
}
# Payments of one settlement are booked one after the other and told together.
GATHERED = {"funding": timedelta(seconds=2)}
# The same said again within this time is counted, not sent.
SAME_WITHIN = timedelta(minutes=10)
# Told of at all only while it is news: what a stand-still left behind is on the pages.
NEWS_FOR = timedelta(hours=1)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=5)
TRIED_FOR = {
    Severity.INFO: timedelta(hours=1),
    Severity.WARNING: timedelta(hours=6),
    Severity.CRITICAL: timedelta(days=2),
}
OFTEN_REPEATED, SLOWEST_REPEAT = 12, timedelta(hours=1)
DOWN_AFTER_FAILURES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An event as the rules see it; `position` names its position, empty without one."""

    kind: str
    severity: Severity
    sentence: str
    position: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What one person wants: quiet hours are local to `time_zone` and may span midnight."""

    least: Severity = Severity.INFO
    quiet_from: time | None = None
    quiet_until: time | None = None
    time_zone: str = "UTC"
    muted_until: datetime | None = None
    repeat_every: timedelta = timedelta(minutes=5)


def is_alert(kind: str, severity: Severity) -> bool:
    """Tell whether people are told: of all that is wrong, and of a few things that are not."""
    return severity is not Severity.INFO or kind in TOLD_INFO


def title_of(kind: str) -> str:
    """Return the words of a kind for the first line of a message."""
    known = [key for key in TITLES if kind.startswith(key)]
    if not known:
        return kind.replace(".", " ").replace("_", " ").title()
    return TITLES[max(known, key=len)]


def subject_of(heard: Heard) -> str:
    """Return what makes two events the same: all but the figures of their sentences.

    What has become graver is not the same any more. Kinds that are gathered are one subject
    however they are worded.
    """
    if heard.kind in GATHERED:
        return heard.kind
    words = re.sub(r"\d+(?:[.,:]\d+)*", "#", heard.sentence)
    return f"{heard.severity}|{heard.kind}|{heard.position}|{words}"


def waits(kind: str) -> timedelta:
    """Return how long an alert waits for others that are told with it."""
    return GATHERED.get(kind, timedelta(0))


def is_sent(severity: Severity, wishes: Wishes, now: datetime) -> bool:
    """Tell whether it leaves the installation; CRITICAL always does."""
    if severity is Severity.CRITICAL:
        return True
    is_muted = wishes.muted_until is not None and now < wishes.muted_until
    return severity.rank >= wishes.least.rank and not is_muted


def is_loud(severity: Severity, wishes: Wishes, now: datetime) -> bool:
    """Tell whether it makes a sound: INFO never, WARNING outside quiet hours, CRITICAL always."""
    if severity is Severity.WARNING:
        return not is_quiet(wishes, now)
    return severity is Severity.CRITICAL


def is_quiet(wishes: Wishes, now: datetime) -> bool:
    """Tell whether `now` lies in the quiet hours of that person's own day."""
    start, end = wishes.quiet_from, wishes.quiet_until
    if start is None or end is None or start == end:
        return False
    local = now.astimezone(ZoneInfo(wishes.time_zone)).time()
    return start <= local < end if start < end else local >= start or local < end


def pause_after(attempts: int, asked_for: timedelta | None = None) -> timedelta:
    """Return how long to wait after so many failed attempts: 2 s, doubled each time, at most 5 min.

    What the other side asks for counts where it is longer.
    """
    doubled: int = 2 ** min(attempts - 1, 10)
    pause = min(FIRST_PAUSE * doubled, LONGEST_PAUSE)
    return max(pause, asked_for) if asked_for is not None else pause


def gives_up(severity: Severity, waiting_for: timedelta) -> bool:
    """Tell whether a message that cannot be delivered is dropped."""
    return waiting_for > TRIED_FOR[severity]


def next_repeat(repeats: int, wishes: Wishes) -> timedelta:
    """Return when a CRITICAL that nobody acknowledged is said again, after so many repeats."""
    if repeats < OFTEN_REPEATED:
        return wishes.repeat_every
    return max(wishes.repeat_every, SLOWEST_REPEAT)


def is_repeated(repeat_at: datetime | None, repeats: int, wishes: Wishes, now: datetime) -> bool:
    """Tell whether it is time; nobody waits longer than a pause for a clock that was set back."""
    if repeat_at is None:
        return False
    return repeat_at <= now or repeat_at - now > next_repeat(repeats, wishes)


def escalates(severity: Severity, failed_attempts: int) -> bool:
    """Tell whether a failing channel hands over to a second one: CRITICAL at the first failure."""
    if severity is Severity.CRITICAL:
        return failed_attempts >= 1
    return severity is Severity.WARNING and failed_attempts >= DOWN_AFTER_FAILURES


def report_is_due(hour: int | None, time_zone: str, reported_on: str, now: datetime) -> str | None:
    """Return the local day to report on, None when it is not the hour or was reported."""
    if hour is None:
        return None
    local = now.astimezone(ZoneInfo(time_zone))
    day = local.date().isoformat()
    return day if local.hour >= hour and day > reported_on else None
