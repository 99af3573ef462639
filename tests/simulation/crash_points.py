"""Short trades, and a death at each boundary of them, and at each pair of boundaries."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from exchanges.simulator.listings import BYBIT, USDM
from tests.simulation.actions import Action, perform
from tests.simulation.laboratory import Laboratory
from tests.simulation.observer.watching import Observer
from tests.simulation.run import Outcome, come_to_rest, outcome_of
from tests.simulation.world import World

SEED = 1
OPEN = Action(do="open", amount="6000", kind="manual", wait=8.0)
ADDING = {
    "basis_add_at": "0.005",
    "exit_must_last_seconds": "0",
    "entry_policy": "spread_only",
    "entry_window_closes_minutes": "0",
}
# Time is short where nothing happens.
TRADES: dict[str, tuple[Action, ...]] = {
    # In, over a settlement, out.
    "calm": (OPEN, Action(do="time", amount="200", wait=1.0), Action(do="close", wait=6.0)),
    # The same with coins bought instead of a contract.
    "spot": (
        Action(do="market", kind="cash and carry", wait=0.1),
        OPEN,
        Action(do="close", wait=6.0),
    ),
    # The second leg is refused for lack of margin, and the first one is unwound at once.
    "refused": (Action(do="fault", kind="create-refused", venue=BYBIT, number=1, wait=0.1), OPEN),
    # The kill switch is pressed while the first leg is on its way.
    "killed": (
        Action(do="open", amount="6000", kind="manual", wait=0.1),
        Action(do="kill", number=1, wait=8.0),
    ),
    # The gap moves for it, and a quarter is added at the next watch.
    "added": (
        Action(do="configure", options=ADDING, wait=0.1),
        OPEN,
        Action(do="gap", amount="0.02", venue=USDM, wait=1.0),
        Action(do="time", amount="40", wait=1.0),
    ),
    # The venue takes one leg, and the other one follows.
    "liquidated": (OPEN, Action(do="liquidate", venue=USDM, wait=12.0)),
}


@dataclass(frozen=True, slots=True)
class Deaths:
    """Deaths in one trade, at the boundaries of these numbers."""

    trade: str
    at: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"deaths at {self.at} of {self.trade}"


def run_with_deaths(laboratory: Laboratory, deaths: Deaths) -> Outcome:
    """Trade once and die at the numbered boundaries; numbers go on counting after a restart."""
    world = World(laboratory, SEED)
    observer = Observer(world)
    world.boundaries.plan(deaths=frozenset(deaths.at))
    for action in TRADES[deaths.trade]:
        perform(world, action)
    passed = tuple(world.boundaries.names)
    come_to_rest(world)
    observer.see_end()
    return outcome_of(world, observer, name=str(deaths), boundaries=passed)


def boundaries_of(laboratory: Laboratory, trade: str) -> tuple[str, ...]:
    """Return the boundaries that a trade passes when nobody dies."""
    return run_with_deaths(laboratory, Deaths(trade)).boundaries


def singles(trade: str, names: tuple[str, ...]) -> list[Deaths]:
    """Return every boundary around which something lasts: what is only read may as well be next."""
    return [
        Deaths(trade, (number,))
        for number, name in enumerate(names)
        if name not in ("calls", "called")
    ]


def pairs(trade: str, names: tuple[str, ...], count: int | None = None) -> list[Deaths]:
    """Return pairs of boundaries, all of them or `count` that are drawn the same way each time.

    The second number counts on after the first restart, so it falls into the recovery or later.
    """
    every = [
        Deaths(trade, (first, second))
        for first in range(len(names))
        for second in range(first + 1, first + 80)
    ]
    if count is None or count >= len(every):
        return every
    draws = Random(f"pairs of {trade}")  # noqa: S311 - it must repeat
    return list(draws.sample(every, count))
