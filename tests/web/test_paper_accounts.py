"""Paper accounts as people make and see them: no key, their own badge, their own money."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from arbsite.accounts.models import AuditEntry, User
from exchanges.account_keys import ModesMixed, account_key, store_account
from exchanges.assumed_loans import assumed_of
from exchanges.models import Exchange, ExchangeAccount
from exchanges.modes import Mode
from exchanges.paper.rows import PaperAccount, PaperBalance, PaperHolding
from tests.web.rows import make_exchange
from trading.models import EquitySnapshot, LimitUse
from trading.selectors.dashboard import summary
from trading.selectors.engine import Identity, engine_status
from trading.services.limits import Claim, LimitReached, reserve
from trading.services.money_mode import mode_of

pytestmark = [pytest.mark.db, pytest.mark.django_db]

D = Decimal
ADD = "/admin/exchanges/paperaccount/add/"
NO_INLINES = {
    f"{name}-{count}": "0"
    for name in ("balances", "venue_positions")
    for count in ("TOTAL_FORMS", "INITIAL_FORMS")
}


@pytest.fixture
def staff() -> Client:
    User.objects.create_superuser("root", password="root-password")
    client = Client()
    client.login(username="root", password="root-password")
    return client


@pytest.fixture
def bybit() -> Exchange:
    return make_exchange("bybit", "BYB", "Bybit", mode=Mode.PAPER)


def form(user: User, exchange: Exchange, **typed: str) -> dict[str, str]:
    return {
        "user": str(user.pk),
        "exchange": str(exchange.pk),
        "label": "main",
        "asset": "USDT",
        "starting_balance": "50000",
        "allocation": "0.5",
        "slippage": "0.0001",
        "tiers": "[]",
        **typed,
    }


class TestOpening:
    def test_staff_opens_one_without_a_key(
        self, staff: Client, owner: User, bybit: Exchange
    ) -> None:
        answer = staff.post(ADD, form(owner, bybit, taker_fee="0.0004"))

        assert answer.status_code == 302
        account = ExchangeAccount.objects.get(user=owner)
        assert (account.sealed_keys, account_key(account).mode) == (None, Mode.PAPER)
        assert (account.paper.slippage, account.paper.taker_fee) == (D("0.0001"), D("0.0004"))
        # Half of what it starts with is traded with.
        assert PaperBalance.objects.get().total == D(25_000)
        assert AuditEntry.objects.get().action == "paper account opened"

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ({"starting_balance": "0"}, "A starting balance is above 0"),
            ({"allocation": "1.5"}, "an allocation within 0 and 1"),
            ({"taker_fee": "5"}, "0.0005 is 5 bp"),
            ({"slippage": "-0.001"}, "Slippage makes a price worse"),
            ({"maintenance_rate": "1"}, "no part of a notional"),
            ({"max_leverage": "0"}, "The least leverage is 1"),
            ({"borrow_rate": "0.02"}, "0.02 is no hourly rate of a loan: 0 to 0.01"),
            ({"borrow_rates": '[["BTC", "5"]]'}, "Write rates as"),
            ({"borrow_rates": '[["BTC", "NaN", "year"]]'}, "Write rates as"),
            ({"borrow_rates": '[["BTC", "0.05", "month"]]'}, "Write rates as"),
            (
                {"borrow_rates": '[["BTC", "0.05", "year"], ["btc", "0.04", "year"]]'},
                "Write rates as",
            ),
            ({"borrow_rates": '[["BTC", "5", "hour"]]'}, "5 of BTC is no hourly rate of a loan"),
            ({"tiers": '[["50000", "50"]]'}, "Write tiers as"),
            ({"tiers": '[["2", "50", "0.004"], ["1", "20", "0.01"]]'}, "the notionals rise"),
        ],
    )
    def test_what_makes_no_sense_is_refused_with_why(
        self, staff: Client, owner: User, bybit: Exchange, typed: dict[str, str], sentence: str
    ) -> None:
        answer = staff.post(ADD, form(owner, bybit, **typed))

        assert sentence in answer.content.decode().replace("&#x27;", "'").replace("&quot;", '"')
        assert not PaperAccount.objects.exists()

    def test_assumptions_are_changed_and_audited_money_is_not(
        self, staff: Client, owner: User, bybit: Exchange
    ) -> None:
        staff.post(ADD, form(owner, bybit))
        paper = PaperAccount.objects.get()

        change = {"slippage": "0.0002", "tiers": "[]", "starting_balance": "9"}
        staff.post(f"/admin/exchanges/paperaccount/{paper.pk}/change/", change)

        paper.refresh_from_db()
        assert (paper.slippage, paper.starting_balance) == (D("0.0002"), D(50_000))
        assert AuditEntry.objects.order_by("pk").last().details == {"slippage": "0.0002"}  # type: ignore[union-attr]

    def test_rates_of_coins_are_kept_as_written_and_counted_by_the_hour(
        self, staff: Client, owner: User, bybit: Exchange
    ) -> None:
        typed = '[["btc", "0.0876", "year"], ["ETH", 0.000004, "hour"]]'
        staff.post(ADD, form(owner, bybit, borrow_rates=typed))

        paper = PaperAccount.objects.get()
        assert paper.borrow_rates == [["BTC", "0.0876", "year"], ["ETH", "0.000004", "hour"]]
        assumed = assumed_of(paper)
        hourly = {asset: assumed.hourly_rate(asset) for asset in ("BTC", "ETH", "SOL")}
        assert hourly == {"BTC": D("0.00001"), "ETH": D("0.000004"), "SOL": None}

    def test_a_key_is_not_taken_for_a_paper_venue(
        self, staff: Client, owner: User, bybit: Exchange
    ) -> None:
        typed = {
            "user": str(owner.pk),
            "exchange": str(bybit.pk),
            "label": "main",
            "is_active": "on",
            "api_key": "a",
            "secret": "b",
            **NO_INLINES,
        }

        page = staff.post("/admin/exchanges/exchangeaccount/add/", typed).content.decode()

        assert "A paper account has no key" in page
        assert not ExchangeAccount.objects.exists()

    def test_the_command_opens_one(self, owner: User) -> None:
        call_command("paper_account", "owner", "okx", "--balance", "20000")

        paper = PaperAccount.objects.get(account__user=owner)
        assert (paper.starting_balance, paper.account.exchange.mode) == (D(20_000), "paper")
        with pytest.raises(CommandError, match="has an account 'main' there already"):
            call_command("paper_account", "owner", "okx")
        with pytest.raises(CommandError, match="not a supported venue"):
            call_command("paper_account", "owner", "mtgox")


class TestMarginMode:
    @pytest.fixture
    def held(self, owner: User) -> PaperHolding:
        """Hold 1 BTC short at 60,000 and 10x: 6,000 of margin."""
        call_command("paper_account", "owner", "bybit", "--balance", "10000")
        return PaperHolding.objects.create(
            paper=PaperAccount.objects.get(),
            symbol="BTC/USDT:USDT",
            base_quantity=D(-1),
            cost=D(-60_000),
            leverage=D(10),
            settled_until=timezone.now(),
        )

    def choose(self, staff: Client, held: PaperHolding, action: str) -> str:
        body = {"action": action, "_selected_action": str(held.pk)}
        answer = staff.post("/admin/exchanges/paperholding/", body, follow=True)
        held.refresh_from_db()
        return answer.content.decode()

    def test_staff_puts_what_is_held_on_isolated_margin_and_back(
        self, staff: Client, held: PaperHolding
    ) -> None:
        self.choose(staff, held, "set_isolated")
        assert held.is_isolated
        entry = AuditEntry.objects.latest("pk")
        assert (entry.action, entry.details) == (
            "paper margin mode changed",
            {"mode": "isolated"},
        )

        self.choose(staff, held, "set_cross")
        assert not held.is_isolated

    def test_who_may_only_look_changes_nothing(self, held: PaperHolding) -> None:
        looker = User.objects.create_user("looker", password="looker-password", is_staff=True)
        looker.user_permissions.add(Permission.objects.get(codename="view_paperholding"))
        client = Client()
        client.login(username="looker", password="looker-password")

        page = self.choose(client, held, "set_isolated")

        assert "BTC/USDT:USDT" in page
        assert not held.is_isolated

    def test_what_the_wallet_cannot_give_is_refused_with_why(
        self, staff: Client, held: PaperHolding
    ) -> None:
        PaperBalance.objects.update(total=D(5_000))

        page = self.choose(staff, held, "set_isolated")

        assert "Less than 6000 USDT is free to stand behind it." in page
        assert not held.is_isolated

    def test_where_margin_is_never_added_nothing_is_isolated(
        self, staff: Client, held: PaperHolding
    ) -> None:
        Exchange.objects.update(code="dydx")

        page = self.choose(staff, held, "set_isolated")

        assert "Margin is never added to a contract at dYdX here." in page
        assert not held.is_isolated


class TestModesStayApart:
    def test_one_venue_is_asked_in_one_mode(self, owner: User) -> None:
        make_exchange("bybit", "BYB", "Bybit")

        with pytest.raises(CommandError, match="in use in mode rehearsal"):
            call_command("paper_account", "owner", "bybit")

    def test_a_person_trades_in_one_mode(self, owner: User, bybit: Exchange) -> None:
        okx = make_exchange("okx", "OKX", "OKX")
        keys = {"label": "main", "api_key": "a", "secret": "b"}
        account = store_account(user=owner, exchange=okx, **keys)

        with pytest.raises(CommandError, match="owner trades in mode rehearsal"):
            call_command("paper_account", "owner", "bybit")
        ExchangeAccount.objects.filter(pk=account.pk).update(is_active=False)
        call_command("paper_account", "owner", "bybit")

        status = engine_status(owner, [*owner.exchange_accounts.active()], timezone.now())
        assert (status.identity, mode_of(owner)) == (Identity.PAPER, Mode.PAPER)
        with pytest.raises(ModesMixed, match="owner trades in mode paper"):
            store_account(user=owner, exchange=okx, **keys)

    def test_an_account_of_another_mode_is_not_switched_on_again(
        self, staff: Client, owner: User
    ) -> None:
        okx = make_exchange("okx", "OKX", "OKX")
        old = store_account(user=owner, exchange=okx, label="main", api_key="a", secret="b")
        ExchangeAccount.objects.filter(pk=old.pk).update(is_active=False)
        call_command("paper_account", "owner", "bybit")

        body = {"is_active": "on", **NO_INLINES}
        page = staff.post(f"/admin/exchanges/exchangeaccount/{old.pk}/change/", body)

        assert "owner trades in mode paper" in page.content.decode()
        old.refresh_from_db()
        assert not old.is_active

    def test_equity_of_another_mode_is_not_in_the_summary(
        self, owner: User, bybit: Exchange
    ) -> None:
        call_command("paper_account", "owner", "bybit")
        now = timezone.now()
        for mode, equity, at in (
            (Mode.PAPER, 100_000, now - timedelta(days=1, minutes=1)),
            (Mode.REHEARSAL, 250_000, now - timedelta(days=1)),
            (Mode.PAPER, 100_500, now - timedelta(minutes=1)),
            (Mode.REHEARSAL, 251_000, now),
        ):
            EquitySnapshot.objects.create(
                user=owner, mode=mode, at=at, equity_usd=D(equity), free_usd=D(equity)
            )

        mode = mode_of(owner)
        figures = summary(owner, mode, [], board=None, now=now)  # type: ignore[arg-type]  # nothing held

        assert (figures.equity, figures.today) == (D(100_500), D(500))

    def test_a_limit_is_counted_for_each_mode(self, owner: User) -> None:
        claim = Claim(scope="user", amount_usd=D(60), cap_usd=D(100), words="your total limit")

        reserve(owner.pk, Mode.REHEARSAL, [claim])
        reserve(owner.pk, Mode.PAPER, [claim])

        with pytest.raises(LimitReached):
            reserve(owner.pk, Mode.PAPER, [claim])
        used = LimitUse.objects.values_list("mode", "reserved_cents")
        assert dict(used) == {"rehearsal": 6_000, "paper": 6_000}

    def test_pages_say_paper(self, owner: User, bybit: Exchange) -> None:
        call_command("paper_account", "owner", "bybit")
        client = Client()
        client.force_login(owner)

        page = client.get("/", follow=True).content.decode()

        assert 'data-identity="PAPER"' in page
        assert '<span class="env" id="mode">PAPER</span>' in page
        assert "<title>PAPER ·" in page


class TestWhereNoRealOrderIsSent:
    def test_the_command_opens_one_there_and_watching_says_so(
        self, owner: User, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("watch_venue", "dydx")
        call_command("paper_account", "owner", "dydx")

        paper = PaperAccount.objects.get(account__user=owner)
        assert (paper.account.exchange.code, paper.account.exchange.mode) == ("dydx", "paper")
        assert "paper accounts trade it" in capsys.readouterr().out

    def test_staff_opens_one_in_the_form_which_lists_it(self, staff: Client, owner: User) -> None:
        call_command("watch_venue", "dydx")
        dydx = Exchange.objects.get()

        page = staff.get(ADD).content.decode()
        staff.post(ADD, form(owner, dydx))

        assert f'<option value="{dydx.pk}">' in page
        assert PaperAccount.objects.get().account.exchange == dydx

    def test_so_is_one_opened_where_funding_is_paid_all_along(
        self, staff: Client, owner: User, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("watch_venue", "deribit")

        staff.post(ADD, form(owner, Exchange.objects.get()))

        assert PaperAccount.objects.get().account.exchange.code == "deribit"
        assert capsys.readouterr().out == "Deribit is read from now on.\n"
