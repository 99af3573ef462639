"""Build the frozen snapshot that `core.plan` decides on, from the database and the board."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from django.db.models import Q, QuerySet

from exchanges.board import Board
from exchanges.domain import BookTop, OrderType, Side, TimeInForce
from trading.core.elapsed import elapsed
from trading.core.order_refusal import RefusalKind
from trading.core.parameters import Parameters
from trading.core.snapshot import LegView, OrderView, PositionView, Rules
from trading.core.states import Goal, OrderState, PositionState, Purpose
from trading.models import KillSwitch, Leg, Order, Position
from trading.services import market
from trading.services.contact import Contact
from trading.services.halt import why_barred
from trading.services.holdings import closed_outside, fee_in_base, leg_net_base

# Unhedged for longer than this after the first fill, the entry is given up and unwound.
HEDGE_DEADLINE = timedelta(seconds=10)
RETRY_DELAY = timedelta(seconds=1)
MAX_ATTEMPTS = 4
CONFIRMATION_LASTS = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The snapshot and the rows it was built from."""

    view: PositionView
    legs: dict[int, Leg]
    orders: dict[UUID, Order]
    parameters: Parameters
    board: Board


class Load(Protocol):
    def __call__(self, position: Position, *, contact: Contact, now: datetime) -> Loaded: ...


def load(position: Position, *, contact: Contact, now: datetime) -> Loaded:
    """Read a position with its legs, orders, books and the kill switches that bind its user."""
    legs = list(_legs(position).prefetch_related("orders__trades", "trades"))
    parameters = Parameters.from_stored(position.parameters)
    board = market.board_of([leg.instrument for leg in legs])
    views = tuple(_leg_view(leg, board, parameters, contact, now) for leg in legs)
    orders = {order.pk: order for leg in legs for order in leg.orders.all()}
    for leg in legs:
        for order in leg.orders.all():
            order.position, order.leg = position, leg
    view = _position_view(position, views, parameters, _barred(position, legs), now)
    return Loaded(view, {leg.index: leg for leg in legs}, orders, parameters, board)


def load_new(position: Position, *, contact: Contact, now: datetime) -> Loaded:
    """Read a position that nobody has driven yet: it has no orders and holds nothing."""
    legs, parameters = list(_legs(position)), Parameters.from_stored(position.parameters)
    board = market.board_of([leg.instrument for leg in legs])
    views = tuple(_empty_leg(leg, board, parameters, contact, now) for leg in legs)
    view = _position_view(position, views, parameters, _barred(position, legs), now)
    return Loaded(view, {leg.index: leg for leg in legs}, {}, parameters, board)


def carry_on(loaded: Loaded, position: Position, *, now: datetime) -> Loaded:
    """Return what is true after our own orders alone changed the position, which is read anew.

    Kill switch, books and the position's own row are as of now, and so are the orders, whose every
    change since they were loaded is ours.
    """
    legs, parameters = loaded.legs, loaded.parameters
    board = market.board_of([leg.instrument for leg in legs.values()])
    views = tuple(
        _with_orders(
            known,
            tuple(_order_view(o, o.leg) for o in loaded.orders.values() if o.leg_id == leg.pk),
            book=market.fresh_book(board, leg.instrument, now=now, max_age=parameters.max_book_age),
        )
        for known, leg in zip(loaded.view.legs, legs.values(), strict=True)
    )
    # A halt since then is for the licence to see, which asks the rows.
    view = _position_view(position, views, parameters, loaded.view.barred, now)
    return replace(loaded, view=view, board=board)


def _with_orders(known: LegView, orders: tuple[OrderView, ...], book: BookTop | None) -> LegView:
    moved = _filled(known, orders) - _filled(known, known.orders)
    return replace(known, orders=orders, net_base=known.net_base + moved, book=book)


def _filled(leg: LegView, orders: Iterable[OrderView]) -> Decimal:
    return sum(
        (order.side.sign * leg.kept(order.filled, order.side) for order in orders), Decimal(0)
    )


def _barred(position: Position, legs: Collection[Leg]) -> str:
    """Return what bars opening, in words for a journal: a halt, a mode, a venue's breaker."""
    accounts = [leg.account for leg in legs]
    for account in accounts:
        if account.is_halted:
            return why_barred(account)
    for leg in legs:
        if leg.instrument.limits_only:
            return f"{leg.instrument.symbol} takes limit orders only at {leg.account.exchange.name}"
    shut = [account.exchange.name for account in accounts if account.exchange.shut(position.pk)]
    return f"the breaker of {shut[0]} is open" if shut else ""


def _position_view(
    position: Position,
    legs: tuple[LegView, ...],
    parameters: Parameters,
    barred: str,
    now: datetime,
) -> PositionView:
    return PositionView(
        state=PositionState(position.state),
        goal=Goal(position.goal),
        target_base_quantity=position.target_base_quantity,
        legs=legs,
        entry_deadline=position.entry_deadline,
        is_killed=is_killed(position.user_id),
        is_confirmed=_is_confirmed(position, now),
        exit_asked_since_hold=_exit_asked_since_hold(position),
        state_since=position.state_since,
        force_one_sided=position.force_one_sided,
        reduce_to=position.reduce_to,
        reduce_cause=position.reduce_cause,
        add_quantity=position.add_quantity,
        add_cause=position.add_cause,
        barred=barred,
        created_at=_began_at(position, parameters),
        rules=_rules(parameters),
    )


def _began_at(position: Position, parameters: Parameters) -> datetime:
    if position.add_quantity is None:
        return position.created_at
    return position.entry_deadline - parameters.order_fill_timeout


def _legs(position: Position) -> QuerySet[Leg]:
    legs: QuerySet[Leg] = position.legs.select_related(
        "instrument__exchange", "account__exchange__health"
    )
    return legs


def is_killed(user_id: UUID) -> bool:
    """Tell whether a kill switch of the user or of everyone is pressed."""
    return KillSwitch.objects.filter(Q(user=None) | Q(user=user_id), rearmed_at=None).exists()


def _is_confirmed(position: Position, now: datetime) -> bool:
    if position.checked_at is None or position.checked_version != position.exposure_version:
        return False
    # Before an exit, reading both venues is also the proof that both can be reached.
    lasting = position.state in (PositionState.OPEN, PositionState.HELD)
    return not lasting or elapsed(position.checked_at, now) < CONFIRMATION_LASTS


def _exit_asked_since_hold(position: Position) -> bool:
    asked, held = position.exit_requested_at, position.held_at
    return asked is not None and (held is None or asked > held)


def _rules(parameters: Parameters) -> Rules:
    return Rules(
        market_buffer=parameters.perpetual_market_slippage_buffer,
        spot_market_buffer=parameters.spot_market_slippage_buffer,
        close_order=parameters.close_order,
        hedge_escalation=parameters.hedge_escalation,
        hedge_deadline=HEDGE_DEADLINE,
        retry_delay=RETRY_DELAY,
        max_attempts=MAX_ATTEMPTS,
        entry_style=parameters.entry_style,
        maker_reprice_budget=parameters.maker_reprice_budget,
        max_entry_slippage=parameters.max_entry_slippage,
        trim_drift=parameters.trim_drift,
        rebalance_threshold=parameters.rebalance_threshold,
    )


def _leg_view(
    leg: Leg, board: Board, parameters: Parameters, contact: Contact, now: datetime
) -> LegView:
    return replace(
        _empty_leg(leg, board, parameters, contact, now),
        net_base=leg_net_base(leg),
        addition=leg.position.add_steps,
        orders=tuple(_order_view(order, leg) for order in leg.orders.all()),
        was_closed_outside=closed_outside(leg) != 0,
    )


def _empty_leg(
    leg: Leg, board: Board, parameters: Parameters, contact: Contact, now: datetime
) -> LegView:
    return LegView(
        index=leg.index,
        sign=leg.sign,
        instrument=leg.instrument.snapshot(),
        net_base=Decimal(0),
        orders=(),
        book=market.fresh_book(board, leg.instrument, now=now, max_age=parameters.max_book_age),
        is_prepared=leg.is_prepared,
        ratio=leg.ratio,
        base_fee=fee_in_base(leg),
        decision_mid=leg.decision_mid,
        is_reachable=contact.can_close(leg),
    )


def _order_view(order: Order, leg: Leg) -> OrderView:
    return OrderView(
        id=order.pk,
        leg_index=leg.index,
        purpose=Purpose(order.purpose),
        side=Side(order.side),
        order_type=OrderType(order.order_type),
        base_quantity=order.base_quantity,
        filled=order.filled_base_quantity,
        state=OrderState(order.state),
        created_at=order.created_at,
        cancel_after=order.cancel_after,
        cancel_requested_at=order.cancel_requested_at,
        is_final_at_venue=order.is_final_at_venue,
        price=order.price,
        time_in_force=TimeInForce(order.time_in_force),
        average_price=order.average_price,
        refusal=RefusalKind(order.refusal_kind),
        addition=order.addition,
    )
