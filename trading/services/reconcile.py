"""Compare each account with its venue, book what is ours, halt on what nothing explains."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from exchanges.domain import OrderReport, Symbol
from exchanges.models import ExchangeAccount
from trading.core.quantity import QuantityVerdict
from trading.core.reconcile import Findings, VenueReports, reconcile
from trading.doorbell import ring_drive
from trading.models import Order, Position
from trading.services.account_reads import AccountUnread, read_account, read_closings
from trading.services.discrepancies import settle_findings
from trading.services.engine import note_reconciled
from trading.services.halt import openable
from trading.services.in_use import accounts_in_use
from trading.services.lookup import book_missing_fills
from trading.services.order_facts import absorb_report, book_fills
from trading.services.outside_fills import book_venue_fills
from trading.services.own_book import orders_of_ended, own_book, own_orders
from trading.services.reviews import (
    ask_for_all,
    close_review,
    due_accounts,
    postpone_review,
)
from trading.services.side_by_side import Conversation, alone, side_by_side
from trading.services.silence import silent_accounts
from trading.services.unread import note_unread, release_read
from trading.services.venues import Venues

# Each round books what it finds; what is still moving after so many is looked at again later.
ROUNDS = 3
# More would be compared with a snapshot of ours that has grown old before the venue is asked.
AT_ONCE = 16


def reconcile_accounts(*, venues: Venues, now: datetime) -> int:
    """Reconcile every account in use; return how many could be read."""
    return len(reconcile_each(accounts_in_use(), venues=venues, now=now))


def reconcile_due(*, venues: Venues, now: datetime) -> int:
    """Reconcile the accounts whose review was asked for; return how many could be read."""
    return len(reconcile_each(due_accounts(now=now), venues=venues, now=now))


def reconcile_after_start(*, now: datetime) -> None:
    """Have every account in use reconciled at once, whatever was known before."""
    ask_for_all(accounts_in_use(), now=now)


def reconcile_each(
    accounts: Iterable[ExchangeAccount], *, venues: Venues, now: datetime
) -> set[UUID]:
    """Reconcile several accounts at once; return which could be read.

    Those whose venue is known not to answer come last, after all others are done.
    """
    opened, silent = openable(accounts, venues=venues, now=now), silent_accounts(now=now)
    answering = [account for account in opened if account.pk not in silent]
    read: set[UUID] = set()
    for group in (answering, [account for account in opened if account.pk in silent]):
        for start in range(0, len(group), AT_ONCE):
            conversations = {
                account.pk: _compare(account, venues, now, driven=None)
                for account in group[start : start + AT_ONCE]
            }
            ended = side_by_side(conversations, venues)
            read |= {account_id for account_id, was_read in ended.items() if was_read}
    return read


def reconcile_account(
    account: ExchangeAccount, *, venues: Venues, now: datetime, driven: Position | None = None
) -> bool:
    """Read the account, apply what is ours and settle the rest; return False if unreadable.

    `driven` is the position whose lease the caller holds, if any.
    """
    return alone(_compare(account, venues, now, driven), venues)


def _compare(
    account: ExchangeAccount, venues: Venues, now: datetime, driven: Position | None
) -> Conversation[bool]:
    """Compare until nothing is written any more, then settle; what looks unexplained is read twice.

    An order may have been written between our snapshot and the venue's.
    """
    for round_number in range(1, ROUNDS + 1):
        try:
            findings, has_written = yield from _look(account, venues, now)
        except AccountUnread as unread:
            note_unread(account, unread.failure, now=now)
            return False
        if not has_written and (round_number > 1 or not findings.unexplained):
            break
    note_reconciled(account.pk, now=now)
    release_read(account, now=now)
    close_review(account.pk, asked_until=now)
    if findings.venue_fills and has_written:
        postpone_review(account.pk, reason="its books were still moving", now=now)
        return True
    # A clock that was set back meanwhile puts no answer before its question.
    heard_at = max(now, venues.clock())
    settle_findings(account, findings, now=now, heard_at=heard_at, driven=driven)
    return True


def _look(
    account: ExchangeAccount, venues: Venues, now: datetime
) -> Conversation[tuple[Findings, bool]]:
    """Compare once and apply what is ours; tell whether anything was written."""
    orders = own_orders(account)
    book = own_book(account, orders, now=now)
    reports = yield from read_account(account, orders, book.spot, venues, now)
    findings = reconcile(book, reports)
    if unequal := _unequal(findings):
        # Before anything is called foreign: an order that we took for final may have filled.
        ended = orders_of_ended(account, unequal, now=now)
        book = own_book(account, orders, of_ended=ended, now=now)
        reports = yield from read_closings(account, unequal, ended, reports, venues)
        findings = reconcile(book, reports)
    has_written = _apply(account, orders, findings, reports, now)
    book_missing_fills(orders, venues=venues, now=now)
    return findings, has_written


def _unequal(findings: Findings) -> list[Symbol]:
    return [
        finding.symbol
        for finding in findings.quantities
        if finding.verdict is not QuantityVerdict.EQUAL
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
