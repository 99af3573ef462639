"""What keeps a socket open between messages: pings, and on an account's a look at the listings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.sockets import Send

Upkeep = Callable[[Send], Awaitable[None]]

# Private sockets are silent for long; the answers to our pings are not.
PONG_SILENT_AFTER = 40.0


def pinging(message: object) -> Upkeep:
    """Return an upkeep that sends `message`."""

    async def ping(send: Send) -> None:
        await send(message)

    return ping


def keeping_listed(client: VenueClient, ping: Upkeep | None = None) -> Upkeep:
    """Return the upkeep of an account's socket: a ping, if it needs one, and fresh listings.

    Its process may be the only one here that asks what is listed.
    """

    async def keep_up(send: Send) -> None:
        if ping is not None:
            await ping(send)
        await client.keep_listed()

    return keep_up
