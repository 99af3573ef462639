"""Open interest and turnover in each venue's own words become base units and dollars."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from exchanges import registry
from exchanges.activity import Activity as Fact
from exchanges.ccxt_adapter.client import Catalogue
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import InstrumentKind, Symbol
from exchanges.errors import UnexpectedPayload
from exchanges.models import Activity, Exchange
from exchanges.modes import Mode
from exchanges.open_interest import poll_activity
from exchanges.services import store_listing
from exchanges.venues import PROFILES
from tests.market import NOW
from tests.protocol.conftest import DERIVATIVES, DOLLARS, Simulator, assert_exact, run
from tests.simulator.nearby import call, client_at
from tests.simulator.world import World

pytestmark = pytest.mark.protocol

D = Decimal


@pytest.fixture(params=DERIVATIVES)
def venue(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, watched=True)


@pytest.fixture
def data(world: World, venue: str) -> Generator[CcxtMarketData]:
    data = CcxtMarketData(client_at(world, venue, Catalogue(PROFILES[venue])))
    yield data
    call(data.close())


def bitcoin(venue: str) -> Symbol:
    dollar = DOLLARS.get(venue, "USDT")
    return Symbol(f"BTC/{dollar}:{dollar}")


def told(data: CcxtMarketData, venue: str) -> list[Fact]:
    """Return all that is told of bitcoin, its own question included."""
    listed = [fact for fact in call(data.activity(), 60) if fact.symbol == bitcoin(venue)]
    own = call(data.open_interest(bitcoin(venue)), 60)
    return listed if own is None else [*listed, own]


def test_what_is_held_and_traded_is_told_in_coins_and_dollars(
    world: World, venue: str, data: CcxtMarketData
) -> None:
    world.pin(venue, price="60000", open_interest="2000", day_volume="5000")

    facts = told(data, venue)

    # 5,000 coins at 60,000 are 300,000,000; a contract of OKX is 0.01 of the 2,000 coins held.
    assert {fact.open_interest for fact in facts} - {None} == {D(2_000)}
    assert {fact.turnover_usd for fact in facts} - {None} == {D(300_000_000)}
    for fact in facts:
        assert fact.observed_at == world.at
        assert_exact(fact)


def test_all_perpetuals_and_spot_and_nothing_else_are_told_of(
    venue: str, data: CcxtMarketData
) -> None:
    listed = call(data.instruments(), 60)
    kept = {row.symbol for row in listed if row.kind is not InstrumentKind.FUTURE}

    assert {fact.symbol for fact in call(data.activity(), 60)} == kept


@pytest.mark.parametrize("venue", ["binance", "bybit", "okx", "kraken"])
def test_what_was_traded_of_spot_is_told_in_dollars(world: World, venue: str) -> None:
    data = CcxtMarketData(client_at(world, venue, Catalogue(PROFILES[venue])))
    tops = {one.symbol: one for one in call(data.book_tops())}

    told = {one.symbol: one for one in call(data.activity(), 60)}

    spot = Symbol("BTC/USDT")
    turnover = told[spot].turnover_usd
    assert told[spot].open_interest is None
    assert turnover is not None
    # A hundred coins change hands in a day, each worth what the touch says within a few ticks.
    assert turnover / tops[spot].bid == pytest.approx(100, rel=D("0.001"))
    call(data.close())


@pytest.mark.parametrize("nonsense", ["-1", "1" + "0" * 30])
def test_a_figure_that_no_market_has_is_no_fact(
    world: World, venue: str, data: CcxtMarketData, nonsense: str
) -> None:
    world.pin(venue, price="60000", open_interest=nonsense)

    facts: list[Fact] = []
    with contextlib.suppress(UnexpectedPayload):
        facts = told(data, venue)

    assert {fact.open_interest for fact in facts} <= {None}


def test_a_figure_below_zero_costs_no_other_contract_its_own(
    world: World, venue: str, data: CcxtMarketData
) -> None:
    world.pin(venue, price="60000", open_interest="-1")

    figures = {fact.symbol: fact.turnover_usd for fact in call(data.activity(), 60)}

    figures.pop(bitcoin(venue), None)
    assert figures
    assert None not in figures.values()


@pytest.fixture
def disturbed(simulator: Simulator) -> Generator[Simulator]:
    yield simulator
    simulator.ask("DELETE", "/faults")


@pytest.mark.django_db
def test_one_contract_that_a_venue_refuses_to_tell_of_costs_no_other_its_figure(
    disturbed: Simulator,
) -> None:
    exchange = Exchange.objects.create(code="binanceusdm", short_code="BIN", name="Binance")
    listed = run(registry.market_data("binanceusdm", Mode.REHEARSAL).instruments())
    store_listing(exchange, listed, (), NOW)
    disturbed.disturb(
        "reject", venue="binanceusdm", path="openInterest", contains="symbol=ETHUSDT", code=-1121
    )

    refused = figures(poll_activity(NOW))
    told = figures(poll_activity(NOW + timedelta(minutes=1)))

    # 480,000,000 dollars at a first price of 64,000 are 7,500 coins.
    assert refused["BTC"] == told["BTC"] == D(7_500)
    assert (refused["ETH"], None in told.values()) == (None, False)
    assert not Activity.objects.filter(turnover_usd=None).exists()


def figures(stored: int) -> dict[str, Decimal | None]:
    rows = Activity.objects.values_list("instrument__base", "open_interest")
    assert len(rows) == stored
    return dict(rows)
