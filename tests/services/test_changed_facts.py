"""Facts of instruments that change: written down, told to who holds them, heeded by the gates."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from arbsite.accounts.models import User
from exchanges.domain import IntervalSource
from exchanges.errors import VenueUnavailable
from exchanges.fact_changes import notice_intervals
from exchanges.models import Exchange, ExchangeAccount, Instrument
from exchanges.models.notices import CONTRACT_BASE, FactChange
from exchanges.services import store_listing
from tests.market import NOW, D, make_instrument, make_rate
from tests.services.scan_market import Market, make_market
from tests.web.rows import make_position
from trading.models import AccountReview, Event, Reconciliation
from trading.services.changed_facts import ListingWatch, heed_changes
from trading.services.venues import REAL

pytestmark = pytest.mark.db


@pytest.fixture
def market(owner: User) -> Market:
    return make_market(owner)


@pytest.fixture
def bybit(market: Market) -> Instrument:
    return market.instrument("bybit")


def relist(bybit: Instrument, **facts: object) -> list[str]:
    """Store what the venue lists, with other facts than before."""
    listed = replace(make_instrument("bybit"), **{"max_leverage": D(10), **facts})  # type: ignore[arg-type]
    return store_listing(bybit.exchange, [listed], [make_rate("bybit")], NOW)


def test_every_listed_fact_that_differs_is_kept_with_old_new_and_when(bybit: Instrument) -> None:
    assert relist(bybit) == []

    said = relist(bybit, min_notional=D(20), max_leverage=D(25), is_active=False)

    assert said == [
        "BTC/USDT:USDT: min notional is now 20, was 5",
        "BTC/USDT:USDT: max leverage is now 25, was 10",
        "BTC/USDT:USDT: trading is now off, was on",
    ]
    assert set(FactChange.objects.values_list("fact", "old", "new", "seen_at")) == {
        ("min_notional", "5", "20", NOW),
        ("max_leverage", "10", "25", NOW),
        ("is_active", "on", "off", NOW),
    }
    assert relist(bybit, min_notional=D(20), max_leverage=D(25), is_active=False) == []


def test_a_list_that_lacks_most_of_what_is_traded_is_not_taken(bybit: Instrument) -> None:
    listed = [make_instrument("bybit", base=f"A{number}") for number in range(10)]
    store_listing(bybit.exchange, [*listed, make_instrument("bybit")], [], NOW)

    assert store_listing(bybit.exchange, listed[:5], [], NOW) == []
    assert bybit.exchange.instruments.filter(is_active=True).count() == 11
    assert len(store_listing(bybit.exchange, listed[:6], [], NOW + timedelta(hours=1))) == 5


def test_digits_beyond_the_column_are_no_change(bybit: Instrument) -> None:
    relist(bybit, maintenance_margin_rate=D("0.00400000000000049"))

    assert relist(bybit, maintenance_margin_rate=D("0.00400000000000049")) == []


def test_an_interval_the_market_contradicts_is_taken_over_at_once(
    market: Market, bybit: Instrument
) -> None:
    rate = replace(make_rate("bybit"), interval_seconds=3_600)
    market.tell(replace(rate, observed_at=NOW + timedelta(seconds=1)))

    assert notice_intervals([bybit], market.board, NOW + timedelta(seconds=1)) == 1

    (change,) = FactChange.objects.all()
    assert change.sentence == "BTC/USDT:USDT: funding interval is now 1 h, was 8 h"
    assert market.instrument("bybit").funding_interval_seconds == 3_600


@pytest.mark.parametrize("seconds", [None, 28_800])
def test_an_interval_that_is_unknown_or_as_before_is_no_change(
    market: Market, bybit: Instrument, seconds: int | None
) -> None:
    source = IntervalSource.UNKNOWN if seconds is None else IntervalSource.VENUE
    rate = replace(make_rate("bybit"), interval_seconds=seconds, interval_source=source)
    market.tell(replace(rate, observed_at=NOW + timedelta(seconds=1)))

    assert notice_intervals([bybit], market.board, NOW + timedelta(seconds=1)) == 0
    assert market.instrument("bybit").funding_interval_seconds == 28_800


def test_an_old_rate_says_nothing_of_the_interval_of_now(market: Market, bybit: Instrument) -> None:
    market.tell(replace(make_rate("bybit"), interval_seconds=3_600))

    assert notice_intervals([bybit], market.board, NOW + timedelta(minutes=3)) == 0


def test_who_holds_it_is_told_once_and_another_size_has_the_account_compared(
    market: Market, bybit: Instrument
) -> None:
    position = make_position(market.user, market.instrument("binanceusdm"), bybit, NOW)
    relist(bybit, contract_base=D("0.1"))

    assert heed_changes(now=NOW) == 1
    assert heed_changes(now=NOW) == 0

    (event,) = Event.objects.filter(position=position, kind="fact.contract_base")
    assert event.severity == Event.Severity.CRITICAL
    assert event.sentence == (
        "BTC: at bybit BTC/USDT:USDT: base units of one contract is now 0.1, was 1; the account "
        "is compared with the venue before anything is opened there again"
    )
    (review,) = AccountReview.objects.all()
    assert review.account.exchange == bybit.exchange


@pytest.mark.parametrize(
    ("is_on", "follows"),
    [
        (False, "; nothing is opened there, and all legs are kept as they hedge each other"),
        (True, "; what waited for it goes on"),
    ],
)
def test_trading_that_ends_or_begins_again_is_told_and_has_the_account_compared(
    market: Market, bybit: Instrument, is_on: bool, follows: str
) -> None:
    Instrument.objects.filter(pk=bybit.pk).update(is_active=not is_on)
    position = make_position(market.user, market.instrument("binanceusdm"), bybit, NOW)
    relist(bybit, is_active=is_on)

    assert heed_changes(now=NOW) == 1

    event = Event.objects.get(position=position, kind="fact.is_active")
    assert event.severity == Event.Severity.CRITICAL
    assert follows in event.sentence
    assert AccountReview.objects.get().account.exchange == bybit.exchange


def test_who_does_not_hold_it_hears_nothing(market: Market, bybit: Instrument) -> None:
    relist(bybit, contract_base=D("0.1"))

    assert heed_changes(now=NOW) == 1
    assert not Event.objects.filter(kind__startswith="fact.").exists()


@pytest.mark.parametrize(
    ("seconds_ago", "compared_ago", "is_open"),
    [(31, 32, False), (31, 30, True), (29, 28, False)],
    ids=["not compared since", "compared since", "other processes may count by the old size"],
)
def test_nothing_opens_on_a_resized_contract_before_the_account_was_compared(
    market: Market, bybit: Instrument, seconds_ago: int, compared_ago: int, is_open: bool
) -> None:
    for account in ExchangeAccount.objects.all():
        Reconciliation.objects.update_or_create(
            account=account, defaults={"compared_at": NOW - timedelta(seconds=compared_ago)}
        )
    FactChange.objects.create(
        exchange=bybit.exchange,
        instrument=bybit,
        fact=CONTRACT_BASE,
        old="10",
        new="1",
        seen_at=NOW - timedelta(seconds=seconds_ago),
    )

    refusal = market.judge().refusal

    if is_open:
        assert refusal is None
    else:
        assert refusal is not None
        assert refusal.code == "contract_resized"
        assert refusal.sentence.startswith("A contract of BTC/USDT:USDT on bybit has another size")
        assert ", 1 BTC: nothing is opened" in refusal.sentence


def test_each_process_reads_sizes_anew_that_any_process_saw_change(bybit: Instrument) -> None:
    asked: list[str] = []
    venues = replace(REAL, relist=lambda exchange, now: asked.append(exchange.code))
    watch = ListingWatch()

    assert watch.renew(venues=venues, now=NOW) == 0
    relist(bybit, contract_base=D("0.1"))

    assert watch.renew(venues=venues, now=NOW) == 1
    assert watch.renew(venues=venues, now=NOW) == 0
    assert asked == ["bybit"]


def test_a_venue_whose_list_cannot_be_read_is_asked_again_and_keeps_no_other_waiting(
    market: Market, bybit: Instrument
) -> None:
    asked: list[str] = []
    away = {"binanceusdm"}

    def read(exchange: Exchange, now: datetime) -> None:
        asked.append(exchange.code)
        if exchange.code in away:
            raise VenueUnavailable("no answer", venue=exchange.code)

    venues, watch = replace(REAL, relist=read), ListingWatch()
    for instrument in (market.instrument("binanceusdm"), bybit):
        FactChange.objects.create(
            exchange=instrument.exchange,
            instrument=instrument,
            fact=CONTRACT_BASE,
            old="10",
            new="1",
            seen_at=NOW,
        )

    assert watch.renew(venues=venues, now=NOW) == 1
    away.clear()
    assert watch.renew(venues=venues, now=NOW) == 2
    assert watch.renew(venues=venues, now=NOW) == 0
    assert sorted(asked) == ["binanceusdm", "binanceusdm", "bybit", "bybit"]
