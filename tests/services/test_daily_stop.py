"""The day's loss is what was lost: money that is moved, and accounts that come or go, are none."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from arbsite.accounts.models import AuditEntry, User
from exchanges.models import AccountBalance, Exchange, ExchangeAccount
from exchanges.modes import Mode
from tests.market import NOW, D
from tests.services.scan_market import (
    VENUES,
    Market,
    configure_more,
    list_perpetual,
    make_market,
    on_the_board,
    open_account,
)
from trading.models import AccountEquity, DailyStop, EquitySnapshot, Event, Transfer
from trading.services.daily_stop import lift_daily_stop, note_daily_stop
from trading.services.entry_legs import long_short
from trading.services.quote import quote_entry
from trading.services.standing import standing_of

pytestmark = pytest.mark.db

MIDNIGHT = NOW.replace(hour=0)


@pytest.fixture
def market(owner: User) -> Market:
    """50,000 at each of two venues at midnight, and now."""
    market = make_market(owner)
    set_equity("50000", "50000")
    snapshot(market, hours=0)
    return market


def set_equity(*amounts: str) -> None:
    for venue, amount in zip(VENUES, amounts, strict=True):
        AccountBalance.objects.filter(account__exchange__code=venue).update(
            free=D(amount), total=D(amount), equity=D(amount)
        )


def snapshot(market: Market, *, hours: float) -> None:
    """Write what the balances are as a reading of that hour of the day."""
    at = MIDNIGHT + timedelta(hours=hours)
    rows = list(AccountBalance.objects.filter(account__user=market.user, account__is_active=True))
    whole = sum((row.equity for row in rows), D(0))
    taken = EquitySnapshot.objects.create(
        user=market.user, at=at, read_at=at, equity_usd=whole, free_usd=whole
    )
    for row in rows:
        AccountEquity.objects.create(
            snapshot=taken, account=row.account, wallet_usd=row.total, equity_usd=row.equity
        )


def transfer(venue: str, amount: str, *, hours: float) -> None:
    at = MIDNIGHT + timedelta(hours=hours)
    Transfer.objects.create(
        account=ExchangeAccount.objects.get(exchange__code=venue),
        venue_transfer_id=f"{venue} {hours}",
        amount=D(amount),
        asset="USDT",
        moved_at=at,
        booked_at=at,
    )


def lost(market: Market) -> str:
    return format(standing_of(market.user, NOW).lost_today, ".4f")


def test_deposit_hides_no_loss(market: Market) -> None:
    set_equity("47000", "55000")
    transfer("bybit", "5000", hours=3)

    # 3,000 of the 100,000 at midnight and the 5,000 that came.
    assert lost(market) == "0.0286"
    refusal = standing_of(market.user, NOW).refuse_entries()
    assert refusal is not None
    assert refusal.code == "daily_stop"
    assert refusal.sentence == (
        "2.8571 % of the capital was lost since midnight UTC, transfers aside, when the daily stop "
        "of 2.0000 % was reached at 12:00:00 UTC: automation enters nothing until midnight UTC or "
        "until somebody lifts the stop. 2.8571 % is lost now."
    )


def test_withdrawal_is_no_loss(market: Market) -> None:
    set_equity("47000", "50000")
    transfer("binanceusdm", "-3000", hours=3)

    assert lost(market) == "0.0000"


def test_transfer_of_yesterday_is_in_the_first_reading(market: Market) -> None:
    transfer("binanceusdm", "-3000", hours=-1)

    assert lost(market) == "0.0000"


def test_account_that_joins_is_money_paid_in(market: Market) -> None:
    open_account(market.user, list_perpetual("binance"))
    set_equity("47000", "50000")

    # 100,000 more at once; 3,000 of 200,000.
    assert lost(market) == "0.0150"

    snapshot(market, hours=4)
    transfer("binance", "100000", hours=3)
    AccountBalance.objects.filter(account__exchange__code="binance").update(equity=D(96_000))
    assert lost(market) == "0.0350"


def test_account_that_leaves_is_money_paid_out(market: Market) -> None:
    snapshot(market, hours=2)
    ExchangeAccount.objects.filter(exchange__code="bybit").update(is_active=False)
    set_equity("49000", "50000")

    assert lost(market) == "0.0100"


def test_loss_is_told_once_a_day_and_noted_on_the_ticket(market: Market) -> None:
    set_equity("47000", "50000")

    note_daily_stop(market.user, now=NOW)
    note_daily_stop(market.user, now=NOW + timedelta(minutes=1))
    standing_of(market.user, NOW + timedelta(minutes=2))

    event = Event.objects.get(kind="equity.daily_stop")
    assert event.severity == Event.Severity.CRITICAL
    assert event.sentence.startswith("3.0000 % of the capital was lost since midnight UTC")
    with on_the_board(market):
        quote = quote_entry(
            user=market.user,
            base="BTC",
            legs=long_short(*(market.instrument(venue) for venue in VENUES)),
            size_usd=D(5_000),
            now=NOW,
        )
    assert quote.refusals == ()
    assert any("3.0000 % of the capital was lost" in note for note in quote.notes)


def test_smaller_loss_is_not_told(market: Market) -> None:
    set_equity("48100", "50000")

    note_daily_stop(market.user, now=NOW)

    assert not Event.objects.filter(kind="equity.daily_stop").exists()


def refused(market: Market, at: datetime = NOW) -> str:
    """Return why automation enters nothing, as a snapshot that is read anew has it."""
    refusal = standing_of(market.user, at).refuse_entries()
    return "" if refusal is None else refusal.sentence


def test_stop_stays_though_the_loss_is_made_good(market: Market) -> None:
    set_equity("47000", "50000")
    assert refused(market) != ""
    set_equity("51000", "50000")

    later = refused(market, NOW + timedelta(hours=3))

    assert "3.0000 % of the capital was lost" in later
    assert "was reached at 12:00:00 UTC" in later
    assert later.endswith("−1.0000 % is lost now.")
    (scan,) = market.scan().users
    assert market.scan().worth_judging("BTC", market.seen, NOW) == []
    assert scan.standing.daily_stop is not None


def test_stop_that_only_a_reading_of_balances_saw_halts_too(market: Market) -> None:
    set_equity("47000", "50000")
    note_daily_stop(market.user, now=NOW)
    set_equity("50000", "50000")

    assert "3.0000 % of the capital was lost" in refused(market)


def test_stop_ends_with_its_day(market: Market) -> None:
    set_equity("47000", "50000")
    assert refused(market) != ""

    assert refused(market, MIDNIGHT + timedelta(hours=23, minutes=59)) != ""
    assert refused(market, MIDNIGHT + timedelta(days=1)) == ""


def test_a_wider_setting_lifts_no_stop(market: Market) -> None:
    set_equity("47000", "50000")
    assert refused(market) != ""
    configure_more(market, daily_stop_pct="5")

    assert "the daily stop of 2.0000 % was reached" in refused(market)


def test_whoever_lifts_it_accepts_what_is_lost_and_no_more_than_as_much_again(
    market: Market,
) -> None:
    assert not lift_daily_stop(market.user, actor="owner", now=NOW)
    set_equity("47000", "50000")
    assert refused(market) != ""

    assert lift_daily_stop(market.user, actor="owner", now=NOW)

    assert refused(market) == ""
    lifted = DailyStop.objects.get()
    assert (lifted.lifted_by, lifted.lifted_lost) == ("owner", D("0.03"))
    entry = AuditEntry.objects.get(action="daily stop lifted")
    assert (entry.actor, entry.details) == ("owner", {"lost": "0.030000000000"})
    set_equity("45001", "50000")
    assert refused(market) == ""
    set_equity("45000", "50000")
    assert refused(market).startswith("5.0000 % of the capital was lost")
    assert Event.objects.filter(kind="equity.daily_stop").count() == 2


def test_a_stop_of_one_mode_halts_no_other_and_stands_when_its_mode_is_back(
    market: Market,
) -> None:
    set_equity("47000", "50000")
    assert refused(market) != ""

    Exchange.objects.update(mode=Mode.PAPER)
    assert standing_of(market.user, NOW).daily_stop is None
    assert not lift_daily_stop(market.user, actor="owner", now=NOW)

    Exchange.objects.update(mode=Mode.REHEARSAL)
    assert refused(market) != ""


def test_stop_of_one_user_halts_no_other(market: Market) -> None:
    other = User.objects.create_user("other")
    set_equity("47000", "50000")
    assert refused(market) != ""

    assert standing_of(other, NOW).daily_stop is None
    assert not lift_daily_stop(other, actor="other", now=NOW)
    assert refused(market) != ""
