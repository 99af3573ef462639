"""`/ws/v1`: one user's events for programs, numbered, from where they stopped; never a command.

A token travels as a subprotocol, `token.…` beside `carry.v1`: it is in no address and no log.
A browser that is signed in needs none. What a slow reader has not taken waits in the database.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import timezone
from redis.exceptions import RedisError

from arbsite.accounts.models import User
from arbsite.accounts.tokens import owner_of
from exchanges.selectors import enabled_exchanges
from trading.broadcast import user_group
from trading.consumers import SIGNED_OUT, session_user
from trading.selectors.board import load_board
from trading.selectors.event_stream import (
    Message,
    changed_rates,
    messages_after,
    rate_message,
    snapshot,
)
from trading.selectors.rates import RateLine, RateSheet, rate_lines, rate_sheet
from trading.selectors.screen import Screen
from trading.services.number_events import number_events

PROTOCOL = "carry.v1"
TOKEN = "token."  # noqa: S105  (the word before one)
NO_SUCH_NUMBER = 4400
LOOKED_EVERY = 1.0
RATES_EVERY = 2.0
CHECKED_EVERY = 5.0


class EventConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # the package has no types
    """Sends a snapshot, then what follows `?after=` or the snapshot, then what happens."""

    async def connect(self) -> None:
        self.writer: asyncio.Task[None] | None = None
        self.group = ""
        offered = self.scope["subprotocols"]
        await self.accept(PROTOCOL if PROTOCOL in offered else None)
        self.user: User | None = await sync_to_async(who_is)(self.scope)
        if self.user is None:
            await self.close(SIGNED_OUT)
            return
        after = after_of(self.scope["query_string"].decode())
        if after is None:
            await self.close(NO_SUCH_NUMBER)
            return
        self.changed = asyncio.Event()
        self.group = user_group(self.user.pk)
        with suppress(RedisError, OSError):
            await self.channel_layer.group_add(self.group, self.channel_name)
        self.writer = asyncio.get_running_loop().create_task(self._write(self.user, after))

    async def disconnect(self, code: int) -> None:
        if self.group:
            with suppress(RedisError, OSError):
                await self.channel_layer.group_discard(self.group, self.channel_name)
        if self.writer is not None:
            self.writer.cancel()
            with suppress(asyncio.CancelledError):
                await self.writer

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Ignore whatever is sent: commands go by REST."""

    async def live_changed(self, message: dict[str, Any]) -> None:
        """Look at once: something of this user changed."""
        self.changed.set()

    async def _write(self, user: User, after: int) -> None:
        clock = asyncio.get_running_loop().time
        first = await sync_to_async(_first)(user)
        await self._send(first)
        sent = min(after, first["seq"]) if after >= 0 else int(first["seq"])
        rates = Rates()
        rated_at, checked_at = -RATES_EVERY, clock()
        while True:
            messages = await sync_to_async(_next)(user, sent)
            for message in messages:
                await self._send(message)
                sent = message["seq"]
            if clock() - rated_at >= RATES_EVERY:
                rated_at = clock()
                for message in await sync_to_async(rates.read)():
                    await self._send(message)
            if clock() - checked_at >= CHECKED_EVERY:
                checked_at = clock()
                if await sync_to_async(who_is)(self.scope) != user:
                    await self.close(SIGNED_OUT)
                    return
            if not messages:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.changed.wait(), LOOKED_EVERY)
                self.changed.clear()

    async def _send(self, message: Message) -> None:
        await self.send(text_data=json.dumps(message, ensure_ascii=False, separators=(",", ":")))


class Rates:
    """What one reader was told of the rates, and what has changed since."""

    def __init__(self) -> None:
        self._sheet: RateSheet | None = None
        self._sent: dict[tuple[str, str], RateLine] = {}

    def read(self) -> list[Message]:
        """Return a message per rate that changed."""
        if self._sheet is None:
            self._sheet = rate_sheet(enabled_exchanges())
        board = load_board(self._sheet.venue_codes)
        changed = changed_rates(self._sent, rate_lines(self._sheet, board))
        self._sent |= changed
        return [rate_message(line, timezone.now()) for line in changed.values()]


def who_is(scope: dict[str, Any]) -> User | None:
    """Return whose token or session opens the socket, None once it counts no more."""
    token = token_in(scope)
    if token:
        found = owner_of(token, now=timezone.now())
        return None if found is None else found.user
    session = scope.get("session")
    key = None if session is None else session.session_key
    return session_user(key) if key else None


def token_in(scope: dict[str, Any]) -> str:
    """Return the token among the offered subprotocols, empty without one."""
    offered = (name for name in scope["subprotocols"] if name.startswith(TOKEN))
    return next(offered, "").removeprefix(TOKEN)


def after_of(query: str) -> int | None:
    """Return the number to go on from: -1 where none is asked, None where it is no number."""
    asked = parse_qs(query).get("after")
    if asked is None:
        return -1
    text = asked[0]
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _first(user: User) -> Message:
    now = timezone.now()
    return snapshot(Screen(user, now=now), last=number_events(user, now=now))


def _next(user: User, sent: int) -> list[Message]:
    now = timezone.now()
    last = number_events(user, now=now)
    return messages_after(user, sent, now) if last > sent else []
