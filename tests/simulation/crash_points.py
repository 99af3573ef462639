"""One ordinary trade, and a death at each boundary of it, and at each pair of them."""

from __future__ import annotations

from random import Random

from tests.simulation.actions import Action, perform
from tests.simulation.laboratory import Laboratory
from tests.simulation.observer.watching import Observer
from tests.simulation.run import Outcome, come_to_rest, outcome_of
from tests.simulation.world import World

SEED = 1
# In, over a settlement, out. Time is short where nothing happens.
TRADE = (
    Action(do="open", amount="6000", kind="manual", wait=8.0),
    Action(do="time", amount="200", wait=1.0),
    Action(do="close", wait=6.0),
)


def run_with_deaths(laboratory: Laboratory, deaths: tuple[int, ...]) -> Outcome:
    """Trade once and die at the numbered boundaries; numbers go on counting after a restart."""
    world = World(laboratory, SEED)
    observer = Observer(world)
    world.boundaries.plan(deaths=frozenset(deaths))
    for action in TRADE:
        perform(world, action)
    passed = tuple(world.boundaries.names)
    come_to_rest(world)
    observer.see_end()
    name = f"deaths at {deaths}"
    return outcome_of(world, observer, name=name, boundaries=passed)


def boundaries_of_trade(laboratory: Laboratory) -> tuple[str, ...]:
    """Return the boundaries that the trade passes when nobody dies."""
    return run_with_deaths(laboratory, ()).boundaries


def singles(names: tuple[str, ...]) -> list[tuple[int, ...]]:
    """Return every boundary around which something lasts: what is only read may as well be next."""
    return [(number,) for number, name in enumerate(names) if name not in ("calls", "called")]


def pairs(names: tuple[str, ...], count: int | None = None) -> list[tuple[int, ...]]:
    """Return pairs of boundaries, all of them or `count` that are drawn the same way each time.

    The second number counts on after the first restart, so it falls into the recovery or later.
    """
    every = [
        (first, second) for first in range(len(names)) for second in range(first + 1, first + 80)
    ]
    if count is None:
        return list(every)
    draws = Random("pairs")  # noqa: S311 - it must repeat
    return list(draws.sample(every, count))
