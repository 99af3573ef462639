"""The opportunities page: what pays most among what is fresh, then what was seen earlier."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from arbsite.accounts.models import User
from tests.market import D
from tests.web import rows
from tests.web.conftest import Desk
from tests.web.test_pages import text_of
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


FORECAST = {
    "estimator": "ewma",
    "half_life_hours": "72",
    "settled_8h": "0.0002",
    "predicted_8h": "0.00031",
    "premium_8h": None,
    "beta": "0.62",
    "fitted_at": None,
    "settlements": None,
}


@pytest.mark.parametrize(
    ("fit", "words"),
    [
        ({}, "62% as configured, nothing fitted"),
        ({"settlements": 121}, "62% fitted 12 d ago to 121 settlements"),
        ({"settlements": None}, "62% fitted 12 d ago Settled average"),
    ],
)
def test_detail_shows_what_the_funding_was_expected_from(
    desk: Desk, fit: dict[str, object], words: str
) -> None:
    fitted_at = (timezone.now() - timedelta(days=12)).isoformat() if fit else None
    Opportunity.objects.update(details={"forecast": FORECAST | fit | {"fitted_at": fitted_at}})

    page = text_of(desk.client.get("/opportunities/").content.decode())

    assert "Estimate average of settled rates, half-life 3 d" in page
    assert words in page
    assert "Settled average +2.0 bp Predicted for the coming settlement +3.1 bp" in page


def test_opportunity_of_an_older_build_shows_none_of_it(desk: Desk) -> None:
    assert "is expected from" not in desk.client.get("/opportunities/").content.decode()


def test_others_see_nothing_of_it(desk: Desk, stranger: User) -> None:
    assert shown(desk.user, desk.now, 9) == ["Owner's why."]
    assert shown(stranger, desk.now, 9) == []


def test_a_hold_of_half_an_hour_is_called_that(desk: Desk) -> None:
    assert "Net APR, 7 d hold" in text_of(desk.client.get("/opportunities/").content.decode())
    Opportunity.objects.update(hold_hours=1, details={"hold_hours": "0.5"})
    assert "Net APR, 30 min hold" in text_of(desk.client.get("/opportunities/").content.decode())
