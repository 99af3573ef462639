from __future__ import annotations

from dataclasses import replace

import pytest

from exchanges.domain import Side
from tests.market import NOW, D
from tests.strategies.legs import (
    DAY,
    configured,
    counted,
    evaluated,
    gate,
    make_future,
    make_held,
    make_perp,
    make_spot,
    reason,
    refused,
)
from trading.strategies.base import Candidate, ExitReason, OpenReason, PairHistory

pytestmark = pytest.mark.core

KEY = "split_carry"


def split(
    *, perp: str = "50000", future: str = "51200", rate: str = "0.0001", history: str = "0"
) -> Candidate:
    legs = (make_spot(), make_perp("bybit", mid=perp, rate=rate), make_future(mid=future))
    return counted(KEY, legs, history=PairHistory(expected_exit_gap=D(history)))


def test_three_legs_are_counted_by_their_ratio_as_worked_by_hand() -> None:
    one = split()

    assert [(leg.side, leg.ratio) for leg in one.legs] == [
        (Side.BUY, 1),
        (Side.SELL, D("0.5")),
        (Side.SELL, D("0.5")),
    ]
    # half of 2.4 %
    assert one.entry_gap == D("0.012")
    # the future's half ages over 120 x 8 h: 0.0001 each; the perpetual's half receives 0.00005
    assert one.spread_8h == D("0.00015")
    # spot 2 x 0.001, and half of 2 x 0.0005 twice
    assert one.costs.fixed == D("0.003")
    # 21 x 8 h: aged whole, and half of half of the average
    assert one.gap_credit == D("0.0021")
    assert one.expected_funding == D("0.000525")
    assert one.net_return == D("-0.000375")


def test_slippage_counts_by_ratio_too() -> None:
    legs = (make_spot(), make_perp("bybit"), make_future())
    slipping = counted(KEY, tuple(replace(leg, slippage=D("0.0001")) for leg in legs))

    assert slipping.costs.slippage == 2 * D("0.0001") + 2 * D("0.0001")


def test_it_must_break_even_an_interval_before_its_future_is_left() -> None:
    # 4 of 7 days keep 0.6125 of the average: half of 0.0016 x 0.6125 at each of 12 settlements is
    # 0.00588, more than fees of 0.0056, but only with the twelfth, 88.3 h of 96 h
    late = (
        make_spot(fee="0.0023"),
        make_perp("bybit", rate="0.0016", carry_8h="0.0016"),
        make_future(left=5 * DAY),
    )

    assert counted(KEY, late).net_return == D("0.00028")
    assert refused(counted(KEY, late)) == (
        "breaks_even_too_late: It breaks even after 88.3 h; with one more settlement that is "
        "beyond the hold time of 96.0 h."
    )


def test_only_the_gap_of_the_perpetual_may_come_back() -> None:
    # 0.5 % of gap on half of the position: 0.25 %, of which half counts, beside what ages
    assert split(perp="50250").gap_credit == D("0.00125") + D("0.0021")
    assert split(perp="50250", history="0.0025").gap_credit == D("0.0021")


def test_it_opens_on_its_gap_or_on_what_it_receives() -> None:
    bare = configured(entry_policy="spread_only")
    flat = split(future="50000", rate="0.0002")

    assert split().open_reason is OpenReason.BASIS
    # half of 0.0002 is below 0.00011; with 0.0001 of ageing it is not
    assert flat.open_reason is OpenReason.FUNDING
    assert refused(flat, bare).startswith("spread_too_small: ")
    assert gate(split(future="50240", rate="0.0002"), bare) is None


def test_the_hold_ends_before_the_future_does() -> None:
    legs = (make_spot(), make_perp("bybit"), make_future(left=5 * DAY))

    assert counted(KEY, legs).horizon == 4 * DAY
    assert refused(evaluated(KEY, (*legs[:2], make_future(left=DAY)))).startswith("expires_soon: ")


def test_it_closes_as_a_carry_does() -> None:
    assert reason(KEY, make_held(now_at=("50000", "49950"))) is ExitReason.GAP_CLOSED
    assert reason(KEY, make_held(now_at=("50000", "50300"))) is None


def test_staying_ends_with_the_future() -> None:
    # a day of -0.0002 costs 0.0006, less than leaving
    ending = make_held(
        reason=OpenReason.FUNDING, rate="-0.0002", carry="-0.0004", expires_at=NOW + DAY
    )

    assert reason(KEY, ending, configured(negative_spread_tolerance="cost_aware")) is None


def test_what_ages_is_weighed_against_funding_that_turned() -> None:
    # a week of -0.0002 costs 0.0021 and leaving 0.0010; ageing of 0.0001 per 8 h gives 0.0021
    def held(ageing: str) -> ExitReason | None:
        return reason(
            KEY,
            make_held(
                reason=OpenReason.FUNDING,
                rate="-0.0002",
                carry="-0.0002",
                ageing_8h=ageing,
                expires_at=NOW + 30 * DAY,
            ),
            configured(negative_spread_tolerance="cost_aware"),
        )

    assert held("0") is ExitReason.COST_OF_STAYING
    assert held("0.0001") is None
