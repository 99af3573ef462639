"""The desk of the strategies in time that jumps: what waits for an answer or a deadline ends.

What is naked at the venues is noted each second, before anybody drives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.domain import Side, Symbol
from exchanges.matching import Holding
from exchanges.models import Exchange, ExchangeAccount, Instrument, SettledFundingRate
from exchanges.services import store_listing
from exchanges.simulator.accounts import Origin
from exchanges.simulator.ledger import FLAT
from exchanges.simulator.listings import Listing
from exchanges.simulator.settlement import delist
from exchanges.venues import PROFILES
from tests.services.strategy_desk import D, StrategyDesk
from tests.simulation.memory import MemoryRedis
from tests.simulation.timeline import START, Timeline, TimelineLoop
from tests.simulator.nearby import client_at
from tests.simulator.world import World, bitcoin
from trading.services.venues import traded_at

T = TypeVar("T")
# By which path of a POST a venue takes an order.
PLACES = {
    "gate": "/futures/usdt/orders",
    "kucoin": "/api/v1/orders",
    "bitget": "/order/place-order",
    "krakenfutures": "/sendorder",
    "kraken": "/AddOrder",
}
# The same of a pair in USDC, and of those that were there first.
PLACES_IN_USDC = {"deribit": "/api/v2", "hyperliquid": "/exchange"}
PLACES_OF_THE_FIRST = {
    "binance": "/api/v3/order",
    "binanceusdm": "/fapi/v1/order",
    "bybit": "/v5/order/create",
    "okx": "/api/v5/trade/order",
}
CASH = ("kraken", "binance")
ALL_PLACES = PLACES | PLACES_IN_USDC | PLACES_OF_THE_FIRST
# What is bought or sold of an asset at each of them.
NAMED = {
    "gate": "{}_USDT",
    "kucoin": "{}USDTM",
    "bitget": "{}USDT",
    "krakenfutures": "PF_{}USD",
    "kraken": "{}USD",
    "hyperliquid": "{}",
    "deribit": "{}_USDC-PERPETUAL",
    "binance": "{}USDT",
    "binanceusdm": "{}USDT",
    "bybit": "{}USDT",
    "okx": "{}-USDT-SWAP",
}
SYMBOLS = {venue: bitcoin(venue) for venue in ALL_PLACES} | {"kraken": "XBTUSD"}


def symbol_of(venue: str, base: str) -> str:
    return SYMBOLS[venue] if base == "BTC" else NAMED[venue].format(base)


class WorldTime(Timeline):
    """The venues' clock as the time of an event loop."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World | None = None

    @property
    def seconds(self) -> float:
        return 0.0 if self.world is None else (self.world.at - START).total_seconds()

    def advance(self, seconds: float) -> None:
        assert self.world is not None
        self.world.at += timedelta(microseconds=max(1, round(seconds * 1e6)))


class AtOnce(ThreadPoolExecutor):
    """Does at once what would go to a thread, as signing does: time would jump meanwhile."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        done: Future[T] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


TIME = WorldTime()
LOOP = TimelineLoop(TIME)
LOOP.set_default_executor(AtOnce())


def call(coroutine: Coroutine[Any, Any, T], timeout: float = 20) -> T:
    return LOOP.run_until_complete(asyncio.wait_for(coroutine, timeout))


def call_all(
    coroutines: Sequence[Coroutine[Any, Any, T]], timeout: float = 20
) -> list[T | BaseException]:
    async def gathered() -> list[T | BaseException]:
        each = [asyncio.wait_for(coroutine, timeout) for coroutine in coroutines]
        return await asyncio.gather(*each, return_exceptions=True)

    return LOOP.run_until_complete(gathered())


class PairDesk(StrategyDesk):
    """One user at two or more venues that are traded since lately."""

    def __init__(self, folder: Path, redis: MemoryRedis) -> None:
        super().__init__(folder, redis, watched=True)
        TIME.world = self.world
        self.venues = replace(self.venues, call=call, call_all=call_all)
        self.naked: list[tuple[datetime, Decimal]] = []
        self._coins: dict[str, Decimal] = {}

    def open_accounts(self, *venues: str) -> None:
        super().open_accounts(*venues)
        if "kraken" in venues:
            self.world.simulator.ledger.move(
                self.world.account("kraken"), "cash", "USD", D(100_000), now=self.now
            )
        for venue in venues:
            self.world.pin(venue, SYMBOLS[venue], price="64000", level_quantity="5")
            self._coins[venue] = self.base(venue)

    def restart(self) -> None:
        """Begin as a new process does: of the venues it knows what they list and what was kept."""
        call_all([client.close() for client in self._clients.values()])
        for account in ExchangeAccount.objects.select_related("exchange"):
            venue = account.exchange.code
            client = client_at(self.world, venue, Catalogue(PROFILES[venue]))
            client.remember(traded_at(account.exchange))
            self._clients[venue] = client
            self._ports[account.pk] = CcxtTrading(client), CcxtAccount(client)
            self.read_list(venue)

    def read_list(self, venue: str) -> None:
        """Store what a venue lists, as the hourly refresh does."""
        client, exchange = self._clients[venue], Exchange.objects.get(code=venue)
        data = CcxtMarketData(client)
        call(client.refresh(), 60)
        rates = call(data.funding_rates(), 60)
        store_listing(exchange, call(data.instruments(), 60), rates, self.now)

    def settle_for_good(self, venue: str, base: str) -> None:
        """Let a venue settle what is held of a contract at the mark, and end its orders."""
        simulator, listing = self.world.simulator, self._once_listed(venue, base)
        delist(simulator.ledger, simulator.engine, listing, price=None, now=self.now)
        simulator.ledger.commit()

    def unlist(self, venue: str, base: str) -> None:
        self.world.simulator.unlist(self._once_listed(venue, base))

    def _once_listed(self, venue: str, base: str) -> Listing:
        return self.world.simulator.once_listed_at(venue)[symbol_of(venue, base)]

    def _store_settlements(self) -> None:
        """Store what the venues tell of it, in their own words and times."""
        contracts = Instrument.objects.select_related("exchange").filter(kind="perpetual")
        for instrument in contracts.filter(base__in=self.bases):
            data = CcxtMarketData(self._clients[instrument.exchange.code])
            since = self.now - timedelta(hours=2)
            for row in call(data.settled_funding(Symbol(instrument.symbol), since=since)):
                SettledFundingRate.objects.get_or_create(
                    instrument=instrument,
                    settled_at=row.settled_at,
                    defaults={
                        "funding_rate": row.funding_rate,
                        "settlement_price": row.settlement_price,
                    },
                )

    def base(self, venue: str) -> Decimal:
        """Return the base units that a venue's own ledger shows, > 0 long."""
        if venue in CASH:
            return self.coins(venue, "BTC") - self._coins.get(venue, D(0))
        return self.held(venue, SYMBOLS[venue])

    def net(self) -> Decimal:
        return sum((self.base(venue) for venue in self._coins), D(0))

    def feed(self) -> None:
        super().feed()
        self.naked.append((self.now, self.net()))

    def pass_a_second(self, _pause: float = 0) -> None:
        self.world.wait(seconds=1)
        self.feed()

    def longest_naked(self) -> timedelta:
        """Return for how long at most the legs did not cancel out, at the venues."""
        longest, since = timedelta(0), None
        for at, net in [*self.naked, (self.now, self.net())]:
            if net == 0:
                since = None
            else:
                since = since or at
                longest = max(longest, at - since)
        return longest

    def disturb(self, venue: str, action: str, **how: Any) -> None:
        path = ALL_PLACES[venue]
        # All that Hyperliquid is told goes to one address.
        what = {"contains": '"order"'} if venue == "hyperliquid" else {}
        rule = {"action": action, "venue": venue, "method": "POST", "path": path, **what, **how}
        self.world.venues.faults.add(rule)

    def take_at_most(self, venue: str, quantity: str) -> None:
        """Let a venue take smaller orders than so far, and tell so."""
        listing, listed = self.listing(venue), self.world.simulator.listings_at(venue)
        assert isinstance(listed, dict)
        listed[listing.symbol] = replace(listing, max_quantity=D(quantity))
        told = Instrument.objects.filter(exchange__code=venue, venue_symbol=listing.symbol)
        told.update(max_base_quantity=D(quantity))

    def faults_left(self) -> int:
        """Return how many faults have not happened yet."""
        return sum(not rule["fired"] for rule in self.world.venues.faults.listed())

    def close_by_venue(self, venue: str, origin: Origin, quantity: str | None = None) -> None:
        self.world.simulator.engine.close_by_venue(
            self.world.account(venue),
            self.listing(venue),
            origin,
            base_quantity=D(quantity) if quantity else None,
            now=self.now,
        )

    def listing(self, venue: str) -> Listing:
        return self.world.listing(venue, SYMBOLS[venue])

    def make_another(self, venue: str, side: Side | None = None) -> None:
        """Let a venue show something else under the id of the one order that it took."""
        ledger = self.world.simulator.ledger
        [order] = [order for order in ledger.orders.values() if order.venue == venue]
        factor = 1 if side else 7
        order.side = side or order.side
        order.base_quantity, order.filled = order.base_quantity * factor, order.filled * factor
        order.filled_quote *= factor
        ledger.trades[:] = [
            replace(row, side=order.side, base_quantity=row.base_quantity * factor)
            for row in ledger.trades
        ]

    def leave_out(self, venue: str) -> Holding:
        """Let a venue list no position, whatever is held; return what that is."""
        key = self.world.account(venue).api_key, self.listing(venue).key
        held = self.world.simulator.ledger.holding(*key)
        self.world.simulator.ledger.put_holding(*key, FLAT, now=self.now)
        return held

    def put_back(self, venue: str, held: Holding) -> None:
        key = self.world.account(venue).api_key, self.listing(venue).key
        self.world.simulator.ledger.put_holding(*key, held, now=self.now)

    def orders_at(self, venue: str) -> list[str]:
        """Return the own ids of what the venue took in."""
        orders = self.world.simulator.ledger.orders.values()
        return [order.client_order_id for order in orders if order.venue == venue]
