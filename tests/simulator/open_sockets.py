"""Sockets of the simulated venues, opened in this process."""

from __future__ import annotations

from typing import Any

import orjson

from exchanges.simulator.events import AccountEvent
from exchanges.simulator.faces.sockets import VenueSocket
from exchanges.simulator.switchboard import Switchboard
from tests.simulator.world import World


def socket_at(
    world: World, host: str, path: str, heard: list[Any] | None = None, *, query: str = ""
) -> VenueSocket:
    """Open a socket; what it says of accounts by itself is added to `heard`."""
    found = Switchboard(world.venues).open(host, path, query)
    assert found is not None

    def hear(event: AccountEvent) -> None:
        if heard is not None:
            heard.extend(orjson.loads(row.body) for row in found.happened(event))

    world.simulator.listeners.append(hear)
    return found


def says(socket: VenueSocket, world: World, message: Any) -> list[Any]:
    """Return the answers to one message of ours."""
    text = message if isinstance(message, str) else orjson.dumps(message).decode()
    replies = socket.receive(text, now=world.at)
    return [row.body if row.body == b"pong" else orjson.loads(row.body) for row in replies]
