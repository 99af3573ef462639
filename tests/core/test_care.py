"""Care of open positions: near liquidation, the gap against us, the queue of ADL, the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from exchanges.domain import Instrument, Side
from exchanges.matching import tiers_from
from exchanges.risk_tiers import tiers_at
from tests.market import NOW, D, make_instrument
from trading.core.care import (
    LegRisk,
    Remedy,
    adl_danger,
    adverse_steps,
    affordable_top_up,
    expiry_sentence,
    favourable_steps,
    gap_move,
    halt_sentence,
    halved,
    quarter,
    remedies,
)
from trading.core.liquidation import Danger, margin_for_distance

pytestmark = pytest.mark.core

BTC = replace(make_instrument("bybit"), maintenance_margin_rate=D("0.005"))
ONE_RATE = tiers_at(D(1), None, BTC)
HOUR = timedelta(hours=1)


def leg(mark: str, **changes: object) -> LegRisk:
    """Return 1 BTC long from 50,000 at 5x: its own formula says liquidation at 40,201.01."""
    risk = LegRisk(
        instrument=BTC,
        side=Side.BUY,
        base_quantity=D(1),
        mark_price=D(mark),
        entry_price=D(50_000),
        leverage=D(5),
        liquidation_price=None,
        tiers=ONE_RATE,
    )
    return replace(risk, **changes)  # type: ignore[arg-type]


def test_distance_is_the_move_to_liquidation_by_the_venues_word_or_the_formula() -> None:
    # 40,201.005 from 42,000 is 4.2833 %; the venue's 41,000 is 2.3810 %
    assert leg("42000").distance == pytest.approx(D("0.042833"), abs=D("0.000001"))
    assert leg("42000", liquidation_price=D(41_000)).distance == D(1_000) / 42_000


def test_short_legs_are_liquidated_above() -> None:
    short = leg("57000", side=Side.SELL, base_quantity=D(-1))

    # 59,701.49 is 4.7395 % above 57,000
    assert short.distance == pytest.approx(D("0.047395"), abs=D("0.000001"))
    assert short.sentence == (
        "the short leg at bybit is 4.74 % from its liquidation, less than 5 %"
    )


def test_a_price_beyond_liquidation_is_no_distance_at_all() -> None:
    assert leg("39000").distance == 0
    assert leg("39000").danger is Danger.CRITICAL


@pytest.mark.parametrize(
    ("mark", "danger"),
    [
        ("44700", Danger.NONE),
        ("44600", Danger.WARNING),
        ("42400", Danger.WARNING),
        ("42300", Danger.CRITICAL),
    ],
)
def test_the_ladder_warns_below_ten_and_acts_below_five_percent(mark: str, danger: Danger) -> None:
    assert leg(mark).danger is danger


def test_added_margin_moves_the_liquidation_to_where_the_warning_begins() -> None:
    # (0.10 - 0.04) x 42,000 x 0.995 = 2,507.4 for a long; x 1.005 = 2,532.6 for a short
    wanted = {"distance": D("0.04"), "wanted": D("0.10"), "notional": D(42_000)}

    long = margin_for_distance(**wanted, maintenance=D("0.005"), side=Side.BUY)
    short = margin_for_distance(**wanted, maintenance=D("0.005"), side=Side.SELL)

    assert (long, short) == (D("2507.4"), D("2532.6"))


def test_margin_is_added_to_isolated_legs_that_the_account_can_afford() -> None:
    isolated = leg("42000", isolated_margin=D(10_000))
    # liquidation must move from 40,201.01 to 37,800: 2,401.01 x 0.995 = 2,389
    free = {"active_fraction": D("0.7"), "cap": D("0.5")}

    def top_up(one: LegRisk, *, at_hand: str, added: str = "0") -> Decimal | None:
        return affordable_top_up(one, free=D(at_hand), added=D(added), **free)

    assert top_up(isolated, at_hand="4000") == pytest.approx(D(2_389), abs=D("0.01"))
    # 70 % of 3,000 is 2,100; half of the initial 10,000 is 5,000, of which 3,000 were added
    assert top_up(isolated, at_hand="3000") is None
    assert top_up(isolated, at_hand="4000", added="3000") is None
    assert top_up(leg("42000"), at_hand="4000") is None


def test_remedies_come_in_their_order() -> None:
    assert remedies(can_top_up=True, can_halve=True) is Remedy.TOP_UP
    assert remedies(can_top_up=False, can_halve=True) is Remedy.REDUCE
    assert remedies(can_top_up=False, can_halve=False) is Remedy.CLOSE


def whole(*legs: Instrument) -> list[tuple[Instrument, Decimal]]:
    return [(leg, D(1)) for leg in legs]


def test_half_is_in_lots_of_both_legs_or_not_at_all() -> None:
    coarse = make_instrument("binanceusdm", lot="0.01", min_notional="100")

    assert halved(D("0.1"), whole(BTC, coarse), D(50_000)) == D("0.05")
    assert halved(D("0.15"), whole(BTC, coarse), D(50_000)) == D("0.07")
    # half of 0.003 is 0.001 in lots, worth 50 of a least 100
    assert halved(D("0.003"), whole(BTC, make_instrument(min_notional="100")), D(50_000)) is None
    assert halved(D("0.01"), whole(BTC, coarse), D(50_000)) is None


def test_a_leg_of_half_the_position_is_halved_in_its_own_lots() -> None:
    # 0.15 is 0.075 of a position whose half leg is in lots of 0.01: 0.06, of which it holds 0.03.
    half_leg = make_instrument("binanceusdm", lot="0.01", min_notional="100")

    assert halved(D("0.15"), [(BTC, D(1)), (half_leg, D("0.5"))], D(50_000)) == D("0.06")


def test_the_gap_moves_against_a_position_when_short_gains_on_long() -> None:
    # entered at +0.4 %, to be left at +1.45 %: two whole steps of 0.5 %
    move = gap_move(D("0.004"), D("0.0145"))

    assert move == D("0.0105")
    assert adverse_steps(move, D("0.005")) == 2
    assert adverse_steps(D("0.00499"), D("0.005")) == 0
    assert adverse_steps(D("-0.02"), D("0.005")) == 0


def test_the_gap_moves_for_a_position_in_at_most_three_steps() -> None:
    # entered at +2 %, to be left at +0.9 %: one whole step of 1 %
    move = gap_move(D("0.02"), D("0.009"))

    assert favourable_steps(move, D("0.01")) == 1
    assert favourable_steps(D("-0.00999"), D("0.01")) == 0
    assert favourable_steps(D("0.03"), D("0.01")) == 0
    assert favourable_steps(D("-0.05"), D("0.01")) == 3


def test_a_quarter_is_in_lots_of_all_legs() -> None:
    half_leg = make_instrument("binanceusdm", lot="0.01", min_notional="100")

    assert quarter(D("0.1"), whole(BTC, BTC)) == D("0.025")
    assert quarter(D("0.125"), whole(BTC, BTC)) == D("0.031")
    # 0.3 are 0.075: in lots of 0.02 of a position whose half leg trades 0.01 at least
    assert quarter(D("0.3"), [(BTC, D(1)), (half_leg, D("0.5"))]) == D("0.06")
    assert quarter(D("0.003"), whole(BTC, BTC)) == 0


def test_the_queue_of_auto_deleveraging_is_watched_from_its_fourth_place() -> None:
    grades = [adl_danger(rank) for rank in (None, 1, 3, 4, 5)]

    assert grades == [Danger.NONE, Danger.NONE, Danger.NONE, Danger.WARNING, Danger.CRITICAL]


def test_a_leg_that_ends_within_a_day_is_named() -> None:
    dated = replace(BTC, expires_at=NOW + 23 * HOUR)

    assert expiry_sentence((BTC, dated), NOW, 24 * HOUR) == (
        "BTC/USDT:USDT at bybit ends on 2026-03-02 11:00 UTC, in 23.0 h; the exit is 24.0 h before"
    )
    assert expiry_sentence((BTC, replace(dated, expires_at=NOW + 25 * HOUR)), NOW, 24 * HOUR) == ""


def test_a_leg_that_is_not_traded_keeps_the_other() -> None:
    assert halt_sentence((BTC,)) == ""
    assert halt_sentence((BTC, replace(BTC, is_active=False))).startswith(
        "BTC/USDT:USDT is not traded at bybit now: all legs are kept"
    )


def test_a_lowered_margin_tier_brings_liquidation_near_enough_to_warn() -> None:
    # At 45,000 a maintenance of 0.5 % leaves 10.66 % to 40,201.01, one of 5 % only 6.43 % to
    # 42,105.26.
    lowered = tiers_from([("1000000", "10", "0.05")])

    assert leg("45000").danger is Danger.NONE
    assert leg("45000", tiers=lowered).danger is Danger.WARNING
    assert leg("45000", tiers=lowered).distance == pytest.approx(D("0.064327"), abs=D("1e-6"))


def test_a_large_leg_is_judged_by_the_tier_that_its_size_is_in() -> None:
    # 1 at 45,000 is beyond 40,000: 5 % less the 40,000 x (0.05 - 0.005) = 1,800 of the lower tier.
    # (50,000 x 4/5 - 1,800) / 0.95 is 40,210.53: hardly nearer than by the lowest tier alone.
    by_parts = tiers_from([("40000", "50", "0.005"), ("1000000", "10", "0.05")])
    # Where nothing is deducted the rate counts for all of it: 40,000 / 0.95 is 42,105.26.
    whole = tuple(replace(one, maintenance_amount=D(0)) for one in by_parts)

    assert leg("45000", tiers=by_parts).distance == pytest.approx(D("0.106433"), abs=D("1e-6"))
    assert leg("45000", tiers=whole).distance == pytest.approx(D("0.064327"), abs=D("1e-6"))
    # Half of it is within the first tier, where 0.5 % are asked for.
    small = leg("45000", tiers=whole, base_quantity=D("0.5"))
    assert small.distance == leg("45000").distance
    # (10 % - 6.4327 %) x 45,000 x (1 - 0.05)
    assert leg("45000", tiers=whole).missing_margin == pytest.approx(D("1525.00"), abs=D("0.01"))
