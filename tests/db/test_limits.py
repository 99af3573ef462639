"""Limits are held by reservation: of many entries at once exactly those fit that the cap holds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection, transaction

from arbsite.accounts.models import User
from exchanges.modes import Mode
from trading.models import LimitUse
from trading.services.limits import Claim, LimitReached, reserve

pytestmark = pytest.mark.db

CLAIM = Claim(scope="user", amount_usd=Decimal(30), cap_usd=Decimal(100), words="your total limit")


def entry(user: User) -> bool:
    """Reserve as one entry does; tell whether it fitted."""
    try:
        with transaction.atomic():
            reserve(user.pk, Mode.REHEARSAL, [CLAIM])
    except LimitReached:
        return False
    finally:
        connection.close()
    return True


@pytest.mark.django_db(transaction=True)
def test_of_twenty_entries_at_once_those_fit_that_the_limit_holds(owner: User) -> None:
    with ThreadPoolExecutor(8) as pool:
        fitted = list(pool.map(entry, [owner] * 20))

    assert sum(fitted) == 3
    assert LimitUse.objects.get(user=owner).reserved_cents == 90_00


@pytest.mark.django_db(transaction=True)
def test_what_does_not_fit_says_how_much_is_used(owner: User) -> None:
    for _ in range(3):
        assert entry(owner)

    with pytest.raises(LimitReached) as refused, transaction.atomic():
        reserve(owner.pk, Mode.REHEARSAL, [CLAIM])

    assert refused.value.refusal.sentence == (
        "30 USD does not fit your total limit: 90 of 100 USD are used."
    )
