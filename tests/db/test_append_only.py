"""I22: what happened to money is written once."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.db import IntegrityError, models

from arbsite.accounts.models import User
from arbsite.accounts.read_only import ReadOnly
from tests.web.rows import make_account, make_exchange, make_instrument, make_position
from trading.models import (
    AccountEquity,
    AppendOnlyViolation,
    FundingEvent,
    StateChange,
    Trade,
    Transfer,
)
from trading.models.append_only import AppendOnlyModel

pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
LEDGERS: tuple[type[models.Model], ...] = (
    Trade,
    FundingEvent,
    Transfer,
    AccountEquity,
    StateChange,
)


@pytest.fixture
def books(owner: User) -> None:
    venues = [make_exchange("binanceusdm", "BIN", "Binance"), make_exchange("bybit", "BYB", "B")]
    instruments = [make_instrument(venue, "BTC", NOW) for venue in venues]
    for venue in venues:
        make_account(owner, venue, NOW)
    make_position(owner, instruments[0], instruments[1], NOW)


@pytest.mark.parametrize("model", [Trade, FundingEvent, StateChange])
def test_a_ledger_row_is_never_changed_or_deleted(
    books: None, model: type[Trade | FundingEvent | StateChange]
) -> None:
    row: Any = model._default_manager.first()
    assert row is not None
    before = model._default_manager.values().get(pk=row.pk)

    for change in (
        row.save,
        row.delete,
        model._default_manager.all().delete,
        lambda: model._default_manager.update(position=row.pk),
        lambda: model._default_manager.bulk_create([row], update_conflicts=True),
        lambda: model._default_manager.filter(pk=row.pk).bulk_update([row], ["id"]),
    ):
        with pytest.raises(AppendOnlyViolation, match="append-only"):
            change()
    assert model._default_manager.values().get(pk=row.pk) == before


def test_every_ledger_is_append_only_and_read_only_to_staff() -> None:
    for model in LEDGERS:
        assert issubclass(model, AppendOnlyModel), model
        registered = admin.site._registry.get(model)
        if registered is not None:
            assert isinstance(registered, ReadOnly)


def test_a_payment_is_booked_once_for_an_account_whichever_leg_it_names(books: None) -> None:
    paid = FundingEvent.objects.get()
    other = paid.position.legs.exclude(pk=paid.leg_id).get()
    twice = FundingEvent(
        position=paid.position,
        leg=other,
        account=paid.account,
        venue_payment_id=paid.venue_payment_id,
        payment=Decimal(3),
        asset="USDT",
        payment_usd=Decimal(3),
        paid_at=NOW,
        booked_at=NOW,
    )
    with pytest.raises(IntegrityError):
        twice.save()
