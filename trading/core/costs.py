"""Cost, expected return and break-even, all as fractions of one leg's notional.

Formulas: `docs/DOMAIN.md` section 3. Fees are the account's own; a maker rebate counts as nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain import Level
from trading.core.funding import HOURS_PER_YEAR, LegCarry, next_settlement

ZERO, ONE = Decimal(0), Decimal(1)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)
BREAK_EVEN_LIMIT = timedelta(days=365)
"""Beyond this a break-even is "never"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegCost:
    """Fees and book-walk slippage of opening and of closing one leg, of its own notional.

    `ratio` is the leg's part of the position; the properties are of the position's notional.
    """

    open_fee: Decimal
    close_fee: Decimal
    entry_slippage: Decimal
    exit_slippage: Decimal
    ratio: Decimal = ONE

    @property
    def fees(self) -> Decimal:
        return self.ratio * (max(self.open_fee, ZERO) + max(self.close_fee, ZERO))

    @property
    def slippage(self) -> Decimal:
        return self.ratio * (self.entry_slippage + self.exit_slippage)

    @property
    def opening(self) -> Decimal:
        return self.ratio * (max(self.open_fee, ZERO) + self.entry_slippage)

    @property
    def closing(self) -> Decimal:
        return self.ratio * (max(self.close_fee, ZERO) + self.exit_slippage)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """Everything a position costs. `borrow_per_hour` where spot is sold short; `transfer` once."""

    legs: tuple[LegCost, ...]
    borrow_per_hour: Decimal = ZERO
    transfer: Decimal = ZERO

    @property
    def fees(self) -> Decimal:
        return sum((leg.fees for leg in self.legs), ZERO)

    @property
    def slippage(self) -> Decimal:
        return sum((leg.slippage for leg in self.legs), ZERO)

    @property
    def opening(self) -> Decimal:
        """Return what opening costs; a position that is open has paid it."""
        return sum((leg.opening for leg in self.legs), ZERO) + self.transfer

    @property
    def closing(self) -> Decimal:
        """Return what closing will cost: the exit cost of `cost_aware`."""
        return sum((leg.closing for leg in self.legs), ZERO)

    @property
    def fixed(self) -> Decimal:
        """Return all that does not grow with time."""
        return self.opening + self.closing

    def over(self, horizon: timedelta) -> Decimal:
        """Return all costs of a hold; borrowing is charged by whole hours begun."""
        hours_begun = -(-horizon // HOUR)
        return self.fixed + self.borrow_per_hour * hours_begun


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """When the expected return has paid all costs: after `hold`, at the nth settlement."""

    hold: timedelta
    settlements: int


def walk_book(levels: Sequence[Level], base_quantity: Decimal) -> Decimal | None:
    """Return the average price of taking `base_quantity` from one side; None if it is too thin."""
    left, paid = base_quantity, ZERO
    for level in levels:
        taken = min(left, level.base_quantity)
        paid += taken * level.price
        left -= taken
        if left <= 0:
            return paid / base_quantity
    return None


def slippage(levels: Sequence[Level], base_quantity: Decimal, mid: Decimal) -> Decimal | None:
    """Return how far the average fill is from mid, as a fraction >= 0; None if too thin."""
    average = walk_book(levels, base_quantity)
    return None if average is None else abs(average - mid) / mid


def book_capacity(levels: Sequence[Level], mid: Decimal, max_slippage: Decimal) -> Decimal:
    """Return the largest base quantity whose slippage against mid is at most `max_slippage`."""
    quantity, cost = ZERO, ZERO
    for level in levels:
        distance = abs(level.price - mid) / mid
        if cost + distance * level.base_quantity > max_slippage * (quantity + level.base_quantity):
            room = max_slippage * quantity - cost
            return quantity + room / (distance - max_slippage)
        quantity += level.base_quantity
        cost += distance * level.base_quantity
    return quantity


def net_return(
    *, expected_funding: Decimal, gap_credit: Decimal, costs: RoundTrip, horizon: timedelta
) -> Decimal:
    """Return the expected return of holding for `horizon`, all costs paid."""
    return expected_funding + gap_credit - costs.over(horizon)


def net_apr(net: Decimal, horizon: timedelta) -> Decimal:
    """Return a return over `horizon` per year, simple, as a fraction."""
    return net * HOURS_PER_YEAR * (HOUR // MICROSECOND) / (horizon // MICROSECOND)


def break_even(
    carries: Sequence[LegCarry], *, gap_credit: Decimal, costs: RoundTrip, now: datetime
) -> BreakEven | None:
    """Return the shortest hold whose net return is not negative; None when there is none.

    Only settlements raise the return, so only they are looked at, and only in the span in which
    the mean drift can meet the cost.
    """
    owed = costs.fixed - gap_credit
    if owed <= 0:
        return BreakEven(hold=timedelta(0), settlements=0)
    span = _span_of_interest(carries, owed, costs.borrow_per_hour, now)
    if span is None:
        return None
    for hold in _settlement_holds(carries, now, *span):
        funding = sum((carry.over(now, hold) for carry in carries), ZERO)
        net = net_return(expected_funding=funding, gap_credit=gap_credit, costs=costs, horizon=hold)
        if net >= 0:
            return BreakEven(hold=hold, settlements=_settlements(carries, now, hold))
    return None


def _span_of_interest(
    carries: Sequence[LegCarry], owed: Decimal, borrow_per_hour: Decimal, now: datetime
) -> tuple[timedelta, timedelta] | None:
    """Return the holds between which a break-even can lie: |return - drift x hold| <= swing."""
    drift, swing = -borrow_per_hour / 3600, borrow_per_hour
    period = timedelta(0)
    for carry in carries:
        wait = next_settlement(carry.next_funding_at, carry.interval_seconds, now) - now
        reach = max(-(-wait // SECOND), carry.interval_seconds)
        drift += carry.later / carry.interval_seconds
        swing += abs(carry.coming - carry.later)
        swing += abs(carry.later) * reach / carry.interval_seconds
        period = max(period, wait + timedelta(seconds=2 * carry.interval_seconds))
    if drift <= 0 and owed > swing:
        return None
    if drift == 0:
        return timedelta(0), period
    if drift < 0:
        return timedelta(0), _seconds((owed - swing) / drift) + SECOND
    return _seconds((owed - swing) / drift), _seconds((owed + swing) / drift) + SECOND


def _settlement_holds(
    carries: Sequence[LegCarry], now: datetime, earliest: timedelta, latest: timedelta
) -> list[timedelta]:
    """Return the distinct waits from now to a settlement within the span, in order."""
    holds: set[timedelta] = set()
    for carry in carries:
        interval = timedelta(seconds=carry.interval_seconds)
        hold = next_settlement(carry.next_funding_at, carry.interval_seconds, now) - now
        if hold < earliest:
            hold += (earliest - hold) // interval * interval
        while hold <= latest:
            holds.add(hold)
            hold += interval
    return sorted(holds)


def _settlements(carries: Iterable[LegCarry], now: datetime, hold: timedelta) -> int:
    """Return how often the leg that settles most often has settled."""
    return max((carry.count(now, hold) for carry in carries if carry.is_funding), default=0)


def _seconds(value: Decimal) -> timedelta:
    """Return whole seconds between 0 and BREAK_EVEN_LIMIT."""
    return timedelta(seconds=int(min(max(value, ZERO), Decimal(BREAK_EVEN_LIMIT // SECOND))))
