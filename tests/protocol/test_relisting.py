"""A list that is read anew keeps nobody waiting who has a socket to keep alive."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from exchanges.ccxt_adapter.client import Catalogue
from exchanges.venues import PROFILES
from tests.simulator.nearby import call, client_at
from tests.simulator.world import World

pytestmark = pytest.mark.protocol


def test_a_list_that_hangs_delays_no_ping_and_is_asked_for_once(tmp_path: Path) -> None:
    catalogue = Catalogue(PROFILES["bybit"])
    client = client_at(World(tmp_path), "bybit", catalogue)
    call(client.ready())
    known, ask, asked = catalogue.generation, client.exchange.load_markets, 0
    catalogue.loaded_at -= 2 * client.profile.relisted_every.total_seconds()

    async def keep_up() -> None:
        answered = asyncio.Event()

        async def slowly(*request: Any) -> Any:
            nonlocal asked
            asked += 1
            await answered.wait()
            return await ask(*request)

        client.exchange.load_markets = slowly
        for _ in range(3):
            await asyncio.wait_for(client.keep_listed(), 1)
            await asyncio.sleep(0)
        answered.set()
        async with asyncio.timeout(5):
            while catalogue.generation == known:
                await asyncio.sleep(0)

    call(keep_up())
    call(client.close())
    assert asked == 1
