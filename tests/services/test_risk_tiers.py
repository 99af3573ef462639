"""Risk tiers: what they let be entered, when they are read, and who hears that they changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from arbsite.accounts.models import User
from exchanges.domain import Symbol
from exchanges.errors import VenueUnavailable
from exchanges.matching import tiers_from
from exchanges.models import AccountPosition, Exchange, ExchangeAccount, Instrument, RiskTiers
from exchanges.models.notices import FactChange
from exchanges.risk_tiers import TierLadder
from exchanges.tier_rows import doubt_tiers, store_ladders
from tests.market import NOW, PERP, D
from tests.services.scan_market import (
    VENUES,
    Market,
    make_market,
    on_the_board,
)
from tests.simulator.nearby import call, call_all
from tests.web.rows import make_position
from trading.core.refusal import Refusal
from trading.models import Event, Position
from trading.services.changed_facts import heed_changes
from trading.services.entry_legs import EntryLeg, long_short
from trading.services.finding_details import details_of
from trading.services.plan_entry import Refused, plan_entry
from trading.services.quote import quote_entry
from trading.services.refresh_tiers import refresh_tiers
from trading.services.venues import Venues

pytestmark = pytest.mark.db

# At the configured 2x: 10,000. In the market all costs 50,000.
SMALL = TierLadder(tiers_from([("5000", "10", "0.01"), ("10000", "2", "0.02")]))
LARGE = TierLadder(tiers_from([("50000", "10", "0.01"), ("1000000", "2", "0.02")]))


@pytest.fixture
def market(owner: User) -> Market:
    return make_market(owner)


def tell(market: Market, venue: str, ladder: TierLadder, *, at: datetime = NOW) -> None:
    store_ladders([market.instrument(venue)], {PERP: ladder}, at)


def legs_of(market: Market) -> tuple[EntryLeg, EntryLeg]:
    return long_short(*(market.instrument(venue) for venue in VENUES))


def enter(market: Market, size: str) -> Position | Refused:
    with on_the_board(market):
        return plan_entry(
            user=market.user,
            base="BTC",
            legs=legs_of(market),
            size_usd=D(size),
            opened_by="owner",
            is_manual=True,
            idempotency_key=None,
            now=NOW,
        )


# --- What may be entered --------------------------------------------------------------------------


def test_a_size_beyond_a_venues_tier_is_refused_before_any_leg(market: Market) -> None:
    tell(market, "bybit", SMALL)

    refused = enter(market, "10000")

    assert isinstance(refused, Refused)
    assert refused.refusals == (
        Refusal(
            code="risk_tier",
            sentence="10,000.00 USD are more than bybit would take: at 2x it lets 10,000.00 USD of "
            "BTC/USDT:USDT be held. With what prices may move meanwhile 9,800.00 USD can be "
            "entered.",
        ),
    )
    assert not Position.objects.exists()


def test_a_size_within_every_tier_is_entered(market: Market) -> None:
    tell(market, "bybit", SMALL)

    taken = enter(market, "9800")

    # At 50,000.
    assert isinstance(taken, Position)
    assert taken.target_base_quantity == D("0.196")


def test_what_is_held_already_counts(market: Market) -> None:
    tell(market, "bybit", SMALL)
    AccountPosition.objects.create(
        account=ExchangeAccount.objects.get(exchange__code="bybit"),
        instrument=market.instrument("bybit"),
        base_quantity=D("-0.1"),
        observed_at=NOW,
    )

    refused = enter(market, "5000")

    # 9,800 less 0.1 at 50,000 leave 4,800.
    assert isinstance(refused, Refused)
    (refusal,) = refused.refusals
    assert refusal.sentence == (
        "5,000.00 USD are more than bybit would take: at 2x it lets 10,000.00 USD of BTC/USDT:USDT "
        "be held, of which 5,000.00 USD are held. With what prices may move meanwhile 4,800.00 USD "
        "can be entered."
    )


def test_a_leverage_that_no_tier_allows_leaves_nothing(market: Market) -> None:
    tell(market, "bybit", TierLadder(tiers_from([("5000", "1", "0.5")])))

    finding = market.judge()

    assert finding.refusal is not None
    assert finding.refusal.sentence == (
        "Nothing may be opened: what bybit lets be held at 2x is 0.00 USD."
    )


def test_what_the_scan_finds_is_made_to_fit(market: Market) -> None:
    tell(market, "bybit", SMALL)
    tell(market, "binanceusdm", LARGE)

    finding = market.judge()

    assert finding.refusal is None
    assert finding.size_usd == finding.capacity_usd == 9_800
    assert finding.appraisal.venue_bound == "what bybit lets be held at 2x is 9,800.00 USD"


def test_caps_in_coins_are_worth_what_the_coin_is(market: Market) -> None:
    tell(market, "bybit", replace(SMALL, tiers=tiers_from([("0.2", "5", "0.01")]), in_base=True))

    # 0.98 x 0.2 x 50,000
    assert market.judge().capacity_usd == 9_800


def test_a_venue_that_tells_no_tiers_bounds_nothing_and_is_named(market: Market) -> None:
    tell(market, "binanceusdm", LARGE)

    finding = market.judge()
    with on_the_board(market):
        quote = quote_entry(
            user=market.user, base="BTC", legs=legs_of(market), size_usd=D(5_000), now=NOW
        )

    assert finding.size_usd == finding.capacity_usd == 50_000
    assert details_of(finding, NOW)["tiers_untold"] == ["bybit"]
    assert [note for note in quote.notes if "risk tiers" in note] == [
        "bybit did not tell its risk tiers: a large position is judged there by the lowest."
    ]


# --- When they are read ---------------------------------------------------------------------------


class Told:
    """What venues tell, by exchange, and how often each contract was asked for."""

    def __init__(self, **ladders: TierLadder | BaseException | None) -> None:
        self.ladders: dict[str, Any] = dict(ladders)
        self.asked: list[tuple[str, Sequence[Symbol]]] = []

    async def _tell(self, code: str, symbols: Sequence[Symbol]) -> Mapping[Symbol, TierLadder]:
        self.asked.append((code, symbols))
        told = self.ladders.get(code)
        if isinstance(told, BaseException):
            raise told
        return {} if told is None else dict.fromkeys(symbols, told)

    def account(self, account: ExchangeAccount) -> Any:
        told = self

        class Own:
            async def risk_tiers(self, symbols: Sequence[Symbol]) -> Mapping[Symbol, TierLadder]:
                return await told._tell(account.exchange.code, symbols)

        return Own()

    @property
    def venues(self) -> Venues:
        def tiers(exchange: Exchange, symbols: Sequence[Symbol]) -> Any:
            return self._tell(exchange.code, symbols)

        return Venues(
            trading=lambda account: pytest.fail("nothing is sent"),
            account=self.account,
            call=call,
            call_all=call_all,
            tiers=tiers,
        )

    def refresh(self, *, after: timedelta = timedelta(0)) -> list[str]:
        """Read at that time and return which venues were asked."""
        before = len(self.asked)
        refresh_tiers(venues=self.venues, now=NOW + after)
        return sorted(code for code, _ in self.asked[before:])


def ladder_of(market: Market, venue: str) -> TierLadder | None:
    return market.instrument(venue).ladder


def test_what_may_be_entered_is_asked_for_once_an_hour(market: Market) -> None:
    told = Told(binanceusdm=LARGE, bybit=SMALL)

    assert told.refresh() == ["binanceusdm", "bybit"]
    assert told.asked[0][1] == [PERP]
    assert (ladder_of(market, "binanceusdm"), ladder_of(market, "bybit")) == (LARGE, SMALL)
    assert told.refresh(after=timedelta(minutes=59)) == []
    assert told.refresh(after=timedelta(minutes=60)) == ["binanceusdm", "bybit"]


def test_what_nobody_may_enter_is_not_asked_for(market: Market) -> None:
    Instrument.objects.update(base="ETH")

    assert Told(bybit=SMALL).refresh() == []


def test_what_is_held_is_asked_for_more_often(market: Market) -> None:
    long, short = (market.instrument(venue) for venue in VENUES)
    make_position(market.user, long, short, NOW)
    told = Told(binanceusdm=LARGE, bybit=SMALL)
    told.refresh()

    assert told.refresh(after=timedelta(minutes=9)) == []
    assert told.refresh(after=timedelta(minutes=10)) == ["binanceusdm", "bybit"]


def test_what_a_venue_refused_is_asked_for_at_once(market: Market) -> None:
    told = Told(binanceusdm=LARGE, bybit=SMALL)
    told.refresh()

    doubt_tiers([market.instrument("bybit").pk])

    assert told.refresh(after=timedelta(minutes=1)) == ["bybit"]
    assert told.refresh(after=timedelta(minutes=2)) == []


def test_a_venue_that_does_not_answer_leaves_what_was_told_with_its_age(market: Market) -> None:
    told = Told(binanceusdm=LARGE, bybit=SMALL)
    told.refresh()
    told.ladders["bybit"] = VenueUnavailable("it is away")
    told.ladders["binanceusdm"] = None

    told.refresh(after=timedelta(hours=1))

    assert (ladder_of(market, "binanceusdm"), ladder_of(market, "bybit")) == (LARGE, SMALL)
    assert set(RiskTiers.objects.values_list("told_at", flat=True)) == {NOW}
    # Who was silent is asked again, who told nothing an hour later.
    assert told.refresh(after=timedelta(minutes=61)) == ["bybit"]


# --- Who hears of it ------------------------------------------------------------------------------


def test_a_lowered_tier_is_written_down_and_told_to_who_holds_it(market: Market) -> None:
    bybit: Instrument = market.instrument("bybit")
    position = make_position(market.user, market.instrument("binanceusdm"), bybit, NOW)
    tell(market, "bybit", LARGE)
    tell(market, "bybit", LARGE)
    assert not FactChange.objects.exists()

    tell(market, "bybit", SMALL)

    (change,) = FactChange.objects.all()
    assert (change.old, change.new) == (
        "1: up to 50000 at 10x, 1 %",
        "1: up to 5000 at 10x, 1 %",
    )
    assert heed_changes(now=NOW) == 1
    (event,) = Event.objects.filter(position=position, kind="fact.risk_tier")
    assert event.severity == Event.Severity.WARNING
    assert event.sentence == (
        "BTC: at bybit BTC/USDT:USDT: risk tier is now 1: up to 5000 at 10x, 1 %, was 1: up to "
        "50000 at 10x, 1 %; how near it is to its liquidation is judged by the new one"
    )
