"""`make soak MINUTES=30`: the feed against all simulated venues with many symbols and bad luck.

The prices of one symbol step up every few seconds, so that each price tells when it was true: a
fact that counts as fresh and shows a step that was over too long ago is a stale fact used. Memory
is compared with what it was after a warm-up, and the venues' own access log with their quotas.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
from django.test import override_settings
from redis import Redis

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from arbsite.launcher.ports import free_port  # noqa: E402  (after the apps are set up)
from exchanges import loop, registry  # noqa: E402
from exchanges.ccxt_adapter.sockets import LOST  # noqa: E402
from exchanges.domain import Symbol  # noqa: E402
from exchanges.feeds import MarketFeed, pairable  # noqa: E402
from exchanges.modes import Mode  # noqa: E402
from exchanges.venues import PROFILES  # noqa: E402
from tests.machine import ROOT, START_SECONDS, wait_until  # noqa: E402
from tests.rehearsal import RunningRedis, SimulatorControl  # noqa: E402
from tests.soak_judge import Steps, openings_above, violations  # noqa: E402

VENUES = tuple(name for name, profile in PROFILES.items() if not profile.read_only)
# What each calls the one whose price steps, and what we do.
STEPPED = {
    "binance": ("BTCUSDT", Symbol("BTC/USDT")),
    "binanceusdm": ("BTCUSDT", Symbol("BTC/USDT:USDT")),
    "bybit": ("BTCUSDT", Symbol("BTC/USDT:USDT")),
    "okx": ("BTC-USDT-SWAP", Symbol("BTC/USDT:USDT")),
    "hyperliquid": ("BTC", Symbol("BTC/USDC:USDC")),
    "bitget": ("BTCUSDT", Symbol("BTC/USDT:USDT")),
    "gate": ("BTC_USDT", Symbol("BTC/USDT:USDT")),
    "kucoin": ("XBTUSDTM", Symbol("BTC/USDT:USDT")),
    "krakenfutures": ("PF_XBTUSD", Symbol("BTC/USD:USD")),
    "kraken": ("XBTUSDT", Symbol("BTC/USDT")),
    "deribit": ("BTC_USDC-PERPETUAL", Symbol("BTC/USDC:USDC")),
}
STEP_EVERY, FAULT_EVERY, LOOK_EVERY = 2.0, 4.0, 0.25
FAULTS_AT_ONCE = 5
# What an entry takes for fresh, and how long a step may take to get through.
FRESH_SECONDS, SLACK_SECONDS = 3.0, 1.0
FAULTS: tuple[dict[str, object], ...] = (
    {"action": "socket_close"},
    {"action": "socket_stall", "count": 40},
    {"action": "server_error", "count": 2},
    {"action": "garbage", "garbage": "html"},
    {"action": "garbage", "garbage": "truncated"},
    {"action": "delay", "seconds": 3},
    {"action": "rate_limit", "retry_after": 3},
)
PAGE = os.sysconf("SC_PAGE_SIZE")


class Soak:
    """One feed of all venues, disturbed and watched."""

    def __init__(self, control: SimulatorControl, redis: Redis) -> None:
        self._control = control
        self._dice = random.Random(7)  # noqa: S311 - picks faults, guards nothing
        self._redis = redis
        self._steps = Steps()
        self._stalled: set[str] = set()
        self.feed = self._made()
        self.seen = self.faults = 0
        self.stale: Counter[str] = Counter()
        self.rss: list[tuple[float, int]] = []

    def _made(self) -> MarketFeed:
        reads = [registry.market_data(venue, Mode.REHEARSAL).instruments() for venue in VENUES]
        listed = [one for answer in loop.call_all(reads, 300) for one in _listed(answer)]
        modes = dict.fromkeys(VENUES, Mode.REHEARSAL)
        return MarketFeed(pairable(listed), modes, self._redis)

    def run(self, seconds: float) -> None:
        running: Future[None] = loop.spawn(self.feed.run(lambda bases: None))
        started = time.monotonic()
        next_step = next_fault = started
        while (now := time.monotonic()) - started < seconds:
            if now >= next_step:
                self._step()
                next_step = now + STEP_EVERY
            if now >= next_fault and now - started > 20:
                self._disturb()
                next_fault = now + FAULT_EVERY
            self._look()
            self.rss.append((now - started, resident()))
            if running.done():
                running.result()
            time.sleep(LOOK_EVERY)
        running.cancel()

    def _step(self) -> None:
        price = self._steps.next_price
        for venue, (symbol, _) in STEPPED.items():
            body = {"venue": venue, "symbol": symbol, "price": str(price)}
            self._control.control("POST", "/market", body)
        self._steps.add(time.monotonic(), price)

    def _disturb(self) -> None:
        # A socket that is opened again and again takes a message of a stall each time: without an
        # end it would be shut out for minutes.
        if self.faults % FAULTS_AT_ONCE == 0:
            self._end_faults()
        rule, venue = dict(self._dice.choice(FAULTS)), self._dice.choice(VENUES)
        self._control.fault(**rule, venue=venue)
        self._stalled |= {venue} if rule["action"] == "socket_stall" else set()
        self.faults += 1

    def _end_faults(self) -> None:
        """End all faults; a socket that lost messages is closed before it is heard again.

        No connection loses some messages and goes on. What changes by changes, like Bybit's
        tickers, would go on from a state that it was never told.
        """
        for venue in sorted(self._stalled):
            self._control.fault(action="socket_close", venue=venue)
        self._stalled.clear()
        wait_until(self._has_closed, timeout=START_SECONDS, what="stalled sockets are closed")
        self._control.no_faults()

    def _has_closed(self) -> bool:
        rules = self._control.control("GET", "/faults")["faults"]
        return all(rule["fired"] for rule in rules if rule["action"] == "socket_close")

    def _look(self) -> None:
        """Count facts that an entry would take for fresh though their price is long over."""
        clock, now = datetime.now(UTC), time.monotonic()
        for venue, (_, symbol) in STEPPED.items():
            row = self.feed.board.row(venue, symbol)
            book = row.book if row is not None else None
            if book is None or (clock - book.observed_at).total_seconds() > FRESH_SECONDS:
                continue
            self.seen += 1
            over_since = self._steps.over_since(book.mid)
            if over_since is not None and now - over_since > FRESH_SECONDS + SLACK_SECONDS:
                self.stale[venue] += 1

    def growth(self, warm_up: float) -> float:
        """Return by which part the memory grew from the warm-up's end to the run's end."""
        after = [pages for at, pages in self.rss if at >= warm_up]
        part = max(1, len(after) // 10)
        first, last = (sum(some) / len(some) for some in (after[:part], after[-part:]))
        return last / first - 1


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def _listed(answer: Any) -> Any:
    if isinstance(answer, BaseException):
        raise answer
    return answer


def soak(minutes: float, symbols: int) -> int:
    """Run, print the figures as the last line, and return 0 where all aims are met."""
    redis = RunningRedis()
    port, control = free_port(), SimulatorControl(free_port())
    with tempfile.TemporaryDirectory() as folder:
        options = {
            "--port": port,
            "--control-port": control.control_port,
            "--state": folder,
            "--symbols": symbols,
        }
        venues = subprocess.Popen(  # noqa: S603 - our own command
            [
                *(sys.executable, "-m", "exchanges.simulator"),
                *(str(part) for option in options.items() for part in option),
                "--watched",
            ],
            cwd=ROOT,
        )
        try:
            wait_until(control.is_up, timeout=START_SECONDS, what="the venues answer")
            url = f"http://127.0.0.1:{port}"
            with override_settings(CARRY_SIMULATOR_URL=url, REDIS_URL=redis.url):
                made = Soak(control, Redis.from_url(redis.url))
                made.run(minutes * 60)
                entries = control.control("GET", "/access-log?limit=1000000")["entries"]
                opened = control.control("GET", "/socket-openings")["openings"]
                registry.close_all()
                loop.close()
        finally:
            venues.terminate()
            venues.wait(20)
            redis.stop()
    above = violations(entries) + openings_above(opened)
    return _tell(made, minutes, symbols, above, len(entries), len(opened))


def _tell(
    made: Soak, minutes: float, symbols: int, above: Counter[str], requests: int, openings: int
) -> int:
    growth = made.growth(warm_up=min(300.0, minutes * 60 / 2))
    lost: Counter[str] = Counter()
    for (_, cause), times in LOST.items():
        lost[cause] += times
    instruments = len(made.feed.board.rows)
    print(
        f"soak: {minutes:g} min, {len(VENUES)} venues, {symbols} symbols each, "
        f"{instruments} instruments seen, {made.faults} faults, "
        f"{lost['connection']} sockets lost and {lost['message']} messages not understood, "
        f"{made.seen} fresh facts looked at, {shown(made.stale)} stale used, {requests} requests "
        f"and {openings} sockets opened, {shown(above)} above a limit, RSS growth {growth:.1%}"
    )
    return int(made.stale.total() > 0 or above.total() > 0 or growth >= 0.05)


def shown(counts: Counter[str]) -> str:
    """Return a sum, and in brackets what it is made of."""
    parts = ", ".join(f"{name} {count}" for name, count in counts.most_common() if count)
    return f"{counts.total()} ({parts})" if parts else "0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--symbols", type=int, default=100)
    given = parser.parse_args()
    raise SystemExit(soak(given.minutes, given.symbols))


if __name__ == "__main__":
    main()
