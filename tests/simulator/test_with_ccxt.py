"""The real ccxt.pro classes at the simulator, over loopback sockets, under real host names."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count
from typing import Any

import aiohttp
import ccxt.pro
import pytest
from ccxt.base.errors import (
    AuthenticationError,
    DDoSProtection,
    InsufficientFunds,
    InvalidOrder,
    OrderNotFound,
    RequestTimeout,
)

from exchanges.ccxt_adapter.library import RedirectedSession
from tests.simulator.process import SimulatorProcess

pytestmark = [pytest.mark.protocol, pytest.mark.asyncio]

PERPETUAL, SPOT = "BTC/USDT:USDT", "BTC/USDT"
DERIVATIVES = ("binanceusdm", "bybit")
ALL = (*DERIVATIVES, "binance")
SYMBOLS = {"binanceusdm": PERPETUAL, "bybit": PERPETUAL, "binance": SPOT}
PRIVATE_TOPICS = {
    "binanceusdm": frozenset({"user"}),
    "bybit": frozenset({"order", "execution"}),
    "binance": frozenset({"user"}),
}
SECONDS = 10
_ids = count(1)

Connect = Callable[..., Any]


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Generator[SimulatorProcess]:
    process = SimulatorProcess(tmp_path_factory.mktemp("venues") / "state")
    yield process
    process.stop()


@pytest.fixture(scope="module")
def loaded() -> dict[str, Any]:
    """What each venue lists, as the first client to ask has read it."""
    return {}


@pytest.fixture
def connect(simulator: SimulatorProcess, loaded: dict[str, Any]) -> Connect:
    """Return an opener of ccxt clients, each with an account of its own."""

    @asynccontextmanager
    async def opened(venue: str, **options: Any) -> AsyncGenerator[Any]:
        name = f"{venue}-{next(_ids)}"
        simulator.add_account("bybit" if venue == "bybit" else "binance", name)
        address = f"http://127.0.0.1:{simulator.port}"
        session = RedirectedSession(aiohttp.ClientSession(), address)
        settings = {
            "apiKey": name,
            "secret": f"{name}-secret",
            "session": session,
            "number": Decimal,
            "enableRateLimit": False,
            "options": {"fetchMarkets": {"types": ["spot"]}} if venue == "binance" else {},
        }
        client = getattr(ccxt.pro, venue)(settings | options)
        if venue in loaded:
            client.set_markets(*loaded[venue])
        else:
            await client.load_markets()
            loaded[venue] = (client.markets, client.currencies)
        try:
            yield client
        finally:
            await client.close()
            await session.close()

    return opened


def own_id() -> str:
    return hashlib.sha256(str(next(_ids)).encode()).hexdigest()[:24]


async def find(client: Any, symbol: str, client_order_id: str) -> Any:
    if client.id == "bybit":
        params = {"orderLinkId": client_order_id, "acknowledged": True}
    else:
        params = {"origClientOrderId": client_order_id}
    return await client.fetch_order(None, symbol, params)


def topics(simulator: SimulatorProcess, venue: str) -> set[frozenset[str]]:
    """Return what each open socket at `venue` is subscribed to."""
    sockets = simulator.ask("GET", "/health").body["sockets"]
    return {frozenset(row["topics"]) for row in sockets if row["venue"] == venue}


async def until(is_true: Callable[[], bool]) -> None:
    """Let the client's own work go on until `is_true`."""
    async with asyncio.timeout(SECONDS):
        while not is_true():
            await asyncio.sleep(0.05)


def far_below(client: Any, ticker: dict[str, Any], symbol: str) -> Decimal:
    price = client.price_to_precision(symbol, ticker["bid"] * Decimal("0.97"))
    return Decimal(price)


@pytest.mark.parametrize("venue", ALL)
async def test_markets_load_with_tick_lot_and_minimum(connect: Connect, venue: str) -> None:
    async with connect(venue) as client:
        market = client.market(SYMBOLS[venue])

    assert market["precision"]["price"] > 0
    assert market["limits"]["cost"]["min"] > 0


async def test_bybit_lists_an_inverse_contract_to_be_left_out(connect: Connect) -> None:
    async with connect("bybit") as client:
        assert client.market("BTC/USD:BTC")["inverse"] is True


@pytest.mark.parametrize("venue", DERIVATIVES)
async def test_funding_rates_and_history_are_read(connect: Connect, venue: str) -> None:
    async with connect(venue) as client:
        rates = await client.fetch_funding_rates()
        past = await client.fetch_funding_rate_history(PERPETUAL, None, 10)

    assert isinstance(rates[PERPETUAL]["fundingRate"], Decimal)
    times = [row["timestamp"] for row in past]
    assert {b - a for a, b in zip(times, times[1:], strict=False)} == {240_000}  # noqa: RUF007
    assert rates[PERPETUAL]["fundingTimestamp"] - times[-1] in (240_000, 480_000)


async def test_rehearsal_symbols_are_absent_from_binance_funding_info(connect: Connect) -> None:
    async with connect("binanceusdm") as client:
        assert await client.fetch_funding_intervals() == {}


async def test_bybit_says_its_interval_in_minutes(connect: Connect) -> None:
    async with connect("bybit") as client:
        assert client.market(PERPETUAL)["info"]["fundingInterval"] == 4


@pytest.mark.parametrize("venue", ALL)
async def test_an_order_is_placed_found_listed_and_canceled(connect: Connect, venue: str) -> None:
    symbol, name = SYMBOLS[venue], own_id()
    async with connect(venue) as client:
        top = (await client.fetch_bids_asks([symbol]))[symbol]
        price = far_below(client, top, symbol)
        made = await client.create_order(
            symbol, "limit", "buy", Decimal("0.01"), price, {"clientOrderId": name}
        )
        found = await find(client, symbol, name)
        listed = await client.fetch_open_orders(symbol)
        await client.cancel_order(made["id"], symbol)
        gone = await find(client, symbol, name)
        with pytest.raises(OrderNotFound):
            await client.cancel_order(made["id"], symbol)

    assert (found["id"], found["status"], gone["status"]) == (made["id"], "open", "canceled")
    assert [row["clientOrderId"] for row in listed] == [name]


@pytest.mark.parametrize("venue", ALL)
async def test_a_fill_shows_in_trades_balance_and_fee(connect: Connect, venue: str) -> None:
    symbol = SYMBOLS[venue]
    async with connect(venue) as client:
        await client.create_order(symbol, "market", "buy", Decimal("0.05"))
        trades = await client.fetch_my_trades(symbol)
        fee = await client.fetch_trading_fee(symbol)
        balance = await client.fetch_balance()

    assert sum(row["amount"] for row in trades) == Decimal("0.05")
    # With decimal numbers ccxt loses the fee on its way; the raw row has it.
    raw = [row["info"] for row in trades]
    in_base = venue == "binance"
    base = Decimal("0.05") if in_base else sum(row["cost"] for row in trades)
    paid = sum(Decimal(row.get("execFee") or row["commission"]) for row in raw)
    assert paid == base * fee["taker"]
    assets = {row.get("feeCurrency") or row["commissionAsset"] for row in raw}
    assert assets == {"BTC" if in_base else "USDT"}
    assert balance["USDT"]["total"] < 100_000


@pytest.mark.parametrize("venue", DERIVATIVES)
async def test_a_position_shows_its_size_entry_and_leverage(connect: Connect, venue: str) -> None:
    async with connect(venue) as client:
        await client.set_leverage(5, PERPETUAL)
        await client.create_order(PERPETUAL, "market", "sell", Decimal("0.05"))
        position = (await client.fetch_positions([PERPETUAL]))[0]
        tiers = await client.fetch_leverage_tiers([PERPETUAL])

    assert (position["side"], position["contracts"]) == ("short", Decimal("0.05"))
    assert position["entryPrice"] > 0
    assert position["liquidationPrice"] > position["markPrice"]
    assert tiers[PERPETUAL][0]["maxLeverage"] == 100


@pytest.mark.parametrize("venue", DERIVATIVES)
async def test_reduce_only_closes_once_and_is_then_refused(connect: Connect, venue: str) -> None:
    async with connect(venue) as client:
        await client.create_order(PERPETUAL, "market", "buy", Decimal("0.05"))
        close = (PERPETUAL, "market", "sell", Decimal("0.05"), None, {"reduceOnly": True})
        await client.create_order(*close)
        with pytest.raises(InvalidOrder):
            await client.create_order(*close)


@pytest.mark.parametrize("venue", ALL)
async def test_refusals_arrive_as_the_clients_own_kinds(connect: Connect, venue: str) -> None:
    symbol = SYMBOLS[venue]
    async with connect(venue) as client:
        top = (await client.fetch_bids_asks([symbol]))[symbol]
        price = far_below(client, top, symbol)
        with pytest.raises(InsufficientFunds):
            await client.create_order(symbol, "limit", "buy", Decimal("100"), price)
        with pytest.raises(OrderNotFound):
            await find(client, symbol, own_id())


@pytest.mark.parametrize("venue", ALL)
async def test_a_wrong_secret_and_a_wrong_key_are_refused(connect: Connect, venue: str) -> None:
    async with connect(venue) as client:
        client.secret = "wrong"
        with pytest.raises(AuthenticationError):
            await client.fetch_balance()
        client.apiKey = "nobody"
        # After a first success ccxt reads Binance's -2015 as a temporary ban.
        with pytest.raises((AuthenticationError, DDoSProtection)):
            await client.fetch_balance()


@pytest.mark.parametrize("venue", ALL)
async def test_a_streamed_book_follows_the_market_without_leftovers(
    connect: Connect, venue: str
) -> None:
    async with connect(venue) as client:
        for _ in range(6):
            book = await asyncio.wait_for(client.watch_order_book(SYMBOLS[venue]), SECONDS)
            sides = [[level[0] for level in book[side]] for side in ("bids", "asks")]

    assert sides[0][0] < sides[1][0]
    assert all(len(prices) <= 26 for prices in sides)


async def test_binance_streams_mark_price_rate_and_next_settlement(connect: Connect) -> None:
    async with connect("binanceusdm") as client:
        marks = await asyncio.wait_for(client.watch_mark_prices(), SECONDS)
        rates = await client.fetch_funding_rates()

    info = marks[PERPETUAL]["info"]
    assert info["T"] == rates[PERPETUAL]["fundingTimestamp"]
    assert Decimal(info["r"]) != 0


async def test_bybit_streams_funding_with_its_tickers(connect: Connect) -> None:
    async with connect("bybit") as client:
        for _ in range(3):
            ticker = await asyncio.wait_for(client.watch_ticker(PERPETUAL), SECONDS)

    assert {"fundingRate", "nextFundingTime", "markPrice"} <= set(ticker["info"])


@pytest.mark.parametrize("venue", ALL)
async def test_own_orders_and_fills_are_streamed(
    connect: Connect, simulator: SimulatorProcess, venue: str
) -> None:
    symbol, name = SYMBOLS[venue], own_id()
    async with connect(venue) as client:
        fills = asyncio.create_task(client.watch_my_trades(symbol))
        orders = asyncio.create_task(client.watch_orders(symbol))
        await until(lambda: PRIVATE_TOPICS[venue] in topics(simulator, venue))
        params = {"clientOrderId": name}
        await client.create_order(symbol, "market", "buy", Decimal("0.05"), None, params)
        seen = await asyncio.wait_for(fills, SECONDS)
        order = (await asyncio.wait_for(orders, SECONDS))[-1]

    assert [row["amount"] for row in seen] == [Decimal("0.05")]
    assert order["clientOrderId"] == name


async def test_an_unanswered_order_is_found_by_its_own_id(
    connect: Connect, simulator: SimulatorProcess
) -> None:
    name = own_id()
    async with connect("binanceusdm", timeout=500) as client:
        simulator.ask("POST", "/faults", action="accept_no_answer", client_order_id=name)
        order = (PERPETUAL, "market", "buy", Decimal("0.05"), None, {"clientOrderId": name})
        with pytest.raises(RequestTimeout):
            await client.create_order(*order)
        simulator.ask("DELETE", "/faults")
        found = await find(client, PERPETUAL, name)

    assert (found["status"], found["filled"]) == ("closed", Decimal("0.05"))


async def test_a_closed_socket_is_opened_again(
    connect: Connect, simulator: SimulatorProcess
) -> None:
    async with connect("bybit") as client:
        await asyncio.wait_for(client.watch_order_book(PERPETUAL), SECONDS)
        simulator.ask("POST", "/faults", action="socket_close", venue="bybit")
        with pytest.raises(ccxt.NetworkError):
            for _ in range(40):
                await asyncio.wait_for(client.watch_order_book(PERPETUAL), SECONDS)
        simulator.ask("DELETE", "/faults")

        book = await asyncio.wait_for(client.watch_order_book(PERPETUAL), SECONDS)

    assert book["bids"]


async def test_a_stalled_topic_falls_silent_while_others_go_on(
    connect: Connect, simulator: SimulatorProcess
) -> None:
    async with connect("bybit") as client:
        await asyncio.wait_for(client.watch_order_book(PERPETUAL), SECONDS)
        await asyncio.wait_for(client.watch_ticker(PERPETUAL), SECONDS)
        simulator.ask("POST", "/faults", action="socket_stall", topic="orderbook.50.BTCUSDT")
        try:
            await asyncio.wait_for(client.watch_ticker(PERPETUAL), SECONDS)
            with pytest.raises(asyncio.TimeoutError):
                while True:
                    await asyncio.wait_for(client.watch_order_book(PERPETUAL), 1)
        finally:
            simulator.ask("DELETE", "/faults")
        assert await asyncio.wait_for(client.watch_ticker(PERPETUAL), SECONDS)


async def test_each_opening_of_a_socket_is_told(
    connect: Connect, simulator: SimulatorProcess
) -> None:
    def opened() -> list[str]:
        rows = simulator.ask("GET", "/socket-openings").body["openings"]
        return [row["venue"] for row in rows]

    before = len(opened())
    async with connect("bybit") as client:
        await asyncio.wait_for(client.watch_ticker(PERPETUAL), SECONDS)

    assert opened()[before:] == ["bybit"]
