"""The whole story as a person lives it, on a desk and on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.person import PATIENCE_MS, Person

pytestmark = pytest.mark.browser

DESK, PHONE = (1440, 900), (390, 844)
on_every_screen = pytest.mark.parametrize(
    "person", [DESK, PHONE], indirect=True, ids=["desk", "phone"]
)
RATES = """() => [...document.querySelectorAll("#rates-table [data-cell^='r.'] [data-text]")]
    .map(cell => cell.textContent).join(" ")"""
# Everything that has a spread at all may be opened by hand: the story is not about its merit.
LENIENT = {
    "auto_entry": "false",
    "entry_policy": "spread_only",
    "min_spread_base": "0",
    "min_spread_per_10k": "0",
}


@on_every_screen
def test_a_person_watches_opens_closes_and_kills(person: Person) -> None:
    page = person.page
    person.sign_in()
    expect(page.locator("#mode")).to_have_text("SIMULATION")
    expect(page.locator("#rates-table tbody tr[data-base-asset]").first).to_be_attached()
    before = page.evaluate(RATES)
    page.wait_for_function(f"before => ({RATES})() !== before", arg=before, timeout=PATIENCE_MS)
    person.keep_picture("dashboard")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    person.configure(**LENIENT)
    symbol = person.open_hedged("2,000")
    person.keep_picture("hedged")

    page.get_by_role("link", name=f"Close {symbol}…").click()
    expect(page.get_by_role("dialog")).to_contain_text("P&L after cost")
    person.keep_picture("close")
    page.get_by_role("dialog").get_by_role("button", name=f"Close {symbol}").click()
    expect(page.get_by_text(f"Closing {symbol}.")).to_be_visible()
    page.get_by_role("link", name="Done").click()
    person.wait_for_state("Closed")
    person.keep_picture("closed")

    person.open_hedged("2k")
    flatten_everything(person)
    rearm(person)

    assert person.complaints == []


def flatten_everything(person: Person) -> None:
    """Press the kill switch with its typed word and watch everything become flat."""
    page = person.page
    page.get_by_role("link", name="Kill switch…").click()
    dialog = page.get_by_role("dialog")
    phrase = re.search(r"Type (KILL \d+)", dialog.inner_text())
    assert phrase is not None, dialog.inner_text()
    dialog.get_by_label("Type KILL").fill(phrase[1])
    person.keep_picture("kill")
    dialog.get_by_role("button", name="now").click()
    page.wait_for_url("**/kill/")
    expect(page.locator("#engine-state")).to_have_text("Killed")
    expect(page.locator("#banners")).to_contain_text("Everything is flat")
    person.keep_picture("flat")


def rearm(person: Person) -> None:
    """End the press with the password, so that the next story starts like this one."""
    page = person.page
    page.get_by_label("Your password").fill(person.password)
    page.get_by_role("button", name="Re-arm").click()
    expect(page.get_by_text("Re-armed")).to_be_visible()
