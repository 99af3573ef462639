"""From the board to opportunities and doorbells: live in `streams`, every two seconds in a worker.

The live scan asks the vectorised pass on every update and rings entries within the same turn of the
loop; rows are written once a round. The worker's scan does the same with a board read from
Redis and leaves alone what a live scan has looked at in the last seconds.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TypeVar, cast
from uuid import UUID

from django.db import DatabaseError, close_old_connections
from django.utils import timezone
from redis import Redis, RedisError

from exchanges import selectors
from exchanges.board import Board, Key
from exchanges.depths import load_depths
from exchanges.domain import Depth
from trading.doorbell import ring_entry
from trading.services import opportunities
from trading.services.crowd import Crowds, crowds_of
from trading.services.rotate import rotate
from trading.services.scan_turns import ScanTurns
from trading.services.seen import Seen
from trading.services.standing import Standing, load_standings
from trading.services.take import take
from trading.services.universe import Universe
from trading.services.user_scan import Finding, UserScan
from trading.strategies.base import EntryTrigger

logger = logging.getLogger(__name__)
T = TypeVar("T")

ROUND_SECONDS = 1.0
SETTLING_ROUNDS = 15
# Between two rings for one pair: the entry has by then become a position or a refusal.
RING_AGAIN_AFTER = timedelta(seconds=5)
SCANNED = "carry:scanned"
LOOKED_AT_LATELY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a scan goes on with once it adopts it."""

    universe: Universe
    crowds: Crowds


class MarketScan:
    """What one process scans: all pairs for all users. `load` reads, `judge` asks memory.

    Users who assume the same of holding a position share one scan of the market.
    """

    def __init__(self) -> None:
        self._universe = Universe()
        self._crowds: Crowds = {}
        self._scans: dict[UUID, UserScan] = {}
        self._rung: dict[tuple[UUID, str], tuple[datetime, Finding]] = {}
        self.turns = ScanTurns()

    @property
    def users(self) -> list[UserScan]:
        return list(self._scans.values())

    @property
    def bases(self) -> list[str]:
        return list(self._universe.by_base)

    @property
    def keys(self) -> list[Key]:
        return [paired.key for some in self._universe.by_base.values() for paired in some.values()]

    def load(self, now: datetime) -> Loaded:
        """Read instruments, history and standings, and gather what the users ask of a pair.

        Whoever asks meanwhile, on another thread, finds all as it was adopted last.
        """
        universe = self._universe.refreshed(now)
        universe.count_usual_ratios()
        return Loaded(universe, crowds_of(universe, load_standings(now), self._crowds))

    def adopt(self, loaded: Loaded) -> None:
        """Go on with what was loaded."""
        self._universe, self._crowds = loaded.universe, loaded.crowds
        scans = [scan for crowd in loaded.crowds.values() for scan in crowd.scans]
        self._scans = {scan.standing.user_id: scan for scan in scans}

    def refresh(self, now: datetime) -> None:
        """Let the clock count for what nothing was heard of."""
        for crowd in self._crowds.values():
            crowd.shared.refresh(now)

    def worth_judging(self, base: str, seen: Seen, now: datetime) -> list[UserScan]:
        """Return, within microseconds a user, for whom a base is worth being counted through."""
        found = []
        for crowd in self._crowds.values():
            crowd.shared.renew(base, seen.board, seen.depths, now)
            found += crowd.who_wants(base)
        return found

    def to_judge(self, scan: UserScan) -> list[str]:
        """Return the bases that are counted through for a user in this round."""
        return self.turns.bases(self.bases, scan.standing.parameters.bases)

    def scan_of(self, user_id: UUID) -> UserScan | None:
        return self._scans.get(user_id)

    def standing_of(self, user_id: UUID) -> Standing:
        return self._scans[user_id].standing

    def to_ring(self, user_id: UUID, findings: list[Finding], now: datetime) -> list[Finding]:
        """Return what is entered now, and remember it: the next update shares what is left."""
        self._rung = {
            which: (at, finding)
            for which, (at, finding) in self._rung.items()
            if now - at < RING_AGAIN_AFTER
        }
        rung = [finding for (user, _), (_, finding) in self._rung.items() if user == user_id]
        taken = take(findings, self.standing_of(user_id), rung)
        self._rung |= {(user_id, finding.base): (now, finding) for finding in taken}
        return taken


class LiveScan:
    """The scan of the streaming process. `changed` is called on the loop with changed bases."""

    def __init__(self, board: Board, publish: Callable[[], Awaitable[None]]) -> None:
        self._seen = Seen(board)
        self._publish = publish
        self.market = MarketScan()
        self._tasks: set[asyncio.Task[None]] = set()

    def changed(self, bases: set[str]) -> None:
        """Ring the entry of whatever may be entered now."""
        now, market = timezone.now(), self.market
        findings: defaultdict[UUID, list[Finding]] = defaultdict(list)
        for base in bases:
            for scan in market.worth_judging(base, self._seen, now):
                judged = scan.judge(base, self._seen, now, EntryTrigger.SCHEDULE)
                findings[scan.standing.user_id] += judged
        found = [
            (user_id, finding)
            for user_id, some in findings.items()
            for finding in market.to_ring(user_id, some, now)
        ]
        if found:
            task = asyncio.create_task(self._enter(found, now))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def run(self) -> None:
        """Once a second take over standings and write what was found, until cancelled.

        What users change must not wait for a round over all of them.
        """
        await self._settle()
        async with asyncio.TaskGroup() as group:
            group.create_task(_again(self._renew))
            group.create_task(_again(self._judge))

    async def _settle(self) -> None:
        """Wait for the first facts and intervals: without them everything is passed over."""
        for _ in range(SETTLING_ROUNDS):
            await asyncio.sleep(ROUND_SECONDS)
            rows = self._seen.board.rows.values()
            rates = [row.funding for row in rows if row.funding is not None]
            if rates and all(rate.is_tradable for rate in rates):
                return

    async def _renew(self) -> None:
        """Take over standings and order books, and what the clock alone has changed."""
        self.market.adopt(await _with_rows(self.market.load, timezone.now()))
        depths = await asyncio.to_thread(_depths, self.market.keys)
        self._seen = Seen(self._seen.board, depths)
        now = timezone.now()
        self.market.refresh(now)
        await _with_rows(_say_scanned, self.market.bases, now)

    async def _judge(self) -> None:
        """Count through for every user, each as the user stands when the turn comes."""
        self.market.turns.begin()
        for user_id in [scan.standing.user_id for scan in self.market.users]:
            scan = self.market.scan_of(user_id)
            if scan is None:
                continue
            findings = []
            for base in self.market.to_judge(scan):
                findings += scan.judge(base, self._seen, timezone.now(), EntryTrigger.SCHEDULE)
                # Facts go on arriving between two bases.
                await asyncio.sleep(0)
            await _with_rows(_record, scan.standing, findings, timezone.now())

    async def _enter(self, found: list[tuple[UUID, Finding]], now: datetime) -> None:
        # The worker must see the facts it is rung for.
        await self._publish()
        for user_id, finding in found:
            await _with_rows(_ring, user_id, finding, now)


async def _again(act: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await act()
        except DatabaseError:
            logger.exception("scan round failed")
        await asyncio.sleep(ROUND_SECONDS)


async def _with_rows(work: Callable[..., T], *args: object) -> T:
    """Return what work with the database returns, in a thread whose connection is still one."""

    def connected() -> T:
        close_old_connections()
        return work(*args)

    return await asyncio.to_thread(connected)


def scan_all(*, force: bool = False) -> int:
    """Scan the board in Redis for every user; return how many entries were rung.

    `force`: also what a live scan looks at, and from the opening of the entry window on.
    """
    now, redis = timezone.now(), selectors.board_redis()
    looked_at = set() if force else _scanned_lately(redis, now)
    trigger = EntryTrigger.PROMPT if force else EntryTrigger.SCHEDULE
    with _worker_lock:
        market, rung = _worker_scan(), 0
        market.adopt(market.load(now))
        is_needed = any(base not in looked_at for base in market.bases)
        seen = Seen(selectors.market_board() if is_needed else Board(), _depths(market.keys))
        market.refresh(now)
        market.turns.begin()
        for scan in market.users:
            findings = [
                finding
                for base in market.to_judge(scan)
                if base not in looked_at
                for finding in scan.judge(base, seen, now, trigger)
            ]
            if findings:
                _record(scan.standing, findings, now)
            for finding in market.to_ring(scan.standing.user_id, findings, now):
                rung += _ring(scan.standing.user_id, finding, now)
    return rung


_worker_lock = threading.Lock()


@cache
def _worker_scan() -> MarketScan:
    """Return this process's scan: settled history is read once and then kept up to date."""
    return MarketScan()


def _depths(keys: list[Key]) -> dict[Key, Depth]:
    try:
        return load_depths(keys, selectors.board_redis())
    except RedisError as error:
        # Without them only the touch is known.
        logger.warning("order books not loaded", extra={"reason": str(error)})
        return {}


def _record(standing: Standing, findings: list[Finding], now: datetime) -> None:
    """Write what was found, and make room for it where that clearly pays."""
    opportunities.record(standing.user_id, findings, hold=standing.parameters.hold_horizon, now=now)
    rotate(standing, findings, now=now)


def _ring(user_id: UUID, finding: Finding, signalled_at: datetime) -> bool:
    return ring_entry(
        user_id=user_id,
        strategy=finding.strategy,
        base=finding.base,
        legs=[
            {"instrument": str(leg.paired.id), "side": leg.side.value, "ratio": str(leg.ratio)}
            for leg in finding.legs
        ],
        size_usd=finding.size_usd,
        signalled_at=signalled_at,
    )


def _say_scanned(bases: list[str], now: datetime) -> None:
    try:
        if bases:
            selectors.board_redis().hset(SCANNED, mapping=dict.fromkeys(bases, now.isoformat()))
    except RedisError as error:
        # Workers then scan the same bases too, which does no harm.
        logger.warning("scan not announced", extra={"reason": str(error)})


def _scanned_lately(redis: Redis, now: datetime) -> set[str]:
    said = cast(dict[bytes, bytes], redis.hgetall(SCANNED))
    return {
        base.decode()
        for base, at in said.items()
        if now - datetime.fromisoformat(at.decode()) < LOOKED_AT_LATELY
    }
