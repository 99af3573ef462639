"""Matching, fees, margin, funding and liquidation, each with numbers worked by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain import Level, Side
from exchanges.matching import (
    Holding,
    MarginState,
    added_exposure,
    book_fill,
    cross_liquidation_price,
    crosses,
    funding_payment,
    maintenance_margin,
    notional_limit,
    reducible,
    take,
    tiers_from,
    trade_fee,
)

pytestmark = pytest.mark.core

D = Decimal
ASKS = (Level(price=D("100"), base_quantity=D("1")), Level(price=D("101"), base_quantity=D("2")))
TIERS = tiers_from([("50000", "100", "0.004"), ("500000", "50", "0.005")])
LONG = Holding(base_quantity=D("2"), cost=D("100000"))


def level(price: str, quantity: str) -> Level:
    return Level(price=D(price), base_quantity=D(quantity))


def test_a_market_order_walks_the_book_from_the_best_price() -> None:
    taken = take(ASKS, side=Side.BUY, base_quantity=D("2.5"), limit=None)

    assert taken == (level("100", "1"), level("101", "1.5"))


def test_a_limit_stops_the_walk_and_leaves_the_rest() -> None:
    taken = take(ASKS, side=Side.BUY, base_quantity=D("2.5"), limit=D("100"))

    assert taken == (level("100", "1"),)


def test_an_order_larger_than_the_book_fills_in_part() -> None:
    taken = take(ASKS, side=Side.BUY, base_quantity=D("9"), limit=None)

    assert sum(row.base_quantity for row in taken) == D("3")


@pytest.mark.parametrize(
    ("side", "price", "is_taken"),
    [
        (Side.BUY, "100", True),
        (Side.BUY, "99.9", False),
        (Side.SELL, "100", True),
        (Side.SELL, "100.1", False),
    ],
)
def test_a_limit_at_the_opposite_touch_crosses(side: Side, price: str, is_taken: bool) -> None:
    assert crosses(side, D(price), D("100")) is is_taken


def test_adding_to_a_position_averages_its_entry() -> None:
    first = book_fill(Holding(), side=Side.BUY, base_quantity=D("1"), price=D("100")).holding

    second = book_fill(first, side=Side.BUY, base_quantity=D("3"), price=D("104"))

    # (100 + 3 x 104) / 4 = 103
    assert (second.holding.entry_price, second.realised_pnl) == (D("103"), D("0"))


def test_reducing_realises_against_the_entry_and_keeps_it() -> None:
    # 2 bought at 50,000; half sold at 51,000 earns 1 x 1,000.
    booked = book_fill(LONG, side=Side.SELL, base_quantity=D("1"), price=D("51000"))

    assert booked.realised_pnl == D("1000")
    assert booked.holding == Holding(base_quantity=D("1"), cost=D("50000"))


def test_a_short_earns_when_it_is_bought_back_lower() -> None:
    short = book_fill(Holding(), side=Side.SELL, base_quantity=D("2"), price=D("100")).holding

    booked = book_fill(short, side=Side.BUY, base_quantity=D("2"), price=D("90"))

    assert (booked.realised_pnl, booked.holding) == (D("20"), Holding())


def test_crossing_zero_closes_first_and_opens_the_rest_at_the_new_price() -> None:
    booked = book_fill(LONG, side=Side.SELL, base_quantity=D("3"), price=D("49000"))

    # 2 closed at -1,000 each; 1 sold short at 49,000.
    assert booked.realised_pnl == D("-2000")
    assert booked.holding == Holding(base_quantity=D("-1"), cost=D("-49000"))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Side)),
            st.decimals("0.001", "50", places=3),
            st.decimals("1", "90000", places=1),
        ),
        max_size=12,
    ),
    st.decimals("1", "90000", places=1),
)
def test_realised_and_unrealised_sum_to_what_was_bought_and_sold(
    fills: list[tuple[Side, Decimal, Decimal]], mark: Decimal
) -> None:
    holding, realised, cash = Holding(), D(0), D(0)
    for side, quantity, price in fills:
        holding, gain = book_fill(holding, side=side, base_quantity=quantity, price=price)
        realised += gain
        cash -= side.sign * quantity * price

    worth = cash + holding.base_quantity * mark

    assert abs(realised + holding.unrealised_pnl(mark) - worth) < D("1e-15")


@pytest.mark.parametrize(
    ("held", "side", "wanted", "allowed"),
    [
        ("2", Side.SELL, "1", "1"),
        ("2", Side.SELL, "5", "2"),
        ("2", Side.BUY, "1", "0"),
        ("-2", Side.BUY, "3", "2"),
        ("0", Side.SELL, "1", "0"),
    ],
)
def test_reduce_only_never_grows_or_turns_a_position(
    held: str, side: Side, wanted: str, allowed: str
) -> None:
    holding = Holding(base_quantity=D(held), cost=D(held))

    assert reducible(holding, side=side, base_quantity=D(wanted)) == D(allowed)


def test_only_what_grows_the_position_needs_margin() -> None:
    assert added_exposure(LONG, side=Side.BUY, base_quantity=D("1")) == D("1")
    assert added_exposure(LONG, side=Side.SELL, base_quantity=D("3")) == D("0")
    assert added_exposure(LONG, side=Side.SELL, base_quantity=D("5")) == D("1")


def test_a_taker_pays_five_basis_points_of_notional() -> None:
    assert trade_fee(notional=D("3065.42"), rate=D("0.0005")) == D("1.53271")


@pytest.mark.parametrize(
    ("position", "rate", "payment"),
    [
        ("0.5", "0.0015", "-45"),  # a long pays a positive rate
        ("-0.5", "0.0015", "45"),  # and the short receives it
        ("0.5", "-0.0015", "45"),
    ],
)
def test_funding_is_paid_on_the_settlement_price(position: str, rate: str, payment: str) -> None:
    paid = funding_payment(
        position_base=D(position), settlement_price=D("60000"), funding_rate=D(rate)
    )

    assert paid == D(payment)


def test_maintenance_is_continuous_where_tiers_meet() -> None:
    # 60,000 x 0.005 - 50,000 x 0.001 = 250
    assert maintenance_margin(D("50000"), TIERS) == D("200")
    assert maintenance_margin(D("60000"), TIERS) == D("250")


def test_higher_leverage_allows_a_smaller_position() -> None:
    assert notional_limit(D("100"), TIERS) == D("50000")
    assert notional_limit(D("50"), TIERS) == D("500000")
    assert notional_limit(D("125"), TIERS) == D("0")


def test_a_wallet_is_liquidatable_below_its_maintenance_margin() -> None:
    state = MarginState(
        wallet_balance=D("500"),
        unrealised_pnl=D("-301"),
        initial_margin=D("300"),
        order_margin=D("0"),
        maintenance_margin=D("200"),
    )

    assert (state.equity, state.available, state.is_liquidatable) == (D("199"), D("0"), True)


def test_equity_meets_maintenance_at_the_liquidation_price() -> None:
    # 1 BTC long from 50,000 with 5,000: P = (50,000 - 5,000) / (1 - 0.004) = 45,180.72
    holding = Holding(base_quantity=D("1"), cost=D("50000"))
    state = MarginState(
        wallet_balance=D("5000"),
        unrealised_pnl=D("0"),
        initial_margin=D("2500"),
        order_margin=D("0"),
        maintenance_margin=D("200"),
    )

    price = cross_liquidation_price(holding, state=state, mark_price=D("50000"), tiers=TIERS)

    assert price is not None
    assert round(price, 2) == D("45180.72")
    assert round(D("5000") + price - 50000, 8) == round(price * D("0.004"), 8)


def test_a_fully_paid_long_has_no_liquidation_price() -> None:
    holding = Holding(base_quantity=D("1"), cost=D("50000"))
    state = MarginState(
        wallet_balance=D("60000"),
        unrealised_pnl=D("0"),
        initial_margin=D("2500"),
        order_margin=D("0"),
        maintenance_margin=D("200"),
    )

    price = cross_liquidation_price(holding, state=state, mark_price=D("50000"), tiers=TIERS)

    assert price is None
