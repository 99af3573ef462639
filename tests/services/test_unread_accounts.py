"""An account whose venue answers, but not what it holds: no silence, no flat account, a halt."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta

import pytest

from arbsite.accounts.models import User
from exchanges.errors import UnexpectedPayload
from exchanges.models import ExchangeAccount
from tests.services.test_silent_venues import City
from tests.web import rows
from trading.models import AccountReview, Event
from trading.services.silence import silent_accounts
from trading.services.unread import HALTED_AFTER

pytestmark = [pytest.mark.db, pytest.mark.django_db]

STRANGE = UnexpectedPayload("it holds 0.1 OLDUSDT, which is not listed", venue="bybit")


@pytest.fixture
def city() -> Generator[City]:
    city = City()
    yield city
    city.loop.close()


@pytest.fixture
def account(city: City, db: None) -> ExchangeAccount:
    user = User.objects.create_user("owner")
    return rows.make_account(
        user, rows.make_exchange("bybit", "BYB", "Bybit"), city.timeline.at - timedelta(days=1)
    )


def look_for(city: City, seconds: float) -> None:
    """Compare every five seconds for a while."""
    until = city.timeline.seconds + seconds
    while city.timeline.seconds < until:
        city.reconcile()
        city.timeline.advance(5)


def test_what_is_held_of_a_strange_name_halts_the_account_and_says_so_once(
    city: City, account: ExchangeAccount
) -> None:
    city.failures["bybit"] = STRANGE
    look_for(city, HALTED_AFTER.total_seconds())
    account.refresh_from_db()
    assert not account.is_halted

    look_for(city, 30)

    account.refresh_from_db()
    assert account.halted_reason.startswith(
        "what it holds cannot be read: it holds 0.1 OLDUSDT, which is not listed. Positions there "
        "are kept as they are, nothing is opened"
    )
    assert Event.objects.filter(kind="account.halted", severity="critical").count() == 1
    assert silent_accounts(now=city.timeline.at) == set()
    assert AccountReview.objects.get().reason.endswith("0.1 OLDUSDT, which is not listed")


def test_an_account_that_can_be_read_again_may_open_again(
    city: City, account: ExchangeAccount
) -> None:
    city.failures["bybit"] = STRANGE
    look_for(city, 40)
    del city.failures["bybit"]

    look_for(city, 5)

    account.refresh_from_db()
    assert not account.is_halted
    assert not AccountReview.objects.exists()


def test_a_halt_for_another_reason_outlasts_a_read(city: City, account: ExchangeAccount) -> None:
    ExchangeAccount.objects.update(halted_at=city.timeline.at, halted_reason="a person said so")

    look_for(city, 5)

    account.refresh_from_db()
    assert account.halted_reason == "a person said so"
