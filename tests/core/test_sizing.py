from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.matching import tiers_from
from tests.generated import decimals, lots, prices, quick
from tests.market import D, make_instrument
from trading.core.parameters import Parameters
from trading.core.refusal import Refusal
from trading.core.sizing import (
    Capital,
    LegCapacity,
    PlannedSize,
    interest_room,
    leg_capacity,
    max_safe_leverage,
    plan_size,
    planned_usd,
    recommended_leverage,
    size_for_income,
    tier_room,
)

pytestmark = pytest.mark.core

RICH = D(1_000_000)


def leg(
    account: str = "bybit",
    *,
    price: str = "50000",
    leverage: str = "2",
    free: str = "10000",
    lot: str = "0.001",
    book: str = "1000",
    min_notional: str = "5",
    min_base: str = "0.001",
    base_fee: str = "0",
    ratio: str = "1",
) -> LegCapacity:
    return LegCapacity(
        instrument=make_instrument(
            account, lot=lot, min_notional=min_notional, min_base_quantity=min_base
        ),
        price=D(price),
        leverage=D(leverage),
        capital=Capital(account=account, free=D(free)),
        book_capacity=D(book),
        base_fee=D(base_fee),
        ratio=D(ratio),
    )


def plan(
    *legs: LegCapacity,
    requested: str = "1000000",
    equity: Decimal = RICH,
    limits: dict[str, Decimal] | None = None,
) -> PlannedSize | Refusal:
    return plan_size(
        requested_usd=D(requested),
        legs=legs,
        total_equity_usd=equity,
        limits_left_usd=limits or {},
        parameters=Parameters(),
    )


def planned(*legs: LegCapacity, requested: str = "1000000") -> PlannedSize:
    size = plan(*legs, requested=requested)
    assert isinstance(size, PlannedSize)
    return size


def test_size_is_what_the_weaker_account_is_planned_to_carry() -> None:
    size = planned(leg("bybit", free="10000"), leg("binanceusdm", free="20000"))

    # 0.8 x 0.70 x 10,000 x 2 = 11,200; at 50,000 that is 0.224.
    assert size.base_quantity == D("0.224")
    assert size.size_usd == 11_200
    assert size.bound_by == "the free capital"
    assert size.order_quantities == (D("0.224"), D("0.224"))


def test_an_account_shared_by_both_legs_counts_once() -> None:
    size = planned(leg("bybit", leverage="1"), leg("bybit", leverage="1"))

    # 0.8 x 7,000 split over two legs without leverage: 2,800
    assert size.base_quantity == D("0.056")


def test_no_venue_holds_more_than_its_part_of_all_equity() -> None:
    size = plan(leg("bybit"), leg("binanceusdm"), equity=D(10_000))

    # 0.40 x 10,000 = 4,000 margin, less than 7,000: 0.8 x 4,000 x 2
    assert isinstance(size, PlannedSize) and size.size_usd == 6_400


def test_buffer_is_not_eaten_by_later_positions() -> None:
    first = leg("bybit", free="10000")
    # 0.8 x 0.70 x 10,000 of margin are planned; 7,000 - 5,600 = 1,400 of the active part are left.
    second = replace(first, capital=Capital(account="bybit", free=D(4_400), used_margin=D(5_600)))
    # 7,000 less 5,600 in coins likewise.
    bought = replace(first, capital=Capital(account="bybit", free=D(4_400), coins=D(5_600)))

    assert planned_usd([first], RICH, Parameters()) == 11_200
    assert planned_usd([second], RICH, Parameters()) == D("0.8") * 1_400 * 2
    assert planned_usd([bought], RICH, Parameters()) == D("0.8") * 1_400 * 2


def test_size_is_bound_by_the_thinner_book() -> None:
    size = planned(leg("bybit", book="0.1237"), leg("binanceusdm"))

    assert size.base_quantity == D("0.123")
    assert size.bound_by == "what BTC/USDT:USDT on bybit can take"


def test_size_is_at_most_a_hundredth_of_what_is_held_at_the_venue() -> None:
    # 1 % of 24 coins is 0.24; at 50,000 that is 12,000 USD. Half a leg may be of twice the size.
    rich, held = leg("binanceusdm", free="1000000"), interest_room(D(24))
    whole = replace(leg("bybit", free="1000000"), interest_room=held)
    half = replace(whole, ratio=D("0.5"))

    assert planned(rich, whole).size_usd == 12_000
    assert planned(rich, whole).bound_by == "1 % of open interest at bybit"
    assert planned(rich, half).size_usd == 24_000


def test_size_is_at_most_what_the_venues_risk_tiers_leave() -> None:
    tiers = tiers_from([("20000", "50", "0.005"), ("100000", "2", "0.01")])
    # Up to 100,000 at 2x, 0.5 of it held at 50,000: 98,000 - 25,000 are 1.46 coins.
    room = tier_room(tiers, leverage=D(2), price=D(50_000), held=D("0.5"))
    rich = leg("binanceusdm", free="1000000")
    bound = replace(leg("bybit", free="1000000"), tier_room=room)

    assert room == D("1.46")
    assert planned(rich, bound).size_usd == 73_000
    assert planned(rich, bound).bound_by == "what bybit lets be held at 2x"
    assert planned(rich, replace(bound, ratio=D("0.5"))).size_usd == 146_000
    # At 3x the first tier alone counts, and it is held already.
    assert tier_room(tiers, leverage=D(3), price=D(50_000), held=D("0.5")) == 0
    assert tier_room(tiers, leverage=D(3), price=D(50_000), held=D(0)) == D("0.392")


def test_an_open_interest_too_small_for_an_order_is_named() -> None:
    refused = plan(leg("binanceusdm"), replace(leg(), interest_room=interest_room(D("0.05"))))

    # 0.0005 coins are below the lot of 0.001.
    assert isinstance(refused, Refusal)
    assert refused.sentence == (
        "25.00 USD, all that 1 % of open interest at bybit allows, gives 0.000 BTC in whole lots, "
        "below the minimum of BTC/USDT:USDT on binanceusdm (about 50.00 USD)."
    )


def test_capacity_is_at_most_one_order_of_the_venue() -> None:
    book = leg(book="0.2")
    limited = replace(book.instrument, max_base_quantity=D("0.15"))

    assert leg_capacity(book) == D("0.2")
    assert leg_capacity(replace(book, instrument=limited)) == D("0.15")


def test_equal_base_in_whole_lots_of_both_legs() -> None:
    size = planned(leg(lot="0.004"), leg("binanceusdm", lot="0.006"), requested="5000")

    # 0.1 base cut to the common lot 0.012
    assert size.lot == D("0.012")
    assert size.base_quantity == D("0.096")


def test_a_fee_taken_in_base_is_bought_on_top() -> None:
    spot = leg("binance", price="100", lot="0.01", base_fee="0.001", leverage="1")
    size = planned(spot, leg("bybit", price="100", lot="0.1"), requested="1000")

    # (10 - 0.01) x 0.999 = 9.98 → 9.9 hedged; 9.9 / 0.999 = 9.9099 → 9.91 bought
    assert size.base_quantity == D("9.9")
    assert size.order_quantities == (D("9.91"), D("9.9"))


def test_legs_are_sized_by_their_part_of_the_position() -> None:
    whole = leg("binance", price="100", lot="0.1", leverage="1", free="2000")
    halves = [
        leg("bybit", price="100", lot="0.1", leverage="1", free="1000", ratio="0.5"),
        leg("okx", price="100", lot="0.3", free="1000", ratio="0.5", book="3.2"),
    ]
    size = planned(whole, *halves)

    # each half carries 560 of capital, which is 1,120 of the whole; the book takes 3.2, which is
    # 6.4 of it; half of the base must be lots of 0.1 and of 0.3: 0.6
    assert size.bound_by == "what BTC/USDT:USDT on okx can take"
    assert size.lot == D("0.6")
    assert size.base_quantity == 6
    assert size.order_quantities == (D(6), D(3), D(3))
    assert size.size_usd == 600


def test_what_is_below_a_minimum_is_refused_with_the_value() -> None:
    refusal = plan(leg(), leg("binanceusdm", min_notional="100"), requested="60")

    assert isinstance(refusal, Refusal) and refusal.code == "below_minimum"
    assert refusal.sentence == (
        "60.00 USD, all that the size asked for allows, gives 0.001 BTC in whole lots, below the "
        "minimum of BTC/USDT:USDT on binanceusdm (about 100.00 USD)."
    )


def test_an_exhausted_limit_is_refused_by_its_name() -> None:
    refusal = plan(leg(), leg("okx"), limits={"the limit per pair": D(0)})

    assert refusal == Refusal(code="no_room", sentence="Nothing is left of the limit per pair.")


def test_safe_leverage_falls_with_volatility() -> None:
    assert max_safe_leverage(D("0.03")).quantize(D("0.01")) == D("16.67")
    assert recommended_leverage(D("0.03"), cap=D(5)) == 5
    assert recommended_leverage(D("0.03"), cap=D(10)) == 8
    assert recommended_leverage(D("0.5"), cap=D(5)) == 1


def test_size_for_an_income() -> None:
    size = size_for_income(D(50), D("0.0001"), D(3))

    assert size.quantize(D(1)) == 166_667
    assert (size / 50_000).quantize(D("0.01")) == D("3.33")


@quick
@given(
    prices,
    st.tuples(lots, lots),
    decimals("1", "1000000", places=2),
    decimals("0", "100000", places=2),
    decimals("0.0001", "1000", places=4),
    st.sampled_from(["0", "0.001"]),
)
def test_size_never_exceeds_any_limit_and_legs_are_equal(
    price: Decimal,
    two_lots: tuple[Decimal, Decimal],
    requested: Decimal,
    limit: Decimal,
    book: Decimal,
    fee: str,
) -> None:
    first = leg("binance", price=str(price), lot=str(two_lots[0]), book=str(book), base_fee=fee)
    second = leg("bybit", price=str(price * D("1.01")), lot=str(two_lots[1]), book=str(book))

    size = plan(first, second, requested=str(requested), limits={"the limit": limit})

    if isinstance(size, PlannedSize):
        most = min(requested, limit, D(11_200))
        assert size.base_quantity % two_lots[0] == size.base_quantity % two_lots[1] == 0
        assert size.base_quantity <= book
        for one, ordered in zip((first, second), size.order_quantities, strict=True):
            assert ordered * one.price <= most
            assert size.base_quantity <= ordered
            assert ordered * (1 - one.base_fee) - size.base_quantity < one.instrument.lot
