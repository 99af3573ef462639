"""What a scheduler may let happen: each action is data, and one function does it to a world.

An action names the first or second venue of the day by Binance's or Bybit's contracts: it is the
same list of actions whatever the day trades.

Everything random about an action was drawn when it was recorded, so that a list of actions is
replayed, shortened and kept as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from exchanges.domain import Side
from exchanges.models import ExchangeAccount
from exchanges.simulator.listings import USDM
from tests.simulation.disturbances import fault_rules
from tests.simulation.markets import BASES, BASIS, MARKETS, PERPETUALS
from tests.simulation.streams import Weather
from tests.simulation.venue_side import DEPTH
from tests.simulation.world import OTHER_MACHINE, World
from trading.core.states import PositionState
from trading.models import Discrepancy, KillSwitch, Position
from trading.services import configure, engine, kill_switch, lease, resolve
from trading.services.drive import drive, drive_planned
from trading.services.entry_legs import long_short
from trading.services.exit import request_exit
from trading.services.halt import release_account
from trading.services.plan_entry import Refused, plan_entry
from trading.services.release import force_one_sided, release

# What a venue that has had too many requests asks for.
SILENCE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """`do` names a row of ACTIONS; `wait` is how long everything runs on afterwards."""

    do: str
    user: str = "alice"
    venue: str = USDM
    base: str = "BTC"
    number: int = 0
    amount: str = "0"
    kind: str = ""
    wait: float = 1.0
    options: dict[str, Any] = field(default_factory=dict)


def perform(world: World, action: Action) -> None:
    """Do one action, then let the time pass that comes with it."""
    ACTIONS[action.do](world, action)
    world.pass_time(action.wait)


def _open(world: World, action: Action) -> None:
    """Plan an entry: a form rings for its drive, the scheduler's task drives what it planned."""
    market = world.far.market
    long = market.venues[0] if market.buys_spot else _at(world, action)
    short = market.other(long)
    planned: list[Position] = []

    def work() -> None:
        found = plan_entry(
            user=world.users[action.user],
            strategy=market.strategy,
            base=action.base,
            legs=long_short(
                world.instrument(long, action.base), world.instrument(short, action.base)
            ),
            size_usd=Decimal(action.amount),
            opened_by=action.user if action.kind == "manual" else "scheduler",
            is_manual=action.kind == "manual",
            idempotency_key=action.options.get("key"),
            now=world.clock(),
        )
        if not isinstance(found, Refused):
            planned.append(found)

    def enter() -> None:
        work()
        for position in planned:
            drive_planned(position, venues=world.venues, clock=world.clock)

    is_task = action.kind != "manual"
    world.as_process(enter if is_task else work)
    world.opened += len(planned)
    for position in planned:
        if not is_task:
            world.ring(position.pk)


def _close(world: World, action: Action) -> None:
    world.closed_by_hand.add(action.user)
    for position in _positions(world, action):
        world.as_process(
            lambda position=position: request_exit(  # type: ignore[misc]  # bound in the loop
                position=position,
                reason="manual",
                sentence=f"closed by {action.user}",
                actor=action.user,
                now=world.clock(),
            )
        )
        world.ring(position.pk)


def _kill(world: World, action: Action) -> None:
    user = None if action.kind == "global" else world.users[action.user]

    def work() -> None:
        try:
            kill_switch.press(
                user=user,
                actor=action.user,
                reason="drill",
                closes_positions=action.number != 0,
                now=world.clock(),
            )
        finally:
            # A press that is committed lasts, even if its process dies of the next thing.
            for pressed in KillSwitch.objects.filter(user=user, rearmed_at=None):
                world.note_kill(user, pressed.pk, closes=pressed.closes_positions)

    world.as_process(work)


def _rearm(world: World, action: Action) -> None:
    for user in (None, world.users[action.user]):

        def work(user=user) -> None:  # type: ignore[no-untyped-def]  # bound in the loop
            kill_switch.rearm(user=user, actor=action.user, now=world.clock())
            world.note_rearm(user)

        world.as_process(work)


def _engine(world: World, action: Action) -> None:
    change = engine.pause if action.kind == "pause" else engine.resume
    user = world.users[action.user]
    world.as_process(lambda: change(user=user, actor=action.user, now=world.clock()))


def _configure(world: World, action: Action) -> None:
    user = world.users[action.user]
    version = configure.current(user).version
    world.as_process(
        lambda: configure.save(
            user=user,
            values=action.options,
            expected_version=version,
            actor=action.user,
            now=world.clock(),
        )
    )


def _doorbell(world: World, action: Action) -> None:
    live = world.live()
    for _ in range(max(1, action.number)):
        if live:
            world.ring(live[len(action.kind) % len(live)])


def _release(world: World, action: Action) -> None:
    """A person looked at the user's halted accounts and lets them trade again."""
    world.released.add(action.user)
    for account in ExchangeAccount.objects.filter(user=world.users[action.user]):
        world.as_process(
            lambda account=account: release_account(  # type: ignore[misc]  # bound in the loop
                account, actor=action.user, now=world.clock()
            )
        )


def _resolve(world: World, action: Action) -> None:
    """A person decides about each difference of the user's that is shown, as it is offered."""
    by_choice: dict[str, Callable[..., object]] = {
        Discrepancy.Resolution.ADOPTED: partial(resolve.adopt, venues=world.venues),
        Discrepancy.Resolution.IGNORED: resolve.ignore,
        Discrepancy.Resolution.VANISHED: resolve.ignore,
        Discrepancy.Resolution.CLOSED: partial(resolve.close, venues=world.venues),
    }
    world.released.add(action.user)
    for row in Discrepancy.objects.confirmed().filter(user=world.users[action.user]):
        offered = [choice for choice in resolve.choices(row) if choice in by_choice]
        if offered:
            decide = by_choice[offered[action.number % len(offered)]]
            world.as_process(partial(decide, row, actor=action.user, now=world.clock()))


def _unhold(world: World, action: Action) -> None:
    """A person looked at the user's held positions and lets the plan act on them again."""
    for position in _positions(world, action):
        if position.state == PositionState.HELD:
            world.as_process(partial(release, position, actor=action.user, now=world.clock()))
            world.ring(position.pk)


def _force(world: World, action: Action) -> None:
    """A person lets a leg be closed alone where an exit waits for the other venue."""
    for position in _positions(world, action):
        if position.state == PositionState.EXITING:
            world.as_process(
                partial(force_one_sided, position, actor=action.user, now=world.clock())
            )
            world.ring(position.pk)


def _weather(world: World, action: Action) -> None:
    world.streams.weather = Weather(**action.options)
    world.doorbells_lost = float(action.amount)


def _fault(world: World, action: Action) -> None:
    venue = _at(world, action)
    for rule in fault_rules(action.kind, venue, action.number, action.options):
        world.far.disturb(**rule)
    world.note_fault()


def _down(world: World, action: Action) -> None:
    """A venue that answers nothing for a while, whose prices stand still."""
    venue = _at(world, action)
    silence = {"retry_after": SILENCE} if action.kind == "rate_limit" else {}
    world.far.disturb(action=action.kind, venue=venue, count=None, **silence)
    world.down.add(venue)
    world.prices.silent.add(venue)
    world.note_fault()
    world.pass_time(float(action.amount))
    world.far.calm()
    world.down.discard(venue)
    world.prices.silent.discard(venue)


def _flood(world: World, action: Action) -> None:
    """Polls take all that they may of the venues' limits."""
    for venue in world.far.market.venues:
        world.laboratory.let_polls_take_all(venue)


def _stale(world: World, action: Action) -> None:
    venue = _at(world, action)
    world.prices.silent.add(venue)
    world.note_fault()
    world.pass_time(float(action.amount))
    world.prices.silent.discard(venue)


def _skew(world: World, action: Action) -> None:
    world.note_fault()
    world.skew, world.skewed_at = float(action.amount), world.now


def _price(world: World, action: Action) -> None:
    world.far.move_price(action.base, 1 + Decimal(action.amount))


def _gap(world: World, action: Action) -> None:
    world.far.move_price(action.base, 1 + Decimal(action.amount), venues=(_at(world, action),))


def _depth(world: World, action: Action) -> None:
    world.far.thin_out(action.base, DEPTH[action.base] * Decimal(action.amount))


def _foreign(world: World, action: Action) -> None:
    side = Side.BUY if action.number else Side.SELL
    quantity = Decimal(action.amount)
    if world.far.trade_by_hand(action.user, _at(world, action), action.base, side, quantity):
        world.note_fault()


def _liquidate(world: World, action: Action) -> None:
    venue = world.far.market.contracts(_at(world, action))
    if world.far.liquidate(action.user, venue, action.base) is not None:
        world.note_fault()


def _deleverage(world: World, action: Action) -> None:
    share, venue = Decimal(action.amount), world.far.market.contracts(_at(world, action))
    if world.far.deleverage(action.user, venue, action.base, share) is not None:
        world.note_fault()


def _crash(world: World, action: Action) -> None:
    """Die at the so-and-so-many-th boundary from here on, whenever that comes."""
    world.boundaries.plan(deaths=frozenset({action.number}))
    world.note_fault()


def _stall(world: World, action: Action) -> None:
    """A worker stands still with a lease in its hands; others act; then it wakes up.

    With amount 0 nothing but the other action of `kind` comes in between, as in a race.
    """
    live = world.live()
    if not live:
        return
    position_id = live[0]

    def meanwhile() -> None:
        Position.objects.filter(lease_owner=lease.owner_name()).update(lease_owner=OTHER_MACHINE)
        if action.kind:
            ACTIONS[action.kind](world, action)
        world.pass_time(float(action.amount))

    world.boundaries.plan(pause=(action.number, meanwhile))
    world.note_fault()
    world.as_process(lambda: drive(position_id, venues=world.venues, clock=world.clock))
    world.boundaries.disarm()


def _positions(world: World, action: Action) -> list[Position]:
    ended = (PositionState.CLOSED, PositionState.ABANDONED)
    rows = Position.objects.filter(user=world.users[action.user], base=action.base)
    return list(rows.exclude(state__in=ended).order_by("created_at", "pk"))


def _at(world: World, action: Action) -> str:
    """Return the day's venue that the action means."""
    return world.far.market.venues[PERPETUALS.venues.index(action.venue)]


def _market(world: World, action: Action) -> None:
    """Let the day trade elsewhere; a contract is dear enough there for its spot to be bought."""
    market = MARKETS[action.kind]
    world.trade_at(market)
    if market.buys_spot:
        for base in BASES:
            world.far.move_price(base, Decimal(1), venues=market.venues[:1])
            world.far.move_price(base, BASIS, venues=market.venues[1:])


ACTIONS: dict[str, Callable[[World, Action], None]] = {
    "market": _market,
    "open": _open,
    "close": _close,
    "kill": _kill,
    "rearm": _rearm,
    "engine": _engine,
    "configure": _configure,
    "doorbell": _doorbell,
    "release": _release,
    "weather": _weather,
    "fault": _fault,
    "down": _down,
    "flood": _flood,
    "stale": _stale,
    "skew": _skew,
    "price": _price,
    "gap": _gap,
    "depth": _depth,
    "foreign": _foreign,
    "liquidate": _liquidate,
    "deleverage": _deleverage,
    "resolve": _resolve,
    "unhold": _unhold,
    "force": _force,
    "crash": _crash,
    "stall": _stall,
    "sweep": lambda world, action: world.sweep(),
    "reconcile": lambda world, action: world.reconcile(),
    "fund": lambda world, action: world.book_funding(),
    "outage": lambda world, action: world.sleep(float(action.amount)),
    "flush": lambda world, action: world.prices.forget(),
    "time": lambda world, action: world.pass_time(float(action.amount)),
}
