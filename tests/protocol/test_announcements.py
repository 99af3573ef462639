"""What venues announce, by the real adapters: maintenance to come, the end of a contract."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest

from exchanges.ccxt_adapter.client import Catalogue
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.venues import PROFILES
from tests.simulator.nearby import call, client_at
from tests.simulator.world import World, bitcoin

pytestmark = pytest.mark.protocol

HOUR = timedelta(hours=1)
# Whose announcements are a venue's: Binance has one system.
OWNER = {
    "binanceusdm": "binance",
    **{name: name for name in ("bybit", "okx", "kraken", "krakenfutures", "kucoin")},
}
# They tell of now alone.
OF_NOW = ("binanceusdm", "kucoin")
ENDING = ("binanceusdm", "bybit", "okx")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, watched=True)


@pytest.fixture(params=OWNER)
def venue(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def data(world: World, venue: str) -> Generator[CcxtMarketData]:
    """Return the public reads of a venue with a list of its own: it changes."""
    client = client_at(world, venue, Catalogue(PROFILES[venue]))
    yield CcxtMarketData(client)
    call(client.close())


def test_maintenance_to_come_is_told_with_its_times_where_the_venue_tells_them(
    world: World, venue: str, data: CcxtMarketData
) -> None:
    assert call(data.maintenance()) == []
    begins, ends = world.at + HOUR, world.at + 3 * HOUR
    world.simulator.announcements.announce_maintenance(
        OWNER[venue], title="upgrade", begins_at=begins, ends_at=ends
    )

    told = call(data.maintenance())
    if venue in OF_NOW:
        assert told == []
        world.wait(hours=1.5)
        (window,) = call(data.maintenance())
        assert (window.starts_at, window.ends_at) == (world.at, None)
        assert window.title
    else:
        (window,) = told
        assert (window.starts_at, window.ends_at, window.title) == (begins, ends, "upgrade")

    world.wait(hours=4)
    assert call(data.maintenance()) == []


def test_kraken_tells_its_mode_of_now_and_of_one_house_what_concerns_it(world: World) -> None:
    """In the window the list is silent: the mode of trading tells of it."""
    data = [
        CcxtMarketData(client_at(world, venue, Catalogue(PROFILES[venue])))
        for venue in ("kraken", "krakenfutures")
    ]
    spot, futures = data
    for days, owner in ((0, "kraken"), (2, "krakenfutures"), (8, "krakenfutures")):
        begins = world.at + timedelta(days=days, minutes=10)
        world.simulator.announcements.announce_maintenance(
            owner, title=f"of {owner}", begins_at=begins, ends_at=begins + HOUR
        )

    assert [one.title for one in call(spot.maintenance())] == ["of kraken"]
    # What begins in eight days is not told yet.
    assert [one.title for one in call(futures.maintenance())] == ["of krakenfutures"]
    world.wait(minutes=20)
    [window] = call(spot.maintenance())
    assert (window.reference, window.ends_at) == ("now", None)
    for one in data:
        call(one.close())


@pytest.mark.parametrize("venue", ENDING, indirect=True)
def test_the_end_of_a_perpetual_is_known_as_soon_as_it_is_announced(
    world: World, venue: str, data: CcxtMarketData
) -> None:
    bitcoins = [i for i in call(data.instruments()) if i.symbol == "BTC/USDT:USDT"]
    assert [i.expires_at for i in bitcoins] == [None]
    ends = world.at.replace(microsecond=0) + 30 * HOUR
    world.simulator.announcements.announce_end(world.listing(venue, bitcoin(venue)), ends)

    after = {i.symbol: i for i in call(data.instruments())}

    assert after[bitcoins[0].symbol].expires_at == ends
    assert {i.expires_at for i in after.values() if i.base != "BTC"} == {None}
