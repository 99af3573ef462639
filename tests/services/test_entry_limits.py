"""What an entry is written as: the mode of its own accounts, and a size that its limits hold."""

from __future__ import annotations

from datetime import timedelta

import pytest

from arbsite.accounts.models import User
from exchanges.domain import Side
from exchanges.models import Activity, Exchange, HourlyBorrowRate, Instrument
from tests.market import NOW, D
from tests.services.scan_market import (
    VENUES,
    Market,
    configure_more,
    list_perpetual,
    list_spot,
    make_market,
    on_the_board,
    open_account,
    spot_book,
)
from trading.models import LimitUse, Position
from trading.services.entry_legs import EntryLeg, long_short
from trading.services.finding_details import details_of
from trading.services.plan_entry import Refused, plan_entry
from trading.strategies.base import EntryTrigger

pytestmark = pytest.mark.db


@pytest.fixture
def market(owner: User) -> Market:
    return make_market(owner)


def enter(
    market: Market, *legs: EntryLeg, strategy: str = "funding_spread", size: str = "5000"
) -> Position | Refused:
    with on_the_board(market):
        return plan_entry(
            user=market.user,
            strategy=strategy,
            base="BTC",
            legs=legs,
            size_usd=D(size),
            opened_by="owner",
            is_manual=True,
            idempotency_key=None,
            now=NOW,
        )


def usual_legs(market: Market) -> tuple[EntryLeg, EntryLeg]:
    return long_short(*(market.instrument(venue) for venue in VENUES))


def test_mode_is_that_of_the_legs_and_of_no_other_account(market: Market) -> None:
    Exchange.objects.update(mode="paper")
    other = list_perpetual("binance")
    open_account(market.user, other)

    position = enter(market, *usual_legs(market))

    assert other.mode == "rehearsal"
    assert isinstance(position, Position)
    assert position.mode == "paper"


def test_instrument_of_another_mode_than_the_account_is_refused(market: Market) -> None:
    long, _ = usual_legs(market)
    live = Exchange.objects.create(
        code="bybit", short_code="BYB", name="bybit", mode="live", is_enabled=False
    )
    real = market.instrument("bybit")
    real.pk, real.exchange = None, live
    real._state.adding = True
    real.save(force_insert=True)

    refused = enter(market, long, EntryLeg(real, Side.SELL))
    assert isinstance(refused, Refused)
    assert [one.sentence for one in refused.refusals] == [
        "BTC/USDT:USDT of bybit (live) is not what the account at bybit (rehearsal) trades: "
        "simulated and real money never mix."
    ]


def test_two_legs_at_one_venue_share_its_limit(market: Market) -> None:
    spot: Instrument = list_spot("bybit")
    market.tell(spot_book("bybit"))
    configure_more(
        market,
        strategies=["cash_and_carry"],
        max_position_per_pair_usd="8000",
        max_position_per_venue_usd="8000",
    )
    legs = long_short(spot, market.instrument("bybit"))

    position = enter(market, *legs, strategy="cash_and_carry", size="8000")

    # 4,000 of each leg are 8,000 at the venue; at 49,900 less a lot and the fee in coins 0.079 BTC.
    assert isinstance(position, Position)
    assert position.target_base_quantity == D("0.079")
    assert LimitUse.objects.get(scope="venue:bybit").reserved_cents == 790_000


def hold(market: Market, venue: str, coins: str, *, age: timedelta = timedelta(0)) -> None:
    """Let a venue have told so long ago what is held of its perpetual."""
    Activity.objects.update_or_create(
        instrument=market.instrument(venue),
        defaults={"open_interest": D(coins), "open_interest_at": NOW - age},
    )


def test_no_more_is_held_than_a_hundredth_of_the_open_interest(market: Market) -> None:
    hold(market, "bybit", "24")

    (scan,) = market.scan().users
    (finding,) = scan.judge("BTC", market.seen, NOW, EntryTrigger.SCHEDULE)
    (scanner,) = scan.shared.scanners
    position = enter(market, *usual_legs(market), size="20000")

    # 1 % of 24 coins at 50,000, in the exact count, in the arrays and in the entry alike.
    assert finding.size_usd == finding.capacity_usd == 12_000
    assert finding.refusal is None
    assert finding.appraisal.venue_bound == "1 % of open interest at bybit is 12,000.00 USD"
    assert details_of(finding, NOW)["interest_untold"] == ["binanceusdm"]
    assert isinstance(position, Position)
    assert position.target_base_quantity == D("0.24")
    assert {float(room) for room in scanner.facts.room[:, 0]} == {12_000, 50_000}


def test_an_open_interest_below_the_least_position_is_the_reason(market: Market) -> None:
    hold(market, "bybit", "0.1")

    code, sentence = market.refusal()

    assert (code, sentence) == (
        "too_small",
        "The position would be of 50.00 USD: 1 % of open interest at bybit is 50.00 USD; none "
        "below 100.00 USD is opened.",
    )


def test_an_open_interest_that_nobody_told_lately_bounds_nothing(market: Market) -> None:
    hold(market, "bybit", "24", age=timedelta(minutes=11))
    hold(market, "binanceusdm", "24", age=timedelta(minutes=10))

    assert market.judge().capacity_usd == 12_000
    assert market.judge().appraisal.interest_untold == ("bybit",)


def test_no_more_is_sold_than_is_lent(market: Market) -> None:
    spot = list_spot("bybit")
    market.tell(spot_book("bybit"))
    configure_more(market, strategies=["reverse_cash_and_carry"])
    HourlyBorrowRate.objects.create(
        exchange=spot.exchange,
        asset="BTC",
        hour_at=NOW,
        hourly_rate=D("0.000004"),
        highest_hourly_rate=D("0.000004"),
        most=D("0.05"),
        observed_at=NOW,
    )

    (finding,) = market.judged()
    position = enter(
        market,
        *long_short(market.instrument("binanceusdm"), spot),
        strategy="reverse_cash_and_carry",
        size="20000",
    )

    # 0.05 at 49,900; at the perpetual's 50,000 that is 0.0499, in whole lots 0.049.
    assert finding.size_usd == finding.capacity_usd == 2_495
    assert isinstance(position, Position)
    assert position.target_base_quantity == D("0.049")
