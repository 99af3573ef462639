"""Compare each account with its venue, book what is ours, halt on what nothing explains."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain import Fill, InstrumentKind, OrderReport, Symbol
from exchanges.errors import CredentialRefused
from exchanges.models import ExchangeAccount
from trading.core.quantity import QuantityVerdict
from trading.core.reconcile import Findings, VenueReports, reconcile
from trading.core.states import LIVE_POSITION_STATES
from trading.doorbell import ring_drive
from trading.models import Leg, Order, Position
from trading.services.discrepancies import note_hedge_mode, settle_findings
from trading.services.engine import note_reconciled
from trading.services.halt import halt_account, openable
from trading.services.lookup import book_missing_fills
from trading.services.order_facts import absorb_report, book_fills
from trading.services.outside_fills import (
    book_venue_fills,
    is_booked,
    live_leg,
    order_of,
    unconfirmed_since,
)
from trading.services.own_book import is_complete, own_book, own_orders
from trading.services.position_facts import store_positions
from trading.services.reviews import (
    ask_for_all,
    close_review,
    due_accounts,
    postpone_review,
)
from trading.services.venues import READ_SECONDS, Venues

# Each round books what it finds; what is still moving after so many is looked at again later.
ROUNDS = 3
READ_MARGIN = timedelta(seconds=5)


def reconcile_accounts(*, venues: Venues, now: datetime) -> int:
    """Reconcile every active account; return how many could be read."""
    active = ExchangeAccount.objects.active().select_related("exchange")
    accounts = openable(active, venues=venues, now=now)
    return sum(reconcile_account(account, venues=venues, now=now) for account in accounts)


def reconcile_due(*, venues: Venues, now: datetime) -> int:
    """Reconcile the accounts whose review was asked for; return how many could be read."""
    accounts = openable(due_accounts(now=now), venues=venues, now=now)
    return sum(reconcile_account(account, venues=venues, now=now) for account in accounts)


def reconcile_after_start(*, now: datetime) -> None:
    """Have every active account reconciled at once, whatever was known before."""
    ask_for_all(ExchangeAccount.objects.active(), now=now)


def reconcile_account(
    account: ExchangeAccount, *, venues: Venues, now: datetime, driven: Position | None = None
) -> bool:
    """Read the account, apply what is ours and settle the rest; return False if unreadable.

    What looks unexplained is read at least twice: an order may have been written between our
    snapshot and the venue's. `driven` is the position whose lease the caller holds, if any.
    """
    for round_number in range(1, ROUNDS + 1):
        seen = _look(account, venues, now)
        if seen is None:
            postpone_review(account.pk, reason="the venue did not answer", now=now)
            return False
        findings, has_written = seen
        if not has_written and (round_number > 1 or not findings.unexplained):
            break
    note_reconciled(account.pk, now=now)
    close_review(account.pk, asked_until=now)
    if findings.venue_fills and has_written:
        postpone_review(account.pk, reason="its books were still moving", now=now)
        return True
    settle_findings(account, findings, now=now, driven=driven)
    return True


def _look(account: ExchangeAccount, venues: Venues, now: datetime) -> tuple[Findings, bool] | None:
    """Compare once and apply what is ours; tell whether anything was written."""
    orders = own_orders(account)
    book = own_book(account, orders)
    reports = _read(account, orders, book.spot, venues, now)
    if reports is None:
        return None
    findings = reconcile(book, reports)
    if unequal := _unequal(findings):
        closings = _read_closings(account, unequal, reports, venues)
        if closings is None:
            return None
        findings = reconcile(book, closings)
        reports = closings
    has_written = _apply(account, orders, findings, reports, now)
    book_missing_fills(orders, venues=venues, now=now)
    return findings, has_written


def _unequal(findings: Findings) -> list[Symbol]:
    return [
        finding.symbol
        for finding in findings.quantities
        if finding.verdict is not QuantityVerdict.EQUAL
    ]


def _read(
    account: ExchangeAccount,
    orders: list[Order],
    spot: Collection[Symbol],
    venues: Venues,
    now: datetime,
) -> VenueReports | None:
    """Read positions, wallet, open orders and fills; a part that fails fails the whole read."""
    port, trading = venues.account(account), venues.trading(account)
    since: dict[Symbol, datetime] = {}
    for order in orders:
        if order.is_final_at_venue and is_complete(order):
            continue
        symbol = Symbol(order.leg.instrument.symbol)
        since[symbol] = min(since.get(symbol, now), order.created_at - READ_MARGIN)
    [positions] = venues.call_all([port.positions()], READ_SECONDS)
    [working] = venues.call_all([trading.open_orders(None)], READ_SECONDS)
    if isinstance(positions, CredentialRefused):
        halt_account(account, reason=positions.detail, now=now)
    if isinstance(positions, BaseException) or isinstance(working, BaseException):
        return None
    fills = _fills(account, since, venues)
    wallet = _wallet(account, venues) if spot else None
    if fills is None or isinstance(wallet, BaseException):
        return None
    store_positions(account, positions, now=now)
    if any(position.is_hedge_mode for position in positions):
        note_hedge_mode(account, now=now)
    quantities: dict[Symbol, Decimal] = {}
    for position in positions:
        held = quantities.get(position.symbol, Decimal(0))
        quantities[position.symbol] = held + position.base_quantity
    return VenueReports(
        read_at=now, fills=fills, orders=list(working), quantities=quantities, wallet=wallet
    )


def _fills(
    account: ExchangeAccount, since: Mapping[Symbol, datetime], venues: Venues
) -> list[Fill] | None:
    port = venues.account(account)
    answers = venues.call_all(
        [port.fills(symbol, since=start) for symbol, start in since.items()], READ_SECONDS
    )
    fills: list[Fill] = []
    for answer in answers:
        if isinstance(answer, BaseException):
            return None
        fills.extend(answer)
    return fills


def _wallet(
    account: ExchangeAccount, venues: Venues
) -> dict[Symbol, Decimal] | BaseException | None:
    """Return what the wallet holds of each spot instrument that a live leg of ours is in."""
    spot = Leg.objects.filter(
        account=account,
        instrument__kind=InstrumentKind.SPOT,
        position__state__in=LIVE_POSITION_STATES,
    )
    bases = dict(spot.values_list("instrument__symbol", "instrument__base"))
    if not bases:
        return None
    [balances] = venues.call_all([venues.account(account).balances()], READ_SECONDS)
    if isinstance(balances, BaseException):
        return balances
    totals = {balance.asset: balance.total for balance in balances}
    return {Symbol(symbol): totals.get(base, Decimal(0)) for symbol, base in bases.items()}


def _read_closings(
    account: ExchangeAccount, symbols: Iterable[Symbol], reports: VenueReports, venues: Venues
) -> VenueReports | None:
    """Add the fills since both venues last confirmed each differing leg, with their causes."""
    since: dict[Symbol, datetime] = {}
    for symbol in symbols:
        leg = live_leg(account, symbol)
        if leg is not None:
            since[symbol] = unconfirmed_since(leg)
    fills = _fills(account, since, venues)
    if fills is None:
        return None
    traced = _traced(account, fills, venues)
    if traced is None:
        return None
    known = {fill.venue_trade_id: fill for fill in (*reports.fills, *traced)}
    return VenueReports(
        read_at=reports.read_at,
        fills=list(known.values()),
        orders=reports.orders,
        quantities=reports.quantities,
        wallet=reports.wallet,
    )


def _traced(account: ExchangeAccount, fills: list[Fill], venues: Venues) -> list[Fill] | None:
    """Return the fills with the causes of those that no order of ours made, asked once an order."""
    strange = {
        fill.venue_order_id: fill
        for fill in fills
        if not fill.cause.is_venue
        and order_of(account, fill) is None
        and not is_booked(account, fill)
    }
    port = venues.account(account)
    answers = venues.call_all([port.trace(fill) for fill in strange.values()], READ_SECONDS)
    origins: dict[str, Fill] = {}
    for answer in answers:
        if isinstance(answer, BaseException):
            return None
        origins[answer.venue_order_id] = answer
    return [
        replace(fill, client_order_id=origin.client_order_id, cause=origin.cause)
        if (origin := origins.get(fill.venue_order_id)) is not None
        else fill
        for fill in fills
    ]


def _apply(
    account: ExchangeAccount,
    orders: Iterable[Order],
    findings: Findings,
    reports: VenueReports,
    now: datetime,
) -> bool:
    """Write only what changes: own fills and the venue's closings by their key, own orders."""
    booked = book_fills(account, [found.fill for found in findings.fills], now=now)
    closed = book_venue_fills(account, findings.venue_fills, now=now)
    # A fill that no stream told of is hedged at once, as one that was streamed.
    moved = [*(order.position_id for order in booked), *(position.pk for position in closed)]
    for position_id in dict.fromkeys(moved):
        ring_drive(position_id)
    observed = {found.client_order_id for found in findings.orders}
    listed: dict[str | None, OrderReport] = {r.client_order_id: r for r in reports.orders}
    absorbed = 0
    for order in orders:
        report = listed.get(order.client_order_id)
        if report is not None and order.client_order_id in observed:
            absorb_report(order, report, now=now)
            absorbed += 1
    return bool(booked or closed or absorbed)
