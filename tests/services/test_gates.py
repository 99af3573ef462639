"""Gates of the data, asked as the scan and the ticket ask them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from arbsite.accounts.models import User
from exchanges.board import Board
from exchanges.models import AccountFee, Instrument
from tests.market import NOW, D, make_book, make_quote, make_rate
from tests.services.scan_market import (
    VENUES,
    Market,
    answer_late,
    configure_more,
    make_market,
    on_the_board,
)
from trading.core.refusal import Refusal
from trading.services.entry_legs import long_short
from trading.services.finding_details import details_of
from trading.services.plan_entry import Refused, plan_entry
from trading.services.quote import quote_entry

pytestmark = pytest.mark.db

BYBIT = "BTC/USDT:USDT on bybit"


@pytest.fixture
def market(owner: User) -> Market:
    return make_market(owner)


def tell_anew(market: Market, *, quotes: bool = True, age: float = 0) -> None:
    """Tell all facts to an empty board, Bybit's mark with its age or not at all."""
    market.board = Board()
    market.tell(*(make_book(venue) for venue in VENUES))
    market.tell(make_rate("binanceusdm", rate="0"), make_rate("bybit", rate="0.001"))
    market.tell(make_quote("binanceusdm"))
    if quotes:
        market.tell(make_quote("bybit", age=age))


def enter_by_hand(market: Market) -> list[Refusal]:
    legs = long_short(*(market.instrument(venue) for venue in VENUES))
    with on_the_board(market):
        answer = plan_entry(
            user=market.user,
            base="BTC",
            legs=legs,
            size_usd=D(5_000),
            opened_by="owner",
            is_manual=True,
            idempotency_key=None,
            now=NOW,
        )
    return list(answer.refusals) if isinstance(answer, Refused) else []


def test_contract_without_a_mark_price_is_not_entered(market: Market) -> None:
    tell_anew(market, quotes=False)
    sentence = f"No mark price of {BYBIT} has arrived yet."

    assert market.refusal() == ("no_data", sentence)
    assert enter_by_hand(market) == [Refusal(code="no_data", sentence=sentence)]


def test_stale_mark_price_is_refused_with_its_age(market: Market) -> None:
    tell_anew(market, age=10.5)

    assert market.refusal() == (
        "stale",
        f"The mark price of {BYBIT} is 10.5 s old; the most is 10.0 s.",
    )
    tell_anew(market, age=10)
    assert market.judge().refusal is None


def test_stale_book_and_rate_are_refused_by_hand_too(market: Market) -> None:
    market.board = Board()
    market.tell(make_book("binanceusdm"), make_book("bybit", age=3.5))
    market.tell(make_rate("binanceusdm"), make_rate("bybit", age=10.5))
    market.tell(*(make_quote(venue) for venue in VENUES))

    assert [refusal.code for refusal in enter_by_hand(market)] == ["stale"]


def test_fee_that_a_venue_does_not_tell_is_marked_where_it_is_counted(market: Market) -> None:
    assert market.judge().appraisal.fees_assumed == ()

    AccountFee.objects.filter(account__exchange__code="bybit").update(is_fallback=True)
    AccountFee.objects.filter(account__exchange__code="binanceusdm").delete()

    assert details_of(market.judge(), NOW)["fees_assumed"] == ["binanceusdm", "bybit"]
    legs = long_short(*(market.instrument(venue) for venue in VENUES))
    with on_the_board(market):
        quote = quote_entry(user=market.user, base="BTC", legs=legs, size_usd=D(5_000), now=NOW)
    assert quote.notes[:2] == (
        "binanceusdm did not tell the fee of your account: its usual fee is assumed.",
        "bybit did not tell the fee of your account: its usual fee is assumed.",
    )


def test_slow_venue_is_refused_with_its_time(market: Market) -> None:
    answer_late(market, "bybit", seconds="2.5")
    sentence = "bybit takes 2.5 s to answer; the most is 2.0 s."

    assert market.refusal() == ("slow_venue", sentence)
    assert enter_by_hand(market) == [Refusal(code="slow_venue", sentence=sentence)]


def test_price_gap_too_good_to_be_true_is_refused(market: Market) -> None:
    later = NOW + timedelta(milliseconds=1)
    high = make_book("bybit", bid="52999", ask="53001")
    market.tell(replace(high, observed_at=later))

    # 53,000 against 50,000
    assert market.refusal() == (
        "implausible",
        "The price gap of BTC binanceusdm/bybit is 6.00 %, beyond the plausible 5.00 %: "
        "probably bad data.",
    )
    assert enter_by_hand(market)[0].code == "implausible"


def test_funding_too_good_to_be_true_is_refused(market: Market) -> None:
    later = NOW + timedelta(milliseconds=1)
    market.tell(replace(make_rate("bybit", rate="0.06"), observed_at=later))

    code, sentence = market.refusal()

    assert code == "implausible"
    assert sentence.startswith("The 8 h funding spread of BTC binanceusdm/bybit is 6.00 %")


def test_legs_in_different_stablecoins_are_no_hedge(market: Market) -> None:
    Instrument.objects.filter(exchange__code="bybit").update(settle="USDC", quote="USDC")

    assert enter_by_hand(market) == [
        Refusal(
            code="mixed_settle",
            sentence=f"The legs would settle in different assets, {BYBIT} in USDC and "
            "BTC/USDT:USDT on binanceusdm in USDT: a depeg would move one of them alone, so they "
            "are no hedge.",
        )
    ]
    assert market.refusal()[0] == "mixed_settle"


def test_pair_in_the_other_stablecoin_is_found_where_it_is_all_there_is(market: Market) -> None:
    Instrument.objects.update(settle="USDC", quote="USDC")
    configure_more(market, symbols=["BTC-USDT"])

    assert market.judge().refusal is None
