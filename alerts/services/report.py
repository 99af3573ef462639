"""The report of a day, at the hour each person chose."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from alerts import rules
from alerts.models import Preferences
from alerts.services.wishes import preferences_of
from alerts.wording import usd
from arbsite.accounts.models import User
from trading.events import Event, announce
from trading.selectors.equity_bridge import BridgeLine, bridge_between
from trading.selectors.limit_uses import limit_uses
from trading.selectors.screen import Screen
from trading.services.apart import apart

KIND = "report.daily"
DAY = timedelta(days=1)
LIMITS_SHOWN = 3


def report_all(*, now: datetime) -> int:
    """Write the reports whose hour has come; return how many."""
    written = [
        apart(partial(report, user, now=now), "report not written", user=user.pk)
        for user in User.objects.filter(is_active=True)
    ]
    return sum(1 for one in written if one)


def report(user: User, *, now: datetime) -> bool:
    """Write one person's report of the last 24 hours, once a local day."""
    own = preferences_of(user)
    day = rules.report_is_due(own.report_hour, user.time_zone, own.reported_on, now)
    if day is None:
        return False
    lines = report_lines(user, now)
    with transaction.atomic():
        mine = Preferences.objects.filter(pk=own.pk, reported_on=own.reported_on)
        if mine.update(reported_on=day) != 1:
            return False
        announce(
            user_id=user.pk,
            kind=KIND,
            severity=Event.Severity.INFO,
            sentence=f"Daily report of {day}",
            payload={"lines": lines},
            now=now,
        )
    return True


def report_lines(user: User, now: datetime) -> list[str]:
    """Return the report: results part by part, what is open, how near to trouble it is."""
    screen = Screen(user, now=now)
    return [*_results(bridge_between(user, now - DAY, now)), *_risk(screen)]


def _results(bridge: BridgeLine | None) -> Iterator[str]:
    if bridge is None:
        yield "P&L of 24 h: not known, equity was not read twice"
        return
    yield f"P&L of 24 h: {usd(bridge.net_pnl, with_sign=True)}"
    parts = {
        "Price": bridge.price_pnl,
        "Funding": bridge.funding,
        "Fees": bridge.fees,
        "Borrow": bridge.borrow,
        "Failed attempts": bridge.failed_attempts,
        "Stablecoins": bridge.quote_fx,
    }
    for name, amount in parts.items():
        yield f"  {name}: {usd(amount, with_sign=True)}"
    yield f"Transfers: {usd(bridge.transfers, with_sign=True)}"
    yield f"Unexplained: {usd(bridge.unexplained, with_sign=True)}"
    yield f"Equity: {usd(bridge.opening)} → {usd(bridge.closing)}"


def _risk(screen: Screen) -> Iterator[str]:
    summary = screen.summary
    yield f"Open positions: {len(screen.positions)}, gross {usd(summary.gross)}"
    for line in screen.positions:
        yield f"  {line.position.base} {line.state_word}: {usd(line.pnl.total, with_sign=True)}"
    yield f"Unhedged: {usd(summary.delta, with_sign=True)}"
    nearest = summary.liquidation
    if nearest is not None and nearest.leg.distance is not None:
        yield (
            f"Nearest liquidation: {nearest.base} at {nearest.leg.venue}, "
            f"{nearest.leg.distance * 100:.1f} % away"
        )
    for limit in limit_uses(screen.user, screen.now)[:LIMITS_SHOWN]:
        yield f"{limit.share * 100:.0f} % of {limit.words} used"
