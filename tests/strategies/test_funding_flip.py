from __future__ import annotations

from dataclasses import replace

import pytest

from tests.market import D
from tests.strategies.legs import (
    configured,
    counted,
    make_held,
    make_perp,
    make_spot,
    reason,
    signal,
)
from trading.strategies.base import Candidate, ExitReason, HeldPosition, OpenReason
from trading.strategies.funding_flip import OPPOSITES
from trading.strategies.registry import STRATEGIES

pytestmark = pytest.mark.core

ON = configured(funding_flip="on")
# Forecast, probability of another sign, settled last.
FLIPPING = ("-0.0003", "0.71", "0.0001")


def opposite(carry: str) -> Candidate:
    """Return the other side of a carry: 21 settlements at half of `carry`, less 0.3 % of fees."""
    legs = (make_perp(rate=carry, carry_8h=carry), make_spot(borrow="0"))
    return counted("reverse_cash_and_carry", legs)


def held(
    forecast: tuple[str, str, str] | None = FLIPPING,
    other: Candidate | None = None,
    why: OpenReason = OpenReason.FUNDING,
) -> HeldPosition:
    return make_held(reason=why, forecast=forecast, opposite=other)


def test_a_likely_flip_switches_sides_where_the_other_side_pays() -> None:
    # 21 x 0.0003 - 0.0030 = 0.0033, and leaving costs 0.0010
    found = signal("cash_and_carry", held(other=opposite("-0.0006")), ON)

    assert found is not None
    assert (found.reason, found.switches) == (ExitReason.FUNDING_FLIP, True)
    assert found.sentence == (
        "Funding is forecast at −0.0300 % per 8 h against us after 0.0100 %; a change of sign is "
        "71 % likely; the other side pays and is to be entered after this one, every gate asked "
        "again."
    )


@pytest.mark.parametrize(
    "other",
    [
        None,
        # 21 x 0.0001 is less than the fees
        opposite("-0.0002"),
        # 21 x 0.00018 - 0.0030 = 0.00078 pays for itself, not for leaving this side too
        opposite("-0.00036"),
    ],
)
def test_a_likely_flip_leaves_early_where_the_other_side_does_not_pay(
    other: Candidate | None,
) -> None:
    found = signal("cash_and_carry", held(other=other), ON)

    assert found is not None
    assert (found.reason, found.switches) == (ExitReason.FUNDING_FLIP, False)
    assert found.sentence.endswith("the other side does not pay.")


@pytest.mark.parametrize(
    "forecast",
    [
        None,
        ("-0.0003", "0.70", "0.0001"),
        ("0", "0.9", "0.0001"),
        ("0.0001", "0.9", "0.0001"),
        # paid by us already: the likely change is to plus
        ("-0.0003", "0.80", "-0.0009"),
        ("-0.0003", "0.80", "0"),
    ],
)
def test_it_stays_where_a_flip_is_unlikely_unknown_or_not_from_plus_to_minus(
    forecast: tuple[str, str, str] | None,
) -> None:
    assert reason("cash_and_carry", held(forecast), ON) is None


def test_it_stays_unless_switched_on_and_opened_on_funding() -> None:
    assert reason("cash_and_carry", held()) is None
    assert reason("cash_and_carry", held(why=OpenReason.BASIS), ON) is None
    assert reason("funding_spread", held(), ON) is ExitReason.FUNDING_FLIP


def test_money_comes_before_a_flip() -> None:
    assert reason("cash_and_carry", replace(held(), net_pnl_usd=D(-200)), ON) is (
        ExitReason.STOP_LOSS
    )


def test_the_opposite_of_a_strategy_holds_its_legs_the_other_way_round() -> None:
    for key, other in OPPOSITES.items():
        turned = [(place.side.opposite, place.kinds) for place in STRATEGIES[key].shape]
        shape = [(place.side, place.kinds) for place in STRATEGIES[other].shape]
        assert sorted(turned, key=str) == sorted(shape, key=str)
