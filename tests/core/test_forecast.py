from __future__ import annotations

from datetime import timedelta

import pytest

from exchanges.domain import PremiumTerms, Side
from exchanges.venues import PROFILES
from tests.market import NOW, D
from trading.core.forecast import (
    ExpectedRate,
    FundingForecast,
    PremiumFormula,
    ShrunkAverage,
    StatedRate,
    forecast_by,
    premium_index,
)
from trading.core.funding import (
    CarryEstimator,
    CarryModel,
    FundingLeg,
    SettledRate,
    expected_rate,
    leg_carry,
    settled_carry_8h,
)

pytestmark = pytest.mark.core

H8, H4, H1 = 28_800, 14_400, 3_600
HALF_LIFE = timedelta(hours=72)


def settled(*rates: str, interval: int = H8) -> list[SettledRate]:
    """Return rates as they were settled up to now, the last one now."""
    step = timedelta(seconds=interval)
    return [
        SettledRate(
            settled_at=NOW - (len(rates) - 1 - index) * step,
            rate_8h=D(rate),
            interval_seconds=interval,
        )
        for index, rate in enumerate(rates)
    ]


def test_what_is_stated_errs_as_often_as_rates_have_changed_by_more() -> None:
    # 20 changes of -0.0002 and 20 of +0.0002 about a stated 0.0001: half end below zero
    swinging = settled(*["0.0001", "0.0003"] * 20, "0.0001")

    assert StatedRate(rate_8h=D("0.0001")).expect(swinging) == ExpectedRate(
        rate_8h=D("0.0001"), sign_change=D("0.5"), last_8h=D("0.0001")
    )


def test_a_steady_rate_never_changes_its_sign() -> None:
    steady = settled(*["0.0001"] * 31)

    for forecast in (StatedRate(rate_8h=D("0.0001")), ShrunkAverage(half_life=HALF_LIFE)):
        assert forecast.expect(steady) == ExpectedRate(
            rate_8h=D("0.0001"), sign_change=D(0), last_8h=D("0.0001")
        )


def test_the_sign_is_compared_with_what_was_settled_last() -> None:
    # four times 0.0001, then -0.0009: a forecast below zero is no change from there
    fallen = settled(*["0.0001", "0.0001", "0.0001", "0.0001", "-0.0009"] * 8)
    expected = StatedRate(rate_8h=D("-0.0001")).expect(fallen)

    assert expected is not None
    # of 39 changes 7 were of +0.0010, which would make it +0.0009
    assert (expected.last_8h, expected.sign_change) == (D("-0.0009"), D(7) / D(39))


def test_an_average_that_nothing_follows_is_shrunk_to_nothing() -> None:
    alternating = settled(*["0.0002", "-0.0002"] * 20)
    expected = ShrunkAverage(half_life=timedelta(hours=1)).expect(alternating)

    # with so short a memory the average is the last value, and what follows is its opposite
    assert expected is not None
    assert (expected.rate_8h, expected.sign_change) == (0, D(19) / D(39))


@pytest.mark.parametrize("forecast", [StatedRate(rate_8h=D(0)), ShrunkAverage(half_life=HALF_LIFE)])
def test_a_short_past_forecasts_nothing(forecast: FundingForecast) -> None:
    assert forecast.expect(settled(*["0.0001"] * 30)) is None
    assert forecast.expect([]) is None


def test_the_premium_speaks_against_what_was_settled() -> None:
    steady = settled(*["0.0001"] * 31)

    assert StatedRate(rate_8h=D("-0.0003")).expect(steady) == ExpectedRate(
        rate_8h=D("-0.0003"), sign_change=D(1), last_8h=D("0.0001")
    )


@pytest.mark.parametrize(
    ("premium", "rate"),
    [
        # within ±0.05 % of the interest, the rate is the interest
        ("0", "0.0001"),
        ("0.0006", "0.0001"),
        ("-0.0004", "0.0001"),
        # beyond, it is the premium less 0.05 %
        ("0.0010", "0.0005"),
        ("-0.0010", "-0.0005"),
        # and never beyond cap and floor
        ("0.0100", "0.0030"),
        ("-0.0100", "-0.0030"),
    ],
)
def test_the_formula_clamps_around_the_interest_and_keeps_to_cap_and_floor(
    premium: str, rate: str
) -> None:
    formula = PremiumFormula(terms=PremiumTerms(), cap=D("0.003"), floor=D("-0.003"))

    assert formula.rate(D(premium), H8) == D(rate)


def test_shorter_intervals_divide_the_rate_or_only_the_interest() -> None:
    per_8h = PremiumFormula(terms=PremiumTerms())
    per_interval = PremiumFormula(terms=PremiumTerms(is_per_8h=False))

    assert per_8h.rate(D(0), H4) == per_interval.rate(D(0), H4) == D("0.00005")
    # 0.0010 - 0.0005: halved, or whole every four hours
    assert per_8h.rate(D("0.0010"), H4) == D("0.00025")
    assert per_interval.rate(D("0.0010"), H4) == D("0.0005")


@pytest.mark.parametrize(
    ("venue", "interval", "rate"),
    [
        # P = 0.2 %: 0.2 % + clamp(0.01 % - 0.2 %, ±0.05 %) = 0.15 % per 8 h, half of it per 4 h
        ("binanceusdm", H8, "0.0015"),
        ("binanceusdm", H4, "0.00075"),
        ("binanceusdm", H1, "0.0001875"),
        # the interest is 0.005 % per 4 h, and the premium counts whole
        ("bybit", H8, "0.0015"),
        ("bybit", H4, "0.0015"),
        ("bybit", H1, "0.0015"),
    ],
)
def test_each_venue_makes_its_own_rate_of_a_premium(venue: str, interval: int, rate: str) -> None:
    terms = PROFILES[venue].premium
    assert terms is not None

    assert PremiumFormula(terms=terms).rate(D("0.002"), interval) == D(rate)


def test_a_venue_whose_formula_nobody_knows_has_none() -> None:
    assert PROFILES["binance"].premium is None


def test_premium_is_what_the_mark_is_above_the_index() -> None:
    assert premium_index(D(50_050), D(50_000)) == D("0.001")


def test_the_premium_estimator_expects_the_formula_at_each_settlement() -> None:
    model = CarryModel(estimator=CarryEstimator.PREMIUM_INDEX, beta=D("0.5"))

    def leg(premium_rate: str | None, predicted: str = "0.0002") -> FundingLeg:
        return FundingLeg(
            side=Side.SELL,
            predicted_rate=D(predicted),
            interval_seconds=H8,
            next_funding_at=NOW,
            carry_8h=D("0.0009"),
            premium_rate=None if premium_rate is None else D(premium_rate),
        )

    carry = leg_carry(leg("0.0003"), model)
    assert carry is not None
    # the coming settlement uses its prediction only where that lowers
    assert (carry.coming, carry.later) == (D("0.0002"), D("0.0003"))
    assert expected_rate(leg("0.0003"), model) == D("0.0003")
    assert leg_carry(leg(None), model) is None


def test_a_flip_is_forecast_as_carry_is_expected() -> None:
    def leg(side: Side, premium_rate: str | None, ratio: str = "1") -> FundingLeg:
        return FundingLeg(
            side=side,
            predicted_rate=D("0.0003"),
            interval_seconds=H4,
            next_funding_at=NOW,
            premium_rate=None if premium_rate is None else D(premium_rate),
            ratio=D(ratio),
        )

    def chosen(estimator: CarryEstimator, *legs: FundingLeg) -> FundingForecast | None:
        return forecast_by(estimator, legs, half_life=HALF_LIFE)

    # short at 0.0004 per 4 h by half, long at 0.0001: 0.0004 - 0.0002 per 8 h
    pair = (leg(Side.BUY, "0.0001"), leg(Side.SELL, "0.0004", "0.5"))
    assert chosen(CarryEstimator.PREMIUM_INDEX, *pair) == StatedRate(rate_8h=D("0.0002"))
    assert chosen(CarryEstimator.PREMIUM_INDEX, leg(Side.BUY, None)) is None
    assert chosen(CarryEstimator.EWMA, *pair) == ShrunkAverage(half_life=HALF_LIFE)
    # 0.0003 predicted for both per 4 h: half of 0.0006 less 0.0006
    assert chosen(CarryEstimator.PREDICTED, *pair) == StatedRate(rate_8h=D("-0.0003"))


def test_a_leg_counts_by_its_ratio() -> None:
    model = CarryModel(estimator=CarryEstimator.EWMA, beta=D("0.5"))
    half = FundingLeg(
        side=Side.SELL,
        predicted_rate=D("0.0004"),
        interval_seconds=H8,
        next_funding_at=NOW,
        carry_8h=D("0.0004"),
        ratio=D("0.5"),
    )
    carry = leg_carry(half, model)

    assert carry is not None and carry.later == D("0.0001")


def test_settled_carry_weighs_any_number_of_legs() -> None:
    slow = settled("0.0001", "0.0003")
    fast = settled(*["0.0002"] * 8, *["0.0004"] * 8, interval=H1)

    assert [row.rate_8h for row in settled_carry_8h([(D("0.5"), slow)])] == [
        D("0.00005"),
        D("0.00015"),
    ]
    weighed = settled_carry_8h([(D(-1), slow), (D("0.5"), fast), (D("0.5"), fast)])
    assert [row.rate_8h for row in weighed] == [D("0.0001"), D("0.0001")]
    assert settled_carry_8h([]) == ()
