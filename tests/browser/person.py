"""What a person does on the pages, and what the browser complained about meanwhile."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page, expect

PATIENCE_MS = 90_000
MOST_PRESSES = 6


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
        expect(self.page.locator("#link")).to_contain_text("Live", timeout=PATIENCE_MS)

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

    def best_free_symbol(self) -> str:
        """Return the best pair on the dashboard that is not held yet."""
        self.page.goto("/")
        held = set(self.page.locator("#positions tbody th a").all_text_contents())
        rows = self.page.locator("#rates-table tbody tr[data-base-asset]")
        symbols = [str(row.get_attribute("data-base-asset")) for row in rows.all()]
        return next(symbol for symbol in symbols if symbol not in held)

    def open_position(self, symbol: str, size: str) -> None:
        """Fill the ticket for the best pair of a symbol; agree again when the figures moved."""
        self.page.goto(f"/ticket/?symbol={symbol}")
        self.page.get_by_label("Size, USD per leg").fill(size)
        for _ in range(MOST_PRESSES):
            self.page.get_by_role("button", name="Open position").click()
            answer = self.page.locator("#ticket").get_by_text(f"Opening {symbol}")
            moved = self.page.locator("#ticket").get_by_text("Net APR moved")
            expect(answer.or_(moved).first).to_be_visible()
            if answer.is_visible():
                return
        raise AssertionError(f"{symbol} moved at every press: {self.page.inner_text('#ticket')}")

    def wait_for_state(self, symbol: str, word: str) -> None:
        """Watch the page of a position, without reloading it, until its state is `word`."""
        link = self.page.get_by_role("link", name=f"Open {symbol}", exact=True)
        if link.count():
            link.first.click()
        expect(self.page.locator("#h-position .state-word")).to_have_text(word, timeout=PATIENCE_MS)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} at {message.location.get('url')}")
