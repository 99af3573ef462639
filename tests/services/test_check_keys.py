"""What a key may do is known before anything is opened with it."""

from __future__ import annotations

import secrets
from decimal import Decimal

import pytest
from django.utils import timezone

from arbsite.accounts.models import User
from exchanges.account_keys import KeyInUse, store_account
from exchanges.models import Exchange, ExchangeAccount
from exchanges.sealing import seal
from tests.services.conftest import Desk
from tests.services.strategy_desk import StrategyDesk
from trading.models import Event, Reconciliation
from trading.services.check_keys import check_keys
from trading.services.entry_legs import long_short
from trading.services.equity import read_accounts
from trading.services.plan_entry import Refused, plan_entry
from trading.services.venues import REAL
from trading.services.warm import warm_venues

pytestmark = pytest.mark.protocol


def rekey(desk: Desk, *, api_key: str, secret: str) -> ExchangeAccount:
    exchange = desk.account("bybit").exchange
    return store_account(
        user=desk.user, exchange=exchange, label="main", api_key=api_key, secret=secret
    )


def refusals(desk: Desk) -> str:
    desk.refresh_market()
    answer = plan_entry(
        user=desk.user,
        base="BTC",
        legs=long_short(desk.instrument("binanceusdm"), desk.instrument("bybit")),
        size_usd=Decimal(5000),
        opened_by="demo",
        is_manual=True,
        idempotency_key=None,
        now=timezone.now(),
    )
    assert isinstance(answer, Refused)
    return " ".join(refusal.sentence for refusal in answer.refusals)


def test_nothing_opens_with_a_key_that_was_not_checked(desk: Desk) -> None:
    rekey(desk, api_key="other", secret="other")

    assert "The key for bybit has not been checked yet" in refusals(desk)


def test_a_wrong_key_halts_its_account_and_says_why_without_naming_the_key(desk: Desk) -> None:
    secret = secrets.token_hex(16)
    account = rekey(desk, api_key="no-such-key", secret=secret)

    assert check_keys(venues=REAL, now=timezone.now()) == 0

    account.refresh_from_db()
    assert account.is_halted
    assert account.halted_reason
    said = " ".join(Event.objects.values_list("sentence", flat=True)) + account.halted_reason
    assert secret not in said
    assert "is halted" in refusals(desk)


def test_a_key_that_may_withdraw_is_refused(desk: Desk) -> None:
    api_key, secret = secrets.token_hex(8), secrets.token_hex(8)
    body = {
        "venue": "bybit",
        "api_key": api_key,
        "api_secret": secret,
        "balances": {"USDT": "1"},
        "may_withdraw": True,
    }
    desk.simulator.control("POST", "/accounts", body)
    account = rekey(desk, api_key=api_key, secret=secret)

    check_keys(venues=REAL, now=timezone.now())

    account.refresh_from_db()
    assert account.is_halted
    assert "withdraw" in account.halted_reason.lower()


def open_key(desk: Desk, **traits: object) -> ExchangeAccount:
    """Enter another key at Bybit, made there with these traits."""
    api_key, secret = secrets.token_hex(8), secrets.token_hex(8)
    body = {"venue": "bybit", "api_key": api_key, "api_secret": secret, "balances": {"USDT": "1"}}
    desk.simulator.control("POST", "/accounts", {**body, **traits})
    return rekey(desk, api_key=api_key, secret=secret)


def test_a_key_near_its_end_and_one_for_any_address_are_warned_of_once(desk: Desk) -> None:
    account = open_key(desk, key_days=9, bound_to_address=False)

    for _ in range(2):
        ExchangeAccount.objects.filter(pk=account.pk).update(checked_at=None)
        assert check_keys(venues=REAL, now=timezone.now()) == 1

    said = Event.objects.filter(kind__startswith="key.")
    (ends,) = said.filter(kind="key.expires.bybit").values_list("sentence", flat=True)
    (anywhere,) = said.filter(kind="key.unbound.bybit").values_list("sentence", flat=True)
    assert ", in 8 days. Make a new one at Bybit and enter it before" in ends
    assert "its key may be used from any address" in anywhere
    account.refresh_from_db()
    assert account.key_expires_at is not None
    assert not account.is_halted


def test_one_venue_account_under_a_second_user_is_refused_without_naming_the_first(
    desk: Desk, stranger: User
) -> None:
    open_key(desk, uid=4242)
    check_keys(venues=REAL, now=timezone.now())
    api_key, secret = secrets.token_hex(8), secrets.token_hex(8)
    body = {"venue": "bybit", "api_key": api_key, "api_secret": secret, "balances": {"USDT": "1"}}
    desk.simulator.control("POST", "/accounts", {**body, "uid": 4242})
    second = store_account(
        user=stranger,
        exchange=desk.account("bybit").exchange,
        label="main",
        api_key=api_key,
        secret=secret,
    )

    assert check_keys(venues=REAL, now=timezone.now()) == 0

    second.refresh_from_db()
    assert "already traded here with another key" in second.halted_reason
    assert "make a sub-account at Bybit" in second.halted_reason
    assert desk.user.get_username() not in second.halted_reason
    assert not desk.account("bybit").is_halted
    assert "4242" not in str(ExchangeAccount.objects.values_list("uid_fingerprint", flat=True))


@pytest.mark.parametrize("mode", ["rehearsal", "live"])
def test_rights_that_cannot_be_read_bar_real_money_and_warn_elsewhere(
    strategy_desk: StrategyDesk, mode: str
) -> None:
    desk = strategy_desk
    desk.open_accounts("bybit")
    Exchange.objects.update(mode=mode)
    ExchangeAccount.objects.update(checked_at=None)
    desk.world.venues.faults.add(
        {"action": "garbage", "garbage": "html", "path": "/v5/user/query-api", "count": None}
    )

    passed = check_keys(venues=desk.venues, now=desk.now)

    account = ExchangeAccount.objects.get()
    assert passed == (mode == "rehearsal")
    assert (account.checked_at is None) is (mode == "live")
    assert not account.is_halted
    (event,) = Event.objects.filter(kind="key.unreadable.bybit")
    assert ("nothing is opened with it" in event.sentence) is (mode == "live")


def test_one_refused_key_keeps_no_other_account_cold(desk: Desk) -> None:
    rekey(desk, api_key="no-such-key", secret=secrets.token_hex(16))

    assert [warm_venues(), warm_venues()] == [2, 0]

    compared = Reconciliation.objects.exclude(account=desk.account("bybit"))
    assert compared.count() == 2
    assert not desk.account("binanceusdm").is_halted


def test_an_account_whose_seal_is_broken_halts_alone(desk: Desk) -> None:
    foreign = seal({"api_key": "x", "secret": "y", "passphrase": ""}, owner_id="other", purpose="x")
    account = desk.account("bybit")
    account.sealed_keys = foreign  # type: ignore[assignment]  # as in store_account
    account.save()

    accounts = ExchangeAccount.objects.active().select_related("exchange")
    answered = read_accounts(accounts, venues=REAL, now=timezone.now())

    assert answered == 2
    assert desk.account("bybit").is_halted


def test_a_key_in_use_is_refused_without_naming_its_owner(desk: Desk, stranger: User) -> None:
    with pytest.raises(KeyInUse) as refused:
        store_account(
            user=stranger,
            exchange=desk.account("bybit").exchange,
            label="main",
            api_key=desk.api_key("bybit"),
            secret="x",
        )

    assert "already in use" in str(refused.value)
    assert "demo" not in str(refused.value)
