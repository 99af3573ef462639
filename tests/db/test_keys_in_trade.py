"""What becomes of an account's keys while a position is open on it."""

from __future__ import annotations

import pytest
from django.db.models import ProtectedError
from django.utils import timezone

from arbsite.accounts.models import User
from tests.web import rows

pytestmark = [pytest.mark.db, pytest.mark.django_db]


def test_an_account_and_a_user_with_positions_cannot_be_deleted(owner: User) -> None:
    now = timezone.now()
    venues = [rows.make_exchange(*names) for names in (("bybit", "BYB", "B"), ("okx", "OKX", "O"))]
    accounts = [rows.make_account(owner, venue, now) for venue in venues]
    long, short = (rows.make_instrument(venue, "BTC", now) for venue in venues)
    rows.make_position(owner, long, short, now)

    for row in (accounts[0], owner):
        with pytest.raises(ProtectedError):
            row.delete()
