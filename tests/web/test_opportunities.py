"""The opportunities page: what pays most among what is fresh, then what was seen earlier."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from arbsite.accounts.models import User
from tests.market import D
from tests.web import rows
from tests.web.conftest import Desk
from trading.models import Opportunity
from trading.selectors.opportunities import recent_opportunities

pytestmark = pytest.mark.db

SEEN = timedelta(seconds=10)


def found(desk: Desk, reason: str, **columns: object) -> Opportunity:
    one = rows.make_opportunity(
        desk.user,
        desk.instruments["binanceusdm", "BTC"],
        desk.instruments["bybit", "BTC"],
        desk.now,
        reason,
    )
    Opportunity.objects.filter(pk=one.pk).update(**columns)
    return one


def shown(user: User, now: datetime, limit: int) -> list[str]:
    return [line.found.reason for line in recent_opportunities(user, now, limit=limit)]


def test_fresh_ones_are_ordered_by_expected_profit_and_others_by_age(desk: Desk) -> None:
    Opportunity.objects.all().delete()
    now = timezone.now()
    # 0.4 % of 1,000 are 4 USD, 0.1 % of 9,000 are 9.
    found(desk, "4 USD", seen_at=now)
    found(desk, "9 USD", seen_at=now - SEEN, net_return=D("0.001"), size_usd=D(9_000))
    found(desk, "4 USD, before", seen_at=now - SEEN)
    found(desk, "unknown", seen_at=now, net_return=None)
    found(desk, "an hour ago", seen_at=now - timedelta(hours=1), size_usd=D(90_000))
    found(desk, "a day ago", seen_at=now - timedelta(days=1), size_usd=D(99_000))

    order = ["9 USD", "4 USD", "4 USD, before", "unknown", "an hour ago", "a day ago"]
    assert shown(desk.user, now, 9) == order
    assert shown(desk.user, now, 2) == order[:2]
    assert shown(desk.user, now, 5) == order[:5]


def test_others_see_nothing_of_it(desk: Desk, stranger: User) -> None:
    assert shown(desk.user, desk.now, 9) == ["Owner's why."]
    assert shown(stranger, desk.now, 9) == []
