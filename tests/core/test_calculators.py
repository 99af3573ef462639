"""The calculators, with the worked examples of `docs/DOMAIN.md`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given

from exchanges.domain import Side
from tests.generated import decimals, quick
from tests.market import NOW, D
from trading.core.calculators import (
    Arbitrage,
    LegInput,
    arbitrage,
    income_size,
    least_gap,
    liquidations,
    safe_leverage,
)
from trading.core.money import for_display

pytestmark = pytest.mark.core

EIGHT_HOURS, WEEK = timedelta(hours=8), timedelta(days=7)


def leg(
    side: Side,
    price: str,
    rate: str = "0",
    *,
    interval: timedelta | None = EIGHT_HOURS,
    fee: str = "0.0005",
    slippage: str = "0.0001",
    exit_slippage: str | None = None,
) -> LegInput:
    return LegInput(
        side=side,
        price=D(price),
        funding_rate=D(rate),
        interval=interval,
        settles_in=timedelta(hours=1),
        fee=D(fee),
        slippage=D(slippage),
        exit_slippage=None if exit_slippage is None else D(exit_slippage),
    )


def count(
    long: LegInput,
    short: LegInput,
    *,
    hold: timedelta = WEEK,
    kept: str = "1",
    exit_gap: str = "0",
    borrow_per_hour: str = "0",
    transfer_usd: str = "0",
) -> Arbitrage:
    return arbitrage(
        (long, short),
        size_usd=D(10_000),
        hold=hold,
        kept=D(kept),
        exit_gap=D(exit_gap),
        borrow_per_hour=D(borrow_per_hour),
        transfer_usd=D(transfer_usd),
        round_trips=1,
        now=NOW,
    )


def test_the_price_gap_of_the_worked_example() -> None:
    found = count(leg(Side.BUY, "49950", "0.00005"), leg(Side.SELL, "50100", "0.00015"))

    assert found.gap_usd == 150
    assert found.spread_8h == D("0.0001")
    # 0.0001 per 8 h is 10.95 % a year
    assert found.spread_apr == D("0.1095")


def test_the_exit_may_slip_further_than_the_entry() -> None:
    alike = count(leg(Side.BUY, "50000"), leg(Side.SELL, "50000"))
    found = count(leg(Side.BUY, "50000", exit_slippage="0.0007"), leg(Side.SELL, "50000"))

    assert (alike.slippage, found.slippage) == (D("0.0004"), D("0.0010"))
    assert found.net_return == alike.net_return - D("0.0006")


def test_a_hold_is_counted_through_as_section_three_says() -> None:
    found = count(leg(Side.BUY, "50000", "0.0001"), leg(Side.SELL, "50000", "0.0003"), kept="0.5")

    # 21 settlements in 7 days from an hour away; half of 0.0002 each
    assert found.settlements == (21, 21)
    assert found.expected_funding == D("0.0021") - D("0.00005")
    assert (found.fees, found.slippage, found.borrow) == (D("0.002"), D("0.0004"), 0)
    # the coming settlement counts what lowers the result: the long leg pays its full 0.0001
    assert found.net_return == D("0.00205") - D("0.0024")
    assert found.net_usd == D("-3.5")
    assert found.net_apr == found.net_return / 7 * 365
    # -0.00005 + 0.0001 n >= 0.0024: n = 25, 24 intervals after the first
    assert found.break_even is not None
    assert found.break_even.settlements == 25
    assert found.break_even.hold == timedelta(hours=1) + 24 * EIGHT_HOURS


def test_spot_pays_no_funding_and_a_loan_costs_by_the_hour() -> None:
    spot = leg(Side.SELL, "50000", interval=None)
    found = count(leg(Side.BUY, "50000", "-0.0001"), spot, borrow_per_hour="0.00001")

    assert found.settlements == (21,)
    assert found.expected_funding == D("0.0021")
    assert found.borrow == D("0.00168")


def test_a_closing_gap_is_credited_by_half_and_an_opening_one_in_full() -> None:
    long, short = leg(Side.BUY, "100"), leg(Side.SELL, "101")

    assert count(long, short).gap_credit == D("0.005")
    assert count(long, short, exit_gap="0.02").gap_credit == D("-0.01")


def test_transfers_are_paid_once_from_the_size() -> None:
    found = count(leg(Side.BUY, "100"), leg(Side.SELL, "100"), transfer_usd="25")

    assert found.transfer == D("0.0025")
    assert found.break_even is None


@quick
@given(decimals("0", "0.01"), decimals("0", "0.01"))
def test_a_higher_fee_never_returns_more(fee: D, more: D) -> None:
    short = leg(Side.SELL, "50010", "0.0002")
    cheap = count(leg(Side.BUY, "50000", fee=str(fee)), short)
    dear = count(leg(Side.BUY, "50000", fee=str(fee + more)), short)

    assert dear.net_return <= cheap.net_return


def test_fifty_dollars_a_day_need_three_and_a_third_bitcoin() -> None:
    found = income_size(
        income_per_day=D(50),
        funding_rate=D("0.0001"),
        settlements_per_day=D(3),
        price=D(50_000),
    )

    assert for_display(found.size_usd, 0) == 166_667
    assert for_display(found.base_quantity, 2) == D("3.33")
    assert found.apr == D("0.1095")


def test_the_least_gap_of_the_source_forgets_the_closing() -> None:
    found = least_gap(
        spot_fee=D("0.001"),
        perpetual_fee=D("0.0005"),
        slippage=D("0.001"),
        transfer_usd=D(25),
        size_usd=D(5_000),
        profit=D("0.003"),
    )

    assert found.opening_only == D("0.0115")
    assert found.all_four_legs == D("0.015")


def test_three_percent_a_day_allow_sixteen_and_recommend_five() -> None:
    found = safe_leverage(D("0.03"), D(5))

    assert for_display(found.most, 2) == D("16.67")
    assert (found.half, found.recommended) == (8, 5)


def test_a_wild_asset_is_never_recommended_less_than_one() -> None:
    assert safe_leverage(D("0.9"), D(5)).recommended == 1


def test_liquidation_prices_of_the_worked_example() -> None:
    long, short = liquidations(
        entry_price=D(50_000), leverage=D(5), maintenance=D("0.005"), mark_price=D(50_000)
    )

    assert for_display(long.price, 2) == D("40201.01")
    assert for_display(short.price, 2) == D("59701.49")
    # |40,201.01 - 50,000| / 50,000 and |59,701.49 - 50,000| / 50,000
    assert for_display(long.distance, 4) == D("0.1960")
    assert for_display(short.distance, 4) == D("0.1940")
    # 40,201.01 / 0.9 and 59,701.49 / 1.1; critical 40,201.01 / 0.95 and 59,701.49 / 1.05
    assert for_display(long.warning_at, 2) == D("44667.78")
    assert for_display(short.warning_at, 2) == D("54274.08")
    assert for_display(long.critical_at, 2) == D("42316.85")
    assert for_display(short.critical_at, 2) == D("56858.56")
