"""What a person does on the pages, and what the browser complained about meanwhile."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page, expect

PATIENCE_MS = 90_000
MOST_PRESSES = 20
# A refused form is an answer; the browser reports its status as an error all the same.
ANSWER = re.compile(r"status of (409|422) ")


class Person:
    """One signed-in browser. `complaints` holds console errors and failed scripts."""

    def __init__(self, *, page: Page, username: str, password: str, screens: Path) -> None:
        self.page = page
        self.username = username
        self.password = password
        self.complaints: list[str] = []
        self._screens = screens
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self) -> None:
        self.page.goto("/")
        self.page.get_by_label("Username").fill(self.username)
        self.page.get_by_label("Password").fill(self.password)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.locator("#link")).to_contain_text("Live")

    def keep_picture(self, name: str) -> None:
        self._screens.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self._screens / f"{name}.png")

    def configure(self, **values: str) -> None:
        """Save these values on the configuration page."""
        self.page.goto("/configuration/")
        for key, value in values.items():
            field = self.page.locator(f"[name={key}]")
            if field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(value)
            elif field.get_attribute("type") == "checkbox":
                field.set_checked(value == "true")
            else:
                field.fill(value)
        self.page.get_by_role("button", name="Save").click()
        expect(self.page.get_by_text("in force from now on")).to_be_visible()

    def open_hedged(self, size: str) -> str:
        """Open positions until one is hedged and return its symbol; its page is then shown.

        A first leg that the market does not come to is given up: then the next symbol is tried.
        """
        given_up: set[str] = set()
        while True:
            symbol = self._best_symbol(without=given_up)
            self._open(symbol, size)
            if self.wait_for_state("Hedged", "Abandoned") == "Hedged":
                return symbol
            given_up.add(symbol)

    def _best_symbol(self, *, without: set[str]) -> str:
        """Return the best pair on the dashboard that is not held yet."""
        self.page.goto("/")
        held = set(self.page.locator("#positions tbody th a").all_text_contents())
        rows = self.page.locator("#rates-table tbody tr[data-base-asset]")
        symbols = [str(row.get_attribute("data-base-asset")) for row in rows.all()]
        return next(symbol for symbol in symbols if symbol not in held | without)

    def _open(self, symbol: str, size: str) -> None:
        """Send the ticket for the best pair of a symbol; again when a figure moved or was old."""
        self.page.goto(f"/ticket/?symbol={symbol}")
        self.page.get_by_label("Size, USD per leg").fill(size)
        for _ in range(MOST_PRESSES):
            with self.page.expect_response("**/ticket/") as answer:
                self.page.get_by_role("button", name="Open position").click()
            if answer.value.status == 200:
                self.page.get_by_role("link", name=f"Open {symbol}", exact=True).click()
                return
        raise AssertionError(f"{symbol} cannot be opened: {self.page.inner_text('#ticket')}")

    def wait_for_state(self, *words: str) -> str:
        """Watch the page of a position, without reloading it, until it says one of `words`."""
        state = self.page.locator("#h-position .state-word")
        expect(state).to_have_text(re.compile("|".join(words)))
        return state.inner_text()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not ANSWER.search(message.text):
            self.complaints.append(f"{message.text} at {message.location.get('url')}")
