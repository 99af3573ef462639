"""A wall clock that was set back an hour: what lies ahead of it is old, and nobody waits for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import cast

import pytest

from arbsite.accounts.models import User
from exchanges.board import Board
from exchanges.domain import Symbol
from exchanges.models import ExchangeAccount
from exchanges.ports import Account
from tests.market import make_book
from tests.services import test_submit as orders
from tests.web.rows import make_account, make_exchange, make_instrument, make_position
from trading.core.risk import refuse_stale
from trading.core.states import Purpose
from trading.events import announce_once
from trading.models import AccountReview, Event, MarginTopUp, Position
from trading.services import engine, margin, market
from trading.services.intents import TooManyOrders
from trading.services.reviews import ask_for_review, close_review, due_accounts, postpone_review
from trading.services.venues import REAL

pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
BACK = NOW - timedelta(hours=1)
SECOND = timedelta(seconds=1)
position = orders.position


@pytest.fixture
def account(owner: User) -> ExchangeAccount:
    """Return an account with an open position, compared just now."""
    exchange = make_exchange("bybit", "BYB", "Bybit")
    instrument = make_instrument(exchange, "BTC", NOW)
    account = make_account(owner, exchange, NOW)
    opened = make_position(owner, instrument, make_instrument(exchange, "ETH", NOW), NOW)
    assert opened.legs.filter(account=account).count() == 2
    engine.note_reconciled(account.pk, now=NOW)
    return account


def test_an_exposed_account_that_was_compared_ahead_of_the_clock_is_compared_anew(
    account: ExchangeAccount,
) -> None:
    assert due_accounts(now=NOW + SECOND) == []
    # Clocks of two machines differ a little.
    assert due_accounts(now=NOW - SECOND) == []

    assert due_accounts(now=BACK) == [account]


def test_a_review_that_was_put_off_before_is_due_and_ends_with_the_comparison(
    account: ExchangeAccount,
) -> None:
    postpone_review(account.pk, reason="the venue did not answer", now=NOW)
    assert due_accounts(now=NOW) == []

    assert due_accounts(now=BACK) == [account]
    engine.note_reconciled(account.pk, now=BACK)
    close_review(account.pk, asked_until=BACK)

    assert not AccountReview.objects.exists()
    assert due_accounts(now=BACK) == []


def test_a_review_that_is_asked_for_during_a_comparison_outlasts_it(
    account: ExchangeAccount,
) -> None:
    ask_for_review(account.pk, reason="a trade that is not ours was seen", now=NOW + 5 * SECOND)

    close_review(account.pk, asked_until=NOW)

    assert AccountReview.objects.exists()


def test_orders_of_the_past_hour_do_not_use_up_the_cap_of_a_minute(position: Position) -> None:
    orders.intend(position, Purpose.REDUCE, cap=1)
    with pytest.raises(TooManyOrders):
        orders.intend(position, Purpose.REDUCE, cap=1)

    assert orders.intend(position, Purpose.REDUCE, cap=1, now=BACK).sequence == 2


def test_workers_that_beat_before_the_jump_are_not_taken_to_be_alive() -> None:
    engine.beat(now=NOW)

    assert engine.is_alive(now=NOW - SECOND)
    assert not engine.is_alive(now=BACK)


def test_an_alert_is_said_again(owner: User) -> None:
    for now in (NOW, NOW - SECOND, BACK):
        announce_once(
            user_id=owner.pk, kind="test", sentence="x", within=timedelta(minutes=5), now=now
        )

    assert Event.objects.count() == 2


def test_margin_of_unknown_outcome_ends_no_care_for_an_hour(account: ExchangeAccount) -> None:
    leg = account.legs.select_related("position").first()
    assert leg is not None
    asked = MarginTopUp.objects.create(
        leg=leg, amount=100, margin_before=50, asked_at=NOW, outcome=MarginTopUp.Outcome.UNKNOWN
    )

    class Unmoved:
        async def isolated_margin(self, symbol: Symbol) -> Decimal:
            return Decimal(50)

    venues = replace(
        REAL, account=lambda account: cast(Account, Unmoved()), call_all=orders.call_all
    )
    assert not margin.look_up(leg.position, venues=venues, now=NOW + SECOND)
    assert margin.look_up(leg.position, venues=venues, now=BACK)

    asked.refresh_from_db()
    assert asked.outcome == MarginTopUp.Outcome.NOT_DONE


def test_a_price_from_ahead_of_the_clock_is_no_price(account: ExchangeAccount) -> None:
    leg = account.legs.select_related("instrument__exchange").first()
    assert leg is not None
    board, most = Board(), timedelta(seconds=3)
    book = replace(make_book("bybit"), symbol=Symbol(leg.instrument.symbol), observed_at=NOW)
    board.apply(book)

    assert market.fresh_book(board, leg.instrument, now=NOW - SECOND, max_age=most) == book
    assert market.fresh_book(board, leg.instrument, now=BACK, max_age=most) is None
    assert refuse_stale("the book", NOW, BACK, most) is not None
