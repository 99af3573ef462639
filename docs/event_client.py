"""Print what happens to a user of Carry; go on where it stopped after every break.

CARRY_TOKEN=… python docs/event_client.py ws://127.0.0.1:8000/ws/v1
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

REFUSED = 4401  # the token is unknown, revoked or expired


async def listen(address: str, token: str) -> None:
    seen: int | None = None  # the number of the last message that was taken
    while True:
        query = "" if seen is None else f"?after={seen}"
        offered = [Subprotocol("carry.v1"), Subprotocol(f"token.{token}")]
        try:
            async with connect(address + query, subprotocols=offered) as socket:
                async for text in socket:
                    message = json.loads(text)
                    # A later snapshot repeats what is known; what was missed follows it.
                    if seen is None or message["type"] != "SNAPSHOT":
                        seen = seen if message["seq"] is None else message["seq"]
                    print(message["type"], message["seq"], json.dumps(message["data"]))
        except ConnectionClosed as closed:
            if closed.rcvd is not None and closed.rcvd.code == REFUSED:
                sys.exit("The token does not count.")
        except (OSError, InvalidStatus) as error:
            print(f"away: {error}", file=sys.stderr)
        await asyncio.sleep(1)


asyncio.run(listen(sys.argv[1], os.environ["CARRY_TOKEN"]))
