from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given

from exchanges.domain import SettledFunding, Side
from tests.generated import funding_legs, intervals, quick, rates
from tests.market import NOW, PERP, D
from trading.core.funding import (
    CarryEstimator,
    CarryModel,
    FundingLeg,
    SettledRate,
    annualised_rate,
    beta_at,
    entry_window,
    ewma_8h,
    expected_carry,
    funding_spread_8h,
    hourly_rate,
    payment,
    persistence_count,
    rate_8h,
    rate_per_interval,
    settled_rates_8h,
    settled_spreads_8h,
    settlement_count,
    threshold,
    trailing_mean,
)

pytestmark = pytest.mark.core

H8, H4, H1 = 28_800, 14_400, 3_600
HOUR = timedelta(hours=1)
PREDICTED = CarryModel(estimator=CarryEstimator.PREDICTED, beta=D(1))
HALVED = CarryModel(estimator=CarryEstimator.EWMA, beta=D("0.5"))


def leg(
    side: Side, rate: str, interval: int = H8, wait: timedelta = HOUR, carry: str | None = None
) -> FundingLeg:
    return FundingLeg(
        side=side,
        predicted_rate=D(rate),
        interval_seconds=interval,
        next_funding_at=NOW + wait,
        carry_8h=None if carry is None else D(carry),
    )


def settled(rate: str, hours_ago: int, interval: int = H8) -> SettledRate:
    return SettledRate(
        settled_at=NOW - hours_ago * HOUR, rate_8h=D(rate), interval_seconds=interval
    )


def test_one_basis_point_per_8_hours_is_10_95_percent_a_year() -> None:
    assert hourly_rate(D("0.0001"), H8) == D("0.0000125")
    assert rate_8h(D("0.0001"), H4) == D("0.0002")
    assert annualised_rate(D("0.0001"), H8) == D("0.1095")


def test_longs_pay_shorts_when_the_rate_is_positive() -> None:
    assert payment(D(-1), D(50_200), D("0.0001")) == D("5.02")
    assert payment(D(1), D(50_200), D("0.0001")) == D("-5.02")


def test_spread_is_short_rate_minus_long_rate_whatever_the_intervals() -> None:
    # 0.01 % per 4 h is 0.02 % per 8 h
    legs = [leg(Side.BUY, "0.00005"), leg(Side.SELL, "0.0001", H4)]

    assert funding_spread_8h(legs) == D("0.00015")


@pytest.mark.parametrize(
    ("size", "least"), [(10_000, "0.00011"), (50_000, "0.00015"), (100_000, "0.00020")]
)
def test_threshold_grows_with_size(size: int, least: str) -> None:
    assert threshold(D(size), D("0.0001"), D("0.00001")) == D(least)


def test_only_settlements_that_really_fall_into_the_horizon_count() -> None:
    def count(horizon: timedelta) -> int:
        return settlement_count(NOW + HOUR, H8, NOW, horizon)

    assert count(timedelta(minutes=59)) == 0
    assert count(HOUR) == 1  # (now, now + H] includes its end
    assert count(9 * HOUR - timedelta(seconds=1)) == 1
    assert count(9 * HOUR) == 2
    # A stale next time is counted on: 12:00 - 7 h + 8 h = 13:00.
    assert settlement_count(NOW - 7 * HOUR, H8, NOW, HOUR) == 1
    # A settlement that is now has been.
    assert settlement_count(NOW, H8, NOW, 8 * HOUR) == 1


def test_predicted_carry_is_every_settlement_at_the_predicted_rate() -> None:
    legs = [leg(Side.BUY, "-0.0001"), leg(Side.SELL, "0.0003", H4)]

    carry = expected_carry(legs, now=NOW, horizon=24 * HOUR, model=PREDICTED)

    # Long: 13:00, 21:00, 05:00 = 3 x 0.0001; short: 13:00 … 09:00 = 6 x 0.0003.
    assert carry == D("0.0021")


def test_coming_settlement_uses_its_prediction_only_where_that_lowers() -> None:
    def carry(predicted: str) -> Decimal | None:
        short = leg(Side.SELL, predicted, carry="0.0004")
        return expected_carry([short], now=NOW, horizon=24 * HOUR, model=HALVED)

    # Three settlements at 0.5 x 0.0004; the first at 0.0001 if that is predicted.
    assert carry("0.0010") == D("0.0006")
    assert carry("0.0001") == D("0.0005")


def test_what_accrues_is_earned_by_the_part_of_each_interval_that_is_held() -> None:
    def carry(minutes: int) -> Decimal | None:
        hourly = leg(Side.SELL, "0.0001", 3600, timedelta(minutes=30), carry="0.0032")
        horizon = timedelta(minutes=minutes)
        return expected_carry(
            [replace(hourly, accrues=True)], now=NOW, horizon=horizon, model=HALVED
        )

    # Half an hour at the predicted 0.0001, then by the hour half of 0.0004.
    assert carry(15) == D("0.000025")
    assert carry(30) == D("0.00005")
    assert carry(90) == D("0.00025")
    assert carry(0) == 0


def test_on_the_long_leg_a_higher_prediction_lowers() -> None:
    long = leg(Side.BUY, "0.0005", carry="0.0002")

    assert expected_carry([long], now=NOW, horizon=9 * HOUR, model=HALVED) == D("-0.0006")


def test_carry_without_settled_history_is_not_invented() -> None:
    legs = [leg(Side.BUY, "0", carry="0.0001"), leg(Side.SELL, "0.001")]

    assert expected_carry(legs, now=NOW, horizon=HOUR, model=HALVED) is None


def test_beta_is_flat_outside_its_points_and_never_above_one() -> None:
    points = [(timedelta(days=3), D("1.2")), (timedelta(days=7), D("0.5"))]

    assert beta_at(HOUR, points) == 1
    assert beta_at(timedelta(days=5), points) == D("0.85")
    assert beta_at(timedelta(days=30), points) == D("0.5")


def test_settled_rates_take_their_interval_from_the_spacing() -> None:
    rows = [
        SettledFunding(
            venue="binanceusdm", symbol=PERP, funding_rate=D("0.0001"), settled_at=NOW + at
        )
        # Stamped some milliseconds late, the interval changing from 8 h to 4 h.
        for at in (timedelta(0), timedelta(hours=8, milliseconds=7), timedelta(hours=12))
    ]

    rates_8h = settled_rates_8h(rows)

    assert [(r.interval_seconds, r.rate_8h) for r in rates_8h] == [
        (H8, D("0.0001")),
        (H4, D("0.0002")),
    ]


def test_settled_average_halves_the_weight_per_half_life() -> None:
    rows = [settled("0.0004", 8), settled("0.0001", 0)]

    average = ewma_8h(rows, now=NOW, half_life=8 * HOUR)

    # Weights 1/2 and 1: (0.0002 + 0.0001) / 1.5
    assert average is not None
    assert average.quantize(D("1e-20")) == D("0.0002")
    assert ewma_8h([], now=NOW, half_life=HOUR) is None


def test_settled_spread_compares_like_with_like() -> None:
    slow = [settled("0.0003", 8), settled("0.0001", 0)]
    fast = [settled("0.0001", hours, H1) for hours in range(7, 0, -1)] + [settled("0.0009", 0, H1)]

    spreads = settled_spreads_8h(long=slow, short=fast)

    # The hourly leg's eight rates average 0.0002 in the last period and are unknown before.
    assert [(s.settled_at, s.rate_8h) for s in spreads] == [(NOW, D("0.0001"))]
    assert settled_spreads_8h(long=fast, short=slow)[0].rate_8h == D("-0.0001")


def test_persistence_counts_back_from_the_latest_settlement() -> None:
    rows = [settled(rate, 0) for rate in ("0.0009", "0.0001", "0.0002", "0.0003")]

    assert persistence_count(rows, D("0.0002")) == 2
    assert persistence_count([], D("0.0002")) == 0


def test_trailing_mean_is_of_the_window_only() -> None:
    rows = [settled("0.0009", 30), settled("0.0002", 16), settled("0.0004", 8)]

    assert trailing_mean(rows, now=NOW, window=24 * HOUR) == D("0.0003")
    assert trailing_mean(rows, now=NOW, window=HOUR) is None


@pytest.mark.parametrize(
    ("interval", "opens", "tries", "closes"),
    [(H8, 30, 20, 15), (H1, 30, 20, 15), (1_200, 15, 10, 5), (240, 3, 2, 1)],
)
def test_entry_window_shrinks_with_the_interval(
    interval: int, opens: int, tries: int, closes: int
) -> None:
    window = entry_window(
        NOW,
        interval,
        opens=timedelta(minutes=30),
        tries=timedelta(minutes=20),
        closes=timedelta(minutes=15),
    )

    assert window.opens_at == NOW - timedelta(minutes=opens)
    assert window.tries_at == NOW - timedelta(minutes=tries)
    assert window.closes_at == NOW - timedelta(minutes=closes)


@quick
@given(rates, intervals)
def test_hourly_rate_there_and_back_is_the_rate(rate: Decimal, interval: int) -> None:
    back = rate_per_interval(rate_8h(rate, interval), interval)

    assert abs(back - rate) <= D("1e-25")


@quick
@given(funding_legs(Side.BUY), funding_legs(Side.SELL))
def test_swapping_the_legs_turns_predicted_carry_around(
    long: FundingLeg, short: FundingLeg
) -> None:
    def turned(one: FundingLeg) -> FundingLeg:
        return FundingLeg(
            side=one.side.opposite,
            predicted_rate=one.predicted_rate,
            interval_seconds=one.interval_seconds,
            next_funding_at=one.next_funding_at,
        )

    ours = expected_carry([long, short], now=NOW, horizon=72 * HOUR, model=PREDICTED)
    theirs = expected_carry(
        [turned(long), turned(short)], now=NOW, horizon=72 * HOUR, model=PREDICTED
    )

    assert ours is not None and theirs is not None and ours == -theirs
