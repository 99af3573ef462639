"""In the maker style the leg that rests is planned at its maker fee, never at less than is sure."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.market import D
from tests.strategies.legs import configured, counted, make_future, make_perp, make_spot
from trading.strategies.base import InstrumentFacts

pytestmark = pytest.mark.core


def resting(facts: InstrumentFacts, maker_fee: str | None) -> InstrumentFacts:
    return replace(facts, maker_fee=None if maker_fee is None else D(maker_fee))


def fees_of(spot_maker: str | None, perp_maker: str | None, **values: object) -> Decimal:
    """Return all fees of a carry whose takers pay 10 and 5 bp."""
    legs = (resting(make_spot(), spot_maker), resting(make_perp("bybit"), perp_maker))
    return counted("cash_and_carry", legs, configured(**values)).costs.fees


TAKERS = D("0.0030")


@pytest.mark.parametrize(
    ("first", "fees"),
    [
        # The perpetual would save 3 bp, the spot 4: which goes first is not known yet.
        ("auto", "0.0027"),
        ("perp", "0.0027"),
        ("spot", "0.0026"),
        ("long", "0.0026"),
        ("short", "0.0027"),
    ],
)
def test_one_opening_is_planned_at_the_maker_fee(first: str, fees: str) -> None:
    assert fees_of("0.0006", "0.0002", entry_style="maker", first_leg=first) == D(fees)


@pytest.mark.parametrize("style", ["limit_at_mid", "both_at_once"])
def test_other_styles_plan_as_takers(style: str) -> None:
    assert fees_of("0.0006", "0.0002", entry_style=style) == TAKERS


def test_a_rebate_is_planned_as_nothing() -> None:
    assert fees_of("0.0006", "-0.0001", entry_style="maker", first_leg="perp") == D("0.0025")


@pytest.mark.parametrize("maker", [None, "0.0005", "0.0007"])
def test_a_maker_fee_that_is_not_known_or_not_less_saves_nothing(maker: str | None) -> None:
    assert fees_of("0.0006", maker, entry_style="maker", first_leg="perp") == TAKERS


def test_a_leg_saves_by_its_part_of_the_position() -> None:
    legs = (
        resting(make_spot(), "0.0006"),
        resting(make_perp("bybit"), "0.0001"),
        resting(make_future("bybit"), "0.0003"),
    )

    candidate = counted("split_carry", legs, configured(entry_style="maker"))

    # 4 bp of a whole, 4 of a half or 2 of a half: the least is 1 bp.
    assert candidate.costs.fees == D("0.0030") - D("0.0001")


def test_what_is_expected_rises_by_what_is_saved_and_by_no_more() -> None:
    legs = (resting(make_spot(), "0.0006"), resting(make_perp("bybit"), "0.0002"))

    taken = counted("cash_and_carry", legs, configured())
    rested = counted("cash_and_carry", legs, configured(entry_style="maker"))

    assert taken.net_return is not None and rested.net_return is not None
    assert rested.net_return - taken.net_return == D("0.0003")
    assert rested.costs.slippage == taken.costs.slippage
    assert rested.costs.closing == taken.costs.closing
