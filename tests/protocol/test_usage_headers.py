"""What a venue says is used of its limits, by us and by others, from its wire to our own pace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Credential, Surroundings
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.client_order_ids import in_venue_form
from exchanges.domain import Side, Symbol
from exchanges.errors import RateLimited
from exchanges.limits.lanes import Lane, asking
from exchanges.limits.limiter import Limiter
from exchanges.simulator.usage import KUCOIN_LASTS, MINUTE
from exchanges.venues import PROFILES
from tests.paper_desk import order
from tests.simulation.transport import InProcessSession
from tests.simulator.nearby import Nearby, call
from tests.simulator.world import World

pytestmark = pytest.mark.protocol

KUCOIN_HOST = "api-futures.kucoin.com"
PLACES = {"binance": "BTC/USDT"}


@dataclass(frozen=True, slots=True)
class Told:
    """A limit of a venue: where it counts, what of it others have used, in how many seconds."""

    venue: str
    scope: tuple[str, ...]
    used: int
    window: int
    is_of_orders: bool = False

    def __str__(self) -> str:
        return f"{self.venue}{' orders' if self.is_of_orders else ''}"


KEY = "<key>"
TOLD = [
    Told("binance", ("binance",), 5500, MINUTE),
    Told("binance", ("binance", "orders", "10S", KEY), 95, 10, is_of_orders=True),
    Told("binanceusdm", ("binanceusdm",), 2300, MINUTE),
    Told("binanceusdm", ("binanceusdm", "orders", "10S", KEY), 290, 10, is_of_orders=True),
    Told("binanceusdm", ("binanceusdm", "orders", "1M", KEY), 1150, MINUTE, is_of_orders=True),
    Told("bybit", ("bybit", "/v5/order/create", KEY), 9, 1, is_of_orders=True),
    Told("gate", ("gate", "GET", "/api/v4/futures/usdt/tickers", ""), 190, 10),
    Told("bitget", ("bitget", "/api/v2/mix/market/tickers", ""), 19, 1),
    Told("kucoin", ("kucoin", KUCOIN_HOST, ""), 1950, KUCOIN_LASTS),
    Told("kucoin", ("kucoin", KUCOIN_HOST, KEY), 1950, KUCOIN_LASTS, is_of_orders=True),
]


@dataclass(slots=True)
class Program:
    """Carry with one account at a venue, all of the venue's limits ahead of it."""

    world: World
    told: Told
    client: VenueClient

    def ask(self) -> Any:
        """Do what counts in the limit, in the lane that may use all of it, waiting for nothing."""
        with asking(Lane.CLOSE, within=0):
            if not self.told.is_of_orders:
                return call(CcxtMarketData(self.client).book_tops())
            venue = self.told.venue
            request = order(Side.BUY, "0.01", symbol=Symbol(PLACES.get(venue, "BTC/USDT:USDT")))
            own_id = in_venue_form(request.client_order_id, venue)
            return call(CcxtTrading(self.client).submit(replace(request, client_order_id=own_id)))

    def let_others_use(self, used: int) -> None:
        key = self.world.account(self.told.venue).api_key
        scope = [key if part == KEY else part for part in self.told.scope]
        self.world.venues.meter.count(
            *scope, window=self.told.window, now=self.world.simulator.now(), weight=used
        )


@pytest.fixture(params=TOLD, ids=str)
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Program]:
    told: Told = request.param
    world = World(tmp_path, watched=True)
    # At the beginning of its window.
    world.wait(seconds=60 - world.at.timestamp() % 60)
    keys, far = world.account(told.venue), Nearby(world)
    limiter = Limiter(share=1, now=lambda: world.at.timestamp())
    client = VenueClient(
        Catalogue(PROFILES[told.venue]),
        credential=Credential(
            name="one", api_key=keys.api_key, secret=keys.secret, passphrase=keys.passphrase
        ),
        surroundings=Surroundings(
            now=lambda: world.at,
            session=lambda: InProcessSession(lambda: far),
            limiter=limiter,
        ),
    )
    call(client.ready())
    limiter.forget()
    yield Program(world, told, client)
    call(client.close())


def test_what_others_have_used_of_a_limit_is_heard_from_the_answer_and_leaves_no_room(
    program: Program,
) -> None:
    program.ask()
    program.let_others_use(program.told.used)
    program.ask()

    with pytest.raises(RateLimited, match="our own limit leaves no room"):
        program.ask()
