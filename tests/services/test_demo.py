"""What a start sets up of the rehearsal, and what it leaves to its owner. No venue is asked."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from arbsite.accounts.models import User
from exchanges import registry
from exchanges.account_keys import account_key, store_account
from exchanges.models import Exchange, ExchangeAccount
from exchanges.modes import Mode
from tests.market import NOW
from tests.services.memory_board import board_in_memory
from trading.services.demo import CODES, DemoLogin, seed_demo

pytestmark = pytest.mark.django_db

BEGUN_WITH = ("binance", "binanceusdm", "bybit")


class Simulated:
    """Venues that open accounts and list nothing."""

    def __init__(self) -> None:
        self.opened: dict[str, tuple[str, str, str]] = {}

    def __call__(
        self,
        venue: str,
        api_key: str,
        secret: str,
        balances: Mapping[str, object],
        passphrase: str = "",
    ) -> None:
        assert venue not in self.opened
        self.opened[venue] = (api_key, secret, passphrase)

    def seed(self, **options: Any) -> DemoLogin:
        return seed_demo(register=self, now=NOW, **options)


@pytest.fixture
def simulated(settings: Settings) -> Generator[Simulated]:
    settings.CARRY_SIMULATOR_URL = ""
    registry.close_all()
    with board_in_memory():
        yield Simulated()


def accounts() -> dict[str, ExchangeAccount]:
    rows = ExchangeAccount.objects.select_related("exchange")
    return {account.exchange.code: account for account in rows}


def test_a_first_start_opens_an_account_at_each_company(simulated: Simulated) -> None:
    login = simulated.seed()

    assert (login.username, bool(login.password)) == ("demo", True)
    assert list(simulated.opened) == ["binance", "bybit", "okx", "hyperliquid"]
    held = accounts()
    assert set(held) == set(CODES)
    for code, company in (("binance", "binance"), ("binanceusdm", "binance"), ("okx", "okx")):
        key = account_key(held[code])
        assert (key.api_key, key.secret, key.passphrase) == simulated.opened[company]


def test_a_later_start_changes_nothing(simulated: Simulated) -> None:
    simulated.seed()
    before = {code: account.key_fingerprint for code, account in accounts().items()}

    assert simulated.seed().password is None

    assert {code: account.key_fingerprint for code, account in accounts().items()} == before


def test_what_was_begun_with_fewer_venues_gets_the_others_and_keeps_its_keys(
    simulated: Simulated,
) -> None:
    simulated.seed(listed=BEGUN_WITH)
    before = {code: account.key_fingerprint for code, account in accounts().items()}
    assert set(before) == set(BEGUN_WITH)

    simulated.seed()

    after = {code: account.key_fingerprint for code, account in accounts().items()}
    assert set(after) - set(before) == {"okx", "hyperliquid"}
    assert {code: after[code] for code in before} == before


def test_who_trades_on_paper_by_now_is_given_nothing(simulated: Simulated) -> None:
    simulated.seed(listed=BEGUN_WITH)
    ExchangeAccount.objects.update(is_active=False)
    Exchange.objects.update(is_enabled=False)
    paper = Exchange.objects.create(code="bybit", mode=Mode.PAPER, short_code="BYB", name="Bybit")
    demo = User.objects.get(username="demo")
    store_account(user=demo, exchange=paper, label="paper", api_key="", secret="")

    simulated.seed()

    assert not Exchange.objects.filter(code__in=("okx", "hyperliquid")).exists()
    assert set(simulated.opened) == {"binance", "bybit"}


def test_who_switched_a_venue_of_the_rehearsal_off_is_given_no_other(simulated: Simulated) -> None:
    simulated.seed(listed=BEGUN_WITH)
    Exchange.objects.filter(code="bybit").update(is_enabled=False)

    simulated.seed()

    assert set(simulated.opened) == {"binance", "bybit"}


def test_a_venue_whose_real_market_is_read_stays_so(simulated: Simulated) -> None:
    Exchange.objects.create(code="okx", mode=Mode.PAPER, short_code="OKX", name="OKX")

    simulated.seed()

    assert Exchange.objects.get(code="okx").mode == Mode.PAPER
    assert set(simulated.opened) == {"binance", "bybit", "hyperliquid"}
