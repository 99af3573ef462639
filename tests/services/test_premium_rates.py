"""Funding expected from the premium is what each venue itself would make of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arbsite.accounts.models import User
from exchanges.board import Board
from exchanges.models import Instrument
from tests.market import NOW, D, make_book, make_rate
from tests.services.scan_market import VALUES, VENUES, make_market
from trading.services import configure

pytestmark = pytest.mark.django_db


def test_a_premium_pays_twice_as_much_where_the_venue_divides_only_the_interest(
    owner: User,
) -> None:
    market = make_market(owner)
    values = {**VALUES, "carry_estimator": "premium_index"}
    configure.save(user=owner, values=values, expected_version=1, actor="owner", now=NOW)
    # 0.2 % above the index, settled every four hours.
    market.board = Board()
    for venue in VENUES:
        rate = make_rate(venue, rate="0.0005", interval=14_400)
        premium = replace(rate, mark_price=D(50_100), index_price=D(50_000))
        market.tell(make_book(venue), premium)

    candidate = market.judge().candidate

    assert candidate is not None
    rates = {leg.facts.instrument.venue: leg.facts.premium_rate for leg in candidate.legs}
    assert rates == {"binanceusdm": D("0.00075"), "bybit": D("0.0015")}
    # Twelve settlements within 48 h; of the coming one what is predicted where that lowers it.
    assert candidate.expected_funding == 11 * D("0.00075") + D("0.0005") - D("0.00075")


@pytest.mark.parametrize(("listed_interval", "expected"), [(14_400, "0.001"), (28_800, "0.0015")])
def test_a_premium_pays_no_more_than_the_cap_of_the_interval_it_was_listed_with(
    owner: User, listed_interval: int, expected: str
) -> None:
    market = make_market(owner)
    values = {**VALUES, "carry_estimator": "premium_index"}
    configure.save(user=owner, values=values, expected_version=1, actor="owner", now=NOW)
    Instrument.objects.filter(exchange__code="bybit").update(
        funding_interval_seconds=listed_interval, funding_cap=D("0.001"), funding_floor=D("-0.001")
    )
    market.board = Board()
    for venue in VENUES:
        rate = make_rate(venue, rate="0.0005", interval=14_400)
        market.tell(make_book(venue), replace(rate, mark_price=D(50_100), index_price=D(50_000)))

    candidate = market.judge().candidate

    assert candidate is not None
    rates = {leg.facts.instrument.venue: leg.facts.premium_rate for leg in candidate.legs}
    # Bybit's formula makes 0.15 % of a premium of 0.2 %.
    assert rates == {"binanceusdm": D("0.00075"), "bybit": D(expected)}
