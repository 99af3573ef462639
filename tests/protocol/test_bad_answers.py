"""Whatever a venue answers: a call gives sound facts or raises a kind of ours, and never trades on.

The venues' own answers are the seeds; one place of them, or all, is spoilt.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings

from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Credential, Surroundings
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.client_order_ids import client_order_id, in_venue_form
from exchanges.domain import Fill, OrderReport, OrderRequest, OrderType, Side, Symbol
from exchanges.errors import OrderOutcomeUnknown, VenueError
from exchanges.simulator.deliveries import Delivery
from exchanges.simulator.listings import BYBIT_SPOT, HABITS, OWNERS, WALLETS
from exchanges.simulator.wire import WireRequest, WireResponse
from exchanges.venues import PROFILES
from tests.protocol.bad_input import Spoiling, facts_in, spoilings, wrong_with
from tests.simulation.transport import InProcessSession
from tests.simulator.nearby import Nearby, call
from tests.simulator.world import World

pytestmark = pytest.mark.protocol

D = Decimal
VENUES = (
    *("binance", "binanceusdm", "bybit", "okx", "bitget"),
    *("gate", "krakenfutures", "kucoin", "kraken", "deribit", "hyperliquid"),
)
SPOT = ("binance", "kraken")
SYMBOLS = {
    **dict.fromkeys(SPOT, Symbol("BTC/USDT")),
    "krakenfutures": Symbol("BTC/USD:USD"),
    **dict.fromkeys(("deribit", "hyperliquid"), Symbol("BTC/USDC:USDC")),
}
ORDER_ID = UUID(int=7)
numbers = count(1)


class Spoilt(Nearby):
    """The other end of a wire that spoils what comes back, while it is told how."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.how: Spoiling | None = None

    def answer(self, request: WireRequest, rule: Any) -> Delivery:
        delivery = super().answer(request, rule)
        if self.how is None or delivery.response is None:
            return delivery
        response = WireResponse(
            status=delivery.response.status,
            body=self.how.of(delivery.response.body),
            outcome=delivery.response.outcome,
        )
        return Delivery(ending=delivery.ending, response=response)


@dataclass(frozen=True, slots=True)
class Desk:
    """One account at one venue with something of everything: an order, fills, a position."""

    world: World
    venue: str
    far: Spoilt
    client: VenueClient
    data: CcxtMarketData
    trading: CcxtTrading
    account: CcxtAccount
    symbol: Symbol
    own_id: Any
    ended_id: Any
    fills: list[Fill]

    @property
    def since(self) -> Any:
        return self.world.at - timedelta(hours=2)

    def order(self) -> OrderRequest:
        return OrderRequest(
            client_order_id=in_venue_form(
                client_order_id(ORDER_ID, 0, "open", next(numbers)), self.venue
            ),
            symbol=self.symbol,
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            base_quantity=D("0.01"),
            price=D("60000"),
        )


@pytest.fixture(scope="module", params=VENUES)
def desk(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Generator[Desk]:
    venue = request.param
    folder = Path(tmp_path_factory.mktemp("world"))
    world = World(folder, interval_minutes=60, watched=True)
    keys, far = world.account(venue), Spoilt(world)
    credential = Credential(api_key=keys.api_key, secret=keys.secret, passphrase=keys.passphrase)
    surroundings = Surroundings(now=lambda: world.at, session=lambda: InProcessSession(lambda: far))
    client = VenueClient(
        Catalogue(PROFILES[venue]), credential=credential, surroundings=surroundings
    )
    made = Desk(
        world,
        venue,
        far,
        client,
        CcxtMarketData(client),
        CcxtTrading(client),
        CcxtAccount(client),
        SYMBOLS.get(venue, Symbol("BTC/USDT:USDT")),
        in_venue_form(client_order_id(ORDER_ID, 1, "open", 0), venue),
        in_venue_form(client_order_id(ORDER_ID, 2, "open", 0), venue),
        [],
    )
    call(client.ready())
    world.pin(venue, price="64000")
    world.place(venue, Side.BUY, "0.05", client_order_id=made.ended_id)
    if venue == "bybit":
        world.place(BYBIT_SPOT, Side.SELL, "0.01", may_borrow=True)
    for amount in ("7", "-3"):
        world.wait(seconds=1)
        dollar = HABITS[OWNERS[venue]].margin_asset
        world.simulator.ledger.move(keys, WALLETS[venue], dollar, D(amount), now=world.at)
    world.wait(hours=1.2)
    # As they are listed, which is without our id at some: whose they are is asked besides.
    listed = call(made.account.fills(made.symbol, since=made.since))
    made.fills.extend(replace(fill, client_order_id=None) for fill in listed)
    world.place(venue, Side.BUY, "0.01", price="50000", client_order_id=made.own_id)
    # One to come, where it is told before, and one that goes on, where only that is told.
    for hours in (0, 2):
        begins = world.at + timedelta(hours=hours)
        world.simulator.announcements.announce_maintenance(
            "binance" if venue == "binanceusdm" else venue,
            title="upgrade",
            begins_at=begins,
            ends_at=begins + timedelta(hours=1),
        )
    yield made
    far.how = None
    call(client.close())


NOBODYS: dict[str, Any] = {
    venue: in_venue_form(client_order_id(ORDER_ID, 3, "open", 0), venue) for venue in VENUES
}
CALLS: dict[str, Callable[[Desk], Coroutine[Any, Any, Any]]] = {
    "instruments": lambda d: d.data.instruments(),
    "funding rates": lambda d: d.data.funding_rates(),
    "borrow rates": lambda d: d.data.borrow_rates(),
    "activity": lambda d: d.data.activity(),
    "risk tiers": lambda d: d.data.risk_tiers([d.symbol]),
    "own risk tiers": lambda d: d.account.risk_tiers([d.symbol]),
    "open interest": lambda d: d.data.open_interest(d.symbol),
    "quotes": lambda d: d.data.quotes(),
    "book tops": lambda d: d.data.book_tops(),
    "depth": lambda d: d.data.depth(d.symbol, levels=10),
    "settled funding": lambda d: d.data.settled_funding(d.symbol, since=d.since),
    "accrued rate": lambda d: d.data.accrued_rate(
        d.symbol, since=d.since, until=d.since + timedelta(minutes=20)
    ),
    "maintenance": lambda d: d.data.maintenance(),
    "server time": lambda d: d.data.server_time(),
    "balances": lambda d: d.account.balances(),
    "positions": lambda d: d.account.positions(),
    "fills": lambda d: d.account.fills(d.symbol, since=d.since),
    "funding payments": lambda d: d.account.funding_payments(
        {"BTC": d.symbol, "PF_XBTUSD": d.symbol}, since=d.since
    ),
    "borrow interest": lambda d: d.account.borrow_interest(since=d.since),
    "isolated margin": lambda d: d.account.isolated_margin(d.symbol),
    "transfers": lambda d: d.account.transfers(since=d.since),
    "fee tier": lambda d: d.account.fee_tier(d.symbol),
    "check key": lambda d: d.account.check_key(),
    "find order": lambda d: d.trading.find_order(d.own_id, d.symbol),
    "find an order that has ended": lambda d: d.trading.find_order(d.ended_id, d.symbol),
    "find an order that nobody placed": lambda d: d.trading.find_order(NOBODYS[d.venue], d.symbol),
    "trace": lambda d: d.account.trace(d.fills[0]),
    "add margin": lambda d: d.trading.add_margin(d.symbol, D(1)),
    "countdown": lambda d: d.trading.arm_dead_man(d.symbol, after=timedelta(seconds=60)),
    "clock error": lambda d: d.trading.clock_error(),
    "open orders": lambda d: d.trading.open_orders(d.symbol),
    "prepare": lambda d: d.trading.prepare(d.symbol, leverage=D(2)),
    "cancel": lambda d: d.trading.cancel(d.own_id, d.symbol),
}
# Listings are large and slow to read; each is read for all of a venue's calls.
SLOW = {"instruments"}
quick = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("name", [name for name in CALLS if name not in SLOW])
@quick
@given(how=spoilings)
def test_a_spoilt_answer_is_sound_facts_or_an_error_of_ours(
    desk: Desk, name: str, how: Spoiling
) -> None:
    assert_sound(desk, name, how)


@settings(quick, max_examples=4)
@given(how=spoilings)
def test_a_spoilt_listing_is_sound_or_an_error_of_ours(desk: Desk, how: Spoiling) -> None:
    assert_sound(desk, "instruments", how)


@quick
@given(how=spoilings)
def test_an_order_whose_answer_is_spoilt_is_acknowledged_or_unknown_and_sent_once(
    desk: Desk, how: Spoiling
) -> None:
    request = desk.order()
    desk.far.how = how
    try:
        report = call(desk.trading.submit(request))
    except OrderOutcomeUnknown:
        report = None
    finally:
        desk.far.how = None

    assert report is None or (isinstance(report, OrderReport) and report.venue_order_id)
    assert report is None or wrong_with(report) == []
    mine = [
        order
        for order in desk.world.simulator.ledger.orders.values()
        if order.client_order_id == request.client_order_id
    ]
    assert len(mine) == 1


def assert_sound(desk: Desk, name: str, how: Spoiling) -> None:
    desk.far.how = how
    try:
        answer = call(CALLS[name](desk))
    except VenueError:
        return
    finally:
        desk.far.how = None
    assert [trouble for fact in facts_in(answer) for trouble in wrong_with(fact)] == []
