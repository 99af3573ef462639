"""Hand-made snapshots for the planner: long 1 BTC on one venue, short on another."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from exchanges.domain import (
    BookTop,
    Instrument,
    InstrumentKind,
    OrderType,
    SettlementKind,
    Side,
    Symbol,
)
from trading.core.plan import next_step
from trading.core.snapshot import LegView, OrderView, PositionView, Rules
from trading.core.states import Goal, OrderState, PositionEvent, PositionState, Purpose
from trading.core.steps import (
    Record,
    Step,
)

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
D = Decimal


def make_instrument(venue: str) -> Instrument:
    return Instrument(
        venue=venue,
        symbol=Symbol("BTC/USDT:USDT"),
        venue_symbol="BTCUSDT",
        kind=InstrumentKind.PERPETUAL,
        base="BTC",
        quote="USDT",
        settle="USDT",
        contract_base=D(1),
        price_tick=D("0.1"),
        lot=D("0.001"),
        min_base_quantity=D("0.001"),
        min_notional=D(100),
        settlement=SettlementKind.LUMP,
    )


def make_leg(index: int, **changes: object) -> LegView:
    venue = ("binanceusdm", "bybit")[index]
    book = BookTop(
        venue=venue,
        symbol=Symbol("BTC/USDT:USDT"),
        bid=D("60000.0"),
        bid_quantity=D(5),
        ask=D("60000.1"),
        ask_quantity=D(5),
        observed_at=NOW,
    )
    leg = LegView(
        index=index,
        sign=(1, -1)[index],
        instrument=make_instrument(venue),
        net_base=D(0),
        orders=(),
        book=book,
        is_prepared=True,
        is_reachable=True,
    )
    return replace(leg, **changes)  # type: ignore[arg-type]


def make_order(leg_index: int, **changes: object) -> OrderView:
    order = OrderView(
        id=uuid4(),
        leg_index=leg_index,
        purpose=(Purpose.OPEN, Purpose.HEDGE)[leg_index],
        side=(Side.BUY, Side.SELL)[leg_index],
        order_type=OrderType.LIMIT,
        base_quantity=D(1),
        filled=D(0),
        state=OrderState.OPEN,
        created_at=NOW,
        cancel_after=NOW + timedelta(seconds=30),
        cancel_requested_at=None,
        is_final_at_venue=False,
    )
    return replace(order, **changes)  # type: ignore[arg-type]


def filled(leg_index: int, base_quantity: str = "1", **changes: object) -> OrderView:
    values: dict[str, object] = {
        "base_quantity": D(base_quantity),
        "filled": D(base_quantity),
        "state": OrderState.FILLED,
        "is_final_at_venue": True,
    }
    return make_order(leg_index, **(values | changes))


def make_view(state: PositionState, *legs: LegView, **changes: object) -> PositionView:
    view = PositionView(
        state=state,
        goal=Goal.HEDGED,
        target_base_quantity=D(1),
        legs=legs or (make_leg(0), make_leg(1)),
        entry_deadline=NOW + timedelta(seconds=30),
        is_killed=False,
        is_confirmed=False,
        exit_asked_since_hold=False,
        rules=Rules(
            market_buffer=D("0.0005"),
            hedge_escalation=timedelta(seconds=1),
            hedge_deadline=timedelta(seconds=10),
            retry_delay=timedelta(seconds=1),
            max_attempts=4,
            trim_drift=D("0.005"),
            rebalance_threshold=D("0.02"),
        ),
    )
    return replace(view, **changes)  # type: ignore[arg-type]


def step_of(state: PositionState, *legs: LegView, now: datetime = NOW, **changes: object) -> Step:
    return next_step(make_view(state, *legs, **changes), now)


def assert_records(step: Step, event: PositionEvent) -> None:
    assert isinstance(step, Record)
    assert step.event is event
