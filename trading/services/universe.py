"""What can be paired: the perpetuals of each base, their settled history, and facts for strategies.

Read from the database now and then, asked from memory on every update of the board.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from exchanges import selectors
from exchanges.board import Board, Key
from exchanges.domain import BookTop, Instrument, SettledFunding, Symbol
from exchanges.models import SettledFundingRate
from trading.core.funding import SettledRate, ewma_8h, settled_rates_8h, settled_spreads_8h
from trading.core.volatility import daily_volatility
from trading.strategies.base import InstrumentFacts, PairHistory

# Of several perpetuals of one base at one venue the one most people mean is paired.
PREFERRED_SETTLE = ("USDT", "USDC", "USD")
# 100 days of 8 h settlements; more than any half-life in use can still see.
SETTLEMENTS_KEPT = 300

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """One perpetual that takes part, and its row."""

    id: UUID
    instrument: Instrument

    @property
    def key(self) -> Key:
        return (self.instrument.venue, self.instrument.symbol)


class Universe:
    """All pairable perpetuals with their history. `refresh` reads the database, the rest memory."""

    def __init__(self) -> None:
        self.by_base: dict[str, dict[str, Paired]] = {}
        self._settled: dict[Key, tuple[SettledRate, ...]] = {}
        self._read_up_to: Mapping[Key, datetime] = {}
        self._volatilities: dict[Key, Decimal | None] = {}
        self._carries: dict[tuple[Key, timedelta], Decimal | None] = {}
        self._histories: dict[tuple[Key, Key], PairHistory] = {}

    @property
    def venues(self) -> list[str]:
        return sorted({venue for paired in self.by_base.values() for venue in paired})

    def refresh(self, now: datetime) -> bool:
        """Read what has changed; tell whether instruments did."""
        found = _pairable()
        has_changed = found != self.by_base
        # Scans recognise the instruments they were built for by this very object.
        if has_changed:
            self.by_base = found
        last = selectors.last_settlements()
        for paired in (one for some in self.by_base.values() for one in some.values()):
            if last.get(paired.key) != self._read_up_to.get(paired.key):
                settled = _settlements(paired)
                self._settled[paired.key] = settled_rates_8h(settled)
                self._volatilities[paired.key] = _volatility(settled)
                self._forget(paired.key)
        self._read_up_to = last
        return has_changed

    def facts(
        self,
        paired: Paired,
        board: Board,
        *,
        taker_fee: Decimal,
        half_life: timedelta,
        now: datetime,
    ) -> InstrumentFacts:
        """Return what a strategy may know of one instrument; slippage is half the touch."""
        row = board.row(*paired.key)
        book = row.book if row is not None else None
        return InstrumentFacts(
            instrument=paired.instrument,
            funding=row.funding if row is not None else None,
            book=book,
            taker_fee=taker_fee,
            slippage=half_touch(book) if book is not None else ZERO,
            carry_8h=self.carry(paired, half_life, now),
            daily_volatility=self._volatilities.get(paired.key),
        )

    def carry(self, paired: Paired, half_life: timedelta, now: datetime) -> Decimal | None:
        """Return the settled average per 8 h as of the last settlement."""
        known = (paired.key, half_life)
        if known not in self._carries:
            settled = self._settled.get(paired.key, ())
            self._carries[known] = ewma_8h(settled, now=now, half_life=half_life)
        return self._carries[known]

    def settled(self, paired: Paired) -> tuple[SettledRate, ...]:
        """Return the settled rates of one instrument, oldest first."""
        return self._settled.get(paired.key, ())

    def history(self, long: Paired, short: Paired) -> PairHistory:
        known = (long.key, short.key)
        if known not in self._histories:
            settled = (self._settled.get(long.key, ()), self._settled.get(short.key, ()))
            self._histories[known] = PairHistory(spreads=settled_spreads_8h(*settled))
        return self._histories[known]

    def _forget(self, key: Key) -> None:
        self._carries = {k: v for k, v in self._carries.items() if k[0] != key}
        self._histories = {k: v for k, v in self._histories.items() if key not in k}


def half_touch(book: BookTop) -> Decimal:
    """Return what taking the touch costs against mid, as a fraction."""
    return (book.ask - book.bid) / (book.ask + book.bid)


def _pairable() -> dict[str, dict[str, Paired]]:
    """Return by base and venue one perpetual each, of the bases that two venues list."""
    found: dict[str, dict[str, Paired]] = {}
    rows = selectors.perpetuals().filter(settle__in=PREFERRED_SETTLE)
    for row in sorted(rows, key=lambda row: PREFERRED_SETTLE.index(row.settle)):
        paired = Paired(id=row.pk, instrument=row.snapshot())
        found.setdefault(row.base, {}).setdefault(row.exchange.code, paired)
    return {base: found[base] for base in sorted(found) if len(found[base]) > 1}


def _volatility(settled: list[SettledFunding]) -> Decimal | None:
    """Return the daily moves, None where the venue tells no price of its settlements."""
    priced = [(s.settled_at, s.settlement_price) for s in settled]
    return daily_volatility([(at, price) for at, price in priced if price])


def _settlements(paired: Paired) -> list[SettledFunding]:
    """Return the newest settlements, oldest first."""
    rows = SettledFundingRate.objects.filter(instrument=paired.id).order_by("-settled_at")
    newest = [
        SettledFunding(
            venue=paired.instrument.venue,
            symbol=Symbol(paired.instrument.symbol),
            funding_rate=row.funding_rate,
            settled_at=row.settled_at,
            settlement_price=row.settlement_price,
        )
        for row in rows[:SETTLEMENTS_KEPT]
    ]
    return newest[::-1]
