"""What venues say of our orders, applied to their rows: reports, fills and proofs of absence."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from exchanges.domain import (
    FINAL_VENUE_STATUSES,
    ClientOrderId,
    Fill,
    OrderReport,
    Side,
    Symbol,
    VenueOrderStatus,
)
from exchanges.models import ExchangeAccount
from trading.core.echo import Sent, as_sent, contradiction, fill_contradiction
from trading.core.money import plain
from trading.core.reconcile import WrongOrder
from trading.core.states import (
    FINAL_ORDER_STATES,
    OrderEvent,
    OrderState,
    Purpose,
)
from trading.models import LegSide, Order, Position, Trade
from trading.services.discrepancies import note_wrong_order
from trading.services.fee_prices import fee_prices
from trading.services.outside_fills import order_of
from trading.services.reviews import ask_for_review
from trading.services.transition import apply_to_order

# What other writers may have changed; the rest, and the loaded position and leg, stay as they are.
CHANGING = (
    "state",
    "filled_base_quantity",
    "venue_order_id",
    "average_price",
    "is_final_at_venue",
    "looked_up_at",
    "answered_at",
)
EVENT_OF_STATUS = {
    VenueOrderStatus.OPEN: OrderEvent.ACKNOWLEDGED,
    VenueOrderStatus.PARTIAL: OrderEvent.PARTLY_FILLED,
    VenueOrderStatus.FILLED: OrderEvent.FILLED,
    VenueOrderStatus.CANCELED: OrderEvent.CANCELED,
    VenueOrderStatus.EXPIRED: OrderEvent.EXPIRED,
    VenueOrderStatus.REJECTED: OrderEvent.REJECTED,
}


def absorb_report(order: Order, report: OrderReport, *, now: datetime) -> None:
    """Apply a venue's report; a filled quantity never falls and a final order never reopens.

    Of another order under our id nothing is taken over: its account is halted.
    """
    with transaction.atomic():
        _take_row(order, fields=CHANGING)
        sent = _sent(order)
        report = as_sent(sent, report)
        if difference := contradiction(sent, report):
            _note_another(order, difference, now)
        else:
            _absorb(order, report, now)


def _take_row(order: Order, *, fields: Collection[str] | None = None) -> None:
    """Read an order anew and keep other writers off it until the transaction ends.

    Whoever read it before them would write a smaller quantity over theirs. Not its key: who books
    a fill of it need not wait.
    """
    rows = Order.objects.select_for_update(no_key=True)
    order.refresh_from_db(fields=fields, from_queryset=rows)


def _absorb(order: Order, report: OrderReport, now: datetime) -> None:
    status, told = report.status or VenueOrderStatus.OPEN, report.filled_base_quantity
    if told is None and status is VenueOrderStatus.FILLED:
        told = order.base_quantity
    elif told is None and status in (VenueOrderStatus.CANCELED, VenueOrderStatus.EXPIRED):
        # What it filled before that is for the next look to tell: until then it has not ended.
        status = VenueOrderStatus.OPEN
    filled = max(order.filled_base_quantity, told or Decimal(0))
    says_all = report.status is not None and report.filled_base_quantity is not None
    columns: dict[str, Any] = {
        "filled_base_quantity": filled,
        "venue_order_id": report.venue_order_id or order.venue_order_id,
        "average_price": report.average_price or order.average_price,
        "is_final_at_venue": order.is_final_at_venue or status in FINAL_VENUE_STATUSES,
        # An answer that tells status and fills is as good as a look-up.
        "looked_up_at": now if says_all else order.looked_up_at,
    }
    event = _event_of(status, filled, order.base_quantity)
    if event is OrderEvent.FILLED:
        columns["is_final_at_venue"] = True
    # Whoever reads the new version of the exposure must read the new quantity with it.
    within = partial(note_exposure_change, order) if filled != order.filled_base_quantity else None
    if _changes_state(order, event):
        cause = f"venue says {status}, {plain(filled)} of {plain(order.base_quantity)} filled"
        was_unknown = order.state == OrderState.UNKNOWN
        apply_to_order(order, event, cause=cause, now=now, within=within, **columns)
        if was_unknown:
            _review(order, now)
        return
    if any(getattr(order, name) != value for name, value in columns.items()):
        Order.objects.filter(pk=order.pk).update(**columns)
        if within is not None:
            within()
        for name, value in columns.items():
            setattr(order, name, value)


def _sent(order: Order) -> Sent:
    return Sent(
        symbol=order.leg.instrument.symbol,
        side=Side(order.side),
        base_quantity=order.base_quantity,
        reduces=order.reduce_only,
    )


def _note_another(order: Order, difference: str, now: datetime) -> None:
    wrong = WrongOrder(
        client_order_id=ClientOrderId(order.client_order_id),
        symbol=Symbol(order.leg.instrument.symbol),
        difference=difference,
    )
    note_wrong_order(order.leg.account, wrong, now=now)


def _review(order: Order, now: datetime) -> None:
    """What was unknown may have moved more than its own order: compare the whole account."""
    reason = "an order of unknown outcome was resolved"
    ask_for_review(order.leg.account_id, reason=reason, now=now)


def _event_of(status: VenueOrderStatus, filled: Decimal, base_quantity: Decimal) -> OrderEvent:
    if filled >= base_quantity:
        return OrderEvent.FILLED
    if filled > 0 and status is VenueOrderStatus.OPEN:
        return OrderEvent.PARTLY_FILLED
    if filled > 0 and status is VenueOrderStatus.REJECTED:
        return OrderEvent.CANCELED  # some venues call a cancelled remainder rejected
    return EVENT_OF_STATUS[status]


def note_exposure_change(order: Order) -> None:
    """Ask for a new read-back: what both venues confirmed is no longer what we hold."""
    Position.objects.filter(pk=order.position_id).update(exposure_version=F("exposure_version") + 1)
    order.position.exposure_version += 1


def _changes_state(order: Order, event: OrderEvent) -> bool:
    state = OrderState(order.state)
    if state in FINAL_ORDER_STATES:
        return event is OrderEvent.FILLED and state not in (OrderState.FILLED, OrderState.DROPPED)
    if state is OrderState.PARTIAL:
        return event not in (OrderEvent.ACKNOWLEDGED, OrderEvent.PARTLY_FILLED)
    return not (state is OrderState.OPEN and event is OrderEvent.ACKNOWLEDGED)


def record_absence(order: Order, *, now: datetime) -> None:
    """End an unknown order that was proven absent after its lifetime bound."""
    apply_to_order(
        order,
        OrderEvent.PROVEN_ABSENT,
        cause="not found by id, in open orders or in fills after its lifetime",
        now=now,
        is_final_at_venue=True,
    )
    _review(order, now)


def book_fills(account: ExchangeAccount, fills: Iterable[Fill], *, now: datetime) -> list[Order]:
    """Book each own fill exactly once and return the orders that gained one.

    A fill of nobody's order is not ours to book: reconciliation sees its quantity as foreign. One
    that no order like ours could have halts the account.
    """
    rows = list(fills)
    prices = fee_prices(account, rows, now=now)
    touched: dict[object, Order] = {}
    # A fill that is booked is not booked again: its order must count it in the same commit.
    with transaction.atomic():
        for fill in rows:
            order, price = order_of(account, fill), prices.get(fill.fee_asset)
            if order is None:
                continue
            if difference := fill_contradiction(_sent(order), fill):
                _note_another(order, difference, now)
            elif _book(order, account, fill, price, now):
                touched[order.pk] = order
        # Orders are locked before positions, here as where reports are absorbed: no deadlock.
        gained = sorted(touched.values(), key=lambda order: order.pk)
        for order in [order for order in gained if _raise_filled(order, now)]:
            note_exposure_change(order)
    return list(touched.values())


def _book(
    order: Order, account: ExchangeAccount, fill: Fill, fee_price: Decimal | None, now: datetime
) -> bool:
    leg = order.leg
    opens = order.purpose != Purpose.REDUCE
    latency = (fill.filled_at - order.sent_at).total_seconds() * 1000 if order.sent_at else None
    try:
        with transaction.atomic():
            Trade.objects.create(
                position=order.position,
                leg=leg,
                order=order,
                account=account,
                venue_trade_id=fill.venue_trade_id,
                venue_order_id=fill.venue_order_id,
                side=LegSide(leg.side),
                action="OPEN" if opens else "CLOSE",
                order_side=fill.side,
                order_type=order.order_type,
                price=fill.price,
                base_quantity=fill.base_quantity,
                size=fill.price * fill.base_quantity,
                fee=fill.fee,
                fee_asset=fill.fee_asset,
                fee_price=fee_price,
                is_maker=fill.is_maker,
                filled_at=fill.filled_at,
                booked_at=now,
                latency_ms=None if latency is None else max(0, round(latency)),
            )
    except IntegrityError:
        return False  # the unique trade key says it is booked already
    return True


def _raise_filled(order: Order, now: datetime) -> bool:
    """Lift the order's cumulative quantity to the sum of its booked fills, never lower it."""
    _take_row(order)
    trades = list(order.trades.all())
    booked = sum((trade.base_quantity for trade in trades), Decimal(0))
    if booked <= order.filled_base_quantity:
        return False
    event = OrderEvent.FILLED if booked >= order.base_quantity else OrderEvent.PARTLY_FILLED
    columns: dict[str, Any] = {
        "filled_base_quantity": booked,
        # The fill may be the first to name the order: its answer was lost.
        "venue_order_id": order.venue_order_id or trades[0].venue_order_id,
    }
    if event is OrderEvent.FILLED:
        columns["is_final_at_venue"] = True
    if _changes_state(order, event):
        apply_to_order(order, event, cause=f"fills add up to {plain(booked)}", now=now, **columns)
    else:
        Order.objects.filter(pk=order.pk).update(**columns)
    return True
