"""Own orders and fills of every account, as the venues stream them: recorded, positions driven.

Runs on the venue loop; everything that touches the database runs on a thread. What a stream missed
while it was away is read by `drive`, which is rung for each live position after every opening.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from django.db import close_old_connections
from django.utils import timezone

from exchanges import registry
from exchanges.account_keys import account_key
from exchanges.domain import AccountFact
from exchanges.errors import CredentialRefused, VenueError
from exchanges.models import ExchangeAccount
from exchanges.registry import AccountKey
from exchanges.sealing import SealBroken
from trading.core.states import LIVE_POSITION_STATES
from trading.doorbell import ring_drive
from trading.models import Position
from trading.services.account_facts import record
from trading.services.apart import apart
from trading.services.halt import halt_account
from trading.services.in_use import accounts_in_use

logger = logging.getLogger(__name__)

LOOK_EVERY = 10.0
ASK_AGAIN_AFTER = 5.0
REFUSED_ASK_AGAIN_AFTER = 300.0


async def listen_forever() -> None:
    """Stream every account in use; accounts that are added or stopped are noticed by looking."""
    streams: dict[UUID, asyncio.Task[None]] = {}
    async with asyncio.TaskGroup() as group:
        while True:
            accounts = {account.pk: account for account in await asyncio.to_thread(_accounts)}
            for gone in streams.keys() - accounts.keys():
                streams.pop(gone).cancel()
            for key in accounts.keys() - streams.keys():
                streams[key] = group.create_task(_listen(accounts[key]))
            await asyncio.sleep(LOOK_EVERY)


async def _listen(account: ExchangeAccount) -> None:
    """Keep one account's stream and the recording of its facts running."""
    while True:
        pause = ASK_AGAIN_AFTER
        try:
            await _stream(account, await asyncio.to_thread(account_key, account))
        except (CredentialRefused, SealBroken) as error:
            await asyncio.to_thread(halt_account, account, reason=str(error), now=timezone.now())
            pause = REFUSED_ASK_AGAIN_AFTER
        except VenueError as error:
            logger.warning("account stream failed", extra={"reason": str(error)})
        await asyncio.sleep(pause)


async def _stream(account: ExchangeAccount, key: AccountKey) -> None:
    facts: asyncio.Queue[AccountFact | None] = asyncio.Queue()
    # None: the stream has opened, and what happened before must be read.
    running = registry.account_stream(key).run(facts.put_nowait, lambda: facts.put_nowait(None))
    tasks = {
        asyncio.create_task(running),
        asyncio.create_task(_record_forever(account, facts)),
    }
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()


async def _record_forever(
    account: ExchangeAccount, facts: asyncio.Queue[AccountFact | None]
) -> None:
    while True:
        some = [await facts.get()]
        while not facts.empty():
            some.append(facts.get_nowait())
        # What is lost here is read from the venue by the sweep's next visit.
        work = partial(_record, account, some)
        await asyncio.to_thread(apart, work, "own orders not recorded", account=account.pk)


def _record(account: ExchangeAccount, some: Sequence[AccountFact | None]) -> None:
    close_old_connections()
    positions = record(account, [fact for fact in some if fact], now=timezone.now())
    if None in some:
        positions += _live_positions(account)
    for position_id in dict.fromkeys(positions):
        ring_drive(position_id)


def _live_positions(account: ExchangeAccount) -> list[UUID]:
    live = Position.objects.filter(legs__account=account, state__in=LIVE_POSITION_STATES)
    return list(live.distinct().values_list("pk", flat=True))


def _accounts() -> list[ExchangeAccount]:
    close_old_connections()
    return list(accounts_in_use().filter(exchange__is_enabled=True))
