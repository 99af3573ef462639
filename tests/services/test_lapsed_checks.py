"""A key whose rights nobody could read for two days opens nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from arbsite.accounts.models import User
from exchanges.models import ExchangeAccount
from tests.web.rows import make_account, make_exchange
from trading.services.standing import standing_of

pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, ""),
        (
            1,
            "What the key for bybit may do was last read on 2026-11-18 13:59 UTC, more than 48 h "
            "ago: nothing is opened with it until the venue tells it again; closing goes on.",
        ),
    ],
)
def test_a_check_bars_entries_once_it_is_older_than_two_days(
    owner: User, seconds: int, said: str
) -> None:
    make_account(owner, make_exchange("bybit", "BYB", "Bybit"), NOW)
    ExchangeAccount.objects.update(checked_at=NOW - timedelta(hours=48, seconds=seconds))

    refusal = standing_of(owner, NOW).refuse_venues(["bybit"])

    assert (refusal.sentence if refusal else "") == said
