"""What the scan says of a pair: whether it pays and how large."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from arbsite.accounts.models import User
from exchanges.domain import Depth
from exchanges.models import (
    Exchange,
    Instrument,
)
from tests.market import NOW, PERP, D, make_book, make_levels, make_rate
from tests.services.scan_market import (
    VALUES,
    VENUES,
    Market,
    configure_more,
    list_spot,
    make_market,
    open_account,
    spot_book,
    store_mids,
)
from trading.core.scan.candidates import candidates, pairs
from trading.services import configure, engine
from trading.strategies.base import EntryTrigger

pytestmark = pytest.mark.db


@pytest.fixture
def market(owner: User) -> Market:
    return make_market(owner)


def test_pair_that_pays_may_be_entered(market: Market) -> None:
    finding = market.judge()

    assert finding.refusal is None
    assert (finding.long.instrument.venue, finding.short.instrument.venue) == VENUES
    candidate = finding.candidate
    assert candidate is not None
    # Settlements at 0.3, 8.3, ... 40.3 h of 48 h: six of 10 bp.
    assert candidate.expected_funding == D("0.006")
    # Four taker fees of 5 bp and four half touches of 1/50,000.
    assert candidate.costs.fixed == D("0.002") + 4 * D(1) / 50_000
    assert candidate.net_return == D("0.006") - candidate.costs.fixed


@pytest.mark.parametrize("hours", [23, 30])
def test_vectorised_pass_and_decimal_count_agree(market: Market, hours: int) -> None:
    # Bybit is usually 10 bp cheaper, and now not: half of that counts, with a day of hours.
    store_mids(hours, binanceusdm="50000", bybit="49950")
    (scan,) = market.scan().users

    scan.judge("BTC", market.seen, NOW, EntryTrigger.SCHEDULE)
    (scanner,) = scan.shared.scanners
    found = candidates(scanner, least_net=0, limit=1, most_usd=50_000)

    (pair, _) = pairs(scanner, found, most_usd=50_000)
    candidate = market.judge().candidate
    assert candidate is not None
    assert candidate.net_return is not None
    assert candidate.gap_credit == (D("0.0005") if hours == 30 else 0)
    assert (pair.strategy, pair.base, pair.long.venue) == ("funding_spread", "BTC", "binanceusdm")
    assert pair.size_usd == 50_000
    assert pair.net_return == pytest.approx(float(candidate.net_return), abs=1e-12)
    assert pair.spread_8h == pytest.approx(float(candidate.spread_8h), abs=1e-12)


def test_pair_that_is_less_far_apart_than_usual_is_rung(market: Market) -> None:
    # Six payments of 4 bp and costs of 20.8 bp leave 3.2; a gap of -5 bp would leave nothing,
    # but it is usually -10: half of the 5 bp that are expected to come back counts.
    market.tell(make_rate("bybit", rate="0.0004", age=-1))
    market.tell(make_book("bybit", bid="49974", ask="49976", age=-1))
    scan = market.scan()
    assert scan.worth_judging("BTC", market.seen, NOW) == []

    store_mids(30, binanceusdm="50000", bybit="49950")
    scan = market.scan()

    assert scan.worth_judging("BTC", market.seen, NOW) == scan.users
    assert market.judge().refusal is None


def test_a_new_hour_reaches_the_arrays_that_are_in_use(market: Market) -> None:
    store_mids(23, binanceusdm="50000", bybit="49950")
    scan = market.scan()
    (before,) = scan.users
    (scanner,) = before.shared.scanners
    assert scanner.facts.exit_ratio[0, 1, 0] == 1
    later = NOW + timedelta(hours=1)
    store_mids(1, before=later, binanceusdm="50000", bybit="49950")

    scan.adopt(scan.load(later))
    scan.refresh(NOW)

    assert scan.users[0].shared is before.shared
    assert scanner.facts.exit_ratio[0, 1, 0] == pytest.approx(0.999, abs=1e-15)


def test_size_is_what_capital_and_limits_allow(market: Market) -> None:
    # Free 100,000 x 0.70 at leverage 2 x 0.8 = 112,000; the limit per pair binds.
    assert market.judge().size_usd == D(50_000)


def test_capacity_and_slippage_are_read_off_the_order_books(market: Market) -> None:
    assert market.judge().capacity_usd == D(50_000)

    # Mid 50,000: 1 at 0.002 % and 9 at 0.2 % average 0.1 % when x of the second are taken with
    # 0.00002 + 0.002 x = 0.001 (1 + x), x = 0.98.
    asks = make_levels(("50001", "1"), ("50100", "9"))
    market.depths = {
        (venue, PERP): Depth(
            venue=venue,
            symbol=PERP,
            bids=make_levels(("49999", "1"), ("49900", "9")),
            asks=asks,
            observed_at=NOW,
        )
        for venue in VENUES
    }

    finding = market.judge()

    assert finding.capacity_usd == D("1.98") * 50_000
    assert finding.candidate is not None
    # 50,000 USD are the one coin at the touch.
    assert finding.candidate.costs.slippage == 4 * D(1) / 50_000


def tell_depths(market: Market, quantity: str) -> None:
    """Let every book take a quantity at the touch and nothing beyond."""
    market.depths = {
        (venue, PERP): Depth(
            venue=venue,
            symbol=PERP,
            bids=make_levels(("49999", quantity)),
            asks=make_levels(("50001", quantity)),
            observed_at=NOW,
        )
        for venue in VENUES
    }


def test_size_and_profit_are_what_the_books_take(market: Market) -> None:
    tell_depths(market, "0.04")

    finding = market.judge()

    # 0.04 x 50,000; 0.6 % of funding less 0.2 % of fees and four half touches of 0.002 %.
    assert finding.size_usd == finding.capacity_usd == 2_000
    assert finding.candidate is not None
    assert finding.candidate.net_profit_usd == D("7.84")
    assert [point.size_usd for point in finding.curve][-1] == 2_000
    assert finding.refusal is None


def test_books_that_take_nothing_leave_no_room(market: Market) -> None:
    tell_depths(market, "0.04")
    market.depths = {
        key: replace(depth, asks=make_levels(("50100", "1")))
        for key, depth in market.depths.items()
    }
    later = NOW + timedelta(milliseconds=1)
    market.tell(replace(make_rate("bybit", rate="0.01"), observed_at=later))

    assert market.refusal() == (
        "no_room",
        "The books take nothing within the slippage limit of 0.1000 %.",
    )


def test_hot_path_asks_for_no_count_where_nothing_pays(market: Market) -> None:
    later, scan = NOW + timedelta(milliseconds=1), market.scan()
    assert scan.worth_judging("BTC", market.seen, NOW) == scan.users

    market.tell(replace(make_rate("bybit", rate="0.0001"), observed_at=later))

    assert scan.worth_judging("BTC", market.seen, NOW) == []


def test_users_of_one_scan_are_asked_together_and_told_apart(
    market: Market, stranger: User
) -> None:
    for exchange in Exchange.objects.all():
        open_account(stranger, exchange)
    configure.save(user=stranger, values=VALUES, expected_version=0, actor="stranger", now=NOW)
    engine.resume(user=stranger, actor="stranger", now=NOW)
    scan = market.scan()
    assert len({id(user.shared) for user in scan.users}) == 1
    assert scan.worth_judging("BTC", market.seen, NOW) == scan.users

    engine.pause(user=stranger, actor="stranger", now=NOW)
    scan.adopt(scan.load(NOW))

    (wanting,) = scan.worth_judging("BTC", market.seen, NOW)
    assert wanting.standing.user_id == market.user.pk
    assert scan.worth_judging("ETH", market.seen, NOW) == []


def test_scan_is_built_anew_only_for_other_instruments_or_assumptions(market: Market) -> None:
    scan = market.scan()
    (before,) = scan.users

    scan.adopt(scan.load(NOW))
    assert scan.users[0].shared is before.shared

    Instrument.objects.update(lot=D("0.01"))
    scan.adopt(scan.load(NOW))
    assert scan.users[0].shared is not before.shared


def test_an_update_is_judged_while_a_listing_that_has_changed_is_being_loaded(
    market: Market,
) -> None:
    list_spot("bybit")
    market.tell(spot_book("bybit"))
    configure_more(market, strategies=["funding_spread", "cash_and_carry"])
    running = market.scan()
    Instrument.objects.filter(kind="spot").update(is_active=False)
    loaded = running.load(NOW)

    (scan,) = running.worth_judging("BTC", market.seen, NOW)
    judged = scan.judge("BTC", market.seen, NOW, EntryTrigger.SCHEDULE)
    assert {finding.strategy for finding in judged} == {"funding_spread", "cash_and_carry"}

    running.adopt(loaded)
    (scan,) = running.worth_judging("BTC", market.seen, NOW)
    judged = scan.judge("BTC", market.seen, NOW, EntryTrigger.SCHEDULE)
    assert {finding.strategy for finding in judged} == {"funding_spread"}
