"""A rest too small to be worth its costs opens nothing by itself, whatever it is a rest of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arbsite.accounts.models import User
from exchanges.domain import Depth
from exchanges.models import AccountBalance
from tests.market import NOW, PERP, D, make_levels
from tests.services.scan_market import VENUES, Market, configure_more, make_market, on_the_board
from trading.models import LimitUse
from trading.services.entry_legs import long_short
from trading.services.evaluate import Evaluation, evaluate
from trading.services.rotate import CROWDED_OUT
from trading.services.take import take
from trading.strategies.base import EntryTrigger

pytestmark = pytest.mark.db


@pytest.fixture
def market(owner: User) -> Market:
    return make_market(owner)


def leave(amount: str) -> None:
    """Leave free collateral of which 0.7 x 0.8 at twice the leverage is planned."""
    AccountBalance.objects.update(free=D(amount), total=D(amount), equity=D(amount))


def evaluated(market: Market, size: str, trigger: EntryTrigger) -> Evaluation:
    return evaluate(
        user=market.user,
        strategy="funding_spread",
        base="BTC",
        legs=long_short(*(market.instrument(venue) for venue in VENUES)),
        size_usd=D(size),
        trigger=trigger,
        now=NOW,
    )


def test_a_nearly_empty_purse_enters_nothing_and_says_what_is_left(market: Market) -> None:
    # 0.7 of 80, which is below 0.4 of all 160: 56 x 0.8 x 2.
    leave("80")

    code, sentence = market.refusal()

    assert code == "no_room"
    assert sentence == (
        "Only 89.60 USD is left of the free capital; no position below 100.00 USD is opened."
    )
    # A better pair may still take the place of a worse one.
    assert code in CROWDED_OUT
    (user,) = market.scan().users
    assert take([market.judge()], user.standing) == []


def test_a_purse_that_carries_the_least_position_enters(market: Market) -> None:
    leave("89.29")

    assert market.judge().refusal is None


def test_rest_of_a_limit_is_refused_by_its_name(market: Market) -> None:
    LimitUse.objects.create(user=market.user, scope="user", reserved_cents=24_995_000)

    assert market.refusal()[1] == (
        "Only 50.00 USD is left of your total limit; no position below 100.00 USD is opened."
    )


def test_nobody_is_woken_for_a_rest_that_opens_nothing(market: Market) -> None:
    use = LimitUse.objects.create(user=market.user, scope="user", reserved_cents=24_990_000)
    scan = market.scan()
    assert scan.worth_judging("BTC", market.seen, NOW) == scan.users

    LimitUse.objects.filter(pk=use.pk).update(reserved_cents=24_990_001)

    assert market.scan().worth_judging("BTC", market.seen, NOW) == []


def test_books_that_take_less_than_the_least_position_are_refused(market: Market) -> None:
    levels = make_levels(("50000", "0.0018"))
    market.depths = {
        (venue, PERP): Depth(venue=venue, symbol=PERP, bids=levels, asks=levels, observed_at=NOW)
        for venue in VENUES
    }

    assert market.refusal() == (
        "too_small",
        "The position would be of 90.00 USD; none below 100.00 USD is opened.",
    )


def test_what_one_entry_leaves_for_the_next_is_not_taken_below_the_least(market: Market) -> None:
    for whole, taken_bases in (("50100", ["BTC", "ETH"]), ("50099.99", ["BTC"])):
        configure_more(market, max_position_per_venue_usd=whole, max_position_per_user_usd=whole)
        (user,) = market.scan().users
        first = market.judge()

        taken = take([first, replace(first, base="ETH")], user.standing)

        assert [one.base for one in taken] == taken_bases


def test_the_entry_itself_asks_once_more_and_a_person_is_only_told(market: Market) -> None:
    # 0.001 BTC of the 60 asked for.
    sentence = (
        "The position would be of 50.00 USD, all that the size asked for allows; none below "
        "100.00 USD is opened."
    )

    with on_the_board(market):
        rung = evaluated(market, "60", EntryTrigger.SCHEDULE)
        by_hand = evaluated(market, "60", EntryTrigger.MANUAL)

    assert [one.sentence for one in rung.refusals] == [sentence]
    assert by_hand.refusals == ()
    assert sentence in [note.sentence for note in by_hand.notes]


def test_nothing_is_refused_for_its_size_where_the_least_is_zero(market: Market) -> None:
    configure_more(market, min_position_usd="0")
    leave("80")

    assert market.judge().refusal is None
