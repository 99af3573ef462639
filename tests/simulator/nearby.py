"""The real adapters on venues in this process: real signing, parsing and paging, no sockets.

Nothing takes time: the venues' clock stands until a test moves it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Credential, Surroundings
from exchanges.simulator.deliveries import Delivery
from exchanges.simulator.wire import WireRequest
from exchanges.venues import PROFILES
from tests.simulation.transport import InProcessSession
from tests.simulator.world import World

# Where the two legs of a pair are held.
PAIR = ("binanceusdm", "bybit")
VENUES = (*PAIR, "okx")
T = TypeVar("T")
# The simulator's storage belongs to the thread that opened it: so does this loop.
LOOP = asyncio.new_event_loop()
CATALOGUES = {venue: Catalogue(PROFILES[venue]) for venue in VENUES}


def call(coroutine: Coroutine[Any, Any, T], timeout: float = 20) -> T:
    return LOOP.run_until_complete(asyncio.wait_for(coroutine, timeout))


def call_all(
    coroutines: Sequence[Coroutine[Any, Any, T]], timeout: float = 20
) -> list[T | BaseException]:
    async def gathered() -> list[T | BaseException]:
        return await asyncio.gather(*coroutines, return_exceptions=True)

    return call(gathered(), timeout)


def client_at(
    world: World,
    venue: str,
    catalogue: Catalogue | None = None,
    note: Callable[[str], None] = lambda symptom: None,
) -> VenueClient:
    """Return a client of the world's one account at a venue.

    Worlds that list the same may share a catalogue; one that lists more brings its own. `note`
    hears of each call's symptom.
    """
    keys = world.account(venue)
    return VenueClient(
        catalogue or CATALOGUES[venue],
        credential=Credential(api_key=keys.api_key, secret=keys.secret, passphrase=keys.passphrase),
        surroundings=replace(surroundings_of(world), note=note),
    )


def public_client_at(world: World, catalogue: Catalogue) -> VenueClient:
    """Return a client without a key."""
    return VenueClient(catalogue, surroundings=surroundings_of(world))


def surroundings_of(world: World) -> Surroundings:
    far = Nearby(world)
    return Surroundings(now=lambda: world.at, session=lambda: InProcessSession(lambda: far))


class Nearby:
    """The other end of a wire on which nothing is late and nobody dies."""

    def __init__(self, world: World) -> None:
        self._world = world

    def disturbance(self, request: WireRequest) -> Any:
        return self._world.venues.disturbance(request)

    def answer(self, request: WireRequest, rule: Any) -> Delivery:
        return self._world.venues.answer(request, rule)

    def heard(self, request: WireRequest, status: int, headers: Mapping[str, str]) -> None: ...

    def latency(self) -> float:
        return 0

    def pass_by(self, name: str) -> None: ...

    def travels(self, task: asyncio.Task[Delivery]) -> None: ...
