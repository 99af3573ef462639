"""A person at the web pages: signs in, opens, closes and kills through the forms themselves."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from tests.machine import wait_until
from tests.scenarios.pages import Page, Web

PATIENCE = 60.0
TICKET_FIELDS = ("symbol", "long", "short", "size")


class Person:
    """One signed-in person."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self._web = Web(url)
        self._password = password
        page = self._web.get("/account/login/")
        answer = self._web.post(page.form("/account/login/"), login=username, password=password)
        assert "login" not in answer.url, answer.complaints

    def configure(self, **values: str) -> None:
        """Save these values on the configuration page."""
        form = self._web.get("/configuration/").form("/configuration/")
        answer = self._web.post(form, **values)
        assert answer.status == 200, answer.complaints
        assert "in force from now on" in answer.text

    def open_position(self, base: str, *, long: str, short: str, size: str = "2,000") -> UUID:
        """Fill in and send the ticket, again where figures moved or a fact was not fresh."""
        opened: list[UUID] = []
        said: list[str] = []

        def is_opened() -> bool:
            answer = self._send_ticket(base, long, short, size)
            said[:] = answer.complaints
            found = re.search(r"/positions/([0-9a-f-]{36})/", answer.url)
            opened.extend([UUID(found[1])] if found else [])
            return bool(opened)

        try:
            wait_until(is_opened, timeout=PATIENCE, what=f"{base} may be opened")
        except AssertionError as refused:
            raise AssertionError(f"{refused}; the ticket said {said}") from None
        return opened[0]

    def _send_ticket(self, base: str, long: str, short: str, size: str) -> Page:
        ticket = self._web.get(f"/ticket/?symbol={base}").form("/ticket/")
        typed = dict(zip(TICKET_FIELDS, (base, long, short, size), strict=True))
        quote = self._web.get(f"/ticket/quote/?{urlencode(typed)}")
        for form in quote.forms:
            ticket.fields.update(form.fields)
        return self._web.post(ticket, **typed)

    def close(self, position_id: UUID) -> None:
        """Confirm the closing of a position."""
        path = f"/positions/{position_id}/close/"
        answer = self._web.post(self._web.get(path).form(path))
        assert answer.status == 200, answer.complaints

    def health(self) -> dict[str, Any]:
        """Return what the installation says of itself."""
        found: dict[str, Any] = json.loads(self._web.get("/api/health").text)
        return found

    def kill(self) -> datetime:
        """Type the phrase and close everything; return when the answer said that it is pressed."""
        page = self._web.get("/kill/")
        phrase = re.search(r"Type (KILL \d+) to confirm", page.text)
        assert phrase is not None, page.text
        answer = self._web.post(page.form("/kill/flatten/"), phrase=phrase[1])
        assert answer.status == 200, answer.complaints
        return datetime.now(UTC)

    def link_code(self) -> str:
        """Ask for a code that links a chat."""
        form = self._web.get("/alerts/channels/").form("/alerts/channels/link/")
        found = re.search(r"/start ([A-Z0-9]+)", self._web.post(form).text)
        assert found is not None
        return found[1]

    def refused_ticket(self, base: str, *, long: str, short: str, size: str = "2,000") -> list[str]:
        """Send the ticket where nothing may be opened; return what it says."""
        answer = self._send_ticket(base, long, short, size)
        assert "/positions/" not in answer.url
        return answer.complaints

    def rearm(self) -> None:
        form = self._web.get("/kill/").form("/kill/rearm/")
        answer = self._web.post(form, password=self._password)
        assert "Re-armed" in answer.text, answer.complaints
