"""The one socket of a page: rates as JSON (`{`), panels as HTML (`<`), and never a command.

What changes is collected and sent at the page's own pace, so a slow browser gets fewer and newer
figures, never a backlog.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from arbsite.accounts.models import User
from trading.broadcast import user_group
from trading.panels import Rendered, View, render_panels, without_countdowns
from trading.selectors.rates import Cell, Cells
from trading.selectors.screen import TABS
from trading.ticker import Pulse, ticker

SIGNED_OUT = 4401
CELLS_EVERY = 0.25
CELLS_EVERY_HIDDEN = 1.0
PANELS_AT_MOST_EVERY = 0.5
PANELS_AT_LEAST_EVERY = 2.0
SESSION_CHECKED_EVERY = 3.0
SILENT_AT_MOST = 1.0
GONE = Cell("")


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # the package has no types
    """Pushes one user's page. Anonymous visitors are accepted and closed with 4401."""

    async def connect(self) -> None:
        await self.accept()
        self.writer: asyncio.Task[None] | None = None
        self.group = ""
        self.user: User | None = await self._session_user()
        if self.user is None:
            # A close before the accept is a 403, whose code no browser is told.
            await self.close(SIGNED_OUT)
            return
        self.view = _view(parse_qs(self.scope["query_string"].decode()))
        self.hidden = self.dirty = False
        self.sequence = 0
        self.sent: dict[str, str] = {}
        self.cells: Cells = {}
        self.until: dict[str, int] = {}
        self.own_cells: Cells = {}
        self.group = user_group(self.user.pk)
        await self.channel_layer.group_add(self.group, self.channel_name)
        self._collect(await ticker.join(self._collect))
        self.writer = asyncio.get_running_loop().create_task(self._write())

    async def disconnect(self, code: int) -> None:
        ticker.leave(self._collect)
        if self.group:
            await self.channel_layer.group_discard(self.group, self.channel_name)
        if self.writer is not None:
            self.writer.cancel()
            with suppress(asyncio.CancelledError):
                await self.writer

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take hints of what the page shows; everything else is ignored."""
        try:
            hint = json.loads(text_data or "")
        except ValueError:
            return
        if not isinstance(hint, dict) or self.writer is None:
            return
        self.hidden = bool(hint.get("hidden", self.hidden))
        if hint.get("tab") in TABS:
            self.view = View(
                panels=self.view.panels, tab=hint["tab"], position_id=self.view.position_id
            )
            self.sent.pop("positions", None)

    async def live_changed(self, message: dict[str, Any]) -> None:
        """Render the panels anew: something of this user changed."""
        self.dirty = True

    def _collect(self, change: Pulse) -> None:
        self.cells.update(change.cells)
        self.until.update(change.until)

    async def _write(self) -> None:
        clock = asyncio.get_running_loop().time
        checked_at = clock()
        await self._send_panels(is_snapshot=True)
        rendered_at = spoke_at = clock()
        while True:
            await asyncio.sleep(CELLS_EVERY_HIDDEN if self.hidden else CELLS_EVERY)
            if clock() - checked_at >= SESSION_CHECKED_EVERY:
                checked_at = clock()
                if await self._session_user() != self.user:
                    await self.close(SIGNED_OUT)
                    return
            wait = PANELS_AT_MOST_EVERY if self.dirty else PANELS_AT_LEAST_EVERY
            if clock() - rendered_at >= wait:
                rendered_at = clock()
                await self._send_panels()
            if self.cells or self.until or clock() - spoke_at >= SILENT_AT_MOST:
                spoke_at = clock()
                await self._send_cells()

    async def _send_panels(self, *, is_snapshot: bool = False) -> None:
        self.dirty = False
        assert self.user is not None  # noqa: S101  # the writer starts after sign-in was checked
        rendered: Rendered = await sync_to_async(render_panels)(
            self.user, self.view, timezone.now()
        )
        self.cells.update(
            {k: cell for k, cell in rendered.cells.items() if self.own_cells.get(k) != cell}
        )
        gone = self.own_cells.keys() - rendered.cells.keys()
        self.cells.update(dict.fromkeys(gone, GONE))
        self.own_cells = rendered.cells
        if is_snapshot:
            await self._send_cells(is_snapshot=True)
        changed = [html for name, html in rendered.fragments.items() if self._is_new(name, html)]
        if changed:
            await self.send(text_data="".join(changed).lstrip())

    async def _send_cells(self, *, is_snapshot: bool = False) -> None:
        self.sequence += 1
        cells, self.cells = self.cells, {}
        until, self.until = self.until, {}
        message: dict[str, Any] = {
            "seq": self.sequence,
            "at": int(timezone.now().timestamp() * 1000),
            "cells": {key: [c.text, c.classes, c.title] for key, c in cells.items()},
        }
        if until:
            message["until"] = until
        if is_snapshot:
            message["snapshot"] = True
        await self.send(text_data=json.dumps(message, ensure_ascii=False, separators=(",", ":")))

    async def _session_user(self) -> User | None:
        """Return who the session of this socket stands for now, whatever it was at the start."""
        key = self.scope["session"].session_key
        return await sync_to_async(session_user)(key) if key else None

    def _is_new(self, name: str, html: str) -> bool:
        shape = without_countdowns(html)
        if self.sent.get(name) == shape:
            return False
        self.sent[name] = shape
        return True


def session_user(session_key: str) -> User | None:
    """Return the active user of a session, None once it ended or the password changed."""
    session = SessionStore(session_key)
    user_id = session.get(SESSION_KEY)
    user = User.objects.filter(pk=user_id, is_active=True).first() if user_id else None
    if user is None:
        return None
    known = session.get(HASH_SESSION_KEY, "")
    return user if constant_time_compare(known, user.get_session_auth_hash()) else None


def _view(query: dict[str, list[str]]) -> View:
    position_id = None
    with suppress(ValueError, KeyError):
        position_id = UUID(query["position"][0])
    tab = query.get("tab", ["open"])[0]
    return View(
        panels=tuple(query.get("panels", [""])[0].split(",")),
        tab=tab if tab in TABS else "open",
        position_id=position_id,
    )
