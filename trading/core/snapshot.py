"""A position as the planner sees it: frozen facts from the database, the board and the venues."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from exchanges.domain import BookTop, Instrument, InstrumentKind, OrderType, Side, TimeInForce
from trading.core.elapsed import is_over
from trading.core.entry_style import CloseOrder, EntryStyle
from trading.core.exposure import ONE, ZERO, LegExposure
from trading.core.money import ceil_to_lot, floor_to_lot
from trading.core.order_refusal import RefusalKind
from trading.core.states import (
    FINAL_ORDER_STATES,
    UNRESOLVED_ORDER_STATES,
    WORKING_ORDER_STATES,
    Goal,
    OrderState,
    PositionState,
    Purpose,
)

# A minimum notional is counted at the venue's own price, which may be a little lower than ours.
SURELY_TAKEN = Decimal("0.98")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """One order as the planner sees it. `filled` is cumulative, in base units."""

    id: UUID
    leg_index: int
    purpose: Purpose
    side: Side
    order_type: OrderType
    base_quantity: Decimal
    filled: Decimal
    state: OrderState
    created_at: datetime
    cancel_after: datetime | None
    cancel_requested_at: datetime | None
    is_final_at_venue: bool
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    average_price: Decimal | None = None
    """What the venue says it filled at; None while nobody said so."""
    refusal: RefusalKind = RefusalKind.NONE
    addition: int = 0
    """Which addition it belongs to; 0: the entry."""

    @property
    def is_working(self) -> bool:
        return self.state in WORKING_ORDER_STATES

    @property
    def remaining(self) -> Decimal:
        return self.base_quantity - self.filled

    @property
    def failed(self) -> bool:
        """Tell whether it ended without filling what it was sent for."""
        return self.state in FINAL_ORDER_STATES and self.remaining > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LegView:
    """One leg: `sign` +1 long, -1 short; `net_base` signed; `book` None when stale or unknown.

    `ratio` is its part of the position's base quantity; `base_fee` the part of a spot purchase that
    its fee takes away, 0 where the fee is paid in another asset.
    """

    index: int
    sign: int
    instrument: Instrument
    net_base: Decimal
    orders: tuple[OrderView, ...]
    book: BookTop | None
    is_prepared: bool
    ratio: Decimal = ONE
    base_fee: Decimal = ZERO
    decision_mid: Decimal | None = None
    is_reachable: bool | None = None
    """Whether its venue answered on this visit and trades it; None while it was not asked."""
    was_closed_outside: bool = False
    """Its venue or its owner closed some of it: an entry must not fill that up again."""
    addition: int = 0
    """The addition that is under way or was last; 0: the entry. What opened before it is past."""

    @property
    def name(self) -> str:
        return f"{self.side_name} leg at {self.instrument.venue}"

    @property
    def side_name(self) -> str:
        return "long" if self.sign > 0 else "short"

    @property
    def unresolved(self) -> bool:
        return any(order.state in UNRESOLVED_ORDER_STATES for order in self.orders)

    @property
    def planned(self) -> OrderView | None:
        return next((o for o in self.orders if o.state is OrderState.PLANNED), None)

    @property
    def working(self) -> tuple[OrderView, ...]:
        return tuple(order for order in self.orders if order.is_working)

    @property
    def opening(self) -> tuple[OrderView, ...]:
        """Return the orders that open or hedge in this entry or addition, oldest first."""
        return tuple(
            order
            for order in self.orders
            if order.purpose is not Purpose.REDUCE and order.addition == self.addition
        )

    @property
    def entry_price(self) -> Decimal | None:
        """Return the average price of what was opened; None while a part of it is not told."""
        filled = [order for order in self.opening if order.filled > 0]
        paid = [o.filled * o.average_price for o in filled if o.average_price is not None]
        if not filled or len(paid) < len(filled):
            return None
        return sum(paid, Decimal(0)) / sum((order.filled for order in filled), Decimal(0))

    @property
    def settled(self) -> bool:
        """Tell whether every order is final and the venue itself said so."""
        return all(o.state in FINAL_ORDER_STATES and o.is_final_at_venue for o in self.orders)

    @property
    def is_spot(self) -> bool:
        return self.instrument.kind is InstrumentKind.SPOT

    @property
    def opening_side(self) -> Side:
        return Side.BUY if self.sign > 0 else Side.SELL

    @property
    def least_order(self) -> Decimal:
        """Return the least base quantity the venue takes, by lot, minimum and minimum notional."""
        return self._least_at(None if self.book is None else self.book.bid)

    @property
    def least_cut(self) -> Decimal:
        """Return the least base quantity a reducing order could take away; less is dust.

        Spot knows no reduce-only: its minimum notional holds for sales of what is left too. A debt
        is never dust: more may be bought than is owed.
        """
        if not self.is_spot or self.net_base < 0:
            return self.instrument.lot
        prices = (self.decision_mid, None if self.book is None else self.book.bid)
        return max(self._least_at(price and price * SURELY_TAKEN) for price in prices)

    @property
    def exposure(self) -> LegExposure:
        return LegExposure(net_base=self.net_base, lot=self.least_cut, ratio=self.ratio)

    def to_order(self, base_quantity: Decimal, side: Side) -> Decimal:
        """Return the whole lots to order so that `base_quantity` is added or taken away, >= 0.

        A spot purchase pays its fee out of what it buys: it is raised to a lot and by its fee, so
        that a hedge is whole and a debt is repaid. All else is cut to a lot.
        """
        lot, wanted = self.instrument.lot, max(base_quantity, ZERO)
        if self.is_spot and side is Side.BUY:
            return ceil_to_lot(wanted / (1 - self.base_fee), lot)
        return floor_to_lot(wanted, lot)

    def kept(self, base_quantity: Decimal, side: Side) -> Decimal:
        """Return what a fill adds to the leg or takes from it once its fee is paid, >= 0."""
        is_purchase = self.is_spot and side is Side.BUY
        return base_quantity * (1 - self.base_fee) if is_purchase else base_quantity

    def cut_to(self, base_quantity: Decimal) -> Decimal:
        """Return what to order so that the leg is cut to this quantity; 0 where it cannot be."""
        side = self.opening_side.opposite
        beyond = abs(self.net_base) - base_quantity
        if beyond < self.least_cut:
            return ZERO
        order = self.to_order(beyond, side)
        if not self.is_spot or order >= self.least_order:
            return order
        return ZERO if base_quantity else self.least_order

    def _least_at(self, price: Decimal | None) -> Decimal:
        least = max(self.instrument.min_base_quantity, self.instrument.lot)
        if price is None or price <= 0:
            return least
        by_notional = self.instrument.min_notional / price
        return max(least, ceil_to_lot(by_notional, self.instrument.lot))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The parameters of the position's own snapshot that the order path obeys."""

    market_buffer: Decimal
    spot_market_buffer: Decimal | None = None
    """The same for spot legs; None where there is but one."""
    close_order: CloseOrder = CloseOrder.SIMULTANEOUS
    hedge_escalation: timedelta
    hedge_deadline: timedelta
    retry_delay: timedelta
    max_attempts: int
    max_close_attempts: int = 40
    cancel_again: timedelta = timedelta(seconds=3)
    entry_style: EntryStyle = EntryStyle.LIMIT_AT_MID
    maker_reprice_budget: int = 0
    max_entry_slippage: Decimal = Decimal(1)
    trim_drift: Decimal
    """A running hedge is trimmed from here on where the trim is worth an order."""
    rebalance_threshold: Decimal
    """A running hedge is trimmed from here on whatever the trim is worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """Everything `next_step` may know. `legs[0]` works first at entry.

    What a leg is meant to hold is its ratio of `target_base_quantity`.
    """

    state: PositionState
    goal: Goal
    target_base_quantity: Decimal
    legs: tuple[LegView, ...]
    entry_deadline: datetime
    is_killed: bool
    is_confirmed: bool
    """Both positions were read back after the last order became final."""
    exit_asked_since_hold: bool
    """A person asked for the exit after the position was held, not before."""
    state_since: datetime | None = None
    """Failures from before it are history; None counts them all."""
    force_one_sided: bool = False
    """Somebody decided that one leg may be closed although the other venue is out of reach."""
    reduce_to: Decimal | None = None
    """Care wants every leg cut to its ratio of this base quantity; None leaves the size alone."""
    reduce_cause: str = ""
    add_quantity: Decimal | None = None
    """Care wants this much more, within the target; None where nothing is added."""
    add_cause: str = ""
    barred: str = ""
    """Why nothing may be opened now, a halted account or a venue's breaker; hedges and reductions
    still go out. Empty: it may."""
    created_at: datetime | None = None
    """When the time of the entry, or of the addition, began."""
    rules: Rules

    @property
    def is_addition(self) -> bool:
        """Tell whether what is opened is added to a hedge, which stays whatever comes of it."""
        return self.add_quantity is not None

    def is_entry_over(self, now: datetime) -> bool:
        """Tell whether its time has passed, also by a clock that was set back meanwhile."""
        return is_over(self.entry_deadline, since=self.created_at or now, now=now)
