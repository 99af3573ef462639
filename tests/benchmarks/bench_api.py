"""What programs wait for REST: 50 of them at once, each asking for something every five seconds.

They belong to three users with 20 open positions on a whole Carry. Meanwhile some of these are
closed, one after the other: what that takes to begin is measured beside the load.
"""

from __future__ import annotations

import asyncio
import logging
import random
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

import httpx
import numpy as np
from django.conf import settings
from django.db import close_old_connections, connections
from django.utils import timezone

from arbsite.accounts.models import User
from arbsite.accounts.tokens import make_token
from tests.benchmarks import bench_recovery as rows
from tests.benchmarks.bench_kill import dispatches
from tests.machine import RunningCarry
from tests.rehearsal import SimulatorControl
from trading.models import Position

CLIENTS, EVERY_SECONDS, FOR_SECONDS = 50, 5.0, 30.0
CLOSED = 10
# Most look at how things stand, some at lists.
PATHS = (
    *("status", "status", "positions", "money"),
    *("rates?top=20", "trades?page_size=20", "opportunities"),
)


def measure() -> rows.Result:
    """Return milliseconds of reads, and seconds of dispatch under them."""
    with tempfile.TemporaryDirectory() as folder, RunningCarry(Path(folder) / "var") as carry:
        connections["default"].settings_dict["NAME"] = str(carry.var / "carry.sqlite3")
        close_old_connections()
        settings.CARRY_KEY_FILE = carry.var / "carry.key"
        # A line for each request would be measured too.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        rows.ring_at(carry.facts["redis_url"])
        simulator = SimulatorControl(urlsplit(carry.facts["control_url"]).port or 0)
        positions = rows.open_all(simulator)
        with ThreadPoolExecutor(1) as beside:
            waited = beside.submit(_dispatch, positions[:CLOSED])
            spans = asyncio.run(_ask_all(carry.url, _tokens()))
            dispatched = waited.result()
        connections.close_all()
    p50, p95, p99 = np.percentile(spans, [50, 95, 99]).tolist()
    print(
        f"api: clients={CLIENTS} requests={len(spans)} p50={p50:.0f} p95={p95:.0f} p99={p99:.0f} ms"
    )
    middle, worst = np.percentile(dispatched, [50, 99]).tolist()
    return {
        "api_read": {"p50": p50, "p95": p95, "p99": p99, "unit": "ms", "n": len(spans)},
        "close_under_api": {"p50": middle, "p99": worst, "unit": "s", "n": len(dispatched)},
    }


def _tokens() -> list[str]:
    users = User.objects.filter(username__startswith="bench").order_by("username")
    lasts = timedelta(hours=1)
    return [
        make_token(user=user, name="bench", scope="read", lasts=lasts, now=timezone.now())[1]
        for user in users
    ]


def _dispatch(positions: Sequence[Position]) -> list[float]:
    try:
        return list(dispatches(list(positions)))
    finally:
        connections.close_all()


async def _ask_all(url: str, tokens: Sequence[str]) -> list[float]:
    """Return the milliseconds of every request. Raise for one that was not answered with 200."""
    # The server closes what is idle for 5 s: a connection is given up before, not in that moment.
    limits = httpx.Limits(max_connections=CLIENTS, keepalive_expiry=2.0)
    async with httpx.AsyncClient(base_url=f"{url}/api/v1/", limits=limits, timeout=60) as client:
        asked = [_ask(client, tokens[n % len(tokens)], n) for n in range(CLIENTS)]
        return [span for spans in await asyncio.gather(*asked) for span in spans]


async def _ask(client: httpx.AsyncClient, token: str, number: int) -> list[float]:
    chance = random.Random(number)  # noqa: S311  (spreads the load, hides nothing)
    headers = {"Authorization": f"Bearer {token}"}
    await asyncio.sleep(chance.uniform(0, EVERY_SECONDS))
    ends_at, spans = perf_counter() + FOR_SECONDS, []
    while perf_counter() < ends_at:
        began = perf_counter()
        answer = await client.get(chance.choice(PATHS), headers=headers)
        answer.raise_for_status()
        spans.append((perf_counter() - began) * 1000)
        await asyncio.sleep(max(0.0, EVERY_SECONDS - (perf_counter() - began)))
    return spans


if __name__ == "__main__":
    print(measure())
