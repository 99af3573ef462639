"""Ask the venue about orders whose truth we do not hold: unknown, working, or lacking fills."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from exchanges.domain import ClientOrderId, Fill, OrderReport, Side, Symbol, VenuePosition
from exchanges.errors import CredentialRefused, OrderNotFound, VenueError
from exchanges.ports import Account, Trading
from exchanges.selectors import look_up_every
from trading.core.states import (
    LIVE_POSITION_STATES,
    UNRESOLVED_ORDER_STATES,
    OrderEvent,
    OrderState,
)
from trading.events import announce_once
from trading.models import Order
from trading.services.contact import Contact
from trading.services.halt import halt_account
from trading.services.holdings import is_spot
from trading.services.order_facts import absorb_report, book_fills, record_absence
from trading.services.outside_fills import foreign_fills
from trading.services.position_facts import expected_quantity, venue_quantity
from trading.services.transition import apply_to_order
from trading.services.venues import READ_SECONDS, SEND_SECONDS, Venues

# A signed request is refused by the venue 5 s after it was signed; the rest is margin for lag.
ORDER_LIFETIME = timedelta(seconds=15)
# A wall clock may jump: absence is also seen this long by one that only counts seconds.
ABSENT_SECONDS = 10.0
# When this process was first told that a venue knows no such order, in its loop's own seconds.
not_found_since: dict[UUID, float] = {}
READ_MARGIN = timedelta(seconds=5)
# A clock of ours that ran ahead dates an order after its own fills.
CLOCK_MARGIN = timedelta(hours=2)

# Where one order is asked for this rarely, the limit of the key is why.
SLOW = timedelta(seconds=5)
NOT_ASKED = (OrderState.PLANNED, OrderState.DROPPED, OrderState.SENDING)

CANNOT_ASK = "cannot be asked"


@dataclass(frozen=True, slots=True)
class Missing:
    """A venue's word that it knows no such order, at this second of the loop that asked."""

    seconds: float


def look_up(orders: Iterable[Order], *, venues: Venues, contact: Contact, now: datetime) -> bool:
    """Ask the venues about orders whose truth is due; tell whether any was asked or suspected.

    A venue that does not answer leaves its orders as they are, and is not asked again on a visit.
    """
    sent = [o for o in orders if o.state not in (OrderState.PLANNED, OrderState.DROPPED)]
    suspected = [order for order in sent if _suspect_lost_answer(order, now)]
    due = [
        order for order in sent if is_due(order, now) and not contact.is_away(order.leg.account_id)
    ]
    answers = venues.call_all([_ask(order, venues) for order in due], READ_SECONDS)
    for order, answer in zip(due, answers, strict=True):
        did_answer = isinstance(answer, OrderReport | Missing)
        contact.note(order.leg.account_id, answered=did_answer)
        _take_answer(order, answer, venues=venues, now=now)
    return bool(due or suspected)


def _suspect_lost_answer(order: Order, now: datetime) -> bool:
    """An order that is still being sent long after its deadline was left so by a dead worker."""
    if order.state != OrderState.SENDING or order.sent_at is None:
        return False
    if _age(order.sent_at, now) <= timedelta(seconds=SEND_SECONDS + 1):
        return False
    return apply_to_order(
        order, OrderEvent.OUTCOME_UNKNOWN, cause="no answer was recorded", now=now
    )


def is_due(order: Order, now: datetime) -> bool:
    """Tell whether the venue should be asked about this order now."""
    if order.state == OrderState.SENDING or order.is_final_at_venue:
        return False
    if order.looked_up_at is None:
        return True
    return _age(order.looked_up_at, now) >= _turn(order)


def _turn(order: Order) -> timedelta:
    """Return how soon an order is asked for again.

    The orders of a key that may ask little share what is enough for one: asked for all at once they
    would wait for each other beyond their deadlines, and none would be found.
    """
    every = look_up_every(order.leg.instrument.exchange.code)
    if every < SLOW:
        return every
    asked = Order.objects.filter(
        leg__account=order.leg.account_id,
        position__state__in=LIVE_POSITION_STATES,
        is_final_at_venue=False,
    ).exclude(state__in=NOT_ASKED)
    return every * max(1, asked.count())


def _age(moment: datetime, now: datetime) -> timedelta:
    """Return how long ago that was; a clock that was set back must not make an order young."""
    return abs(now - moment)


def _ask(order: Order, venues: Venues) -> Coroutine[Any, Any, OrderReport | Missing]:
    own_id, symbol = ClientOrderId(order.client_order_id), Symbol(order.leg.instrument.symbol)
    return _found(venues.trading(order.leg.account), own_id, symbol)


async def _found(trading: Trading, own_id: ClientOrderId, symbol: Symbol) -> OrderReport | Missing:
    try:
        return await trading.find_order(own_id, symbol)
    except OrderNotFound:
        return Missing(asyncio.get_running_loop().time())


def _take_answer(
    order: Order, answer: OrderReport | Missing | BaseException, *, venues: Venues, now: datetime
) -> None:
    Order.objects.filter(pk=order.pk).update(looked_up_at=now)
    order.looked_up_at = now
    match answer:
        case OrderReport():
            not_found_since.pop(order.pk, None)
            absorb_report(order, answer, now=now)
        case Missing(seconds=seconds):
            if seconds - not_found_since.setdefault(order.pk, seconds) >= ABSENT_SECONDS:
                _consider_absence(order, venues, now)
            # It may have filled all the same: not found is no evidence before its lifetime is over.
            _tell_unresolved(order, "does not show there", now)
        case CredentialRefused():
            halt_account(order.leg.account, reason=str(answer), now=now)
            _tell_unresolved(order, CANNOT_ASK, now)
        case _:
            _tell_unresolved(order, CANNOT_ASK, now)


def _consider_absence(order: Order, venues: Venues, now: datetime) -> None:
    """Not found is evidence only after the lifetime bound, and only if nothing else shows it."""
    if order.sent_at is None or _age(order.sent_at, now) <= ORDER_LIFETIME:
        return
    account, symbol = order.leg.account, Symbol(order.leg.instrument.symbol)
    port = venues.account(account)
    try:
        still_open = venues.call(venues.trading(account).open_orders(symbol), READ_SECONDS)
        fills = venues.call(port.fills(symbol, since=order.sent_at - CLOCK_MARGIN), READ_SECONDS)
        held = [] if is_spot(order.leg) else venues.call(port.positions(), READ_SECONDS)
    except VenueError:
        return
    if any(report.client_order_id == order.client_order_id for report in still_open):
        return
    traced = _traced(order, fills, venues)
    if traced is None or order in book_fills(account, traced, now=now):
        return
    if order.state != OrderState.UNKNOWN:
        _tell_vanished(order, now)
    elif is_spot(order.leg) or not _may_be_held(order, held, traced):
        record_absence(order, now=now)
        not_found_since.pop(order.pk, None)


def _may_be_held(order: Order, positions: Iterable[VenuePosition], fills: Iterable[Fill]) -> bool:
    """Tell whether the contract's position differs from ours as this order would make it.

    A venue may list the position before the order and its fills. What others have traded since
    explains a difference too.
    """
    assert order.sent_at is not None  # noqa: S101  (asked of orders that were sent)
    account, instrument = order.leg.account, order.leg.instrument
    since, sign = order.sent_at - READ_MARGIN, Side(order.side).sign
    others = sum(
        fill.side.sign * fill.base_quantity
        for fill in foreign_fills(account, fills)
        if fill.filled_at >= since
    )
    ours = expected_quantity(account, instrument) + others
    differs = (venue_quantity(positions, instrument.symbol) - ours) * sign
    return bool(0 < differs <= order.base_quantity)


def _traced(order: Order, fills: Sequence[Fill], venues: Venues) -> list[Fill] | None:
    """Return the fills, with the own ids of those that may be of an order and were listed without.

    None where the venue does not say whose one of them is: then nothing is proven.
    """
    account = order.leg.account
    asked = {
        fill.venue_order_id: fill
        for fill in foreign_fills(account, fills)
        if not fill.client_order_id
        and fill.side == order.side
        and fill.base_quantity <= order.base_quantity
    }
    port = venues.account(account)
    answers = venues.call_all([port.trace(fill) for fill in asked.values()], READ_SECONDS)
    ids: dict[str, ClientOrderId | None] = {}
    for answer in answers:
        if isinstance(answer, BaseException):
            return None
        ids[answer.venue_order_id] = answer.client_order_id
    return [
        replace(fill, client_order_id=ids.get(fill.venue_order_id, fill.client_order_id))
        for fill in fills
    ]


def lacks_fills(orders: Iterable[Order]) -> bool:
    """Tell whether an order filled more than is booked."""
    return any(_unbooked(order) > 0 for order in orders)


def book_missing_fills(orders: Iterable[Order], *, venues: Venues, now: datetime) -> None:
    """Read and book the fills of orders that filled more than is booked."""
    lacking = [order for order in orders if _unbooked(order) > 0 and order.sent_at is not None]
    reads: dict[tuple[object, str], Order] = {}
    for order in sorted(lacking, key=lambda order: order.created_at):
        reads.setdefault((order.leg.account_id, order.leg.instrument.symbol), order)
    answers = venues.call_all(
        [_fills_of(first, venues.account(first.leg.account)) for first in reads.values()],
        READ_SECONDS,
    )
    for first, answer in zip(reads.values(), answers, strict=True):
        if not isinstance(answer, BaseException):
            book_fills(first.leg.account, answer, now=now)


async def _fills_of(order: Order, account: Account) -> list[Fill]:
    """Return the fills since an order was written, and earlier ones if its own are not there."""
    symbol, since = Symbol(order.leg.instrument.symbol), order.created_at - READ_MARGIN
    fills = await account.fills(symbol, since=since)
    own = (order.client_order_id, order.venue_order_id)
    if not any(fill.client_order_id == own[0] or fill.venue_order_id == own[1] for fill in fills):
        fills = await account.fills(symbol, since=since - CLOCK_MARGIN)
    return list(fills)


def _unbooked(order: Order) -> Decimal:
    booked = sum((trade.base_quantity for trade in order.trades.all()), Decimal(0))
    filled: Decimal = order.filled_base_quantity
    return filled - booked


def _tell_unresolved(order: Order, why: str, now: datetime) -> None:
    if order.state not in UNRESOLVED_ORDER_STATES or order.sent_at is None:
        return
    if _age(order.sent_at, now) < timedelta(seconds=10):
        return
    announce_once(
        user_id=order.position.user_id,
        kind="order.unknown",
        severity="critical",
        sentence=f"{order.position.base}: the outcome of an order at "
        f"{order.leg.instrument.exchange.name} is unknown: it {why}",
        position=order.position,
        within=timedelta(minutes=5),
        now=now,
    )


def _tell_vanished(order: Order, now: datetime) -> None:
    announce_once(
        user_id=order.position.user_id,
        kind="order.vanished",
        severity="critical",
        sentence=f"{order.position.base}: {order.leg.instrument.exchange.name} no longer knows an "
        f"order it had acknowledged ({order.side} {order.base_quantity})",
        position=order.position,
        within=timedelta(minutes=5),
        now=now,
    )
