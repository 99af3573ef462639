from __future__ import annotations

from datetime import timedelta

import pytest

from exchanges.domain import Side
from tests.market import NOW, D
from trading.core.funding import FundingLeg, SettledRate
from trading.core.parameters import Parameters
from trading.strategies.base import (
    ExitReason,
    ExitSignal,
    HeldPosition,
    OpenReason,
    Strategy,
)
from trading.strategies.funding_spread import FundingSpread

pytestmark = pytest.mark.core

STRATEGY: Strategy = FundingSpread()
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def held(
    *,
    rate: str = "0.0003",
    carry: str | None = "0.0003",
    age: timedelta = HOUR,
    spread_8h: str | None = "0.0003",
    spread_24h: str | None = "0.0003",
    pnl: str = "0",
    settled: tuple[str, ...] = (),
) -> HeldPosition:
    leg = FundingLeg(
        side=Side.SELL,
        predicted_rate=D(rate),
        interval_seconds=28_800,
        next_funding_at=NOW + HOUR,
        carry_8h=None if carry is None else D(carry),
    )
    return HeldPosition(
        open_reason=OpenReason.FUNDING,
        opened_at=NOW - age,
        legs=(leg,),
        exit_cost=D("0.0010"),
        spread_8h=None if spread_8h is None else D(spread_8h),
        spread_24h=None if spread_24h is None else D(spread_24h),
        net_pnl_usd=D(pnl),
        capital_usd=D(10_000),
        settled=tuple(
            SettledRate(
                settled_at=NOW - (len(settled) - i) * 8 * HOUR,
                rate_8h=D(rate),
                interval_seconds=28_800,
            )
            for i, rate in enumerate(settled)
        ),
    )


def signal(position: HeldPosition, **values: object) -> ExitSignal | None:
    return STRATEGY.exit_signal(position, parameters=Parameters.from_values(values), now=NOW)


def reason(position: HeldPosition, **values: object) -> ExitReason | None:
    found = signal(position, **values)
    return None if found is None else found.reason


def test_position_that_earns_is_kept_in_every_mode() -> None:
    for mode in ("conservative", "moderate", "aggressive", "cost_aware"):
        assert reason(held(age=30 * DAY), negative_spread_tolerance=mode) is None


def test_stop_loss_is_two_percent_of_capital_unless_said_otherwise() -> None:
    assert reason(held(pnl="-199.99")) is None
    assert signal(held(pnl="-200")) == ExitSignal(
        reason=ExitReason.STOP_LOSS,
        sentence="Net P&L is −200.00 USD, at the stop loss of −200.00 USD.",
    )
    assert reason(held(pnl="-50"), stop_loss_usd="50") is ExitReason.STOP_LOSS
    assert reason(held(pnl="-9000"), stop_loss_pct="") is None


def test_take_profit_is_off_unless_set() -> None:
    assert reason(held(pnl="9000")) is None
    assert reason(held(pnl="100"), take_profit_pct="1") is ExitReason.TAKE_PROFIT
    assert reason(held(pnl="99.99"), take_profit_usd="100") is None


def test_target_spread_closes_when_reached() -> None:
    assert reason(held(spread_8h="0.0001"), target_spread="0.0001") is ExitReason.TARGET_SPREAD
    assert reason(held(spread_8h="0.0002"), target_spread="0.0001") is None
    assert reason(held(spread_8h=None), target_spread="0.0001") is None


def test_conservative_closes_at_once_below_zero() -> None:
    mode = "conservative"

    assert reason(held(spread_8h="-0.000001"), negative_spread_tolerance=mode) is (
        ExitReason.NEGATIVE_SPREAD
    )
    assert reason(held(spread_8h="0"), negative_spread_tolerance=mode) is None


@pytest.mark.parametrize(
    ("mode", "spread", "age", "closes"),
    [
        ("moderate", "-0.00011", 3 * DAY, True),
        ("moderate", "-0.00011", 3 * DAY - MINUTE, False),
        ("moderate", "-0.00010", 9 * DAY, False),
        ("aggressive", "-0.00025", 9 * DAY, False),
        ("aggressive", "-0.00031", 3 * DAY, True),
    ],
)
def test_moderate_and_aggressive_bear_a_day_and_a_least_hold(
    mode: str, spread: str, age: timedelta, closes: bool
) -> None:
    position = held(spread_8h="-0.0009", spread_24h=spread, age=age)

    assert (reason(position, negative_spread_tolerance=mode) is not None) is closes


def test_cost_aware_closes_when_staying_costs_more_than_leaving() -> None:
    # 20 settlements at half of the average and the coming one as predicted: -0.0030 - 0.0003.
    assert signal(held(carry="-0.0003", rate="-0.0003")) == ExitSignal(
        reason=ExitReason.COST_OF_STAYING,
        sentence=(
            "Staying 168.0 h is expected to bring −0.3300 %, worse than the 0.1000 % that "
            "leaving costs."
        ),
    )
    # 21 x -0.00002 = -0.00042: cheaper to stay, until the hold time is over.
    young, old = (held(carry="-0.00004", rate="0", age=age) for age in (HOUR, 8 * DAY))
    assert reason(young) is None
    assert reason(old) is ExitReason.COST_OF_STAYING


def test_a_sign_flip_or_missing_history_closes_nothing_by_itself() -> None:
    assert reason(held(rate="-0.0001", spread_8h="-0.0001", age=8 * DAY)) is None
    assert reason(held(rate="-0.01", carry=None, age=8 * DAY)) is None


def test_a_funding_regime_has_turned_when_three_averages_are_negative_and_staying_costs() -> None:
    turned = ("0.0001", "-0.0009", "-0.0009", "-0.0009")
    bleeding = held(carry="-0.0003", rate="-0.0003", settled=turned)

    found = signal(bleeding)

    # the averages after the second, third and fourth settlement are negative
    assert found is not None
    assert found.reason is ExitReason.FUNDING_REGIME
    assert "negative at 3 settlements in a row" in found.sentence
    assert "worse than the 0.1000 % that leaving costs" in found.sentence


def test_a_funding_regime_has_not_turned_at_two_settlements_or_while_staying_pays() -> None:
    recent = ("0.0030", "-0.0009", "-0.0009", "-0.0009")
    staying = ExitReason.COST_OF_STAYING

    assert reason(held(carry="-0.0003", rate="-0.0003", settled=recent)) is staying
    assert reason(held(settled=("-0.0001",) * 5)) is None
    assert reason(held(carry="-0.0003", rate="-0.0003", settled=("-0.0009",) * 2)) is staying
