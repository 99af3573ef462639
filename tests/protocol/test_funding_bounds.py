"""The highest and the lowest funding rate of a contract, as each venue tells it and it is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from exchanges.ccxt_adapter.client import Catalogue
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.ccxt_adapter.parse import funding_bounds
from exchanges.domain import FundingRate, Instrument
from exchanges.models import Exchange
from exchanges.services import store_listing
from exchanges.venues import PROFILES
from tests.market import D
from tests.simulator.nearby import call, client_at
from tests.simulator.world import World

pytestmark = pytest.mark.protocol

TOLD = {
    # Hand numbers of the simulator: Binance tells of hourly contracts only.
    "binanceusdm": (D("0.02"), D("-0.02")),
    "bybit": (D("0.00375"), D("-0.00375")),
    "okx": (D("0.00375"), D("-0.00375")),
    "bitget": (D("0.003"), D("-0.003")),
    "kucoin": (D("0.003"), D("-0.003")),
}


def read(world: World, venue: str) -> tuple[list[Instrument], list[FundingRate]]:
    data = CcxtMarketData(client_at(world, venue, Catalogue(PROFILES[venue])))
    try:
        return list(call(data.instruments(), 60)), list(call(data.funding_rates(), 60))
    finally:
        call(data.close())


@pytest.mark.parametrize("venue", TOLD)
@pytest.mark.django_db
def test_cap_and_floor_of_every_perpetual_are_read_and_kept_with_their_age(
    tmp_path: Path, venue: str
) -> None:
    world = World(tmp_path, interval_minutes=60, watched=True)
    instruments, rates = read(world, venue)

    assert rates
    assert {(rate.cap, rate.floor) for rate in rates} == {TOLD[venue]}

    exchange = Exchange.objects.create(code=venue, short_code="X", name=venue, mode="rehearsal")
    store_listing(exchange, instruments, rates, world.at)
    kept = exchange.instruments.filter(kind="perpetual")
    assert {(row.funding_cap, row.funding_floor) for row in kept} == {TOLD[venue]}
    assert {row.refreshed_at for row in kept} == {world.at}
    snapshot = kept[0].snapshot()
    assert (snapshot.funding_cap, snapshot.funding_floor) == TOLD[venue]

    # What is told no more is not known any more.
    silent = [replace(rate, cap=None, floor=None) for rate in rates]
    store_listing(exchange, instruments, silent, world.at + timedelta(hours=1))
    assert set(kept.values_list("funding_cap", "funding_floor")) == {(None, None)}


def test_binance_tells_nothing_of_contracts_that_it_did_not_adjust(tmp_path: Path) -> None:
    _, rates = read(World(tmp_path, interval_minutes=1), "binanceusdm")

    assert {(rate.cap, rate.floor) for rate in rates} == {(None, None)}


@pytest.mark.parametrize(
    ("row", "bounds"),
    [
        ({"most": "0.0075", "least": "-0.0075"}, (D("0.0075"), D("-0.0075"))),
        ({"most": "0.0075"}, (D("0.0075"), None)),
        ({"most": "", "least": ""}, (None, None)),
        ({"most": "0", "least": "0"}, (None, None)),
        ({"most": "-0.01", "least": "0.01"}, (None, None)),
    ],
)
def test_what_bounds_nothing_is_not_taken_for_bounds(
    row: dict[str, str], bounds: tuple[object, object]
) -> None:
    assert funding_bounds(row, ("most", "least")) == bounds
