"""What the calculator page counts, with the functions that production decides by.

Fractions of one leg's notional unless a name ends in `_usd`; formulas: `docs/DOMAIN.md` 3 to 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from exchanges.domain import Side
from trading.core.basis import gap_credit, price_gap
from trading.core.costs import BreakEven, LegCost, RoundTrip, break_even, net_apr, net_return
from trading.core.funding import (
    HOURS_PER_YEAR,
    CarryEstimator,
    CarryModel,
    FundingLeg,
    expected_carry,
    funding_spread_8h,
    leg_carry,
    rate_8h,
)
from trading.core.liquidation import (
    CRITICAL_DISTANCE,
    WARNING_DISTANCE,
    liquidation_distance,
    liquidation_price,
)
from trading.core.sizing import max_safe_leverage, recommended_leverage, size_for_income

ZERO, ONE = Decimal(0), Decimal(1)
EIGHT = Decimal(8)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegInput:
    """One leg as a person states it. `funding_rate` per interval; no interval: it pays none.

    `fee` is of one order, `slippage` the way from mid to its fill at entry; `exit_slippage` None is
    as at entry.
    """

    side: Side
    price: Decimal
    funding_rate: Decimal
    interval: timedelta | None
    settles_in: timedelta
    fee: Decimal
    slippage: Decimal
    exit_slippage: Decimal | None = None

    def funding_leg(self, now: datetime) -> FundingLeg | None:
        """Return what settles of it, the stated rate standing for its average too."""
        if self.interval is None:
            return None
        seconds = (self.interval + SECOND / 2) // SECOND
        return FundingLeg(
            side=self.side,
            predicted_rate=self.funding_rate,
            interval_seconds=seconds,
            next_funding_at=now + self.settles_in,
            carry_8h=rate_8h(self.funding_rate, seconds),
        )

    @property
    def cost(self) -> LegCost:
        return LegCost(
            open_fee=self.fee,
            close_fee=self.fee,
            entry_slippage=self.slippage,
            exit_slippage=self.slippage if self.exit_slippage is None else self.exit_slippage,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Arbitrage:
    """Everything of one hedged pair over a hold; `gap_usd` is per unit of the base."""

    gap_usd: Decimal
    entry_gap: Decimal
    gap_credit: Decimal
    spread_8h: Decimal
    spread_apr: Decimal
    settlements: tuple[int, ...]
    expected_funding: Decimal
    fees: Decimal
    slippage: Decimal
    borrow: Decimal
    transfer: Decimal
    net_return: Decimal
    net_apr: Decimal
    break_even: BreakEven | None
    size_usd: Decimal

    @property
    def net_usd(self) -> Decimal:
        return self.net_return * self.size_usd


def arbitrage(
    legs: Sequence[LegInput],
    *,
    size_usd: Decimal,
    hold: timedelta,
    kept: Decimal,
    exit_gap: Decimal,
    borrow_per_hour: Decimal,
    transfer_usd: Decimal,
    round_trips: int,
    now: datetime,
) -> Arbitrage:
    """Count a long and a short leg through over `hold`.

    `kept` is the part of the stated rates that is expected to last (beta), `exit_gap` the gap
    expected at the exit, `transfer_usd` what moving capital costs once for `round_trips` trades.
    """
    long, short = legs
    model = CarryModel(estimator=CarryEstimator.EWMA, beta=kept)
    funded = [leg for each in legs if (leg := each.funding_leg(now)) is not None]
    carries = [carry for leg in funded if (carry := leg_carry(leg, model)) is not None]
    costs = RoundTrip(
        legs=(long.cost, short.cost),
        borrow_per_hour=borrow_per_hour,
        transfer=transfer_usd / size_usd / round_trips,
    )
    entry_gap = price_gap(long.price, short.price)
    credit = gap_credit(entry_gap, exit_gap)
    funding = expected_carry(funded, now=now, horizon=hold, model=model) or ZERO
    net = net_return(expected_funding=funding, gap_credit=credit, costs=costs, horizon=hold)
    spread = funding_spread_8h(funded)
    return Arbitrage(
        gap_usd=short.price - long.price,
        entry_gap=entry_gap,
        gap_credit=credit,
        spread_8h=spread,
        spread_apr=spread / EIGHT * HOURS_PER_YEAR,
        settlements=tuple(carry.count(now, hold) for carry in carries),
        expected_funding=funding,
        fees=costs.fees,
        slippage=costs.slippage,
        borrow=costs.over(hold) - costs.fixed,
        transfer=costs.transfer,
        net_return=net,
        net_apr=net_apr(net, hold),
        break_even=break_even(carries, gap_credit=credit, costs=costs, now=now),
        size_usd=size_usd,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomeSize:
    """The notional of one leg that earns an income, before costs."""

    size_usd: Decimal
    base_quantity: Decimal
    apr: Decimal


def income_size(
    *, income_per_day: Decimal, funding_rate: Decimal, settlements_per_day: Decimal, price: Decimal
) -> IncomeSize:
    """Return what 50 USD a day need: at 0.01 % x 3 a day 166,667 USD, 3.33 BTC at 50,000."""
    size = size_for_income(income_per_day, funding_rate, settlements_per_day)
    return IncomeSize(
        size_usd=size,
        base_quantity=size / price,
        apr=funding_rate * settlements_per_day * 365,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastGap:
    """The price gap that pays. `opening_only` forgets that the legs must be closed too."""

    opening_only: Decimal
    all_four_legs: Decimal


def least_gap(
    *,
    spot_fee: Decimal,
    perpetual_fee: Decimal,
    slippage: Decimal,
    transfer_usd: Decimal,
    size_usd: Decimal,
    profit: Decimal,
) -> LeastGap:
    """Return the least opening gap for a profit; `slippage` is of one order."""
    opening = spot_fee + perpetual_fee + 2 * slippage
    transfer = transfer_usd / size_usd
    return LeastGap(
        opening_only=opening + transfer + profit,
        all_four_legs=2 * opening + transfer + profit,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeLeverage:
    """`most` as the formula has it, `half` of it in whole steps, `recommended` within the cap."""

    most: Decimal
    half: Decimal
    recommended: Decimal


def safe_leverage(daily_volatility: Decimal, cap: Decimal) -> SafeLeverage:
    """Return the leverage a daily volatility allows: 3 % is 16.67, half of it 8, capped 5."""
    most = max_safe_leverage(daily_volatility)
    return SafeLeverage(
        most=most,
        half=max((most / 2).to_integral_value(ROUND_FLOOR), ONE),
        recommended=recommended_leverage(daily_volatility, cap),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LegLiquidation:
    """Where one leg ends; prices. `distance` is from the mark price, as a part of it."""

    side: Side
    price: Decimal
    distance: Decimal
    warning_at: Decimal
    critical_at: Decimal


def liquidations(
    *, entry_price: Decimal, leverage: Decimal, maintenance: Decimal, mark_price: Decimal
) -> tuple[LegLiquidation, LegLiquidation]:
    """Return the long and the short leg of an isolated linear position."""
    long, short = (
        _liquidation(side, entry_price, leverage, maintenance, mark_price)
        for side in (Side.BUY, Side.SELL)
    )
    return long, short


def _liquidation(
    side: Side, entry: Decimal, leverage: Decimal, maintenance: Decimal, mark: Decimal
) -> LegLiquidation:
    price = liquidation_price(
        entry_price=entry, leverage=leverage, maintenance=maintenance, side=side
    )
    return LegLiquidation(
        side=side,
        price=price,
        distance=liquidation_distance(price, mark),
        # |liquidation - p| / p = d
        warning_at=price / (1 - side.sign * WARNING_DISTANCE),
        critical_at=price / (1 - side.sign * CRITICAL_DISTANCE),
    )
