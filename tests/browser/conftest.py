"""A running Carry and a real browser; screenshots are kept under `build/screens/`."""

from __future__ import annotations

import re
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.person import PATIENCE_MS, Person
from tests.machine import ROOT, RunningCarry, furnish

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCREENS = ROOT / "build" / "screens"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


@pytest.fixture(scope="package")
def carry(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningCarry]:
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine: apt install chromium")
    with RunningCarry(furnish(tmp_path_factory.mktemp("browser") / "var")) as running:
        yield running


# Playwright's loop in this thread forbids the ORM to every later test of the process.
@pytest.fixture(scope="package")
def browser(carry: RunningCarry) -> Generator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def person(carry: RunningCarry, browser: Browser, request: pytest.FixtureRequest) -> Person:
    """A person at a screen of the size that the test is run for."""
    width, height = request.param
    login = re.search(r"Sign in as (\S+) with password (\S+)", carry.output)
    assert login is not None, carry.output
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark", base_url=carry.url
    )
    request.addfinalizer(context.close)
    return Person(
        page=context.new_page(),
        username=login[1],
        password=login[2],
        screens=Path(SCREENS) / str(width),
    )
