"""Who is told of what, when, how loud and how often."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from alerts import rules
from alerts.rules import Heard, Severity, Wishes
from alerts.services.lines import HEDGED_AGAIN

pytestmark = pytest.mark.core

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "RUNBOOK.md").read_text()
KIND = re.compile(r"[a-z_]+\.[a-z_{}.]+$")
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
NIGHT = Wishes(quiet_from=time(22), quiet_until=time(7), time_zone="Europe/Berlin")
INFO, WARNING, CRITICAL = Severity


def heard(sentence: str, kind: str = "order.unknown", position: str = "p1") -> Heard:
    return Heard(kind=kind, severity=WARNING, sentence=sentence, position=position)


@pytest.mark.parametrize(
    ("kind", "severity", "told"),
    [
        ("position.open", INFO, True),
        ("position.closed", INFO, True),
        ("funding", INFO, True),
        ("position.planned", INFO, False),
        ("configuration.saved", INFO, False),
        ("anything.new", WARNING, True),
        ("anything.new", CRITICAL, True),
    ],
)
def test_all_that_is_wrong_and_the_named_rest_is_told(
    kind: str, severity: Severity, told: bool
) -> None:
    assert rules.is_alert(kind, severity) is told


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("venue.liquidation", "Liquidation Detected"),
        ("venue.settlement", "Venue Closed a Leg"),
        ("funding", "Funding Collected"),
        ("funding.missing", "Funding Differs"),
        ("kill_switch", "Kill Switch"),
        ("limit.venue:bybit", "Approaching a Limit"),
        ("never_heard.of_it", "Never Heard Of It"),
    ],
)
def test_the_longest_known_beginning_names_a_kind(kind: str, title: str) -> None:
    assert rules.title_of(kind) == title


def kinds_announced() -> Iterator[str]:
    """Yield the kinds that the services write into their calls, what is filled in as written."""
    for path in sorted((ROOT / "trading" / "services").glob("*.py")):
        calls = (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call))
        for call in calls:
            if getattr(call.func, "id", "") not in ("announce", "announce_once", "_warn", "_tell"):
                continue
            parts = [*call.args, *(keyword.value for keyword in call.keywords)]
            texts = [p for p in parts if isinstance(p, ast.Constant | ast.JoinedStr)]
            written = [ast.unparse(text).lstrip("f").strip("'") for text in texts]
            yield from (text for text in written if KIND.match(text))


def test_every_kind_that_is_announced_has_a_title() -> None:
    kinds = set(kinds_announced())

    assert {"key.unbound", "position.planned", "care.{kind}.{danger}"} <= kinds
    known = tuple(rules.TITLES)
    assert {kind for kind in kinds if not kind.startswith(known)} == set()


@pytest.mark.parametrize("title", sorted({*rules.TITLES.values(), HEDGED_AGAIN}))
def test_the_runbook_says_what_to_do_about_every_alert(title: str) -> None:
    rows = [line for line in RUNBOOK.splitlines() if line.startswith("| ")]

    assert any(title in row.split("|")[1].strip().split(", ") for row in rows)


def test_figures_do_not_make_two_events_different_and_words_and_positions_do() -> None:
    one = rules.subject_of(heard("3 orders unknown since 12:00:01"))

    assert rules.subject_of(heard("4 orders unknown since 12:05:59")) == one
    assert rules.subject_of(heard("3 orders lost since 12:00:01")) != one
    assert rules.subject_of(heard("3 orders unknown since 12:00:01", position="p2")) != one


def test_what_has_become_graver_is_not_the_same_any_more() -> None:
    warned = heard("3 orders unknown")

    assert rules.subject_of(replace(warned, severity=CRITICAL)) != rules.subject_of(warned)


def test_payments_of_both_legs_are_one_subject() -> None:
    long, short = heard("Funding −1 on BTC", "funding"), heard("Funding +3 on ETH", "funding", "p2")

    assert rules.subject_of(long) == rules.subject_of(short)


@pytest.mark.parametrize(
    ("hour", "quiet"),
    # Berlin is one hour ahead of UTC in March before the change: 22 to 7 there is 21 to 6.
    [(20, False), (21, True), (23, True), (0, True), (5, True), (6, False), (12, False)],
)
def test_quiet_hours_span_midnight_in_the_persons_own_zone(hour: int, quiet: bool) -> None:
    assert rules.is_quiet(NIGHT, NOON.replace(hour=hour)) is quiet


def test_quiet_hours_follow_the_change_to_summer_time() -> None:
    evening = datetime(2026, 7, 10, 20, 30, tzinfo=UTC)

    assert rules.is_quiet(NIGHT, evening)
    assert not rules.is_quiet(NIGHT, evening.replace(month=1))


def test_without_both_ends_no_hour_is_quiet() -> None:
    assert not rules.is_quiet(Wishes(quiet_from=time(1)), NOON.replace(hour=2))
    assert not rules.is_quiet(Wishes(quiet_from=time(1), quiet_until=time(1)), NOON)


def test_quiet_hours_silence_a_warning_and_never_a_critical() -> None:
    midnight = NOON.replace(hour=0)

    assert [rules.is_loud(severity, NIGHT, midnight) for severity in Severity] == [
        False,
        False,
        True,
    ]
    assert [rules.is_loud(severity, NIGHT, NOON) for severity in Severity] == [False, True, True]


def test_muting_and_the_least_severity_hold_back_all_but_critical() -> None:
    muted = Wishes(muted_until=NOON + timedelta(minutes=1))
    coarse = Wishes(least=WARNING)

    assert [rules.is_sent(severity, muted, NOON) for severity in Severity] == [False, False, True]
    assert all(rules.is_sent(severity, muted, NOON + timedelta(minutes=1)) for severity in Severity)
    assert [rules.is_sent(severity, coarse, NOON) for severity in Severity] == [False, True, True]
    assert rules.is_sent(CRITICAL, Wishes(least=CRITICAL), NOON)


def test_pauses_double_from_two_seconds_to_five_minutes() -> None:
    pauses = [rules.pause_after(attempts).total_seconds() for attempts in (1, 2, 3, 7, 8, 9, 500)]

    assert pauses == [2, 4, 8, 128, 256, 300, 300]


def test_what_the_other_side_asks_for_is_waited_for() -> None:
    assert rules.pause_after(1, timedelta(seconds=30)) == timedelta(seconds=30)
    assert rules.pause_after(9, timedelta(seconds=30)) == timedelta(minutes=5)


def test_a_critical_is_said_again_every_five_minutes_for_an_hour_then_hourly() -> None:
    pauses = [rules.next_repeat(repeats, Wishes()) for repeats in range(14)]

    assert pauses == [timedelta(minutes=5)] * 12 + [timedelta(hours=1)] * 2


@pytest.mark.parametrize(
    ("severity", "failed", "over"),
    [
        (CRITICAL, 1, True),
        (WARNING, 2, False),
        (WARNING, 3, True),
        (INFO, 50, False),
    ],
)
def test_a_failing_channel_hands_over_what_matters(
    severity: Severity, failed: int, over: bool
) -> None:
    assert rules.escalates(severity, failed) is over


def test_a_report_is_due_once_a_local_day_from_its_hour_on() -> None:
    at = datetime(2026, 3, 10, 22, 30, tzinfo=UTC)  # 07:30 of the 11th in Tokyo

    assert rules.report_is_due(7, "Asia/Tokyo", "2026-03-10", at) == "2026-03-11"
    assert rules.report_is_due(8, "Asia/Tokyo", "2026-03-10", at) is None
    assert rules.report_is_due(7, "Asia/Tokyo", "2026-03-11", at) is None
    assert rules.report_is_due(None, "Asia/Tokyo", "", at) is None
