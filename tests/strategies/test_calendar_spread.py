from __future__ import annotations

from datetime import timedelta

import pytest

from exchanges.domain import Side
from tests.market import NOW, D
from tests.strategies.legs import (
    DAY,
    HOUR,
    configured,
    counted,
    evaluated,
    gate,
    make_future,
    make_held,
    make_perp,
    reason,
    refused,
)
from trading.core.care import expiry_sentence
from trading.strategies.base import (
    Candidate,
    ExitReason,
    InstrumentFacts,
    OpenReason,
    PairHistory,
)
from trading.strategies.calendar_spread import fair_gap

pytestmark = pytest.mark.core

KEY = "calendar_spread"


def against_perp(
    future: str = "50500", *, left: timedelta = 40 * DAY, **values: object
) -> Candidate:
    legs = (make_perp("bybit"), make_future(mid=future, left=left))
    return counted(KEY, legs, configured(**values))


def test_a_dear_future_is_sold_against_the_perpetual_as_worked_by_hand() -> None:
    one = against_perp()

    assert [leg.side for leg in one.legs] == [Side.BUY, Side.SELL]
    assert one.open_reason is OpenReason.BASIS
    # 1 % over 40 days, which is 120 x 8 h; funding is expected at half of its average 0.0001
    assert one.implied_carry_8h == D("0.01") / 120
    assert one.fair_carry_8h == D("0.00005")
    # fair: 120 x 0.00005, and four fees of 0.0005
    assert one.gap_threshold == D("0.008")
    # a week ages 21 of 120 parts; of the 0.825 % left 0.495 % is fair: half of the rest counts
    assert one.gap_credit == D("0.00175") + D("0.00165")
    # the long leg pays: the coming one as predicted, then 20 x 0.00005
    assert one.expected_funding == D("-0.0011")
    assert one.net_return == D("0.0003")


def test_held_to_its_expiry_the_gap_of_a_future_is_earned_whole() -> None:
    # 39 of 40 days: the exit is a day before, where 3 of 120 parts are left
    one = against_perp(hold_horizon="8760", min_hold="0")

    assert one.horizon == 39 * DAY
    assert one.fair_carry_8h == D("0.00004")
    assert one.gap_credit == D("0.00975") + (D("0.00025") - D("0.00012")) / 2
    # it settles every 8 h from 18 minutes on; the hours of ageing are no settlements
    assert one.break_even is not None
    assert one.break_even.settlements == one.break_even.hold // (8 * HOUR) + 1


def test_the_hold_ends_a_day_before_the_expiry() -> None:
    assert against_perp(left=3 * DAY).horizon == 2 * DAY
    # two days keep 0.65 of the average
    assert against_perp(left=3 * DAY).fair_carry_8h == D("0.000065")
    assert against_perp(left=40 * DAY).horizon == 7 * DAY
    assert against_perp(left=3 * DAY, expiry_lead_hours="48").horizon == DAY


def test_a_cheap_future_is_bought_and_the_perpetual_sold() -> None:
    legs = (make_future(mid="49500"), make_perp("bybit", rate="0.0001", carry_8h="0.0001"))
    one = counted(KEY, legs)

    # ageing of a gap below the perpetual is earned too, and the short leg receives funding
    assert one.implied_carry_8h == one.entry_gap / -120
    assert one.fair_carry_8h == D("0.00005")
    assert one.gap_credit > D("0.00175")
    assert one.expected_funding == D("0.00105")
    assert gate(one) is None


def test_a_carry_that_differs_by_less_than_its_costs_is_refused() -> None:
    bare = configured(entry_policy="spread_only")

    assert gate(against_perp("50400"), bare) is None
    assert refused(against_perp("50390")) == (
        "gap_too_small: The price gap is 0.7800 %; 0.8000 % are needed."
    )


def test_two_expiries_are_judged_by_the_carry_of_the_others() -> None:
    legs = (make_future(mid="50000"), make_future("bybit", mid="50900", left=130 * DAY))
    history = PairHistory(fair_carry_8h=D("0.00003"))
    one = counted(KEY, legs, history=history)

    # 1.8 % over 90 days, 270 x 8 h; 0.81 % is fair; nothing ages, half of the rest counts
    assert one.implied_carry_8h == D("0.018") / 270
    assert one.gap_threshold == D("0.0081") + D("0.002")
    assert one.gap_credit == D("0.00495")
    assert one.expected_funding == 0
    assert one.break_even is not None and one.break_even.settlements == 0
    assert gate(one) is None


def test_without_funding_or_other_expiries_nobody_knows_what_is_fair() -> None:
    futures = (make_future(mid="50000"), make_future("bybit", mid="50900", left=130 * DAY))
    young = (make_perp("bybit", carry_8h=None), make_future(mid="50500"))

    for legs in (futures, young):
        assert refused(evaluated(KEY, legs)) == (
            "no_fair_carry: Neither funding nor other expiries of BTC say what carry is fair."
        )


@pytest.mark.parametrize(
    "legs",
    [
        (make_perp("bybit"), make_perp("okx")),
        (make_future("bybit"), make_future("okx")),
    ],
)
def test_legs_that_end_together_or_never_have_no_carry_between_them(
    legs: tuple[InstrumentFacts, InstrumentFacts],
) -> None:
    assert refused(evaluated(KEY, legs)).startswith("same_expiry: ")


def test_a_future_that_ends_soon_is_not_entered() -> None:
    soon = evaluated(KEY, (make_perp("bybit"), make_future(left=24 * HOUR)))

    assert refused(soon) == (
        "expires_soon: BTC/USDT:USDT-260302 on binanceusdm expires in 24.0 h; positions are left "
        "24.0 h before."
    )


def test_it_closes_when_the_gap_is_what_the_time_left_is_worth() -> None:
    def held(short: str, fair: str | None = "0.005") -> ExitReason | None:
        return reason(
            KEY, make_held(entered=("50000", "50500"), now_at=("50000", short), fair_gap=fair)
        )

    assert held("50251") is None
    assert held("50250") is ExitReason.GAP_CLOSED
    assert held("40000", fair=None) is None


def test_the_fair_gap_of_a_position_shrinks_with_the_time_left() -> None:
    legs = against_perp().legs

    assert fair_gap(legs, PairHistory(), configured(), NOW) == D("0.006")
    assert fair_gap(legs, PairHistory(), configured(), NOW + 20 * DAY) == D("0.003")


def test_the_care_of_positions_leaves_it_a_day_before_the_expiry() -> None:
    listed = [leg.facts.instrument for leg in against_perp().legs]

    assert expiry_sentence(listed, NOW + 38 * DAY, DAY) == ""
    assert "ends on 2026-04-10 12:00 UTC, in 24.0 h" in expiry_sentence(listed, NOW + 39 * DAY, DAY)
