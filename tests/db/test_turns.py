"""How often exposed accounts are compared: soon where few are, in turns where many are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from arbsite.accounts.models import User
from exchanges.models import ExchangeAccount
from tests.web.rows import make_account, make_exchange, make_instrument, make_position
from trading.services import engine
from trading.services.reviews import due_accounts

pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


def exposed(users: int, code: str, short_code: str) -> list[ExchangeAccount]:
    """Return accounts of so many users, each holding a position, compared just now."""
    exchange = make_exchange(code, short_code, code.title())
    long, short = (make_instrument(exchange, base, NOW) for base in ("BTC", "ETH"))
    accounts = []
    for number in range(users):
        user = User.objects.create_user(f"{code}-{number}")
        accounts.append(make_account(user, exchange, NOW))
        make_position(user, long, short, NOW)
        engine.note_reconciled(accounts[-1].pk, now=NOW)
    return accounts


def due_after(seconds: float) -> set[ExchangeAccount]:
    return set(due_accounts(now=NOW + timedelta(seconds=seconds)))


def test_a_lonely_exposed_account_is_compared_every_five_seconds() -> None:
    [account] = exposed(1, "bybit", "BYB")

    assert due_after(4.9) == set()
    assert due_after(5) == {account}


def test_many_at_one_venue_take_turns_and_the_few_at_another_do_not_wait_for_them() -> None:
    few, many = exposed(1, "bybit", "BYB"), exposed(16, "binanceusdm", "BUM")

    assert due_after(5) == set(few)
    assert due_after(7.9) == set(few)
    assert due_after(8) == {*few, *many}


def test_nobody_waits_longer_than_twenty_seconds_however_many_there_are() -> None:
    many = exposed(50, "bybit", "BYB")

    assert due_after(19.9) == set()
    assert due_after(20) == set(many)


def test_a_key_that_may_ask_little_keeps_most_of_it_for_looking_up_orders() -> None:
    account = exposed(1, "kraken", "KRA")

    assert due_after(19.9) == set()
    assert due_after(20) == set(account)
