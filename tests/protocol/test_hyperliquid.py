"""What only Hyperliquid has: actions signed by an agent, caps of market orders, whose key it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import ccxt.pro
import orjson
import pytest

from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.calls.hyperliquid_signing import address_of, signature
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Credential, Surroundings
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.client_order_ids import client_order_id, in_venue_form
from exchanges.domain import (
    FundingRate,
    IntervalSource,
    OrderRequest,
    OrderType,
    Side,
    Symbol,
    TimeInForce,
)
from exchanges.errors import ClockRefused, CredentialRefused, InvalidOrder, UnexpectedPayload
from exchanges.interval_table import IntervalTable
from exchanges.keccak import keccak256
from exchanges.simulator.deliveries import Delivery
from exchanges.simulator.listings import HYPERLIQUID
from exchanges.simulator.wire import WireRequest
from exchanges.venues import PROFILES
from tests.conformance.bench import Bench
from tests.conformance.cards import SUBJECTS
from tests.simulation.transport import InProcessSession
from tests.simulator.nearby import Nearby, call
from tests.simulator.world import START, World
from tests.wallets import wallet_of

pytestmark = pytest.mark.protocol

[SUBJECT] = [subject for subject in SUBJECTS if subject.venue == HYPERLIQUID]
ORDER = {
    "type": "order",
    "orders": [
        {
            "a": 0,
            "b": True,
            "p": "50000",
            "s": "0.01",
            "r": False,
            "t": {"limit": {"tif": "Gtc"}},
            "c": "0x" + "ab" * 16,
        }
    ],
    "grouping": "na",
}
POSITION = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
NONCE, UNTIL = 1_795_184_611_174, 1_795_184_616_174


class Overheard(Nearby):
    """A wire that keeps what went over it."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.requests: list[WireRequest] = []

    def answer(self, request: WireRequest, rule: Any) -> Delivery:
        self.requests.append(request)
        return super().answer(request, rule)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [orjson.loads(request.body) for request in self.requests]

    @property
    def actions(self) -> list[dict[str, Any]]:
        return [body["action"] for body in self.bodies if "action" in body]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opened = Bench.at(World(tmp_path, interval_minutes=60), SUBJECT)
    yield opened
    opened.close()


def client_over(
    wire: Overheard, world: World, *, secret: str | None = None, off: timedelta = timedelta(0)
) -> VenueClient:
    owner = world.account(HYPERLIQUID)
    return VenueClient(
        Catalogue(PROFILES["hyperliquid"]),
        credential=Credential(api_key=owner.api_key, secret=secret or owner.secret),
        surroundings=Surroundings(
            now=lambda: world.at + off, session=lambda: InProcessSession(lambda: wire)
        ),
    )


class TestSignature:
    @pytest.mark.parametrize(("source", "is_testnet"), [("a", False), ("b", True)])
    def test_is_the_librarys_own_to_the_last_bit(self, source: str, is_testnet: bool) -> None:
        wallet = wallet_of("somebody")
        library = ccxt.pro.hyperliquid({"privateKey": wallet.agent_key})
        library.set_sandbox_mode(is_testnet)

        assert signature(
            ORDER, NONCE, UNTIL, wallet.agent_key, source=source
        ) == library.sign_l1_action(ORDER, NONCE, None, UNTIL)
        expected = library.eth_get_address_from_private_key(wallet.agent_key)
        assert address_of(wallet.agent_key) == expected.lower()

    def test_hash_is_that_of_the_empty_text(self) -> None:
        assert keccak256(b"").hex() == (
            "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
        )

    @pytest.mark.parametrize("length", [1, 135, 136, 137, 272, 300])
    def test_hash_of_any_length_is_the_librarys(self, length: int) -> None:
        data = bytes(number % 251 for number in range(length))

        assert keccak256(data) == ccxt.pro.hyperliquid.hash(data, "keccak", "binary")

    def test_signing_leaves_the_loop_free(self, bench: Bench) -> None:
        """Made on the loop, all signatures would be ready before anything else had its turn."""
        exchange = bench.client.exchange

        async def story() -> int:
            turns, done = 0, asyncio.Event()

            async def watch() -> None:
                nonlocal turns
                while not done.is_set():
                    await asyncio.sleep(0)
                    turns += 1

            watching = asyncio.create_task(watch())
            await asyncio.gather(*(exchange._signed(ORDER) for _ in range(10)))
            done.set()
            await watching
            return turns

        assert call(story(), 60) > 20


class TestActions:
    def test_only_trading_leaves_the_process_at_the_first_order_too(self, bench: Bench) -> None:
        """The library approves its author's fee with the first order and names him as referrer."""
        wire = Overheard(bench.world)
        client = client_over(wire, bench.world)
        trading = CcxtTrading(client)
        request = bench.order(price=59_000)

        call(trading.prepare(SUBJECT.symbol, leverage=Decimal(3)))
        call(trading.submit(request))
        call(trading.cancel(request.client_order_id, SUBJECT.symbol))
        call(client.close())

        assert [action["type"] for action in wire.actions] == [
            "updateLeverage",
            "order",
            "cancelByCloid",
        ]
        assert all("builder" not in action for action in wire.actions)
        assert {body["type"] for body in wire.bodies if "action" not in body} == {
            "metaAndAssetCtxs"
        }

    @pytest.mark.parametrize(
        "ask",
        [
            lambda exchange: exchange.approve_builder_fee("0x" + "65" * 20, "0.01%"),
            lambda exchange: exchange.privatePostExchange({"type": "setReferrer", "code": "X"}),
            lambda exchange: exchange.privatePostExchange(
                {**ORDER, "builder": {"b": "0x", "f": 1}}
            ),
            lambda exchange: exchange.withdraw("USDC", 1, "0x" + "65" * 20),
            lambda exchange: exchange.transfer("USDC", 10, "spot", "swap"),
            lambda exchange: exchange.create_vault("name", "words", 100),
        ],
        ids=["builder fee", "referrer", "order with a builder", "withdraw", "transfer", "vault"],
    )
    def test_nothing_else_is_ever_signed(self, bench: Bench, ask: Any) -> None:
        wire = Overheard(bench.world)
        client = client_over(wire, bench.world)
        call(client.ready())

        with pytest.raises(ccxt.NotSupported, match="no action that is ever sent"):
            call(ask(client.exchange))
        call(client.close())

        assert wire.actions == []

    def test_an_action_ends_five_seconds_after_it_was_signed(self, bench: Bench) -> None:
        wire = Overheard(bench.world)
        client = client_over(wire, bench.world)

        call(CcxtTrading(client).submit(bench.order(price=59_000)))
        call(client.close())

        [sent] = [body for body in wire.bodies if "action" in body]
        assert sent["expiresAfter"] - sent["nonce"] == 5000

    def test_a_clock_that_is_behind_is_set_and_the_next_order_accepted(self, bench: Bench) -> None:
        client = client_over(Overheard(bench.world), bench.world, off=timedelta(seconds=-60))
        trading, request = CcxtTrading(client), bench.order(price=59_000)
        with pytest.raises(ClockRefused, match="expiresAfter"):
            call(trading.submit(request))
        assert bench.placed() == 0

        assert call(trading.submit(request)).venue_order_id
        call(client.close())

    def test_the_key_of_a_stranger_is_refused(self, bench: Bench) -> None:
        stranger = wallet_of("stranger").agent_key
        client = client_over(Overheard(bench.world), bench.world, secret=stranger)

        with pytest.raises(CredentialRefused, match="check the key") as caught:
            call(CcxtTrading(client).submit(bench.order(price=59_000)))
        call(client.close())

        assert stranger[2:] not in str(caught.value)
        assert bench.placed() == 0


class TestMarketOrders:
    def test_go_three_percent_beyond_the_touch_in_five_digits(self, bench: Bench) -> None:
        wire = Overheard(bench.world)
        client = client_over(wire, bench.world)
        depth = call(bench.market.depth(SUBJECT.symbol, levels=1))
        assert (depth.bids[0].price, depth.asks[0].price) == (59_999, 60_001)

        call(CcxtTrading(client).submit(bench.order("0.02")))
        call(CcxtTrading(client).submit(bench.order("0.02", Side.SELL)))
        call(client.close())

        bought, sold = (action["orders"][0] for action in wire.actions)
        assert (bought["t"], sold["t"]) == ({"limit": {"tif": "Ioc"}},) * 2
        # 61,801.03 and 58,199.03, rounded back towards the touch.
        assert (bought["p"], sold["p"]) == ("61801", "58200")

    def test_are_not_sent_where_the_book_cannot_be_read(self, bench: Bench) -> None:
        call(bench.client.ready())
        bench.disturb("garbage", contains="l2Book", garbage="object", path="/info")

        with pytest.raises(UnexpectedPayload):
            bench.submit(bench.order())

        assert bench.placed() == 0

    def test_a_price_of_six_digits_is_not_sent(self, bench: Bench) -> None:
        ether = OrderRequest(
            client_order_id=in_venue_form(client_order_id(POSITION, 0, "open", 1), SUBJECT.venue),
            symbol=Symbol("ETH/USDC:USDC"),
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            base_quantity=Decimal("0.01"),
            price=Decimal("10000.5"),
            time_in_force=TimeInForce.GTC,
        )

        with pytest.raises(InvalidOrder, match=r"10000\.5 has more than the 5 digits"):
            bench.submit(ether)


class TestKeys:
    def test_the_wallets_own_key_is_refused_with_what_to_do(self, bench: Bench) -> None:
        owner = bench.owner
        owner.api_key = address_of(owner.secret)
        bench.world.simulator.ledger.put_account(owner)

        with pytest.raises(CredentialRefused, match=r"may withdraw: .*authorise an API wallet"):
            call(CcxtAccount(client_over(Overheard(bench.world), bench.world)).check_key())

    def test_a_key_that_is_no_agent_is_refused(self, bench: Bench) -> None:
        stranger = wallet_of("stranger").agent_key
        client = client_over(Overheard(bench.world), bench.world, secret=stranger)

        with pytest.raises(CredentialRefused, match="knows no API wallet with this key"):
            call(CcxtAccount(client).check_key())
        call(client.close())

    def test_an_agent_of_another_wallet_is_refused(self, bench: Bench) -> None:
        secret = bench.owner.secret
        client = VenueClient(
            Catalogue(PROFILES["hyperliquid"]),
            credential=Credential(api_key=wallet_of("other").address, secret=secret),
            surroundings=Surroundings(
                now=lambda: bench.world.at,
                session=lambda: InProcessSession(lambda: Overheard(bench.world)),
            ),
        )
        _other_account(bench)

        with pytest.raises(CredentialRefused, match="acts for another wallet"):
            call(CcxtAccount(client).check_key())
        call(client.close())

    def test_a_text_that_is_no_key_is_refused(self, bench: Bench) -> None:
        client = client_over(Overheard(bench.world), bench.world, secret="not-a-key")

        with pytest.raises(CredentialRefused, match="the API key is incomplete"):
            call(CcxtAccount(client).check_key())
        call(client.close())


def _other_account(bench: Bench) -> None:
    owner, ledger = bench.owner, bench.world.simulator.ledger
    other = wallet_of("other")
    ledger.put_account(replace(owner, api_key=other.address, secret=other.agent_key, uid=2))


def _rate(next_at: datetime | None, interval: int | None, *, at: datetime = START) -> FundingRate:
    return FundingRate(
        venue="hyperliquid",
        symbol=SUBJECT.symbol,
        funding_rate=Decimal("0.0000125"),
        interval_seconds=interval,
        interval_source=IntervalSource.VENUE if interval else IntervalSource.UNKNOWN,
        next_funding_at=next_at,
        observed_at=at,
    )


def test_an_own_id_is_128_bits_the_same_for_the_same_intent() -> None:
    first, second = (client_order_id(POSITION, 0, "open", number) for number in (1, 2))

    named = in_venue_form(first, "hyperliquid")

    assert named == in_venue_form(first, "hyperliquid") != in_venue_form(second, "hyperliquid")
    assert (named[:2], len(named)) == ("0x", 34)
    assert int(named, 16) < 2**128
    assert in_venue_form(first, "bybit") == first


def test_a_streamed_rate_without_a_settlement_gets_the_next_one() -> None:
    from_rest, streamed = _rate(datetime(2026, 1, 5, 13, tzinfo=UTC), 3600), _rate(None, None)
    table = IntervalTable()
    table.learn([from_rest])

    soon = table.complete(streamed)
    later = table.complete(_rate(None, None, at=START + timedelta(hours=2)))

    assert (soon.interval_seconds, soon.next_funding_at) == (3600, from_rest.next_funding_at)
    # Asked at 14:00:30, two settlements later.
    assert later.next_funding_at == datetime(2026, 1, 5, 15, tzinfo=UTC)
