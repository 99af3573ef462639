"""What a venue says of one account, compared with our own book: findings, never actions.

Invariants:
1. Idempotent: once the findings are applied, the same reports yield nothing more to write.
2. Order-independent: shuffled or repeated reports yield the same findings.
3. A fill is booked once per (symbol, venue trade id), and only if the order is ours or the venue
   itself made it. Of another order under an id of ours nothing is taken over.
4. A dropped report delays a finding, it never makes a wrong one: what our own unfinished orders
   may explain is UNSETTLED, and only what nothing explains is MISSING or FOREIGN.
5. Positions that were not read are not flat: without them nothing is said of quantities.
6. Absence of an order is proven only by a look-up after its lifetime bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from exchanges.domain import (
    FINAL_VENUE_STATUSES,
    ClientOrderId,
    Fill,
    OrderReport,
    Side,
    Symbol,
    VenueOrderStatus,
)
from trading.core.echo import Sent, as_sent, contradiction
from trading.core.quantity import (
    QuantityFinding,
    QuantityVerdict,
    SpotHolding,
    derivative_verdict,
    spot_verdict,
)
from trading.core.states import (
    FINAL_ORDER_STATES,
    ORDER_TABLE,
    UNRESOLVED_ORDER_STATES,
    OrderEvent,
    OrderState,
)

ZERO = Decimal(0)
TradeKey = tuple[Symbol, str]

FINAL_EVENTS = {
    VenueOrderStatus.FILLED: OrderEvent.FILLED,
    VenueOrderStatus.CANCELED: OrderEvent.CANCELED,
    VenueOrderStatus.EXPIRED: OrderEvent.EXPIRED,
    VenueOrderStatus.REJECTED: OrderEvent.REJECTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnOrder:
    """One of our intents that was sent or may have been. `filled` is what we have booked."""

    client_order_id: ClientOrderId
    symbol: Symbol
    side: Side
    base_quantity: Decimal
    filled: Decimal
    state: OrderState
    lifetime_ends_at: datetime
    venue_order_id: str | None = None
    reduces: bool = False

    @property
    def sent(self) -> Sent:
        return Sent(
            symbol=self.symbol,
            side=self.side,
            base_quantity=self.base_quantity,
            reduces=self.reduces,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBook:
    """Our own book of one account; quantities signed, > 0 long."""

    orders: Sequence[OwnOrder]
    booked_trades: frozenset[TradeKey]
    quantities: Mapping[Symbol, Decimal]
    ignored: Mapping[Symbol, Decimal] = field(default_factory=dict)
    """What a person has accepted as not ours, as long as it stays exactly so."""
    spot: Mapping[Symbol, SpotHolding] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueReports:
    """What one read of the account brought.

    `quantities` holds the signed base of every open position, None when they could not be read;
    `not_found` the ids that a look-up did not find.
    """

    read_at: datetime
    fills: Sequence[Fill] = ()
    orders: Sequence[OrderReport] = ()
    quantities: Mapping[Symbol, Decimal] | None = None
    wallet: Mapping[Symbol, Decimal] | None = None
    """What the wallet holds of each spot instrument's base, None when it could not be read."""
    not_found: frozenset[ClientOrderId] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class BookFill:
    """Book this fill under this order of ours."""

    client_order_id: ClientOrderId
    fill: Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveOrder:
    """Record what the venue shows of an order: an event of the order table."""

    client_order_id: ClientOrderId
    event: OrderEvent
    venue_order_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongOrder:
    """The venue shows another order under an id of ours: nothing of it is taken over."""

    client_order_id: ClientOrderId
    symbol: Symbol
    difference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The outcome of one comparison, each part in a fixed order."""

    fills: tuple[BookFill, ...]
    orders: tuple[ObserveOrder, ...]
    quantities: tuple[QuantityFinding, ...]
    venue_fills: tuple[Fill, ...] = ()
    """What the venue itself closed and is not booked, oldest first."""
    wrong_orders: tuple[WrongOrder, ...] = ()

    @property
    def writes_nothing(self) -> bool:
        return not self.fills and not self.orders and not self.venue_fills

    @property
    def unexplained(self) -> tuple[QuantityFinding, ...]:
        """Return what halts the account until a person has looked."""
        bad = (QuantityVerdict.MISSING, QuantityVerdict.FOREIGN)
        return tuple(finding for finding in self.quantities if finding.verdict in bad)


@dataclass(slots=True)
class _Evidence:
    """All that the reports say of one order."""

    order: OwnOrder
    booked: list[Fill] = field(default_factory=list)
    reported_filled: Decimal = ZERO
    final_status: VenueOrderStatus | None = None
    venue_order_id: str | None = None
    is_seen: bool = False

    @property
    def booked_base(self) -> Decimal:
        new = sum((fill.base_quantity for fill in self.booked), ZERO)
        return self.order.filled + new

    @property
    def filled(self) -> Decimal:
        return max(self.booked_base, self.reported_filled)


def reconcile(book: OwnBook, reports: VenueReports) -> Findings:
    """Compare and return what to book, what to observe and how the quantities stand."""
    evidence = {
        order.client_order_id: _Evidence(order=order, venue_order_id=order.venue_order_id)
        for order in book.orders
    }
    reports = replace(reports, orders=[_as_sent(evidence, report) for report in reports.orders])
    ids = _ids_by_venue_order(book, reports)
    wrong = list(_wrong_orders(evidence, reports))
    strange = {found.client_order_id for found in wrong}
    for report in reports.orders:
        if report.client_order_id not in strange:
            _weigh_report(evidence, ids, report)
    for fill in _new_fills(book, reports):
        owner = evidence.get(_owner(fill.client_order_id, fill.venue_order_id, ids))
        if owner is not None and owner.order.symbol == fill.symbol:
            owner.booked.append(fill)
            owner.venue_order_id = owner.venue_order_id or fill.venue_order_id
            owner.is_seen = True
    return Findings(
        fills=tuple(
            BookFill(client_order_id=client_id, fill=fill)
            for client_id in sorted(evidence)
            for fill in evidence[client_id].booked
        ),
        orders=tuple(
            ObserveOrder(
                client_order_id=client_id, event=event, venue_order_id=found.venue_order_id
            )
            for client_id, found in sorted(evidence.items())
            for event in _events(found, reports)
        ),
        quantities=(
            *_compare_quantities(book, reports, list(evidence.values())),
            *_compare_wallet(book, reports, list(evidence.values())),
        ),
        venue_fills=tuple(fill for fill in _new_fills(book, reports) if fill.cause.is_venue),
        wrong_orders=tuple(sorted(wrong, key=lambda found: found.client_order_id)),
    )


def _as_sent(evidence: Mapping[ClientOrderId, _Evidence], report: OrderReport) -> OrderReport:
    own = evidence.get(report.client_order_id or ClientOrderId(""))
    return report if own is None else as_sent(own.order.sent, report)


def _wrong_orders(
    evidence: Mapping[ClientOrderId, _Evidence], reports: VenueReports
) -> Iterable[WrongOrder]:
    """Yield each id of ours under which the venue shows something else, once."""
    found: dict[ClientOrderId, WrongOrder] = {}
    for report in reports.orders:
        own = evidence.get(report.client_order_id or ClientOrderId(""))
        if own is None:
            continue
        order = own.order
        if difference := contradiction(order.sent, report):
            found[order.client_order_id] = WrongOrder(
                client_order_id=order.client_order_id, symbol=order.symbol, difference=difference
            )
    return found.values()


def _ids_by_venue_order(book: OwnBook, reports: VenueReports) -> dict[str, ClientOrderId]:
    known = {o.venue_order_id: o.client_order_id for o in book.orders if o.venue_order_id}
    for report in reports.orders:
        if report.venue_order_id and report.client_order_id:
            known.setdefault(report.venue_order_id, report.client_order_id)
    return known


def _owner(
    client_order_id: ClientOrderId | None,
    venue_order_id: str | None,
    ids: Mapping[str, ClientOrderId],
) -> ClientOrderId:
    nobody = ClientOrderId("")
    return client_order_id or ids.get(venue_order_id or "", nobody)


def _weigh_report(
    evidence: Mapping[ClientOrderId, _Evidence],
    ids: Mapping[str, ClientOrderId],
    report: OrderReport,
) -> None:
    found = evidence.get(_owner(report.client_order_id, report.venue_order_id, ids))
    if found is None or found.order.symbol != report.symbol or report.status is None:
        return
    found.is_seen = True
    found.venue_order_id = found.venue_order_id or report.venue_order_id
    filled = report.filled_base_quantity or ZERO
    if report.status is VenueOrderStatus.FILLED:
        filled = max(filled, found.order.base_quantity)
    found.reported_filled = max(found.reported_filled, filled)
    if report.status in FINAL_VENUE_STATUSES:
        # Final reports that differ are a late fill: the smallest name makes the choice stable.
        found.final_status = min(found.final_status or report.status, report.status)


def _new_fills(book: OwnBook, reports: VenueReports) -> Iterable[Fill]:
    unique = {(fill.symbol, fill.venue_trade_id): fill for fill in reports.fills}
    fresh = (fill for key, fill in unique.items() if key not in book.booked_trades)
    return sorted(fresh, key=lambda fill: (fill.filled_at, fill.symbol, fill.venue_trade_id))


def _events(found: _Evidence, reports: VenueReports) -> list[OrderEvent]:
    """Return the events that move the order's state, in the order to record them."""
    events: list[OrderEvent] = []
    state = found.order.state
    for event in _evident(found, reports):
        target = ORDER_TABLE.get((state, event))
        if target is not None and target is not state:
            events.append(event)
            state = target
    return events


def _evident(found: _Evidence, reports: VenueReports) -> list[OrderEvent]:
    order = found.order
    if found.is_seen:
        if found.filled >= order.base_quantity:
            return [OrderEvent.FILLED]
        if found.final_status is not None:
            return [FINAL_EVENTS[found.final_status]]
        return [OrderEvent.PARTLY_FILLED if found.filled > 0 else OrderEvent.ACKNOWLEDGED]
    if order.state not in UNRESOLVED_ORDER_STATES or reports.read_at < order.lifetime_ends_at:
        return []
    if order.client_order_id in reports.not_found:
        return [OrderEvent.OUTCOME_UNKNOWN, OrderEvent.PROVEN_ABSENT]
    return [OrderEvent.OUTCOME_UNKNOWN]


def _compare_quantities(
    book: OwnBook, reports: VenueReports, evidence: Sequence[_Evidence]
) -> Iterable[QuantityFinding]:
    if reports.quantities is None:
        return
    for symbol in sorted({*book.quantities, *reports.quantities}):
        own = [found for found in evidence if found.order.symbol == symbol]
        ours = book.quantities.get(symbol, ZERO) + sum(
            (fill.side.sign * fill.base_quantity for found in own for fill in found.booked), ZERO
        )
        theirs = reports.quantities.get(symbol, ZERO)
        verdict = derivative_verdict(
            ours,
            theirs,
            ignored=book.ignored.get(symbol, ZERO),
            may_still_fill=any(_may_still_fill(found, reports) for found in own),
        )
        yield QuantityFinding(symbol=symbol, verdict=verdict, ours=ours, theirs=theirs)


def _compare_wallet(
    book: OwnBook, reports: VenueReports, evidence: Sequence[_Evidence]
) -> Iterable[QuantityFinding]:
    if reports.wallet is None:
        return
    for symbol, holding in sorted(book.spot.items()):
        own = [found for found in evidence if found.order.symbol == symbol]
        theirs = reports.wallet.get(symbol, ZERO)
        verdict = spot_verdict(
            holding,
            theirs,
            may_still_fill=any(_may_still_fill(found, reports) or found.booked for found in own),
        )
        yield QuantityFinding(
            symbol=symbol, verdict=verdict, ours=holding.base_quantity, theirs=theirs
        )


def _may_still_fill(found: _Evidence, reports: VenueReports) -> bool:
    """Tell whether fills of this order may exist that have not been read."""
    if found.filled > found.booked_base:
        return True
    state = found.order.state
    for event in _events(found, reports):
        state = ORDER_TABLE[state, event]
    return state not in FINAL_ORDER_STATES
