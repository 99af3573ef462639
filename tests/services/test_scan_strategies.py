"""What the scan finds beyond two perpetuals, which gate stops it, and what is taken together."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from arbsite.accounts.models import User
from exchanges.models import Exchange, ExchangeAccount
from exchanges.modes import Mode
from tests.market import NOW, PERP, D, make_book, make_quote, make_rate
from tests.services.scan_market import (
    SPOT,
    Market,
    configure_more,
    list_perpetual,
    list_spot,
    make_market,
    open_account,
    spot_book,
)
from trading.models import LimitUse
from trading.services import configure, limits
from trading.services.entry_legs import EntryLeg, long_short, refuse_legs
from trading.services.gates import GATES
from trading.services.scan import MarketScan
from trading.services.take import take
from trading.services.user_scan import Finding
from trading.strategies.registry import STRATEGIES

pytestmark = pytest.mark.db


@pytest.fixture
def market(owner: User) -> Market:
    return make_market(owner)


def by_strategy(market: Market) -> dict[str, Finding]:
    return {finding.strategy: finding for finding in market.judged()}


def test_spot_and_perpetual_are_found_as_cash_and_carry(market: Market) -> None:
    list_spot("bybit")
    market.tell(spot_book("bybit"))
    configure_more(market, strategies=["funding_spread", "cash_and_carry"])

    found = by_strategy(market)

    assert set(found) == {"funding_spread", "cash_and_carry"}
    carry = found["cash_and_carry"]
    assert [leg.paired.instrument.symbol for leg in carry.legs] == [SPOT, PERP]
    assert carry.candidate is not None
    # (50,000 - 49,900) / 49,900 of price gap, half of it counted, and six payments of 10 bp.
    assert carry.candidate.entry_gap == D(100) / 49_900
    assert carry.candidate.gap_credit == D(50) / 49_900
    assert carry.candidate.expected_funding == D("0.006")


def test_pair_within_one_company_is_found_whatever_a_transfer_costs(market: Market) -> None:
    binance = Exchange.objects.create(code="binance", short_code="BIN", name="Binance")
    list_spot("binance", like=market.instrument("binanceusdm"))
    open_account(market.user, binance)
    ExchangeAccount.objects.filter(exchange__code="bybit").update(is_active=False)
    market.tell(spot_book("binance", bid="49999", ask="50001"))
    market.tell(make_rate("binanceusdm", rate="0.001", age=-1))
    configure_more(
        market,
        strategies=["cash_and_carry"],
        transfer_cost_usd="1000",
        max_position_per_pair_usd="5000",
    )
    scan = market.scan()

    # Between two companies 1,000 / 10 would be 2 % of 5,000, more than six payments of 10 bp.
    assert scan.worth_judging("BTC", market.seen, NOW) == scan.users


def add_third(market: Market, *, rate: str, quantity: str = "1") -> None:
    """List a third perpetual, without an account there."""
    list_perpetual("binance")
    market.tell(replace(make_book("binance"), bid_quantity=D(quantity), ask_quantity=D(quantity)))
    market.tell(make_rate("binance", rate=rate))


@pytest.mark.parametrize(("ranking", "short"), [("net_profit", "bybit"), ("net_bps", "binance")])
def test_within_a_base_the_ranking_says_which_pair_is_counted(
    market: Market, ranking: str, short: str
) -> None:
    # A book of 5,000 USD at 12 bp six times, one of 50,000 at 10 bp.
    add_third(market, rate="0.0012", quantity="0.1")
    open_account(market.user, Exchange.objects.get(code="binance"))
    configure_more(market, ranking=ranking)

    finding = market.judge()

    assert (finding.long.instrument.venue, finding.short.instrument.venue) == ("binanceusdm", short)


def test_where_no_pair_pays_the_one_that_could_be_entered_is_named(market: Market) -> None:
    add_third(market, rate="0.0004")
    market.tell(make_rate("bybit", rate="0.0002", age=-1))

    assert market.judge().short.instrument.venue == "bybit"
    assert market.refusal()[0] != "no_account"


def test_of_two_strategies_on_one_base_the_better_is_entered(market: Market) -> None:
    list_spot("bybit")
    market.tell(spot_book("bybit"))
    configure_more(market, strategies=["funding_spread", "cash_and_carry"])

    first, second = market.judged()

    assert first.refusal is None
    assert second.refusal is not None
    assert second.refusal.code == "better_strategy"
    assert f"{first.strategy} earns more on BTC" in second.refusal.sentence


def test_spot_that_nobody_lends_is_not_sold(market: Market) -> None:
    list_spot("bybit")
    market.tell(spot_book("bybit"))
    configure_more(market, strategies=["reverse_cash_and_carry"])

    (finding,) = market.judged()

    assert finding.refusal is not None
    assert finding.refusal.code == "not_borrowable"


def test_strategy_without_its_instruments_finds_nothing(market: Market) -> None:
    configure_more(market, strategies=["split_carry", "calendar_spread"])

    assert market.judged() == []


def test_price_far_from_mark_is_refused_with_both(market: Market) -> None:
    market.tell(make_quote("bybit", mark="47000"))

    code, sentence = market.refusal()

    assert code == "off_mark"
    assert "stands at 50000, 6.38 % from its mark price of 47000; the most is 5.00 %" in sentence


def test_venue_that_is_not_configured_is_refused_by_name(market: Market) -> None:
    configure_more(market, venues=["bybit"])

    assert market.refusal() == ("venue_off", "binanceusdm is not among the configured venues.")


def test_every_gate_has_a_name_of_its_own_and_says_what_it_asks() -> None:
    assert len({gate.key for gate in GATES}) == len(GATES)
    assert all(gate.asks for gate in GATES)


def test_automatic_size_is_bounded_by_the_order_amount(market: Market) -> None:
    configure_more(market, order_amount_usd="7000")

    assert market.judge().size_usd == D(7_000)


def test_several_findings_share_one_purse(market: Market) -> None:
    configure_more(
        market,
        max_position_per_pair_usd="50000",
        max_position_per_venue_usd="60000",
        max_position_per_user_usd="60000",
    )
    scan = MarketScan()
    scan.adopt(scan.load(NOW))
    (user,) = scan.users
    first = market.judge()
    second = replace(first, base="ETH")

    taken = take([first, second], user.standing)

    assert [(one.base, one.size_usd) for one in taken] == [("BTC", D(50_000)), ("ETH", D(10_000))]


def test_what_is_left_below_a_venue_minimum_is_not_rung(market: Market) -> None:
    # Beside 50,000 of BTC the least order of 0.001 at 50,000, and one cent less than it.
    for whole, taken_bases in (("50050", ["BTC", "ETH"]), ("50049.99", ["BTC"])):
        limits_of_all = ("max_position_per_venue_usd", "max_position_per_user_usd")
        configure_more(market, min_position_usd="0", **dict.fromkeys(limits_of_all, whole))
        (user,) = market.scan().users
        first = market.judge()

        taken = take([first, replace(first, base="ETH")], user.standing)

        assert [one.base for one in taken] == taken_bases


def test_exposure_of_one_reason_is_a_limit_of_its_own(market: Market) -> None:
    configure_more(market, max_funding_exposure_usd="60000")
    parameters = configure.current(market.user).parameters

    def claim(reason: str) -> None:
        claims = limits.claims_for(
            base="BTC" if reason == "funding" else "ETH",
            legs=[("bybit", D(1)), ("binanceusdm", D("0.5"))],
            open_reason=reason,
            size_usd=D(40_000),
            parameters=parameters,
        )
        limits.reserve(market.user.pk, Mode.REHEARSAL, claims)

    claim("funding")
    with pytest.raises(limits.LimitReached) as reached:
        claims = limits.claims_for(
            base="SOL",
            legs=[("bybit", D(1))],
            open_reason="funding",
            size_usd=D(30_000),
            parameters=parameters,
        )
        limits.reserve(market.user.pk, Mode.REHEARSAL, claims)

    assert "does not fit the limit of funding positions" in str(reached.value)
    claim("basis")
    half = LimitUse.objects.get(scope="venue:binanceusdm").reserved_cents
    # Half a leg, twice.
    assert half == 4_000_000


def test_legs_must_be_what_the_strategy_holds(market: Market) -> None:
    spot, perpetual = list_spot("bybit"), market.instrument("binanceusdm")
    carry, spread = STRATEGIES["cash_and_carry"], STRATEGIES["funding_spread"]
    legs = long_short(spot, perpetual)

    assert refuse_legs(carry, "BTC", legs) is None
    refusal = refuse_legs(spread, "BTC", legs)
    assert refusal is not None
    assert refusal.code == "wrong_legs"
    assert "perpetual bought, perpetual sold" in refusal.sentence
    three = (*legs, EntryLeg(market.instrument("bybit"), legs[1].side, Decimal("0.5")))
    assert refuse_legs(carry, "BTC", three) is not None
