"""The one shape that may send an order: licence, one send, outcome.

The contract is `docs/DOMAIN.md` section 11.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db.models import Q

from exchanges.domain import OrderReport, OrderRequest
from exchanges.errors import (
    CredentialRefused,
    DuplicateClientOrderId,
    InsufficientMargin,
    InvalidOrder,
    NothingToReduce,
    OrderOutcomeUnknown,
    OrderRejected,
    PostOnlyWouldTake,
    RateLimited,
    VenueError,
    VenueUnavailable,
)
from exchanges.limits.lanes import Lane, asking
from exchanges.models import ExchangeAccount
from exchanges.ports import Trading
from trading.core.order_refusal import RefusalKind
from trading.core.states import OrderEvent, OrderState, Purpose
from trading.models import KillSwitch, Order, Position
from trading.services import order_facts
from trading.services.halt import halt_account, why_barred
from trading.services.intents import drop_intent
from trading.services.transition import apply_to_order, license_order
from trading.services.venues import SEND_SECONDS, Venues

Clock = Callable[[], datetime]

# A process that was paused between licence and send must not send what others gave up meanwhile.
SEND_WITHIN = timedelta(seconds=2)
# Half of the time for which venues take what was signed.
CLOCK_BOUND = timedelta(seconds=2.5)

REFUSAL_KINDS: tuple[tuple[type[VenueError], RefusalKind], ...] = (
    (PostOnlyWouldTake, RefusalKind.WOULD_TAKE),
    (NothingToReduce, RefusalKind.NOTHING_TO_REDUCE),
    (InvalidOrder, RefusalKind.INVALID),
    (InsufficientMargin, RefusalKind.MARGIN),
    (CredentialRefused, RefusalKind.CREDENTIAL),
    (VenueUnavailable, RefusalKind.UNAVAILABLE),
)


def submit(orders: Sequence[Order], *, position: Position, venues: Venues, clock: Clock) -> str:
    """Send each planned intent at most once, all of them together, and record what came of it.

    An intent whose licence fails (kill switch, lease lost, already sent) is not sent; nothing is,
    and why is returned, while what would open is judged by a clock that is off. Nothing here is
    inside a transaction while the network is used.
    """
    # Ports are opened before the licence: what fails here has licensed nothing.
    doors = {order.pk: (venues.trading(order.leg.account), order.request()) for order in orders}
    if cause := _wrong_clock(orders, [trading for trading, _ in doors.values()], venues):
        for order in orders:
            if order.state == OrderState.PLANNED:
                drop_intent(order, cause=cause, now=clock())
        return cause
    licensed = [order for order in orders if _license(order, position=position, now=clock())]
    answers = venues.call_all(
        [_send(order, *doors[order.pk], clock) for order in licensed], SEND_SECONDS
    )
    for order, answer in zip(licensed, answers, strict=True):
        record_outcome(order, answer, now=clock())
    return ""


def _wrong_clock(orders: Sequence[Order], doors: Sequence[Trading], venues: Venues) -> str:
    """Return why nothing opens now: ages, settlements and deadlines would be of another time."""
    if not any(order.purpose == Purpose.OPEN for order in orders):
        return ""
    told = venues.call_all([trading.clock_error() for trading in doors], SEND_SECONDS)
    for order, ahead in zip(orders, told, strict=True):
        venue = order.leg.instrument.exchange.name
        if not isinstance(ahead, timedelta):
            return f"the clock of {venue} could not be read: {ahead or type(ahead).__name__}"
        if abs(ahead) > CLOCK_BOUND:
            way = "ahead of" if ahead > timedelta(0) else "behind"
            return (
                f"the clock of this machine is {abs(ahead).total_seconds():.1f} s {way} that of "
                f"{venue}, more than {CLOCK_BOUND.total_seconds():g} s: set it"
            )
    return ""


async def _send(order: Order, trading: Trading, request: OrderRequest, clock: Clock) -> OrderReport:
    age = timedelta(0) if order.sent_at is None else clock() - order.sent_at
    if age > SEND_WITHIN:
        raise VenueUnavailable("the licence was too old to be used; nothing was sent")
    lane = Lane.ENTRY if order.purpose == Purpose.OPEN else Lane.CLOSE
    with asking(lane, within=min(SEND_WITHIN, SEND_WITHIN - age).total_seconds()):
        return await trading.submit(request)


def _license(order: Order, *, position: Position, now: datetime) -> bool:
    if license_order(order, position=position, now=now):
        return True
    cause = _why_refused(order)
    if cause and order.state == OrderState.PLANNED:
        drop_intent(order, cause=cause, now=now)
    return False


def _why_refused(order: Order) -> str:
    """Return what bars this purpose now; empty where only the state or the lease said no."""
    if order.purpose == Purpose.REDUCE:
        return ""
    pressed = KillSwitch.objects.filter(Q(user=None) | Q(user=order.position.user_id))
    if pressed.filter(rearmed_at=None).exists():
        return "the kill switch is pressed"
    if order.purpose == Purpose.OPEN:
        accounts = ExchangeAccount.objects.filter(legs__position=order.position_id)
        halted = accounts.exclude(halted_at=None).select_related("exchange").first()
        return "" if halted is None else why_barred(halted)
    opened = Order.objects.opened().filter(position=order.position_id, addition=order.addition)
    return "" if opened.exists() else "nothing was opened that it would hedge"


def record_outcome(order: Order, answer: OrderReport | BaseException, *, now: datetime) -> None:
    """Tx 2: ACK, a certain refusal, or UNKNOWN for all else."""
    match answer:
        case OrderReport():
            Order.objects.filter(pk=order.pk).update(answered_at=now)
            order_facts.absorb_report(order, answer, now=now)
        case DuplicateClientOrderId():
            _unknown(order, f"the venue already knows this id: {answer}", now)
        case OrderRejected() | RateLimited() | CredentialRefused() | VenueUnavailable():
            apply_to_order(
                order,
                OrderEvent.REJECTED,
                cause=str(answer),
                now=now,
                answered_at=now,
                is_final_at_venue=True,
                refusal_code=answer.code[:32],
                refusal=answer.detail[:300],
                refusal_kind=_kind_of(answer),
            )
            if isinstance(answer, CredentialRefused):
                halt_account(order.leg.account, reason=str(answer), now=now)
        case OrderOutcomeUnknown():
            _unknown(order, str(answer), now)
        case BaseException():
            _unknown(order, f"no answer: {type(answer).__name__}", now)


def _kind_of(answer: VenueError) -> RefusalKind:
    kinds = (kind for error, kind in REFUSAL_KINDS if isinstance(answer, error))
    return next(kinds, RefusalKind.OTHER)


def _unknown(order: Order, cause: str, now: datetime) -> None:
    apply_to_order(
        order, OrderEvent.OUTCOME_UNKNOWN, cause=cause, now=now, looked_up_at=None, answered_at=None
    )
