"""`manage.py streams`: all market and account sockets of this installation on one event loop.

Market facts go to the board and are scanned at once; own orders and fills are recorded and their
positions driven. With it stopped, beat and workers do the same more slowly.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from argparse import ArgumentParser
from concurrent.futures import Future
from typing import Any
from zlib import crc32

from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from django.utils import timezone

from exchanges import domain, loop, registry, selectors, services
from exchanges.feeds import MarketFeed, pairable
from exchanges.modes import Mode
from trading.services.breaker import SETTLE_EVERY_SECONDS, settle_health
from trading.services.listen import listen_forever
from trading.services.scan import LiveScan
from trading.services.sweep import run_every

RELIST_EVERY = 600.0
CHECK_EVERY = 0.5


class Command(BaseCommand):
    help = "Stream markets and accounts, keep the board, scan on every update."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--shard", default="0/1", help="i/n: only bases of this part; accounts in part 0."
        )

    def handle(self, *args: Any, shard: str, **options: Any) -> None:
        part, parts = _shard(shard)
        registry.share_with(parts)
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        while not (selectors.active_instruments().exists() or stopping.is_set()):
            services.refresh_instruments(timezone.now())
            stopping.wait(CHECK_EVERY)
        run_every(settle_health, SETTLE_EVERY_SECONDS, stopping, name="health")
        running = [loop.spawn(_markets_forever(part, parts))]
        if part == 0:
            running.append(loop.spawn(listen_forever()))
        try:
            _wait(running, stopping)
        finally:
            for future in running:
                future.cancel()
            registry.close_all()
            loop.close()


def _wait(running: list[Future[None]], stopping: threading.Event) -> None:
    """Return when asked to stop; raise what ended a part, so that the process is restarted."""
    while not stopping.wait(CHECK_EVERY):
        for future in running:
            if future.done():
                future.result()


async def _markets_forever(part: int, parts: int) -> None:
    """Run the feed and the scan of its board; have it look every so often at what is listed."""
    feed = MarketFeed(*await asyncio.to_thread(_listed, part, parts), selectors.board_redis())
    scan = LiveScan(feed.board, feed.flush)
    async with asyncio.TaskGroup() as group:
        group.create_task(feed.run(scan.changed))
        group.create_task(scan.run())
        while True:
            await asyncio.sleep(RELIST_EVERY)
            feed.relist(*await asyncio.to_thread(_listed, part, parts))


def _listed(part: int, parts: int) -> tuple[list[domain.Instrument], dict[str, Mode]]:
    close_old_connections()
    rows = [
        row for row in selectors.active_instruments() if crc32(row.base.encode()) % parts == part
    ]
    modes = {row.exchange.code: Mode(row.exchange.mode) for row in rows}
    return pairable(row.snapshot() for row in rows), modes


def _shard(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdigit() and parts.isdigit() and int(part) < int(parts)):
        raise CommandError(f"--shard {text}: say i/n with i from 0 to n - 1, as in 0/4")
    return int(part), int(parts)
