"""Three legs are found, ranked and passed over by the same gates and figures as two."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from arbsite.accounts.models import User
from exchanges.domain import InstrumentKind, Symbol
from exchanges.models import Exchange, ExchangeAccount, Instrument
from tests.market import NOW, D, make_book, make_instrument, make_quote, make_rate
from tests.services.scan_market import (
    Market,
    answer_late,
    configure_more,
    list_spot,
    make_market,
    spot_book,
)
from trading.core.states import PositionState
from trading.models import Opportunity, Position
from trading.services.user_scan import Finding

pytestmark = pytest.mark.db

LEFT = timedelta(days=70)


@pytest.fixture
def market(owner: User) -> Market:
    """Spot at 50,000 at both venues and a future 6 % above: a tenth of half ages in 7 days."""
    market = make_market(owner)
    for venue in ("binanceusdm", "bybit"):
        list_spot(venue)
        market.tell(spot_book(venue, bid="49999", ask="50001"))
    list_future(market, "bybit")
    tell_future(market, "bybit", bid="52999", ask="53001")
    configure_more(market, strategies=["split_carry"], hold_horizon="168")
    return market


def list_future(market: Market, venue: str) -> Instrument:
    listed = make_instrument(venue, kind=InstrumentKind.FUTURE, expires_at=NOW + LEFT)
    perpetual = market.instrument(venue)
    names = ("base", "quote", "settle", "contract_base", "price_tick", "lot", "max_leverage")
    return Instrument.objects.create(
        exchange=Exchange.objects.get(code=venue),
        symbol=listed.symbol,
        venue_symbol=f"BTC-{venue}-DATED",
        kind="future",
        settlement="none",
        expires_at=listed.expires_at,
        min_base_quantity=perpetual.min_base_quantity,
        min_notional=perpetual.min_notional,
        refreshed_at=NOW,
        **{name: getattr(perpetual, name) for name in names},
    )


def tell_future(market: Market, venue: str, *, bid: str, ask: str, quantity: str = "1") -> None:
    symbol = Symbol(Instrument.objects.get(exchange__code=venue, kind="future").symbol)
    book = make_book(venue, bid=bid, ask=ask)
    market.tell(
        replace(book, symbol=symbol, bid_quantity=D(quantity), ask_quantity=D(quantity)),
        replace(make_quote(venue, mark=bid, index=bid, age=1), symbol=symbol),
    )


def venues_of(finding: Finding) -> list[str]:
    return [leg.paired.instrument.venue for leg in finding.legs]


def test_three_legs_alone_ring_their_entry(market: Market) -> None:
    scan = market.scan()

    assert scan.worth_judging("BTC", market.seen, NOW) == scan.users
    finding = market.judge()
    assert (finding.strategy, finding.refusal) == ("split_carry", None)
    assert len(finding.legs) == 3


def test_nobody_is_woken_by_three_legs_that_do_not_pay(market: Market) -> None:
    tell_future(market, "bybit", bid="49999", ask="50001")
    market.tell(make_rate("bybit", rate="0", age=-1))
    scan = market.scan()

    assert scan.worth_judging("BTC", market.seen, NOW) == []


def halt(market: Market) -> None:
    ExchangeAccount.objects.filter(exchange__code="bybit").update(
        halted_at=NOW, halted_reason="a mismatch"
    )


def answer_slowly(market: Market) -> None:
    answer_late(market, "bybit", seconds="3")


def leave_out(market: Market) -> None:
    configure_more(market, strategies=["split_carry"], hold_horizon="168", venues=["binanceusdm"])


@pytest.mark.parametrize("trouble", [halt, answer_slowly, leave_out])
def test_legs_at_a_usable_venue_are_named_before_better_ones_at_another(
    market: Market, trouble: object
) -> None:
    list_future(market, "binanceusdm")
    tell_future(market, "binanceusdm", bid="51999", ask="52001")
    assert callable(trouble)
    best = market.judge()
    assert "bybit" in venues_of(best)

    trouble(market)

    assert venues_of(market.judge()) == ["binanceusdm"] * 3


@pytest.mark.parametrize(
    ("ranking", "future"), [("net_profit", "bybit"), ("net_bps", "binanceusdm")]
)
def test_ranking_says_which_three_legs_are_counted(
    market: Market, ranking: str, future: str
) -> None:
    # 8 % above for 0.05 of it, 6 % above for one whole.
    list_future(market, "binanceusdm")
    tell_future(market, "binanceusdm", bid="53999", ask="54001", quantity="0.05")
    configure_more(market, strategies=["split_carry"], hold_horizon="168", ranking=ranking)

    assert venues_of(market.judge())[2] == future


def test_three_legs_of_a_base_that_is_not_whitelisted_are_not_woken_for(market: Market) -> None:
    ether = market.instrument("bybit")
    ether.pk, ether.base, ether.symbol, ether.venue_symbol = None, "ETH", "ETH/USDT:USDT", "ETHUSDT"
    ether.save()
    configure_more(market, strategies=["split_carry"], symbols=["ETH-USDT"])
    scan = market.scan()

    assert scan.worth_judging("BTC", market.seen, NOW) == []
    refusal = market.refusal()
    assert refusal[0] == "not_whitelisted"


def test_row_names_the_legs_that_were_counted_last(market: Market) -> None:
    market.record()
    list_future(market, "binanceusdm")
    tell_future(market, "binanceusdm", bid="53999", ask="54001")
    market.record(at=timedelta(seconds=1))

    legs = Opportunity.objects.filter(status="candidate").latest("seen_at").legs
    assert [leg["venue"] for leg in legs] == venues_of(market.judge())
    assert not Position.objects.exclude(state=PositionState.CLOSED).exists()
