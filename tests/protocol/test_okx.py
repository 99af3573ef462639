"""What only OKX does: rights of a key, tiers by families, a countdown by tag, time limits."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges import registry
from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.feeds import okx as okx_feeds
from exchanges.ccxt_adapter.library import Credential, Surroundings
from exchanges.ccxt_adapter.sockets import PONG, Socket
from exchanges.ccxt_adapter.tiers import FamilyRates
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.domain import ClientOrderId, OrderRequest, OrderType, Side, Symbol, TimeInForce
from exchanges.errors import CredentialRefused, SettingRefused, UnexpectedPayload
from exchanges.venues.okx import PROFILE
from tests.protocol.conftest import OpenDesk, run
from tests.simulator.nearby import call, client_at
from tests.simulator.world import World

pytestmark = pytest.mark.protocol

BTC, ETHER = Symbol("BTC/USDT:USDT"), Symbol("ETH/USDT:USDT")


class Answering:
    """Stands where the library's raw calls are: every call answers with one payload."""

    id = "okx"

    def __init__(self, payload: Any) -> None:
        self._payload = payload

    def __getattr__(self, method: str) -> Any:
        async def answer(request: Mapping[str, Any]) -> Any:
            return self._payload

        return answer


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"perm": "read_only,trade,withdraw"}, "may withdraw"),
        ({"perm": "withdraw"}, "may withdraw"),
        ({"perm": "read_only"}, "may not trade"),
        ({"perm": ""}, "may not trade"),
        ({"acctLv": "1"}, "in Spot mode"),
    ],
)
def test_key_is_refused_by_what_the_account_says_of_it(
    changes: dict[str, str], sentence: str
) -> None:
    said = {"perm": "read_only,trade", "acctLv": "2", "posMode": "net_mode"}
    client = VenueClient(Catalogue(PROFILE))
    client.exchange = Answering({"code": "0", "msg": "", "data": [said | changes]})

    with pytest.raises(CredentialRefused, match=sentence):
        asyncio.run(CcxtAccount(client).check_key())


def test_key_that_reads_and_trades_is_taken() -> None:
    said = {"perm": "read_only,trade", "acctLv": "3", "posMode": "net_mode"}
    client = VenueClient(Catalogue(PROFILE))
    client.exchange = Answering({"code": "0", "msg": "", "data": [said]})

    asyncio.run(CcxtAccount(client).check_key())


class TiersByFamily:
    """Answers the lowest tier of at most five families a call, and remembers who asked."""

    id = "okx"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def publicGetPublicPositionTiers(self, request: Mapping[str, Any]) -> Any:
        self.asked.append((request["instType"], request["instFamily"]))
        families = request["instFamily"].split(",")
        assert len(families) <= 5
        mmr = "0.004" if request["instType"] == "SWAP" else "0.01"
        return {"data": [{"instFamily": name, "mmr": mmr, "tier": "1"} for name in families]}


def market(kind: str, number: int) -> dict[str, Any]:
    info = {"instType": kind, "instFamily": f"A{number}-USDT"}
    return {"id": f"A{number}-USDT-{kind}", "linear": True, "info": info}


def test_tiers_are_asked_five_families_at_once_and_known_ones_not_again() -> None:
    assert PROFILE.family_tiers is not None
    venue, rates = TiersByFamily(), FamilyRates(PROFILE.family_tiers)
    markets = [market("SWAP", number) for number in range(7)] + [market("FUTURES", 0)]

    first = asyncio.run(rates.by_venue_symbol(venue, markets))
    before = len(venue.asked)
    second = asyncio.run(rates.by_venue_symbol(venue, [*markets, market("SWAP", 7)]))

    assert first["A6-USDT-SWAP"] == Decimal("0.004")
    # The future of a family has a tier of its own.
    assert first["A0-USDT-FUTURES"] == Decimal("0.01")
    assert before == 3
    assert venue.asked[before:] == [("SWAP", "A7-USDT")]
    assert second.keys() - first.keys() == {"A7-USDT-SWAP"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.pin("okx", price="60000")
    return world


@pytest.fixture
def trading(world: World) -> Generator[CcxtTrading]:
    client = client_at(world, "okx")
    yield CcxtTrading(client)
    call(client.close())


def limit(own_id: str, side: Side, price: int, *, reduce_only: bool = False) -> OrderRequest:
    return OrderRequest(
        client_order_id=ClientOrderId(own_id),
        symbol=BTC,
        side=side,
        order_type=OrderType.LIMIT,
        base_quantity=Decimal("0.05"),
        price=Decimal(price),
        time_in_force=TimeInForce.GTC,
        reduce_only=reduce_only,
    )


def working(trading: CcxtTrading) -> set[str | None]:
    return {order.client_order_id for order in call(trading.open_orders())}


def test_countdown_takes_the_entries_of_its_symbol_and_spares_what_closes(
    world: World, trading: CcxtTrading
) -> None:
    world.place("okx", Side.BUY, "0.05")
    call(trading.submit(limit("entry", Side.BUY, 59_000)))
    call(trading.submit(limit("closing", Side.SELL, 61_000, reduce_only=True)))

    call(trading.arm_dead_man(BTC, after=timedelta(seconds=20)))
    call(trading.arm_dead_man(ETHER, after=timedelta(seconds=10)))
    world.wait(seconds=15)
    assert working(trading) == {"entry", "closing"}
    world.wait(seconds=6)

    assert working(trading) == {"closing"}


def test_ended_countdown_cancels_nothing(world: World, trading: CcxtTrading) -> None:
    call(trading.submit(limit("entry", Side.BUY, 59_000)))

    call(trading.arm_dead_man(BTC, after=timedelta(seconds=10)))
    call(trading.arm_dead_man(BTC, after=timedelta(0)))
    world.wait(seconds=30)

    assert working(trading) == {"entry"}


def test_countdown_shorter_than_the_venue_takes_is_refused_with_its_shortest(
    open_desk: OpenDesk,
) -> None:
    desk = open_desk("okx")

    with pytest.raises(SettingRefused, match="10 s and more, not 3 s"):
        run(desk.trading.arm_dead_man(desk.symbol, after=timedelta(seconds=3)))


def test_wrong_passphrase_is_refused_like_a_wrong_secret(open_desk: OpenDesk) -> None:
    desk = open_desk("okx", passphrase="not-the-passphrase")

    with pytest.raises(CredentialRefused) as caught:
        run(desk.account.balances())

    assert "not-the-passphrase" not in f"{caught.value!r} {desk.key!r}"


def test_key_without_its_passphrase_is_called_incomplete(open_desk: OpenDesk) -> None:
    desk = open_desk("okx", passphrase="")
    client = VenueClient(
        Catalogue(PROFILE),
        credential=Credential(api_key=desk.key.api_key, secret=desk.key.secret),
        surroundings=Surroundings(session=lambda: pytest.fail("nothing was to be sent")),
    )
    client.exchange.set_markets([])

    with pytest.raises(CredentialRefused, match="is incomplete: check the key"):
        run(CcxtAccount(client).balances())


def test_reduce_only_order_is_not_called_unknown_for_an_echo_it_never_got(
    open_desk: OpenDesk,
) -> None:
    desk = open_desk("okx")
    run(desk.trading.submit(desk.order("0.02")))

    report = run(desk.trading.submit(desk.order("0.02", Side.SELL, reduce_only=True)))

    assert report.reduce_only is None
    found = run(desk.account.positions())
    assert found == []


def test_quiet_private_socket_is_kept_by_the_answers_to_its_pings(open_desk: OpenDesk) -> None:
    client = registry._client(open_desk("okx").key)
    openings, pongs = [], asyncio.Semaphore(0)

    async def story() -> None:
        listings = await client.ready()
        client.exchange.open()
        feed = okx_feeds.account_feed(client, listings, lambda fact: None)

        def handle(message: Any) -> bool:
            if message == PONG:
                pongs.release()
            return feed.handle(message)

        # Sooner than in use: a ping every 50 ms, and half a second of silence is the end.
        hurried = replace(feed, handle=handle, upkeep_every=0.05, silent_after=0.5)
        socket = Socket(client.exchange.session, hurried, on_open=lambda: openings.append(1))
        task = asyncio.create_task(socket.run())
        async with asyncio.timeout(15):
            for _ in range(20):
                await pongs.acquire()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(story())

    # Twenty pings last twice as long as the silence that would have ended it.
    assert openings == [1]


def test_what_the_venue_says_beside_data_is_heeded(open_desk: OpenDesk) -> None:
    client = registry._client(open_desk("okx").key)
    feed = next(okx_feeds.market_feeds(client, {}, lambda fact: None))

    assert feed.handle(PONG) is False
    assert feed.handle({"event": "subscribe", "arg": {}, "connId": "a"}) is False
    with pytest.raises(UnexpectedPayload, match="refused: Wrong URL"):
        feed.handle({"event": "error", "code": "60018", "msg": "Wrong URL"})
    with pytest.raises(ConnectionResetError, match="about to close"):
        feed.handle({"event": "notice", "code": "64008", "msg": "upgrade", "connId": "a"})
