"""Compare each account with its venue, book what is ours, halt on what nothing explains."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from exchanges.domain import ClientOrderId, Fill, InstrumentKind, OrderReport, Side, Symbol
from exchanges.errors import CredentialRefused
from exchanges.models import ExchangeAccount
from trading.core.reconcile import (
    Findings,
    OwnBook,
    OwnOrder,
    QuantityFinding,
    QuantityVerdict,
    VenueReports,
    reconcile,
)
from trading.core.states import LIVE_POSITION_STATES, OrderState
from trading.models import Leg, Order, Trade
from trading.services.halt import halt_account, openable
from trading.services.lookup import ORDER_LIFETIME, READ_MARGIN, book_missing_fills
from trading.services.order_facts import absorb_report, book_fills
from trading.services.read_back import store_positions
from trading.services.venues import READ_SECONDS, Venues


def reconcile_accounts(*, venues: Venues, now: datetime) -> int:
    """Reconcile every active account; return how many could be read."""
    active = ExchangeAccount.objects.active().select_related("exchange")
    accounts = openable(active, venues=venues, now=now)
    return sum(reconcile_account(account, venues=venues, now=now) for account in accounts)


def reconcile_account(account: ExchangeAccount, *, venues: Venues, now: datetime) -> bool:
    """Read the account, apply what is ours and halt on the rest; return False if unreadable.

    What looks unexplained is read once more before the account is halted: an order may have been
    written between our snapshot and the venue's.
    """
    findings = _compare(account, venues, now)
    if findings is None:
        return False
    if findings.unexplained:
        findings = _compare(account, venues, now)
    if findings is not None and findings.unexplained:
        words = "; ".join(_words(finding, account) for finding in findings.unexplained)
        halt_account(account, reason=words, now=now)
    return True


def _compare(account: ExchangeAccount, venues: Venues, now: datetime) -> Findings | None:
    orders = _own_orders(account)
    book = _own_book(account, orders)
    reports = _read(account, orders, venues, now)
    if reports is None:
        return None
    findings = reconcile(book, reports)
    _apply(account, orders, findings, reports, now)
    book_missing_fills(orders, venues=venues, now=now)
    return findings


def _own_orders(account: ExchangeAccount) -> list[Order]:
    """Return the orders that may still change, and all of the positions that are live."""
    sent = (
        Order.objects.filter(leg__account=account)
        .exclude(state__in=(OrderState.PLANNED, OrderState.DROPPED))
        .select_related("position", "leg__instrument__exchange", "leg__account__exchange")
        .prefetch_related("trades")
    )
    open_ended = sent.filter(is_final_at_venue=False)
    live = sent.filter(position__state__in=LIVE_POSITION_STATES)
    return list((open_ended | live).distinct())


def _own_book(account: ExchangeAccount, orders: Iterable[Order]) -> OwnBook:
    booked = Trade.objects.filter(account=account, order__in=list(orders))
    return OwnBook(
        orders=[_own_order(order) for order in orders],
        booked_trades=frozenset(
            (Symbol(symbol), trade_id)
            for symbol, trade_id in booked.values_list("leg__instrument__symbol", "venue_trade_id")
        ),
        quantities=_own_quantities(account),
    )


def _own_order(order: Order) -> OwnOrder:
    booked = sum((trade.base_quantity for trade in order.trades.all()), Decimal(0))
    return OwnOrder(
        client_order_id=ClientOrderId(order.client_order_id),
        symbol=Symbol(order.leg.instrument.symbol),
        side=Side(order.side),
        base_quantity=order.base_quantity,
        filled=booked,
        state=OrderState(order.state),
        lifetime_ends_at=(order.sent_at or order.created_at) + ORDER_LIFETIME,
        venue_order_id=order.venue_order_id or None,
    )


def _own_quantities(account: ExchangeAccount) -> dict[Symbol, Decimal]:
    """Return what the live positions hold there by their booked fills."""
    legs = (
        Leg.objects.filter(account=account, position__state__in=LIVE_POSITION_STATES)
        .exclude(instrument__kind=InstrumentKind.SPOT)
        .select_related("instrument")
        .prefetch_related("orders", "trades")
    )
    quantities: dict[Symbol, Decimal] = {}
    for leg in legs:
        symbol = Symbol(leg.instrument.symbol)
        quantities[symbol] = quantities.get(symbol, Decimal(0)) + _booked_base(leg)
    return quantities


def _booked_base(leg: Leg) -> Decimal:
    return sum(
        (Side(trade.order_side).sign * trade.base_quantity for trade in leg.trades.all()),
        Decimal(0),
    )


def _read(
    account: ExchangeAccount, orders: list[Order], venues: Venues, now: datetime
) -> VenueReports | None:
    """Read positions, open orders and fills; a part that fails makes the whole read fail."""
    port, trading = venues.account(account), venues.trading(account)
    since: dict[Symbol, datetime] = {}
    for order in orders:
        if order.is_final_at_venue and _is_booked(order):
            continue
        symbol = Symbol(order.leg.instrument.symbol)
        since[symbol] = min(since.get(symbol, now), order.created_at - READ_MARGIN)
    [positions] = venues.call_all([port.positions()], READ_SECONDS)
    [working] = venues.call_all([trading.open_orders(None)], READ_SECONDS)
    answers = venues.call_all(
        [port.fills(symbol, since=start) for symbol, start in since.items()], READ_SECONDS
    )
    if isinstance(positions, CredentialRefused):
        halt_account(account, reason=positions.detail, now=now)
    if isinstance(positions, BaseException) or isinstance(working, BaseException):
        return None
    fills: list[Fill] = []
    for answer in answers:
        if isinstance(answer, BaseException):
            return None
        fills.extend(answer)
    store_positions(account, positions, now=now)
    return VenueReports(
        read_at=now,
        fills=fills,
        orders=list(working),
        quantities={position.symbol: position.base_quantity for position in positions},
    )


def _is_booked(order: Order) -> bool:
    booked = sum((trade.base_quantity for trade in order.trades.all()), Decimal(0))
    filled: Decimal = order.filled_base_quantity
    return booked == filled


def _apply(
    account: ExchangeAccount,
    orders: Iterable[Order],
    findings: Findings,
    reports: VenueReports,
    now: datetime,
) -> None:
    """Write only what changes: own fills by their key, own orders by what the venue lists."""
    book_fills(account, [found.fill for found in findings.fills], now=now)
    observed = {found.client_order_id for found in findings.orders}
    listed: dict[str | None, OrderReport] = {r.client_order_id: r for r in reports.orders}
    for order in orders:
        report = listed.get(ClientOrderId(order.client_order_id))
        if report is not None and order.client_order_id in observed:
            absorb_report(order, report, now=now)


def _words(finding: QuantityFinding, account: ExchangeAccount) -> str:
    kind = "holds less than we do" if finding.verdict is QuantityVerdict.MISSING else "differs"
    return (
        f"{account.exchange.name} {kind} in {finding.symbol}: "
        f"{finding.theirs.normalize():f} there, {finding.ours.normalize():f} by our fills"
    )
