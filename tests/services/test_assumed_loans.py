"""Spot whose borrow rate no venue tells: found, sized and named where a person assumes one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from arbsite.accounts.models import User
from exchanges import lending
from exchanges.models import Exchange, ExchangeAccount
from exchanges.modes import Mode
from exchanges.paper.rows import PaperAccount
from tests.market import NOW, D, make_rate
from tests.services.scan_market import (
    VALUES,
    Market,
    configure_more,
    list_spot,
    make_market,
    on_the_board,
    open_account,
    spot_book,
)
from trading.selectors.opportunities import recent_opportunities
from trading.services import configure, engine
from trading.services.entry_legs import EntryLeg
from trading.services.quote import quote_entry
from trading.services.user_scan import Finding
from trading.strategies.base import EntryTrigger

pytestmark = [pytest.mark.db, pytest.mark.django_db]

RUNNING = {"strategies": ["reverse_cash_and_carry"], "venues": ["binance", "bybit"]}
# 8.76 % a year is 0.001 % an hour, and 0.048 % in the 48 hours that are meant to be held.
YEARLY = [["BTC", "0.0876", "year"]]
TOLD = "BTC at binance, rate assumed by you: 8.76 % a year"


@pytest.fixture
def market(owner: User) -> Market:
    """Spot at Binance stands 2 % above the perpetual at Bybit, which pays longs 10 bp."""
    market = make_market(owner)
    Exchange.objects.filter(code="binanceusdm").update(code="binance", name="Binance Spot")
    spot = list_spot("binance", market.instrument("bybit"))
    spot.exchange.instruments.exclude(pk=spot.pk).delete()
    Exchange.objects.update(mode=Mode.PAPER)
    market.tell(spot_book("binance", bid="50999", ask="51001"))
    market.tell(make_rate("bybit", rate="-0.001"))
    configure_more(market, **RUNNING)
    return market


def assume(user: User, **what: object) -> PaperAccount:
    account = ExchangeAccount.objects.get(user=user, exchange__code="binance")
    return PaperAccount.objects.create(
        account=account, starting_balance=D(100_000), created_at=NOW, **what
    )


def found(market: Market) -> Finding:
    (finding,) = market.judged()
    return finding


def test_without_a_rate_it_is_refused_as_ever(market: Market) -> None:
    assume(market.user)

    refusal = found(market).refusal

    assert refusal is not None
    assert refusal.code == "not_borrowable"
    assert refusal.sentence == "BTC cannot be borrowed at binance."


@pytest.mark.parametrize("what", [{"borrow_rates": YEARLY}, {"borrow_rate": D("0.00001")}])
def test_with_one_it_may_be_entered_and_costs_that_rate(
    market: Market, what: dict[str, object]
) -> None:
    assume(market.user, **what)

    finding = found(market)

    assert finding.refusal is None
    assert finding.candidate is not None
    costs = finding.candidate.costs
    assert costs.borrow_per_hour == D("0.00001")
    assert costs.over(finding.candidate.horizon) - costs.fixed == D("0.00048")
    assert finding.size_usd > 0
    assert finding.appraisal.loans_assumed == (TOLD,)


def test_a_rate_of_another_coin_lends_none_of_this_one(market: Market) -> None:
    assume(market.user, borrow_rates=[["ETH", "0.05", "year"]])

    refusal = found(market).refusal

    assert refusal is not None
    assert refusal.code == "not_borrowable"


def test_who_trades_real_money_assumes_nothing(market: Market) -> None:
    assume(market.user, borrow_rates=YEARLY)
    Exchange.objects.update(mode=Mode.TESTNET)

    refusal = found(market).refusal

    assert refusal is not None
    assert refusal.code == "not_borrowable"


def test_one_person_s_assumption_is_not_another_s(market: Market, stranger: User) -> None:
    for exchange in Exchange.objects.all():
        open_account(stranger, exchange)
    configure.save(
        user=stranger,
        values=VALUES | RUNNING,
        expected_version=0,
        actor="stranger",
        now=NOW,
    )
    engine.resume(user=stranger, actor="stranger", now=NOW)
    assume(market.user, borrow_rates=YEARLY)

    judged = {
        scan.standing.user_id: scan.judge("BTC", market.seen, NOW, EntryTrigger.SCHEDULE)[0].refusal
        for scan in market.scan().users
    }

    assert judged[market.user.pk] is None
    refused = judged[stranger.pk]
    assert refused is not None
    assert refused.code == "not_borrowable"


def test_the_ticket_and_the_page_say_whose_rate_it_is(market: Market) -> None:
    assume(market.user, borrow_rates=YEARLY)
    finding = found(market)
    legs = EntryLeg.read(
        {
            "instrument": str(leg.paired.id),
            "side": leg.side.value,
            "ratio": str(leg.ratio),
        }
        for leg in finding.legs
    )

    market.record()
    with on_the_board(market):
        quote = quote_entry(
            user=market.user,
            strategy=finding.strategy,
            base="BTC",
            legs=legs,
            size_usd=Decimal(5_000),
            now=NOW,
        )

    assert f"Borrows {TOLD}." in quote.notes
    (line,) = recent_opportunities(market.user, NOW, limit=9)
    assert line.loans_assumed == TOLD


@pytest.mark.parametrize("venue", ["binance", "okx"])
def test_rates_are_read_where_coins_may_be_borrowed_in_the_mode_of_the_venue(
    market: Market, venue: str
) -> None:
    list_spot("bybit")
    Exchange.objects.filter(code="binance").update(code=venue)
    on_paper = {one.code for one in lending.lenders()}
    Exchange.objects.update(mode=Mode.LIVE)

    assert on_paper == {"bybit", venue}
    assert {one.code for one in lending.lenders()} == {"bybit"}
