"""Both sides of each account: what our fills say, what its venue said last, and what differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.shortcuts import get_object_or_404

from arbsite.accounts.models import User
from exchanges.board import Board
from exchanges.domain import InstrumentKind
from exchanges.models import AccountPosition, ExchangeAccount, Instrument
from trading.core.states import LIVE_POSITION_STATES
from trading.models import Discrepancy, Leg, Reconciliation
from trading.services import resolve
from trading.services.holdings import leg_net_base
from trading.services.in_use import accounts_in_use
from trading.services.market import worth

RESOLVED_SHOWN = 50
LABELS = {
    Discrepancy.Resolution.ADOPTED: "Adopt",
    Discrepancy.Resolution.IGNORED: "Ignore",
    Discrepancy.Resolution.CLOSED: "Close ours",
    Discrepancy.Resolution.WRITTEN_OFF: "Write off",
    Discrepancy.Resolution.VANISHED: "Acknowledge",
}
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityLine:
    """One symbol of an account; quantities signed, `theirs` and `value_usd` None if unknown."""

    symbol: str
    base: str
    ours: Decimal
    theirs: Decimal | None
    ignored: Decimal
    value_usd: Decimal | None
    age: timedelta | None
    suspected: Discrepancy | None
    lot: Decimal

    @property
    def difference(self) -> Decimal | None:
        """Return what the venue holds beyond ours and what was accepted as not ours."""
        return None if self.theirs is None else self.theirs - self.ours - self.ignored

    @property
    def is_equal(self) -> bool:
        return self.difference is not None and abs(self.difference) < self.lot

    @property
    def is_settled(self) -> bool:
        """Tell whether both sides agree and nobody is asked anything about it."""
        return self.is_equal and self.suspected is None

    @property
    def verdict(self) -> str:
        if self.suspected is not None:
            kind = str(self.suspected.kind).replace("_", " ")
            return kind if self.suspected.confirmed_at is not None else f"{kind}? being checked"
        if self.theirs is None:
            return "not read yet"
        if not self.is_equal:
            return "settling"
        return "equal, but for what is ignored" if self.ignored else "equal"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBooks:
    """One account with its lines; `compared_at` None when it never was compared."""

    account: ExchangeAccount
    lines: tuple[QuantityLine, ...]
    compared_at: datetime | None
    age: timedelta | None

    @property
    def is_equal(self) -> bool:
        return self.compared_at is not None and all(line.is_settled for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    key: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscrepancyLine:
    """One open difference with what a person may do about it; `price` None if nobody tells one."""

    row: Discrepancy
    price: Decimal | None
    choices: tuple[Choice, ...]

    @property
    def value_usd(self) -> Decimal | None:
        return None if self.price is None else abs(self.row.difference) * self.price

    @property
    def missing_usd(self) -> Decimal | None:
        return None if self.price is None else abs(self.row.missing) * self.price

    @property
    def base(self) -> str:
        return self.row.symbol.partition("/")[0]

    @property
    def is_coins(self) -> bool:
        instrument = self.row.instrument
        return instrument is not None and instrument.kind == InstrumentKind.SPOT

    @property
    def words_to_write_off(self) -> str:
        """Return what a person types to write off, which cannot be undone."""
        return f"WRITE OFF {self.base}"

    @property
    def seen(self) -> str:
        """Return what a confirmation must still find unchanged."""
        return f"{self.row.ours.normalize():f} {self.row.theirs.normalize():f}"


def books_of(
    accounts: Iterable[ExchangeAccount], board: Board, now: datetime
) -> list[AccountBooks]:
    """Return both sides of each account, those that differ first."""
    found = [_books(account, board, now) for account in accounts]
    return sorted(found, key=lambda books: books.is_equal)


def accounts_of(user: User) -> list[ExchangeAccount]:
    """Return a user's accounts in use, with their exchange."""
    return list(accounts_in_use().filter(user=user))


def get_account_for_user(user: User, account_id: UUID) -> ExchangeAccount:
    """Return the user's own account. Raise Http404 for anyone else's and for unknown ids."""
    own = ExchangeAccount.objects.for_user(user).select_related("exchange")
    return get_object_or_404(own, pk=account_id)


def get_discrepancy_for_user(user: User, discrepancy_id: UUID) -> Discrepancy:
    """Return the user's own difference. Raise Http404 for anyone else's and for unknown ids."""
    own = Discrepancy.objects.for_user(user).select_related(
        "account__exchange", "instrument__exchange", "position"
    )
    return get_object_or_404(own, pk=discrepancy_id)


def open_discrepancies(user: User, board: Board) -> list[DiscrepancyLine]:
    """Return what a person has to decide, oldest first."""
    rows = Discrepancy.objects.for_user(user).confirmed()
    rows = rows.select_related("account__exchange", "instrument__exchange", "position")
    return [discrepancy_line(row, board) for row in rows.order_by("found_at")]


def resolved_discrepancies(user: User) -> list[Discrepancy]:
    """Return what was decided lately, newest first."""
    rows = Discrepancy.objects.for_user(user).exclude(resolved_at=None)
    return list(
        rows.select_related("account__exchange", "position").order_by("-resolved_at")[
            :RESOLVED_SHOWN
        ]
    )


def discrepancy_line(row: Discrepancy, board: Board) -> DiscrepancyLine:
    return DiscrepancyLine(
        row=row,
        price=None if row.instrument is None else worth(board, row.instrument),
        choices=tuple(
            Choice(key=str(choice), label=LABELS[choice]) for choice in resolve.choices(row)
        ),
    )


def _books(account: ExchangeAccount, board: Board, now: datetime) -> AccountBooks:
    run = Reconciliation.objects.filter(account=account).first()
    compared_at = run.compared_at if run is not None else None
    ours, instruments = _ours(account)
    reported = AccountPosition.objects.filter(account=account).select_related(
        "instrument__exchange"
    )
    theirs = {fact.instrument.symbol: fact for fact in reported}
    instruments |= {symbol: fact.instrument for symbol, fact in theirs.items()}
    suspected = {
        row.symbol: row for row in Discrepancy.objects.unresolved().filter(account=account)
    }
    accepted = Discrepancy.objects.ignored().filter(account=account)
    ignored = {row.symbol: row.ignored_base for row in accepted}
    lines = []
    for symbol, instrument in sorted(instruments.items()):
        fact_of = theirs.get(symbol)
        read_at = fact_of.observed_at if fact_of is not None else compared_at
        # A symbol that a complete read does not list is flat there; without a read it is unknown.
        absent = ZERO if compared_at is not None else None
        held = fact_of.base_quantity if fact_of is not None else absent
        mine = ours.get(symbol, ZERO)
        lines.append(
            QuantityLine(
                symbol=symbol,
                base=instrument.base,
                ours=mine,
                theirs=held,
                ignored=ignored.get(symbol, ZERO),
                value_usd=_value(board, instrument, held, mine),
                age=now - read_at if read_at is not None else None,
                suspected=suspected.get(symbol),
                lot=instrument.lot,
            )
        )
    return AccountBooks(
        account=account,
        lines=tuple(lines),
        compared_at=compared_at,
        age=now - compared_at if compared_at is not None else None,
    )


def _ours(account: ExchangeAccount) -> tuple[Mapping[str, Decimal], dict[str, Instrument]]:
    """Return what live positions hold there by their own fills, and the instruments of it."""
    legs = (
        Leg.objects.filter(account=account, position__state__in=LIVE_POSITION_STATES)
        .exclude(instrument__kind=InstrumentKind.SPOT)
        .select_related("instrument__exchange")
        .prefetch_related("orders", "trades")
    )
    quantities: dict[str, Decimal] = {}
    instruments: dict[str, Instrument] = {}
    for leg in legs:
        symbol = leg.instrument.symbol
        instruments[symbol] = leg.instrument
        quantities[symbol] = quantities.get(symbol, ZERO) + leg_net_base(leg)
    return quantities, instruments


def _value(
    board: Board, instrument: Instrument, theirs: Decimal | None, ours: Decimal
) -> Decimal | None:
    price = worth(board, instrument)
    return None if price is None or theirs is None else abs(theirs - ours) * price
