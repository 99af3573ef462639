"""What the scripts of a page do by themselves: count down, notice a lost link, pause, keys."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.person import Person
from trading.templatetags.carry_format import countdown

pytestmark = pytest.mark.browser

on_a_desk = pytest.mark.parametrize("person", [(1440, 900)], indirect=True, ids=["desk"])


@on_a_desk
def test_the_browser_counts_down_as_the_server_writes(person: Person) -> None:
    person.sign_in()
    for seconds in (-5, 0, 59, 60, 2213, 3600, 86_399, 360_000):
        shown = person.page.evaluate("ms => carry.countdown(ms)", seconds * 1000)
        assert shown == countdown(timedelta(seconds=seconds))


@on_a_desk
def test_a_lost_link_is_said_and_blocks_trading_but_not_the_kill_switch(person: Person) -> None:
    page = person.page
    page.route_web_socket("**/ws/live*", lambda socket: socket.close(code=1012))
    page.goto("/")
    page.get_by_label("Username").fill(person.username)
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Sign in").click()

    expect(page.locator("#link")).to_contain_text("Not live, last update")
    expect(page.locator("#link-bar")).to_contain_text("The kill switch still works")
    page.get_by_role("button", name="Open position").press("Enter")
    expect(page.locator("#failure")).to_contain_text("Not live")
    page.get_by_role("link", name="Kill switch…").click()
    expect(page.get_by_role("dialog")).to_contain_text("Stop entries")


@on_a_desk
def test_updates_can_be_paused_and_keys_move_without_moving_money(person: Person) -> None:
    page = person.page
    person.sign_in()
    page.keyboard.press("p")
    expect(page.locator("#link")).to_contain_text("Paused")
    page.keyboard.press("p")
    expect(page.locator("#link")).to_contain_text("Live")

    page.keyboard.press("j")
    chosen = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    expect(page.locator("#h-chart")).to_have_text(f"{chosen} funding")
    expect(page.locator("#ticket-form [name=symbol]")).to_have_value(chosen)

    page.keyboard.press("Control+Shift+K")
    expect(page.get_by_role("dialog")).to_contain_text("Stop entries")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page.get_by_role("heading", name="Configuration").first).to_be_attached()
    assert person.complaints == []


@on_a_desk
def test_a_typed_line_fills_the_ticket_in_and_sends_nothing(person: Person) -> None:
    page = person.page
    person.sign_in()
    page.keyboard.press("/")
    page.keyboard.type("btc bin nowhere 2k")
    page.keyboard.press("Enter")
    expect(page.locator("#command-why")).to_have_text("NOWHERE: no such venue.")

    page.locator("#command").fill("btc bin byb 2k")
    page.keyboard.press("Enter")
    page.wait_for_url("**/ticket/?symbol=BTC*")
    expect(page.get_by_label("Size, USD per leg")).to_have_value("2K")

    # What proves who asks does not belong into an address, which logs keep.
    with page.expect_request("**/ticket/quote/*") as asked:
        page.get_by_label("Size, USD per leg").fill("3k")
    assert "size=3k" in asked.value.url
    assert "csrf" not in asked.value.url and "idempotency" not in asked.value.url


@pytest.mark.parametrize("person", [(390, 844)], indirect=True, ids=["phone"])
def test_a_phone_reaches_every_page(person: Person) -> None:
    page = person.page
    person.sign_in()
    page.get_by_text("More", exact=True).click()
    page.get_by_role("link", name="Reconciliation").click()
    expect(page.get_by_role("heading", name="To decide")).to_be_visible()
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
