"""The order path for legs of any kind: spot that pays its fee in coins, debts, ratios, three legs.

A leg of spot trades lots of 0.00001 BTC worth at least 5 at 60,000 and pays 0.1 % of what it buys;
a contract trades lots of 0.001.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain import InstrumentKind, Side
from tests.generated import quick
from tests.position_views import (
    D,
    filled,
    make_instrument,
    make_leg,
    make_order,
    make_view,
    step_of,
)
from trading.core.entry_style import CloseOrder, EntryStyle
from trading.core.exposure import Exposure, LegExposure, drift, exposure, tolerance
from trading.core.plan_care import kept_quantity, trim_cause
from trading.core.snapshot import LegView
from trading.core.states import Goal, OrderState, PositionEvent, PositionState, Purpose
from trading.core.steps import Place, PlaceAll, ReadBack, Record, Step

pytestmark = pytest.mark.core

HALF = D("0.5")
ENTERING, EXITING, UNWINDING = (
    PositionState.ENTERING,
    PositionState.EXITING,
    PositionState.UNWINDING,
)


def spot(held: str = "0", *, short: bool = False, **changes: object) -> LegView:
    instrument = replace(
        make_instrument("binance"),
        kind=InstrumentKind.SPOT,
        lot=D("0.00001"),
        min_base_quantity=D("0.00001"),
        min_notional=D(5),
    )
    leg = make_leg(0, instrument=instrument, net_base=D(held), base_fee=D("0.001"))
    return replace(leg, sign=-1 if short else 1, **changes)  # type: ignore[arg-type]


def contract(held: str = "0", *, index: int = 1, **changes: object) -> LegView:
    leg = replace(make_leg(1, net_base=D(held)), index=index)
    return replace(leg, **changes)  # type: ignore[arg-type]


def three(first: str, second: str, third: str) -> tuple[LegView, ...]:
    return (
        spot(first, orders=(filled(0, first),)),
        contract(second, ratio=HALF),
        contract(third, index=2, ratio=HALF),
    )


def placed(step: Step) -> list[tuple[int, Side, Decimal]]:
    orders = step.orders if isinstance(step, PlaceAll) else [step]
    assert all(isinstance(order, Place) for order in orders)
    return [(o.leg_index, o.side, o.base_quantity) for o in orders if isinstance(o, Place)]


def test_spot_is_bought_so_that_what_its_fee_leaves_is_whole() -> None:
    step = step_of(ENTERING, spot(), contract(), target_base_quantity=D("0.1"))

    # 0.1 / 0.999 is 0.1001001…, in lots 0.10011, of which 0.10000989 stays.
    assert placed(step) == [(0, Side.BUY, D("0.10011"))]


def test_a_contract_hedges_no_more_than_the_fee_has_left() -> None:
    bought = spot("0.0999", orders=(filled(0, "0.1"),))

    assert placed(step_of(ENTERING, bought, contract())) == [(1, Side.SELL, D("0.099"))]


def test_spot_that_hedges_is_raised_by_its_fee_and_is_whole_then() -> None:
    first = replace(make_leg(0, net_base=D("0.1"), orders=(filled(0, "0.1"),)), sign=-1)
    short = replace(first, net_base=D("-0.1"))
    hedge = replace(spot(), index=1)
    whole = replace(hedge, net_base=D("0.10000989"), orders=(filled(1, "0.10011"),))

    assert placed(step_of(ENTERING, short, hedge)) == [(1, Side.BUY, D("0.10011"))]
    assert isinstance(step_of(ENTERING, short, whole, target_base_quantity=D("0.1")), ReadBack)


def test_a_hedge_under_way_counts_less_its_fee() -> None:
    first = replace(make_leg(0, net_base=D("-0.1"), orders=(filled(0, "0.1"),)), sign=-1)
    working = make_order(1, base_quantity=D("0.05005"), state=OrderState.OPEN)
    hedge = replace(spot(), index=1, orders=(working,))

    # 0.05005 leaves 0.05 once its fee of 0.00005005 is paid: 0.05000005 is missing, / 0.999.
    assert placed(step_of(ENTERING, first, hedge)) == [(1, Side.BUY, D("0.05006"))]


def test_each_fill_of_the_first_is_hedged_by_the_others_ratios() -> None:
    second = step_of(ENTERING, *three("0.2", "0", "0"))
    third = step_of(ENTERING, *three("0.2", "-0.1", "0"))

    assert placed(second) == [(1, Side.SELL, D("0.1"))]
    assert placed(third) == [(2, Side.SELL, D("0.1"))]


def test_all_legs_at_once_are_each_their_part() -> None:
    view = make_view(
        ENTERING,
        spot(),
        contract(ratio=HALF),
        contract(index=2, ratio=HALF),
        target_base_quantity=D("0.2"),
    )
    rules = replace(view.rules, entry_style=EntryStyle.BOTH_AT_ONCE)
    step = step_of(ENTERING, *view.legs, rules=rules, target_base_quantity=D("0.2"))

    assert placed(step) == [
        (0, Side.BUY, D("0.20021")),
        (1, Side.SELL, D("0.1")),
        (2, Side.SELL, D("0.1")),
    ]


def test_what_is_hedged_is_the_smallest_by_ratio_and_the_rest_is_cut() -> None:
    legs = three("0.2", "-0.1", "-0.05")

    assert kept_quantity(make_view(UNWINDING, *legs)) == D("0.1")
    assert placed(step_of(UNWINDING, *legs)) == [
        (0, Side.SELL, D("0.1")),
        (1, Side.BUY, D("0.05")),
    ]


def test_nothing_is_kept_where_one_leg_is_gone() -> None:
    legs = three("0.2", "-0.1", "0")

    assert placed(step_of(UNWINDING, *legs)) == [
        (0, Side.SELL, D("0.2")),
        (1, Side.BUY, D("0.1")),
    ]


def test_a_smaller_position_is_smaller_in_every_leg() -> None:
    legs = three("0.2", "-0.1", "-0.1")

    assert placed(step_of(UNWINDING, *legs, reduce_to=D("0.1"))) == [
        (0, Side.SELL, D("0.1")),
        (1, Side.BUY, D("0.05")),
        (2, Side.BUY, D("0.05")),
    ]


def test_legs_that_hold_their_ratios_have_no_drift() -> None:
    legs = [leg.exposure for leg in three("0.2", "-0.1", "-0.1")]
    grown = [leg.exposure for leg in three("0.2", "-0.12", "-0.1")]

    assert (drift(legs), exposure(legs)) == (0, Exposure.HEDGED)
    # 0.24 against 0.2: a sixth.
    assert drift(grown) == D("0.04") / D("0.24")
    assert trim_cause(make_view(PositionState.OPEN, *three("0.2", "-0.12", "-0.1"))) != ""


def test_legs_that_share_a_side_may_each_miss_a_lot() -> None:
    legs = [leg.exposure for leg in three("0.2019", "-0.1", "-0.1")]

    assert tolerance(legs) == D("0.002")
    assert exposure(legs) is Exposure.HEDGED
    assert exposure([*legs[:2], LegExposure(net_base=D("-0.099"), lot=D("0.001"))]) is (
        Exposure.IMBALANCED
    )


def test_spot_that_is_worth_less_than_an_order_is_dust() -> None:
    # 0.00008 is worth 4.80 of a least 5.
    dust, rest = spot("0.00008"), spot("0.00009")

    assert exposure([dust.exposure, contract().exposure]) is Exposure.FLAT
    assert exposure([rest.exposure, contract().exposure]) is not Exposure.FLAT
    assert isinstance(step_of(EXITING, dust, contract(), goal=Goal.FLAT), ReadBack)


def test_a_sale_is_cut_to_what_is_held() -> None:
    step = step_of(EXITING, spot("0.10000989"), contract("-0.1"), goal=Goal.FLAT)

    assert placed(step) == [(0, Side.SELL, D("0.10000")), (1, Side.BUY, D("0.1"))]


def test_a_debt_is_bought_back_with_its_interest_and_the_fee_of_buying() -> None:
    # 0.1002 owed: 0.1002 / 0.999 is 0.1003003…, in lots 0.10031.
    step = step_of(EXITING, spot("-0.1002", short=True), contract("0.1", sign=1), goal=Goal.FLAT)

    assert placed(step) == [(0, Side.BUY, D("0.10031")), (1, Side.SELL, D("0.1"))]


def test_a_debt_below_the_least_order_is_paid_by_buying_more() -> None:
    # 0.00003 owed is worth 1.80; the least order of 5 is 0.00009.
    step = step_of(EXITING, spot("-0.00003", short=True), contract("0", sign=1), goal=Goal.FLAT)

    assert placed(step) == [(0, Side.BUY, D("0.00009"))]
    left = spot("0.00006", short=True)
    assert isinstance(step_of(EXITING, left, contract("0", sign=1), goal=Goal.FLAT), ReadBack)


def test_spot_of_the_wrong_sign_is_held_for_a_person() -> None:
    step = step_of(EXITING, spot("-0.001"), contract("-0.1"), goal=Goal.FLAT)

    assert isinstance(step, Record)
    assert step.event is PositionEvent.HOLD


def test_what_goes_first_is_followed_by_as_much_as_it_has_closed() -> None:
    def at(first: CloseOrder, coins: str, contracts: str) -> list[tuple[int, Side, Decimal]]:
        view = make_view(EXITING, spot(coins), contract(contracts))
        rules = replace(view.rules, close_order=first)
        return placed(step_of(EXITING, *view.legs, rules=rules, goal=Goal.FLAT))

    assert at(CloseOrder.PERP_FIRST, "0.1", "-0.1") == [(1, Side.BUY, D("0.1"))]
    assert at(CloseOrder.PERP_FIRST, "0.1", "-0.04") == [
        (0, Side.SELL, D("0.06")),
        (1, Side.BUY, D("0.04")),
    ]
    assert at(CloseOrder.PERP_FIRST, "0.1", "0") == [(0, Side.SELL, D("0.1"))]
    assert at(CloseOrder.SPOT_FIRST, "0.1", "-0.1") == [(0, Side.SELL, D("0.1"))]
    assert len(at(CloseOrder.SIMULTANEOUS, "0.1", "-0.1")) == 2


def test_a_kill_closes_both_at_once_whatever_goes_first() -> None:
    view = make_view(EXITING, spot("0.1"), contract("-0.1"))
    rules = replace(view.rules, close_order=CloseOrder.PERP_FIRST)

    step = step_of(EXITING, *view.legs, rules=rules, goal=Goal.FLAT, is_killed=True)

    assert len(placed(step)) == 2


def test_spot_and_contracts_have_limits_of_their_own() -> None:
    view = make_view(EXITING, spot("0.1"), contract("-0.1"))
    rules = replace(view.rules, spot_market_buffer=D("0.001"))

    step = step_of(EXITING, *view.legs, rules=rules, goal=Goal.FLAT)

    assert isinstance(step, PlaceAll)
    # bid 60,000 less 0.1 %, ask 60,000.1 plus 0.05 %
    assert [order.price for order in step.orders] == [D("59940.0"), D("60030.2")]


quantities = st.decimals("0.001", "5", places=5, allow_nan=False)


@quick
@given(quantities, st.decimals("0", "0.002", places=5))
def test_no_reducing_order_of_spot_sells_more_than_is_held_nor_leaves_a_debt(
    held: Decimal, fee: Decimal
) -> None:
    long = spot(str(held), base_fee=fee)
    short = spot(str(-held), short=True, base_fee=fee)

    assert long.cut_to(D(0)) <= held
    bought = short.cut_to(D(0))
    assert held <= short.kept(bought, Side.BUY) < held + 2 * short.instrument.lot


@quick
@given(quantities, st.sampled_from(["0.25", "0.5", "1"]))
def test_a_hedge_never_exceeds_its_part_of_the_first_fill(first: Decimal, ratio: str) -> None:
    lead = spot(str(first), orders=(filled(0, str(first)),))
    step = step_of(ENTERING, lead, contract(ratio=D(ratio)), target_base_quantity=first)

    for _, _, quantity in placed(step) if isinstance(step, Place) else []:
        assert quantity <= first * D(ratio)
    if isinstance(step, Place):
        assert step.purpose in (Purpose.HEDGE, Purpose.OPEN)
