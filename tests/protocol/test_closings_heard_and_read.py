"""What a venue closes by itself is one execution with one cause, heard on its socket or read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from exchanges.domain import Fill
from exchanges.simulator.accounts import Origin
from tests.conformance.bench import Bench
from tests.conformance.cards import SUBJECTS
from tests.conformance.conftest import bench as bench
from tests.conformance.test_streams import SECONDS, doors_of, first, running
from tests.simulator.nearby import call
from tests.simulator.world import START

pytestmark = pytest.mark.protocol

CONTRACTS = [one for one in SUBJECTS if one.is_contract and not (one.is_watched or one.is_paper)]
CLOSINGS = [
    pytest.param(one, origin, id=f"{one.name}-{origin}")
    for one in CONTRACTS
    for origin in (Origin.LIQUIDATION, Origin.ADL)
    # An execution at Deribit tells of liquidations alone.
    if (one.venue, origin) != ("deribit", Origin.ADL)
]


@pytest.mark.parametrize(("bench", "origin"), CLOSINGS, indirect=["bench"])
def test_a_closing_by_the_venue_is_heard_as_it_is_read(bench: Bench, origin: Origin) -> None:
    request, world, subject = bench.order("0.01"), bench.world, bench.subject
    listing = world.listing(subject.simulated, subject.venue_symbol)

    async def story() -> tuple[Fill, Fill]:
        facts: asyncio.Queue[Any] = asyncio.Queue()
        opened = asyncio.Event()
        async with doors_of(bench) as url:
            client = bench.over(url)
            trading, account, stream = bench.doors(client)
            async with running(stream.run(facts.put_nowait, opened.set)):
                async with asyncio.timeout(SECONDS):
                    await opened.wait()
                await trading.submit(request)
                await first(facts, lambda one: isinstance(one, Fill))
                closing = world.simulator.engine.close_by_venue
                closing(bench.owner, listing, origin, now=world.at)
                heard = await first(facts, lambda one: isinstance(one, Fill))
            # KuCoin's longer list is five seconds late.
            world.wait(seconds=6)
            listed = await account.fills(request.symbol, since=START)
            [same] = [one for one in listed if one.venue_trade_id == heard.venue_trade_id]
            # Binance lists executions without the id that tells why.
            read = await account.trace(same)
            await client.close()
        return heard, read

    heard, read = call(story(), 60)

    assert heard == read
    assert read.cause.value == origin.value
