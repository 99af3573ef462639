"""Testnet mode: an account at the venue's place for practice, decisions by the real market."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ccxt.pro
import pytest
import yarl

from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Credential, Surroundings
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.client_order_ids import in_venue_form
from exchanges.domain import Side, Symbol
from exchanges.errors import CredentialRefused
from exchanges.venues import PROFILES
from tests.paper_desk import COIN, PERPETUAL, order
from tests.protocol.venue_desk import Listening
from tests.simulation.transport import InProcessSession
from tests.simulator.nearby import call
from tests.simulator.world import HOSTS, World

pytestmark = pytest.mark.protocol

SYMBOLS = {
    "binance": COIN,
    "hyperliquid": Symbol("BTC/USDC:USDC"),
    "krakenfutures": Symbol("BTC/USD:USD"),
    "deribit": Symbol("BTC/USDC:USDC"),
}
PRACTISED = sorted(name for name, profile in PROFILES.items() if profile.practice is not None)


@dataclass
class Bench:
    venue: str
    world: World
    opened: list[VenueClient] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.far = Listening(self.world)

    def client(self, *, practices: bool, keyed: bool = False) -> VenueClient:
        owner, profile = self.world.account(self.venue), PROFILES[self.venue]
        owner.practices = practices
        keys = Credential(api_key=owner.api_key, secret=owner.secret, passphrase=owner.passphrase)
        client = VenueClient(
            Catalogue(profile),
            credential=keys if practices or keyed else None,
            practice=profile.practice if practices else None,
            surroundings=Surroundings(
                now=lambda: self.world.at, session=lambda: InProcessSession(lambda: self.far)
            ),
        )
        self.opened.append(client)
        return client

    def hosts(self) -> set[str]:
        return {request.host for request in self.far.came}


@pytest.fixture(params=PRACTISED)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Bench]:
    opened = Bench(request.param, World(tmp_path, watched=True))
    yield opened
    for client in opened.opened:
        call(client.close())


def test_nothing_of_a_practice_account_reaches_the_real_one(bench: Bench) -> None:
    practice = PROFILES[bench.venue].practice
    assert practice is not None
    client = bench.client(practices=True)
    account, symbol = CcxtAccount(client), SYMBOLS.get(bench.venue, PERPETUAL)
    request = order(Side.BUY, "0.01", symbol=symbol)
    own_id = in_venue_form(request.client_order_id, bench.venue)

    call(account.check_key())
    call(CcxtTrading(client).submit(replace(request, client_order_id=own_id)))
    [fill] = call(account.fills(symbol, since=bench.world.at.replace(hour=0)))
    tier = call(account.fee_tier(symbol))

    assert fill.base_quantity == bench.world.simulator.ledger.trades[0].base_quantity
    assert bench.hosts() <= {yarl.URL(one).host for one in _leaves(practice.addresses)}
    assert tier.taker > 0
    for sent in bench.far.came:
        assert sent.headers.items() >= practice.headers.items()


def test_the_market_is_read_where_the_real_one_is(bench: Bench) -> None:
    data = CcxtMarketData(bench.client(practices=False))

    call(data.instruments())
    assert call(data.quotes())

    assert bench.hosts() == {HOSTS[bench.venue]}
    marks = {"x-simulated-trading", "paptrading"}
    assert not any(marks & request.headers.keys() for request in bench.far.came)


@pytest.mark.parametrize("venue", PRACTISED)
def test_the_addresses_are_those_of_the_library_and_no_others(venue: str) -> None:
    profile = PROFILES[venue]
    practice = profile.practice
    assert practice is not None
    library = getattr(ccxt.pro, profile.ccxt_class)()
    is_sandbox = venue in ("okx", "hyperliquid", "gate", "krakenfutures", "deribit")
    (library.set_sandbox_mode if is_sandbox else library.enable_demo_trading)(True)

    known = {
        one.replace("{hostname}", library.hostname or "") for one in _leaves(library.urls["api"])
    }

    assert set(_leaves(practice.addresses)) <= known


@pytest.mark.parametrize("practices", [True, False])
def test_a_signature_for_one_place_is_a_strangers_at_the_other(
    tmp_path: Path, practices: bool
) -> None:
    bench = Bench("hyperliquid", World(tmp_path))
    client = bench.client(practices=practices, keyed=True)
    bench.world.account("hyperliquid").practices = not practices
    request = order(Side.BUY, "0.01", symbol=SYMBOLS["hyperliquid"])
    own_id = in_venue_form(request.client_order_id, "hyperliquid")

    with pytest.raises(CredentialRefused):
        call(CcxtTrading(client).submit(replace(request, client_order_id=own_id)))

    assert not bench.world.simulator.ledger.orders
    call(client.close())


def _leaves(addresses: Any) -> list[str]:
    if isinstance(addresses, str):
        return [addresses]
    return [leaf for one in addresses.values() for leaf in _leaves(one)]
