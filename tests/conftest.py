"""Fixtures every test may use, and what a skip means.

On a person's machine a skip says why. In CI (`CI=true`) a skip is a failure, except where the
folder of recorded data beside the repository is absent.
"""

from __future__ import annotations

import ipaddress
import json
import os
import socket
from collections.abc import Generator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from arbsite.accounts.models import User
from exchanges.sealing import create_key_file
from tests.simulation.report import PROPERTY, total

IN_CI = os.environ.get("CI", "").lower() == "true"
# Whole stories are the longest way through the tests: one worker a kind begins with them while
# another goes through the rest, what fails soonest first. Begun behind all that uses a database,
# they ended minutes after it. Whole days come before short tests, which fill what is left.
STORIES = ("scenario", "browser")
FIRST = (*STORIES, "core", "simulation")
KINDS = ("core", "db", "scenario", "browser", "protocol", "simulation", "postgres", "bench")
SHARED_ABSENT = "../shared"  # the one skip reason CI accepts, by what its sentence must contain


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        _fail_unless_excused(report, item.nodeid)
    return report


def _fail_unless_excused(report: pytest.TestReport | pytest.CollectReport, nodeid: str) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if SHARED_ABSENT not in reason:
        report.outcome = "failed"
        report.longrepr = f"{nodeid} must not be skipped in CI: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if IN_CI and report.skipped:
        _fail_unless_excused(report, collector.nodeid)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)  # marked before xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Run the kinds in their order, and whole stories of a kind one at a time (xdist groups)."""
    for item in items:
        for kind in STORIES:
            if item.get_closest_marker(kind):
                item.add_marker(pytest.mark.xdist_group(kind))
        if item.get_closest_marker("postgres") and connection.vendor != "postgresql":
            item.add_marker(pytest.mark.skip(reason="CARRY_TEST_DATABASE_URL names no PostgreSQL"))
    items.sort(key=_kind)
    yield
    # pytest-django has put first what uses a database, and of that what leaves it as it was.
    # Stories that share a Carry follow one another: else each change starts another.
    items.sort(key=lambda item: (_place(item), _desk_of(item)))


def _place(item: pytest.Item) -> int:
    """Return when a test's turn is; what is not among the first stays in the order it has."""
    kind = _kind(item)
    name = KINDS[kind] if kind < len(KINDS) else ""
    return FIRST.index(name) if name in FIRST else len(FIRST)


def _desk_of(item: pytest.Item) -> str:
    """Return which shared Carry a test is played on, empty for those without."""
    called = getattr(item, "callspec", None)
    return "" if called is None else str(called.params.get("shared_desk", ""))


def _kind(item: pytest.Item) -> int:
    kinds = [KINDS.index(mark.name) for mark in item.iter_markers() if mark.name in KINDS]
    return max(kinds, default=len(KINDS))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Add up what the simulation's tests report, whichever processes they ran in."""
    found = [
        json.loads(value)
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in getattr(report, "user_properties", [])
        if name == PROPERTY
    ]
    if found:
        terminalreporter.section("simulation")
        for line in total(found).lines():
            terminalreporter.write_line(line)


@pytest.fixture(autouse=True, scope="session")
def loopback_only() -> Generator[None]:
    """Refuse every connection that would leave this machine."""
    connect = socket.socket.connect

    def guarded_connect(self: socket.socket, address: Any) -> None:
        is_inet = self.family in (socket.AF_INET, socket.AF_INET6)
        if (
            is_inet
            and address[0] != "localhost"
            and not ipaddress.ip_address(address[0]).is_loopback
        ):
            pytest.fail(f"a test tried to reach {address[0]}:{address[1]}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        yield


@pytest.fixture(scope="session", autouse=True)
def key_file() -> None:
    """Give the test run a sealing key of its own."""
    create_key_file(settings.CARRY_KEY_FILE)


@pytest.fixture
def owner(db: None) -> User:
    """The person whose things a test is about."""
    return User.objects.create_user("owner", password="owner-password")


@pytest.fixture
def teammate(db: None) -> User:
    """Another ordinary user of the same installation."""
    return User.objects.create_user("teammate", password="teammate-password")


@pytest.fixture
def stranger(db: None) -> User:
    """A user who must see nothing of the owner's."""
    return User.objects.create_user("stranger", password="stranger-password")
