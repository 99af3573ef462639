"""Cards of the ports `MarketStream` and `AccountStream`, over real loopback sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from exchanges.ccxt_adapter.streams import CcxtAccountStream
from exchanges.domain import BookTop, Fill, FundingRate, Quote
from exchanges.errors import CredentialRefused
from exchanges.simulator.server import Doors, listen
from tests.conformance.bench import Bench
from tests.conformance.cards import card
from tests.protocol.conftest import assert_exact, free_port
from tests.simulator.nearby import call
from tests.simulator.world import START

pytestmark = pytest.mark.protocol

SECONDS = 15.0


@asynccontextmanager
async def doors_of(bench: Bench) -> AsyncIterator[str]:
    """Serve the bench's venues on loopback and let their beats be published."""
    doors, port = Doors(bench.world.venues), free_port()
    runner = await listen(doors.app(), port)
    beats = asyncio.create_task(_publish(doors))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        beats.cancel()
        await doors.sockets.close_all()
        await runner.cleanup()


async def _publish(doors: Doors) -> None:
    while True:
        await doors.sockets.publish()
        await asyncio.sleep(0.05)


@asynccontextmanager
async def running(stream: Awaitable[None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(stream)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def first(facts: asyncio.Queue[Any], is_it: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(SECONDS):
        while True:
            fact = await facts.get()
            if is_it(fact):
                return fact


class TestMarketStream:
    @card("C25")
    def test_market(self, bench: Bench) -> None:
        kinds = {BookTop} | ({Quote, FundingRate} if bench.subject.is_contract else set())

        async def story() -> list[Any]:
            facts: asyncio.Queue[Any] = asyncio.Queue()
            async with doors_of(bench) as url:
                client = bench.over(url)
                stream = bench.market_stream(client)
                async with running(stream.run([bench.subject.symbol], facts.put_nowait)):
                    heard: dict[type[Any], Any] = {}
                    while heard.keys() < kinds:
                        fact = await first(facts, lambda one: type(one) in kinds)
                        heard[type(fact)] = fact
                await client.close()
            return list(heard.values())

        for fact in call(story(), 60):
            assert_exact(fact)
            assert fact.symbol == bench.subject.symbol


class TestAccountStream:
    @card("C26")
    def test_own_fill(self, bench: Bench) -> None:
        request = bench.order("0.01")

        async def story() -> tuple[Fill, list[Fill]]:
            facts: asyncio.Queue[Any] = asyncio.Queue()
            opened = asyncio.Event()
            async with doors_of(bench) as url:
                client = bench.over(url)
                trading, account, stream = bench.doors(client)
                async with running(stream.run(facts.put_nowait, opened.set)):
                    async with asyncio.timeout(SECONDS):
                        await opened.wait()
                    await trading.submit(request)
                    fill = await first(facts, lambda one: isinstance(one, Fill))
                read = await account.fills(request.symbol, since=START)
                await client.close()
            return fill, list(read)

        streamed, read = call(story(), 60)

        # Binance names our id in the stream and not in the list of executions.
        assert [replace(one, client_order_id=request.client_order_id) for one in read] == [streamed]
        assert_exact(streamed)

    @card("C27")
    def test_wrong_secret(self, bench: Bench) -> None:
        async def story() -> None:
            async with doors_of(bench) as url:
                client = bench.over(url, secret="not-the-secret")
                try:
                    async with asyncio.timeout(SECONDS):
                        await CcxtAccountStream(client).run(lambda fact: None, lambda: None)
                finally:
                    await client.close()

        with pytest.raises(CredentialRefused):
            call(story(), 60)
