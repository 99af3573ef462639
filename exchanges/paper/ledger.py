"""The rows of one paper account inside one transaction; the account's own row is its lock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import DatabaseError
from django.db.models import Max, QuerySet

from exchanges.domain import FINAL_VENUE_STATUSES, Side, Symbol, VenueOrderStatus
from exchanges.matching import Holding
from exchanges.paper.facts import is_contract, settle_of
from exchanges.paper.margin_rows import PaperLoan
from exchanges.paper.rows import (
    PaperAccount,
    PaperBalance,
    PaperFill,
    PaperHolding,
    PaperOrder,
)

ZERO = Decimal(0)
# The real book goes on showing what we took; by then others have had the time to refill it.
IMPACT_LASTS = timedelta(seconds=30)


class PaperAccountMissing(DatabaseError):
    """The account's row is gone, or was never made."""


class Ledger:
    """What one account holds. `locked` before anything is written."""

    def __init__(self, paper: PaperAccount) -> None:
        self.paper = paper

    @classmethod
    def locked(cls, account_id: str) -> Ledger:
        """Return the ledger with its row locked until the transaction ends: one writer at a time.

        SQLite has no such lock and needs none: its transactions are one writer's from the start.
        """
        return cls(_paper(account_id, PaperAccount.objects.select_for_update()))

    @classmethod
    def read(cls, account_id: str) -> Ledger:
        return cls(_paper(account_id, PaperAccount.objects.all()))

    def balance(self, asset: str) -> Decimal:
        found = PaperBalance.objects.filter(paper=self.paper, asset=asset).first()
        return ZERO if found is None else found.total

    def balances(self) -> list[PaperBalance]:
        return list(PaperBalance.objects.filter(paper=self.paper))

    def credit(self, asset: str, amount: Decimal) -> None:
        row, _ = PaperBalance.objects.get_or_create(paper=self.paper, asset=asset)
        row.total += amount
        row.save(update_fields=["total"])

    def holding(self, symbol: str) -> PaperHolding | None:
        return PaperHolding.objects.filter(paper=self.paper, symbol=symbol).first()

    def position(self, symbol: str) -> Holding:
        found = self.holding(symbol)
        return Holding() if found is None else as_holding(found)

    def leverage(self, symbol: str) -> Decimal:
        found = self.holding(symbol)
        return Decimal(1) if found is None else found.leverage

    def hold(self, symbol: str, now: datetime) -> PaperHolding:
        """Return the row of a contract; a new one owes no settlement of the past."""
        row, _ = PaperHolding.objects.get_or_create(
            paper=self.paper, symbol=symbol, defaults={"settled_until": now}
        )
        return row

    def held(self, settle: str | None = None) -> list[PaperHolding]:
        """Return the contracts that are held, of one settle asset where it is named."""
        rows = PaperHolding.objects.filter(paper=self.paper).exclude(base_quantity=0)
        return [row for row in rows if settle in (None, settle_of(row.symbol))]

    def loans(self) -> list[PaperLoan]:
        """Return the coins that are owed, or were until lately."""
        return list(PaperLoan.objects.filter(paper=self.paper))

    def may_owe(self) -> bool:
        """Tell whether coins are owed, or would be once what works is sold."""
        sales = (row for row in self.orders() if row.side == Side.SELL)
        return bool(self.loans()) or any(not is_contract(row.symbol) for row in sales)

    def unsettled(self) -> list[PaperHolding]:
        """Return what a settlement may be due on: it is held, or was until lately."""
        fills = PaperFill.objects.filter(paper=self.paper).values_list("symbol")
        last = dict(fills.annotate(last=Max("filled_at")).order_by())
        return [
            row
            for row in PaperHolding.objects.filter(paper=self.paper)
            if row.base_quantity or last.get(row.symbol, row.settled_until) > row.settled_until
        ]

    def counts_down(self) -> bool:
        """Tell whether a countdown runs on any contract."""
        return PaperHolding.objects.filter(paper=self.paper).exclude(cancels_at=None).exists()

    def orders(self, symbol: Symbol | None = None) -> list[PaperOrder]:
        """Return the orders that work, oldest first."""
        rows = PaperOrder.objects.filter(paper=self.paper).exclude(status__in=FINAL_VENUE_STATUSES)
        return list(rows if symbol is None else rows.filter(symbol=symbol))

    def order(self, client_order_id: str) -> PaperOrder | None:
        rows = PaperOrder.objects.filter(paper=self.paper, client_order_id=client_order_id)
        return rows.first()

    def next_number(self) -> int:
        """Return the number of the next order; it is taken when the transaction commits."""
        self.paper.orders_placed += 1
        self.paper.save(update_fields=["orders_placed"])
        number: int = self.paper.orders_placed
        return number

    def taken(self, symbol: str, side: Side, now: datetime) -> dict[Decimal, Decimal]:
        """Return what orders of `side` have lately taken of the book, by the level's price."""
        rows = PaperFill.objects.filter(
            paper=self.paper, symbol=symbol, side=side, filled_at__gt=now - IMPACT_LASTS
        )
        found: defaultdict[Decimal, Decimal] = defaultdict(Decimal)
        for row in rows:
            found[row.book_price] += row.base_quantity
        return found

    def finish(self, order: PaperOrder, status: VenueOrderStatus, now: datetime) -> None:
        order.status, order.updated_at = status, now
        order.save(update_fields=["status", "updated_at"])


def as_holding(row: PaperHolding) -> Holding:
    return Holding(base_quantity=row.base_quantity, cost=row.cost)


def contracts(orders: Iterable[PaperOrder], settle: str) -> list[PaperOrder]:
    """Return the orders of contracts that settle in an asset."""
    return [row for row in orders if is_contract(row.symbol) and settle_of(row.symbol) == settle]


def _paper(account_id: str, rows: QuerySet[PaperAccount]) -> PaperAccount:
    found = rows.filter(pk=UUID(account_id)).first()
    if found is None:
        raise PaperAccountMissing(f"there is no paper account {account_id}")
    return found
