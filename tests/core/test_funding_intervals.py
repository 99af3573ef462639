from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.domain import IntervalSource
from exchanges.funding_intervals import (
    CONFLICTING,
    UNKNOWN,
    FundingInterval,
    from_hours,
    from_minutes,
    from_spacing,
    from_told_hours,
)

pytestmark = pytest.mark.core

START = datetime(2026, 1, 1, tzinfo=UTC)
VENUE = IntervalSource.VENUE


def at(*hours: float) -> list[datetime]:
    return [START + timedelta(hours=hour) for hour in hours]


@pytest.mark.parametrize(
    ("minutes", "hours", "expected"),
    [
        ("480", "8", FundingInterval(28_800, VENUE)),
        ("240", None, FundingInterval(14_400, VENUE)),
        # Compressed rehearsals settle every 4 minutes or 24 seconds; hours cannot say that.
        ("4", "0", FundingInterval(240, VENUE)),
        ("0.4", None, FundingInterval(24, VENUE)),
        ("480", "4", CONFLICTING),
        ("0", None, UNKNOWN),
        ("0.01", None, UNKNOWN),
    ],
)
def test_listed_minutes_become_whole_seconds(
    minutes: str, hours: str | None, expected: FundingInterval
) -> None:
    assert from_minutes(Decimal(minutes), None if hours is None else Decimal(hours)) == expected


def test_missing_minutes_are_unknown_never_eight_hours() -> None:
    assert from_minutes(None, Decimal(8)) == UNKNOWN
    assert from_hours(None) == UNKNOWN


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (Decimal(1), FundingInterval(3600, VENUE)),
        # Four minutes, and one, of a rehearsal.
        (Decimal("0.066667"), FundingInterval(240, VENUE)),
        (Decimal("0.016667"), FundingInterval(60, VENUE)),
        (Decimal("0.0667"), UNKNOWN),
        (Decimal(0), UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_hours_told_with_a_rate_are_whole_seconds_or_unknown(
    hours: Decimal | None, expected: FundingInterval
) -> None:
    assert from_told_hours(hours) == expected


def test_adjusted_hours_are_the_venues_word() -> None:
    assert from_hours(Decimal(4)) == FundingInterval(14_400, VENUE)


def test_spacing_of_three_settlements_counts_when_the_next_agrees() -> None:
    spacing = from_spacing(at(0, 8, 16), START + timedelta(hours=24))

    assert spacing == FundingInterval(28_800, IntervalSource.SETTLEMENT_SPACING)


def test_only_the_last_three_settlements_count() -> None:
    assert from_spacing(at(0, 8, 16, 20, 24), at(28)[0]).seconds == 14_400


def test_late_stamps_of_some_milliseconds_do_not_matter() -> None:
    late = [moment + timedelta(milliseconds=7 * n) for n, moment in enumerate(at(0, 8, 16))]

    assert from_spacing(late, at(24)[0]).seconds == 28_800


def test_settlement_that_happened_between_two_reads_changes_nothing() -> None:
    assert from_spacing(at(0, 8, 16), at(16)[0]).seconds == 28_800


@pytest.mark.parametrize(
    ("settled", "upcoming"),
    [
        ((0, 8, 16), 20),  # the venue has just moved to 4 hours
        ((0, 4, 12), 20),  # spacings differ
        ((0, 8, 16), 32),  # one settlement is missing
    ],
)
def test_spacing_that_disagrees_is_conflicting(settled: tuple[int, ...], upcoming: int) -> None:
    assert from_spacing(at(*settled), at(upcoming)[0]) == CONFLICTING


def test_two_settlements_or_no_next_time_prove_nothing() -> None:
    assert from_spacing(at(0, 8), at(16)[0]) == UNKNOWN
    assert from_spacing(at(0, 8, 16), None) == UNKNOWN
