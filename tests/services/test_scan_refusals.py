"""What forbids a pair that would pay, each with its sentence."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from arbsite.accounts.models import User
from exchanges.board import Board
from exchanges.models import (
    AccountBalance,
    ExchangeAccount,
    SettledFundingRate,
)
from tests.market import NOW, D, make_book, make_quote, make_rate
from tests.services.scan_market import (
    VALUES,
    VENUES,
    Market,
    answer_late,
    list_perpetual,
    make_market,
    open_account,
)
from trading.models import CoolDown
from trading.services import configure, engine, kill_switch

pytestmark = pytest.mark.db


@pytest.fixture
def market(owner: User) -> Market:
    return make_market(owner)


def test_stale_book_is_named_with_its_age(market: Market) -> None:
    market.board = Board()
    market.tell(make_book("binanceusdm", age=4.2), make_book("bybit"))
    market.tell(make_rate("binanceusdm"), make_rate("bybit", rate="0.001"))

    code, sentence = market.refusal()

    assert code == "stale"
    assert "BTC/USDT:USDT on binanceusdm is 4.2 s old" in sentence


def test_unknown_interval_is_never_tradable(market: Market) -> None:
    market.board = Board()
    market.tell(*(make_book(venue) for venue in VENUES))
    market.tell(make_rate("binanceusdm"), make_rate("bybit", interval=None))

    assert market.refusal()[0] == "unknown_interval"


def test_pair_without_an_account_at_one_venue_is_passed_over(market: Market) -> None:
    ExchangeAccount.objects.filter(exchange__code="bybit").update(is_active=False)

    assert market.refusal() == (
        "no_account",
        "There is no active account at bybit: add one first.",
    )


def test_halted_account_opens_nothing(market: Market) -> None:
    ExchangeAccount.objects.filter(exchange__code="bybit").update(
        halted_at=NOW, halted_reason="0.1 BTC nobody ordered"
    )

    assert market.refusal() == (
        "account_halted",
        "The account at bybit is halted: 0.1 BTC nobody ordered",
    )


@pytest.fixture
def third_venue(market: Market) -> Market:
    """A second market of Binance pays 8 bp, two less than Bybit."""
    open_account(market.user, list_perpetual("binance"))
    market.tell(make_book("binance"), make_rate("binance", rate="0.0008"))
    market.tell(make_quote("binance"))
    return market


def venues_found(market: Market) -> tuple[str, str]:
    finding = market.judge()
    assert finding.refusal is None
    return finding.long.instrument.venue, finding.short.instrument.venue


def test_pair_of_other_venues_is_entered_while_one_is_unusable(third_venue: Market) -> None:
    assert venues_found(third_venue) == ("binanceusdm", "bybit")
    bybit = ExchangeAccount.objects.filter(exchange__code="bybit")

    bybit.update(halted_at=NOW, halted_reason="0.1 BTC nobody ordered")
    assert venues_found(third_venue) == ("binanceusdm", "binance")
    assert third_venue.scan().worth_judging("BTC", third_venue.seen, NOW)

    bybit.update(halted_at=None, halted_reason="", checked_at=None)
    assert venues_found(third_venue) == ("binanceusdm", "binance")

    bybit.update(checked_at=NOW - timedelta(hours=48, seconds=1))
    assert venues_found(third_venue) == ("binanceusdm", "binance")

    # 100,000 of equity on 60,000 of margin: 1.67.
    bybit.update(checked_at=NOW)
    AccountBalance.objects.filter(account__in=bybit).update(free=D(40_000))
    assert venues_found(third_venue) == ("binanceusdm", "binance")


def test_pair_of_other_venues_is_entered_while_one_is_slow(third_venue: Market) -> None:
    answer_late(third_venue, "bybit", seconds="2.5")

    assert venues_found(third_venue) == ("binanceusdm", "binance")


def test_cool_down_names_its_end_and_reason(market: Market) -> None:
    CoolDown.objects.create(
        user=market.user, base="BTC", until=NOW + timedelta(minutes=3), reason="an entry failed"
    )

    assert market.refusal() == (
        "cool_down",
        "No entry on BTC until 12:03:00 UTC: an entry failed.",
    )


def test_nothing_is_entered_while_the_engine_is_paused(market: Market) -> None:
    engine.pause(user=market.user, actor="owner", now=NOW)

    assert market.refusal()[0] == "paused"


def test_nothing_is_entered_after_the_kill_switch(market: Market) -> None:
    kill_switch.press(
        user=market.user, actor="owner", reason="drill", closes_positions=False, now=NOW
    )

    assert market.refusal() == (
        "killed",
        "The kill switch is pressed, by owner: re-arm it first.",
    )


def test_no_free_capital_is_no_room(market: Market) -> None:
    AccountBalance.objects.update(free=D(0), equity=D(0))

    assert market.refusal() == ("no_room", "Nothing is left of the free capital.")


def test_account_whose_margin_is_all_used_opens_nothing(market: Market) -> None:
    AccountBalance.objects.update(free=D(0))

    code, sentence = market.refusal()
    assert code == "margin_ratio"
    assert sentence.endswith("has a margin ratio of 1.00; nothing is opened there below 2.")


def test_base_outside_the_whitelist_is_passed_over(market: Market) -> None:
    listed = market.instrument("bybit")
    listed.pk, listed.base, listed.symbol = uuid4(), "ETH", "ETH/USDT:USDT"
    listed.save(force_insert=True)
    configure.save(
        user=market.user,
        values={**VALUES, "symbols": ["ETH-USDT"]},
        expected_version=1,
        actor="owner",
        now=NOW,
    )

    assert market.refusal()[0] == "not_whitelisted"


def settle_three(market: Market) -> None:
    """Store three settlements: two known intervals, both with 10 bp between the venues."""
    for venue, rate in zip(VENUES, (D(0), D("0.001")), strict=True):
        for hours in (16, 8, 0):
            SettledFundingRate.objects.create(
                instrument=market.instrument(venue),
                settled_at=NOW - timedelta(hours=hours + 1),
                funding_rate=rate,
            )


def test_persistence_counts_settlements_that_are_stored(market: Market) -> None:
    configure.save(
        user=market.user,
        values={**VALUES, "persistence": "2"},
        expected_version=1,
        actor="owner",
        now=NOW,
    )
    assert market.refusal()[0] == "not_persistent"

    settle_three(market)

    assert market.judge().refusal is None


def test_settled_average_counts_once_it_is_asked_for(market: Market) -> None:
    configure.save(
        user=market.user,
        values={**VALUES, "carry_estimator": "ewma"},
        expected_version=1,
        actor="owner",
        now=NOW,
    )
    assert market.refusal()[0] == "no_history"

    settle_three(market)

    candidate = market.judge().candidate
    assert candidate is not None
    # 48 h is less than 3 days: beta 0.65 of 10 bp, six times.
    assert candidate.expected_funding == 6 * D("0.65") * D("0.001")
