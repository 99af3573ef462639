"""One seed from its first moment to rest, watched: what it did, what was violated, its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import orjson

from tests.simulation.actions import Action, perform
from tests.simulation.laboratory import Laboratory
from tests.simulation.observer.watching import Observer, Violation
from tests.simulation.scheduler import scheduled
from tests.simulation.streams import Weather
from tests.simulation.world import World

REST = 90.0
LEDGER = (
    "SELECT position_id, order_id, from_state, event, to_state, cause, at FROM trading_statechange "
    "ORDER BY id",
    "SELECT order_id, venue_trade_id, base_quantity, price, fee FROM trading_trade "
    "ORDER BY filled_at, venue_trade_id",
    "SELECT position_id, venue_payment_id, payment FROM trading_fundingevent ORDER BY paid_at, id",
    "SELECT position_id, kind, severity, sentence, created_at FROM trading_event ORDER BY id",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one seed. Window lengths are in seconds."""

    name: str
    steps: int
    violations: tuple[Violation, ...]
    event_hash: str
    opened: int = 0
    orders: int = 0
    deaths: int = 0
    faults: int = 0
    duplicate_sends: int = 0
    unlicensed: int = 0
    calm_windows: tuple[float, ...] = ()
    faulted_windows: tuple[float, ...] = ()
    mended: tuple[float, ...] = ()
    alerted: tuple[float, ...] = ()
    recoveries: tuple[float, ...] = ()
    boundaries: tuple[str, ...] = field(default=(), repr=False)


def run_seed(laboratory: Laboratory, seed: int) -> Outcome:
    return run_actions(laboratory, seed, scheduled(seed))


def run_actions(laboratory: Laboratory, seed: int, actions: Sequence[Action]) -> Outcome:
    """Do the actions in a world of this seed, let it come to rest, and judge it."""
    world = World(laboratory, seed)
    observer = Observer(world)
    for action in actions:
        perform(world, action)
    come_to_rest(world)
    observer.see_end()
    return outcome_of(world, observer)


def come_to_rest(world: World) -> None:
    """End every disturbance and give everything the time it needs."""
    world.boundaries.disarm()
    world.far.calm()
    world.down.clear()
    world.prices.silent.clear()
    world.streams.weather = Weather()
    world.doorbells_lost = world.skew = 0.0
    world.pass_time(REST)
    world.reconcile()
    world.book_funding()


def outcome_of(
    world: World, observer: Observer, *, name: str = "", boundaries: tuple[str, ...] = ()
) -> Outcome:
    """Return the outcome of a world at rest; `boundaries` names those it passed."""
    sent = [sight.client_order_id for sight in world.far.sights]
    rules = [violation.rule for violation in observer.violations]
    windows = observer.case.chronicle.closed
    return Outcome(
        name=name or f"seed {world.seed}",
        steps=world.steps,
        violations=tuple(observer.violations),
        event_hash=event_hash(world),
        opened=world.opened,
        orders=len(sent),
        deaths=world.deaths,
        faults=world.far.faults_fired,
        duplicate_sends=len(sent) - len(set(sent)),
        unlicensed=sum(rule in ("I1", "I15", "I16") for rule in rules),
        calm_windows=tuple(_seconds(w.length) for w in windows if not w.is_faulted),
        faulted_windows=tuple(_seconds(w.length) for w in windows if w.is_faulted),
        mended=tuple(_seconds(w.since_fault) for w in windows if w.is_faulted),
        alerted=tuple(
            _seconds(w.alerted_after)
            for w in (*windows, *observer.case.chronicle.open.values())
            if w.alerted_after is not None
        ),
        recoveries=tuple(world.recoveries),
        boundaries=boundaries,
    )


def event_hash(world: World) -> str:
    """Hash the journal and the venues' access log, ids replaced by the order they came in."""
    names: dict[str, int] = {}

    def ordinal(value: object) -> object:
        is_id = isinstance(value, str) and len(value) in (32, 36) and " " not in value
        return names.setdefault(str(value), len(names)) if is_id else value

    tables = [world.laboratory.database.rows(query) for query in LEDGER]
    rows = [row for table in (*tables, world.far.storage.log) for row in table]
    digest = hashlib.sha256()
    for row in rows:
        digest.update(
            orjson.dumps({key: ordinal(value) for key, value in row.items()}, default=str)
        )
    return digest.hexdigest()


def _seconds(length: timedelta) -> float:
    return round(max(0.0, length.total_seconds()), 3)
