from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain import Side
from tests.generated import decimals, funding_legs, quantities, quick
from tests.market import NOW, D, make_levels
from trading.core.basis import gap_credit, price_gap
from trading.core.costs import (
    BreakEven,
    LegCost,
    RoundTrip,
    book_capacity,
    break_even,
    net_apr,
    net_return,
    slippage,
    walk_book,
)
from trading.core.funding import CarryEstimator, CarryModel, FundingLeg, LegCarry, leg_carry

pytestmark = pytest.mark.core

H8 = 28_800
HOUR = timedelta(hours=1)
ASKS = make_levels(("100.1", "1"), ("100.3", "2"), ("101", "5"))
BELIEVED = CarryModel(estimator=CarryEstimator.EWMA, beta=D(1))


def cost(fee: str = "0", slip: str = "0") -> LegCost:
    return LegCost(open_fee=D(fee), close_fee=D(fee), entry_slippage=D(slip), exit_slippage=D(slip))


def carry(
    later: str, *, coming: str | None = None, interval: int = H8, wait: timedelta = HOUR
) -> LegCarry:
    return LegCarry(
        coming=D(coming or later),
        later=D(later),
        interval_seconds=interval,
        next_funding_at=NOW + wait,
    )


def even(carries: list[LegCarry], owed: str, *, borrow: str = "0") -> BreakEven | None:
    costs = RoundTrip(legs=(), transfer=D(owed), borrow_per_hour=D(borrow))
    return break_even(carries, gap_credit=D(0), costs=costs, now=NOW)


def test_basis_and_gap_are_positive_when_the_leg_we_sell_is_dearer() -> None:
    assert price_gap(D("0.3640"), D("0.3665")).quantize(D("0.000001")) == D("0.006868")
    assert D(50_100) - D(49_950) == 150
    assert price_gap(D(49_950), D(50_100)) == D(150) / D(49_950)


def test_gain_from_the_gap_counts_half_and_a_loss_whole() -> None:
    assert gap_credit(D("0.004"), D("0.001")) == D("0.0015")
    assert gap_credit(D("0.001"), D("0.004")) == D("-0.003")


def test_walking_the_book_gives_the_average_price() -> None:
    # 1 at 100.1 and 1 at 100.3
    assert walk_book(ASKS, D(2)) == D("100.2")
    assert slippage(ASKS, D(2), D(100)) == D("0.002")
    assert slippage(ASKS, D(9), D(100)) is None


def test_capacity_is_where_slippage_reaches_its_limit() -> None:
    # 1 at 0.001 and x at 0.003 average 0.002 when x = 1.
    assert book_capacity(ASKS, D(100), D("0.002")) == D(2)
    assert book_capacity(ASKS, D(100), D("0.0005")) == 0
    assert book_capacity(ASKS, D(100), D("0.5")) == D(8)


def test_least_profitable_gap_counts_all_four_legs() -> None:
    spot, perp = cost("0.001", "0.001"), cost("0.0005", "0.001")
    trip = RoundTrip(legs=(spot, perp), transfer=D(25) / D(5_000))
    wanted_profit = D("0.003")

    # The source counts the opening only: 0.1 % + 0.05 % + 2 x 0.1 % + 0.5 % + 0.3 %.
    assert trip.opening + wanted_profit == D("0.0115")
    assert trip.fees == D("0.0030")
    assert trip.slippage == D("0.0040")
    assert trip.fixed + wanted_profit == D("0.0150")


def test_maker_rebate_counts_as_nothing() -> None:
    leg = LegCost(
        open_fee=D("-0.0001"),
        close_fee=D("0.0005"),
        entry_slippage=D(0),
        exit_slippage=D(0),
    )

    assert RoundTrip(legs=(leg,)).fees == leg.closing == D("0.0005")
    assert leg.opening == 0


def test_borrowing_is_charged_by_hours_begun() -> None:
    trip = RoundTrip(legs=(), borrow_per_hour=D("0.00001"))

    assert trip.over(timedelta(minutes=61)) == D("0.00002")
    assert trip.over(2 * HOUR) == D("0.00002")


def test_net_return_is_funding_and_gap_less_costs_and_is_annualised_simply() -> None:
    trip = RoundTrip(legs=(cost("0.0005", "0.0001"), cost("0.0005", "0.0001")))
    net = net_return(
        expected_funding=D("0.0084"),
        gap_credit=D("-0.0002"),
        costs=trip,
        horizon=timedelta(days=7),
    )

    # 0.0084 - 0.0002 - 0.0020 - 0.0004 over 7 of 365 days
    assert net == D("0.0058")
    assert net_apr(net, timedelta(days=7)) == D("0.0058") * 8_760 / 168


def test_break_even_is_the_settlement_that_pays_the_last_cost() -> None:
    # 13:00 and every 8 h, 0.0004 each: 0.0010 is paid by the third.
    assert even([carry("0.0004")], "0.0010") == BreakEven(hold=17 * HOUR, settlements=3)
    assert even([carry("0.0004")], "0.0012") == BreakEven(hold=17 * HOUR, settlements=3)
    assert even([carry("0.0004")], "0") == BreakEven(hold=timedelta(0), settlements=0)


def test_a_weaker_coming_settlement_delays_the_break_even() -> None:
    assert even([carry("0.0004", coming="0.0001")], "0.0009") == BreakEven(
        hold=17 * HOUR, settlements=3
    )


def test_break_even_may_lie_before_the_other_leg_pays() -> None:
    receives, pays = carry("0.0010"), carry("-0.0009", wait=4 * HOUR)

    assert even([receives, pays], "0.0010") == BreakEven(hold=HOUR, settlements=1)
    # After both: 0.0001 every 8 h; 13:00 of the third day brings 0.0010 more than is paid.
    assert even([receives, pays], "0.0012") == BreakEven(hold=17 * HOUR, settlements=3)


def test_break_even_is_never_when_nothing_drifts_our_way() -> None:
    assert even([carry("0")], "0.0001") is None
    assert even([carry("-0.0001")], "0.0001") is None
    assert even([carry("0.0001"), carry("-0.0001")], "0.0010") is None
    assert even([carry("0.0000001")], "0.0010") is None  # 9 years
    # Borrowing 0.0008 per 8 h eats 0.0004.
    assert even([carry("0.0004")], "0.0010", borrow="0.0001") is None


def test_borrowing_delays_the_break_even() -> None:
    # At 13:00 0.0008 - 0.0001, at 21:00 0.0016 - 0.0009, at 05:00 0.0024 - 0.0017, …
    assert even([carry("0.0008")], "0.0007", borrow="0.0001") == BreakEven(hold=HOUR, settlements=1)
    assert even([carry("0.0012")], "0.0014", borrow="0.0001") == BreakEven(
        hold=9 * HOUR, settlements=2
    )


@quick
@given(
    funding_legs(Side.BUY, interval=H8),
    funding_legs(Side.SELL),
    decimals("0.0001", "0.01", places=6),
)
def test_no_shorter_hold_breaks_even(long: FundingLeg, short: FundingLeg, owed: Decimal) -> None:
    carries = [one for leg in (long, short) if (one := leg_carry(leg, BELIEVED)) is not None]
    found = break_even(carries, gap_credit=D(0), costs=RoundTrip(legs=(), transfer=owed), now=NOW)

    def received(hold: timedelta) -> Decimal:
        return sum((one.over(NOW, hold) for one in carries), Decimal(0))

    searched = min(found.hold, timedelta(days=3)) if found else timedelta(days=3)
    steps = {(leg.next_funding_at - NOW, leg.interval_seconds) for leg in (long, short)}
    for first, interval in steps:
        for n in range(40):
            hold = first + n * timedelta(seconds=interval)
            if hold < searched:
                assert received(hold) < owed
    assert found is None or received(found.hold) >= owed


@quick
@given(st.lists(st.tuples(quantities, quantities), min_size=1, max_size=6), quantities)
def test_book_never_slips_more_at_its_capacity(
    steps: list[tuple[Decimal, Decimal]], scale: Decimal
) -> None:
    prices = sorted(100 + step for step, _ in steps)
    levels = make_levels(*((str(p), str(q)) for p, (_, q) in zip(prices, steps, strict=True)))
    most = scale / 10_000

    capacity = book_capacity(levels, D(100), most)

    if capacity > 0:
        slipped = slippage(levels, capacity * D("0.999999999"), D(100))
        assert slipped is not None and slipped <= most
