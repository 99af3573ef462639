"""The venue simulator as a process of its own, and accounts at it through the real registry."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, TypeVar, get_type_hints
from uuid import uuid4

import pytest
from django.test import override_settings
from redis import Redis

from exchanges import loop, registry
from exchanges.client_order_ids import client_order_id, in_venue_form
from exchanges.domain import (
    BookTop,
    ClientOrderId,
    OrderRequest,
    OrderType,
    Quote,
    Side,
    Symbol,
    TimeInForce,
)
from exchanges.modes import Mode
from exchanges.ports import Account, MarketData, Trading
from tests.machine import ROOT, START_SECONDS, clean_environment, wait_until
from tests.rehearsal import RunningRedis
from tests.wallets import wallet_of

T = TypeVar("T")

# Of venues that list dated futures, and of all that list contracts.
DATED = ("binanceusdm", "bybit", "okx")
DERIVATIVES = (*DATED, "hyperliquid", "bitget", "gate", "krakenfutures", "kucoin", "deribit")
# Of venues where coins are bought for money and held.
CASH = ("binance", "kraken")
VENUES = (*CASH, *DERIVATIVES)
DOLLARS = {"hyperliquid": "USDC", "krakenfutures": "USD", "deribit": "USDC"}
SECONDS = 20.0
_numbers = count(1)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a venue call on the loop, as services do."""
    return loop.call(coroutine, SECONDS)


@dataclass(frozen=True, slots=True)
class Simulator:
    """The venues' address and the control port behind them."""

    url: str
    control_url: str

    def ask(self, method: str, path: str, /, **body: Any) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            self.control_url + path,
            method=method,
            data=json.dumps(body).encode() if body else None,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read())

    def is_up(self) -> bool:
        with suppress(OSError):
            return bool(self.ask("GET", "/health"))
        return False

    def disturb(self, action: str, **rule: Any) -> None:
        """Install one fault; it strikes once unless told otherwise."""
        self.ask("POST", "/faults", action=action, **rule)

    def requests(self, own_id: ClientOrderId) -> list[dict[str, Any]]:
        """Return what the venue saw of one order, in order of time."""
        entries: list[dict[str, Any]] = self.ask(
            "GET", f"/access-log?limit=100000&client_order_id={own_id}"
        )["entries"]
        return entries

    def last_request(self) -> int:
        """Return the number of the latest request that any venue saw."""
        number: int = self.ask("GET", "/access-log?limit=0")["last"]
        return number

    def requests_after(self, number: int) -> list[dict[str, Any]]:
        """Return what all venues saw since then, in order of time."""
        entries: list[dict[str, Any]] = self.ask("GET", f"/access-log?limit=100000&after={number}")[
            "entries"
        ]
        return entries


@dataclass(frozen=True, slots=True)
class Desk:
    """One account at one venue with everything a test asks of it."""

    venue: str
    symbol: Symbol
    key: registry.AccountKey
    market: MarketData
    trading: Trading
    account: Account

    def top(self) -> BookTop:
        return run(self._top())

    async def _top(self) -> BookTop:
        """Return the touch of a list, or of the book where no list tells it."""
        for top in await self.market.book_tops():
            if top.symbol == self.symbol:
                return top
        depth = await self.market.depth(self.symbol, levels=1)
        (bid, *_), (ask, *_) = depth.bids, depth.asks
        return BookTop(
            venue=self.venue,
            symbol=self.symbol,
            bid=bid.price,
            bid_quantity=bid.base_quantity,
            ask=ask.price,
            ask_quantity=ask.base_quantity,
            observed_at=depth.observed_at,
        )

    def resting(self, quantity: str = "0.01") -> OrderRequest:
        """Return a buy far below the market, on the tick."""
        return self.order(quantity, price=(self.top().bid * Decimal("0.9")).quantize(Decimal(1)))

    def order(
        self,
        quantity: str = "0.01",
        side: Side = Side.BUY,
        price: Decimal | None = None,
        **more: Any,
    ) -> OrderRequest:
        """Return a market order, or a limit order where a price is given."""
        return OrderRequest(
            client_order_id=in_venue_form(
                client_order_id(uuid4(), 0, "open", next(_numbers)), self.venue
            ),
            symbol=self.symbol,
            side=side,
            order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
            base_quantity=Decimal(quantity),
            price=price,
            time_in_force=more.pop("time_in_force", TimeInForce.GTC),
            **more,
        )


async def poll(market: MarketData) -> Sequence[BookTop | Quote]:
    """Ask for the list that covers a market: its touches, or its marks where none tells these."""
    return await market.book_tops() or await market.quotes()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def shared_limits() -> Generator[RunningRedis]:
    """Run the Redis by which processes share their limits: without it each has a quarter."""
    running = RunningRedis()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def simulator(
    tmp_path_factory: pytest.TempPathFactory, shared_limits: RunningRedis
) -> Generator[Simulator]:
    """Run the venues for the whole session, settling funding every minute."""
    folder, port, control_port = tmp_path_factory.mktemp("venues"), free_port(), free_port()
    running = Simulator(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{control_port}")
    with (folder / "simulator.log").open("w") as log:
        process = start_simulator(folder / "state", port, control_port, log)
        try:
            wait_until(running.is_up, timeout=START_SECONDS, what="the simulator answers")
            # What a test without venues has opened knows neither.
            registry.close_all()
            with override_settings(CARRY_SIMULATOR_URL=running.url, REDIS_URL=shared_limits.url):
                yield running
                registry.close_all()
                loop.close()
        finally:
            process.terminate()
            process.wait(10)


def start_simulator(state: Path, port: int, control_port: int, log: Any) -> subprocess.Popen[bytes]:
    options = {
        "--port": port,
        "--control-port": control_port,
        "--state": state,
        "--interval-minutes": 1,
    }
    return subprocess.Popen(  # noqa: S603 - our own command
        [
            sys.executable,
            "-m",
            "exchanges.simulator",
            *(str(part) for option in options.items() for part in option),
            # Bitget, Deribit, Gate, KuCoin and both Krakens are listed on demand.
            "--watched",
        ],
        cwd=ROOT,
        env=clean_environment(),
        stdout=log,
        stderr=subprocess.STDOUT,
    )


@pytest.fixture(autouse=True)
def full_limits(request: pytest.FixtureRequest) -> None:
    """Let every test begin with all that the venues allow."""
    if "simulator" in request.fixturenames:
        request.getfixturevalue("simulator")
        refill(request.getfixturevalue("shared_limits"))
    else:
        registry.limiter().forget()


def refill(shared_limits: RunningRedis) -> None:
    """Forget what has been asked of all venues, and that any wants silence."""
    with Redis.from_url(shared_limits.url) as redis:
        redis.flushdb()
    registry.limiter().forget()


@pytest.fixture
def undisturbed(simulator: Simulator) -> Generator[Simulator]:
    """Give the simulator to a test that adds faults, and take them away afterwards."""
    yield simulator
    simulator.ask("DELETE", "/faults")


OpenDesk = Callable[..., Desk]


@pytest.fixture
def open_desk(simulator: Simulator) -> OpenDesk:
    """Return a maker of fresh accounts with 100,000 USDT at a venue."""

    def make(venue: str, **options: Any) -> Desk:
        return desk_at(simulator, venue, **options)

    return make


def desk_at(
    simulator: Simulator,
    venue: str,
    *,
    secret: str | None = None,
    passphrase: str | None = None,
    **options: Any,
) -> Desk:
    """Open an account at the venue.

    `secret` and `passphrase`: what we believe, where it is not the true one.
    """
    name = f"key-{venue}-{next(_numbers)}"
    api_key, true_secret = name, f"secret-{name}"
    if venue == "hyperliquid":
        api_key, true_secret = wallet_of(name)
    if venue in ("kraken", "krakenfutures"):
        true_secret = base64.b64encode(true_secret.encode()).decode()
    dollar = DOLLARS.get(venue, "USDT")
    simulator.ask(
        "POST",
        "/accounts",
        venue=venue,
        api_key=api_key,
        api_secret=true_secret,
        api_passphrase=f"passphrase-{name}",
        balances={dollar: 100_000, "BTC": 1} if venue in CASH else {dollar: 100_000},
        **options,
    )
    key = registry.AccountKey(
        credential_id=name,
        venue=venue,
        mode=Mode.REHEARSAL,
        api_key=api_key,
        secret=secret or true_secret,
        passphrase=passphrase or f"passphrase-{name}",
    )
    return Desk(
        venue=venue,
        symbol=Symbol("BTC/USDT" if venue in CASH else f"BTC/{dollar}:{dollar}"),
        key=key,
        market=registry.market_data(venue, Mode.REHEARSAL),
        trading=registry.trading(key),
        account=registry.account(key),
    )


@pytest.fixture(params=VENUES)
def desk(request: pytest.FixtureRequest, open_desk: OpenDesk) -> Desk:
    """An account at each venue in turn."""
    return open_desk(request.param)


@pytest.fixture(params=DERIVATIVES)
def futures_desk(request: pytest.FixtureRequest, open_desk: OpenDesk) -> Desk:
    """An account at each venue with contracts in turn."""
    return open_desk(request.param)


def assert_exact(value: Any) -> None:
    """Assert that every number of a domain value is Decimal and every instant aware."""
    hints = get_type_hints(type(value))
    for field in fields(value):
        held = getattr(value, field.name)
        if held is not None and "Decimal" in str(hints[field.name]):
            assert type(held) is Decimal, f"{field.name} of {value}"
        if isinstance(held, datetime):
            assert held.tzinfo is not None, f"{field.name} of {value}"
