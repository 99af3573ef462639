"""What can be hedged: the instruments of each base, their settled history, facts for strategies.

Read from the database now and then, asked from memory on every update of the board.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from uuid import UUID

from exchanges import selectors
from exchanges.board import Board, Key
from exchanges.domain import (
    BookTop,
    BorrowRate,
    Instrument,
    InstrumentKind,
    SettledFunding,
    Side,
    Symbol,
)
from exchanges.models import SettledFundingRate
from exchanges.risk_tiers import TierLadder
from trading.core.basis import PricedLeg, eight_hours
from trading.core.funding import SettledRate, ewma_8h, settled_carry_8h, settled_rates_8h
from trading.core.history import PriceBar, probability_of_warning
from trading.core.past_figures import PastFigures, past_figures
from trading.core.scan.facts import Floats, Slot
from trading.core.scan.usual import usual_ratios
from trading.core.volatility import daily_volatility
from trading.services.hedgeable import hedgeable
from trading.services.latency import venue_latencies
from trading.services.pair_betas import PairBetas
from trading.services.past_prices import PastPrices
from trading.services.premium_rate import premium_rate
from trading.services.usual_gaps import LEAST_HOURS, UsualGaps
from trading.strategies.base import InstrumentFacts, PairHistory

# As much of a venue that settles every hour; more than any half-life in use can still see.
SETTLEMENTS_LAST = timedelta(days=100)
BASIS_POINT = Decimal("0.0001")
LegNames = tuple[tuple[Key, Side, Decimal], ...]

ZERO, ONE = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """One instrument that takes part, and its row."""

    id: UUID
    instrument: Instrument

    @property
    def key(self) -> Key:
        return (self.instrument.venue, self.instrument.symbol)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedLeg:
    """An instrument on a side; `ratio` is its part of the position's base quantity."""

    paired: Paired
    side: Side
    ratio: Decimal = ONE


def parts_of(legs: Iterable[PairedLeg]) -> list[tuple[str, Decimal]]:
    """Return venue and ratio of each leg, which is what limits are charged by."""
    return [(leg.paired.instrument.venue, leg.ratio) for leg in legs]


def settling_keys(legs: Iterable[PairedLeg]) -> list[Key]:
    """Return the legs that pay or receive funding, as betas are fitted to them."""
    perpetual = InstrumentKind.PERPETUAL
    return [leg.paired.key for leg in legs if leg.paired.instrument.kind is perpetual]


class Universe:
    """All that can be hedged, with its history. `refreshed` reads the database, the rest memory.

    `by_base` never changes: who goes on with a universe finds in it what it was built for.
    """

    def __init__(self) -> None:
        self.by_base: dict[str, dict[Slot, Paired]] = {}
        self._settled: dict[Key, tuple[SettledRate, ...]] = {}
        self._read_up_to: Mapping[Key, datetime] = {}
        self._volatilities: dict[Key, Decimal | None] = {}
        self._carries: dict[tuple[Key, timedelta], Decimal | None] = {}
        self._histories: dict[LegNames, PairHistory] = {}
        self._gaps = UsualGaps()
        self.usual_ratios: Mapping[str, tuple[tuple[Slot, ...], Floats]] = {}
        self._ratios_up_to: datetime | None = None
        self.pair_betas = PairBetas()
        self._latencies: Mapping[str, timedelta] = {}
        self._loans: Mapping[selectors.LoanKey, BorrowRate] = {}
        self._held: Mapping[Key, Decimal] = {}
        self._ladders: Mapping[Key, TierLadder] = {}
        self._prices = PastPrices()
        self._warned: dict[tuple[Key, Decimal, timedelta], Decimal | None] = {}
        self._figures: dict[tuple[LegNames, Decimal, timedelta], PastFigures] = {}

    def refreshed(self, now: datetime) -> Universe:
        """Read what has changed; return this universe, a new one where instruments did."""
        found, universe = _paired(), self
        if found != self.by_base:
            universe = copy(self)
            universe.by_base, universe._ratios_up_to = found, None
        universe._read(now)
        return universe

    def count_usual_ratios(self) -> None:
        """Count at what prices undated pairs are expected to close: a second of work an hour."""
        if self._ratios_up_to == self._gaps.known_up_to:
            return
        ratios = {}
        for base, listed in self.by_base.items():
            slots = tuple(slot for slot in listed if slot.kind is not InstrumentKind.FUTURE)
            if slots:
                mids = self._gaps.series([listed[slot].key for slot in slots])
                ratios[base] = (slots, usual_ratios(mids, least_hours=LEAST_HOURS))
        self.usual_ratios, self._ratios_up_to = ratios, self._gaps.known_up_to

    def _read(self, now: datetime) -> None:
        self._latencies = venue_latencies(now)
        self._loans = selectors.borrow_rates(now)
        self._held = selectors.open_interests(now)
        self._ladders = selectors.risk_ladders()
        gaps_moved, fitted_anew = self._gaps.refresh(now), self.pair_betas.refresh()
        if gaps_moved or fitted_anew:
            self._histories, self._figures = {}, {}
        if self._prices.refresh(now):
            self._warned, self._volatilities = {}, {}
        last = selectors.last_settlements()
        for paired in (one for some in self.by_base.values() for one in some.values()):
            if last.get(paired.key) != self._read_up_to.get(paired.key):
                settled = _settlements(paired, now)
                self._settled[paired.key] = settled_rates_8h(settled)
                self._prices.settle(
                    paired.key,
                    (
                        PriceBar.point(row.settled_at, row.settlement_price)
                        for row in settled
                        if row.settlement_price
                    ),
                )
                self._forget(paired.key)
        self._read_up_to = last

    def facts(
        self,
        paired: Paired,
        board: Board,
        *,
        taker_fee: Decimal,
        maker_fee: Decimal | None = None,
        half_life: timedelta,
        now: datetime,
        assumed_loan: Decimal | None = None,
    ) -> InstrumentFacts:
        """Return what a strategy may know of one instrument; slippage is half the touch.

        `assumed_loan` is what borrowing its base costs an hour where its venue does not tell it.
        """
        row = board.row(*paired.key)
        book = row.book if row is not None else None
        loan = self._loan(paired.instrument)
        return InstrumentFacts(
            instrument=paired.instrument,
            funding=row.funding if row is not None else None,
            book=book,
            taker_fee=taker_fee,
            slippage=half_touch(book) if book is not None else ZERO,
            carry_8h=self.carry(paired, half_life, now),
            premium_rate=premium_rate(row.funding, paired.instrument) if row is not None else None,
            latency=self.latency(paired.instrument.venue),
            daily_volatility=self._volatility(paired.key),
            borrow_rate_per_hour=assumed_loan if loan is None else loan.prudent_hourly_rate,
            is_loan_assumed=loan is None and assumed_loan is not None,
            borrowable=None if loan is None else loan.most,
            company=selectors.company(paired.instrument.venue),
            maker_fee=maker_fee,
            open_interest=self.open_interest(paired),
            ladder=self._ladders.get(paired.key),
        )

    def open_interest(self, paired: Paired) -> Decimal | None:
        """Return what is held of an instrument in base units, None where nothing was told."""
        return self._held.get(paired.key)

    def latency(self, venue: str) -> timedelta | None:
        """Return how long a venue took to answer lately, None where hardly anything was asked."""
        return self._latencies.get(venue)

    def _loan(self, instrument: Instrument) -> BorrowRate | None:
        """Return what selling the spot asset short costs, None where it is not lent."""
        if instrument.kind is not InstrumentKind.SPOT:
            return None
        return self._loans.get((instrument.venue, instrument.base))

    def carry(self, paired: Paired, half_life: timedelta, now: datetime) -> Decimal | None:
        """Return the settled average per 8 h as of the last settlement."""
        known = (paired.key, half_life)
        if known not in self._carries:
            settled = self._settled.get(paired.key, ())
            self._carries[known] = ewma_8h(settled, now=now, half_life=half_life)
        return self._carries[known]

    def usual_beta(
        self, paired: Paired, half_life: timedelta, horizon: timedelta
    ) -> Decimal | None:
        """Return the middle of the betas fitted to the pairs of an instrument; None without any."""
        return self.pair_betas.usual(paired.key, half_life, horizon)

    def settled(self, paired: Paired) -> tuple[SettledRate, ...]:
        """Return the settled rates of one instrument, oldest first."""
        return self._settled.get(paired.key, ())

    def warning_probability(
        self, legs: Sequence[PairedLeg], leverage: Decimal, horizon: timedelta
    ) -> Decimal | None:
        """Return in which part of the past a leg came near its liquidation; the worst leg's."""
        shares = [
            share
            for leg in legs
            if leg.paired.instrument.kind is not InstrumentKind.SPOT
            and (share := self._warnings(leg.paired.key, leverage, horizon)) is not None
        ]
        return max(shares, default=None)

    def _warnings(self, key: Key, leverage: Decimal, horizon: timedelta) -> Decimal | None:
        known = (key, leverage, horizon)
        if known not in self._warned:
            found = probability_of_warning(self._prices.of(key), leverage, horizon)
            self._warned[known] = None if found is None else found.share
        return self._warned[known]

    def _volatility(self, key: Key) -> Decimal | None:
        """Return the daily moves, None where too few prices are known."""
        if key not in self._volatilities:
            prices = [(bar.at, bar.price) for bar in self._prices.of(key)]
            self._volatilities[key] = daily_volatility(prices)
        return self._volatilities[key]

    def statistics(
        self, legs: Sequence[PairedLeg], cost: Decimal, horizon: timedelta
    ) -> PastFigures:
        """Return what the settled past says of how these legs paid."""
        spreads = self._past(legs).spreads
        rounded = cost.quantize(BASIS_POINT)
        known = (_names(legs), rounded, horizon)
        if known not in self._figures:
            gap = self._gaps.half_life_hours(_priced(legs))
            self._figures[known] = past_figures(spreads, rounded, horizon, gap_half_life_hours=gap)
        return self._figures[known]

    def history(self, legs: Sequence[PairedLeg], board: Board) -> PairHistory:
        """Return what the past and the base's other expiries say of these legs together."""
        past = self._past(legs)
        dated = {leg.paired.key for leg in legs if leg.paired.instrument.expires_at is not None}
        if len(dated) < 2:
            return past
        return replace(past, fair_carry_8h=self.fair_carry_8h(legs[0].paired, board, but=dated))

    def fair_carry_8h(
        self, paired: Paired, board: Board, *, but: Collection[Key] = ()
    ) -> Decimal | None:
        """Return the median carry per 8 h of the base's expiries against its perpetuals."""
        listed = self.by_base.get(paired.instrument.base, {})
        known = [
            (one.instrument, row.book)
            for slot, one in listed.items()
            if slot.kind is not InstrumentKind.SPOT
            and one.key not in but
            and (row := board.row(*one.key)) is not None
            and row.book is not None
        ]
        flat = [book.mid for instrument, book in known if instrument.expires_at is None]
        if not flat:
            return None
        carries = [
            (book.mid / median(flat) - 1) / eight_hours(instrument.expires_at - book.observed_at)
            for instrument, book in known
            if instrument.expires_at is not None and instrument.expires_at > book.observed_at
        ]
        return median(carries) if carries else None

    def _past(self, legs: Sequence[PairedLeg]) -> PairHistory:
        known = _names(legs)
        if known not in self._histories:
            settling = settling_keys(legs)
            settled = [
                (-leg.side.sign * leg.ratio, self.settled(leg.paired))
                for leg in legs
                if leg.paired.key in settling
            ]
            self._histories[known] = PairHistory(
                spreads=settled_carry_8h(settled),
                expected_exit_gap=self._gaps.of(_priced(legs)),
                betas=self.pair_betas.of(settling),
            )
        return self._histories[known]

    def _forget(self, key: Key) -> None:
        # Copies are whole: the scan asks on another thread meanwhile.
        self._carries = {k: v for k, v in self._carries.copy().items() if k[0] != key}
        self._warned = {k: v for k, v in self._warned.copy().items() if k[0] != key}
        self._volatilities = {k: v for k, v in self._volatilities.copy().items() if k != key}
        self._histories = {
            legs: past
            for legs, past in self._histories.copy().items()
            if all(leg[0] != key for leg in legs)
        }
        self._figures = {
            known: figures
            for known, figures in self._figures.copy().items()
            if all(leg[0] != key for leg in known[0])
        }


def _priced(legs: Sequence[PairedLeg]) -> list[tuple[Key, PricedLeg]]:
    """Return legs as gaps count them; their prices are looked up hour by hour."""
    return [
        (
            leg.paired.key,
            PricedLeg(
                side=leg.side,
                kind=leg.paired.instrument.kind,
                price=ZERO,
                ratio=leg.ratio,
                expires_at=leg.paired.instrument.expires_at,
            ),
        )
        for leg in legs
    ]


def _names(legs: Sequence[PairedLeg]) -> LegNames:
    return tuple((leg.paired.key, leg.side, leg.ratio) for leg in legs)


def half_touch(book: BookTop) -> Decimal:
    """Return what taking the touch costs against mid, as a fraction."""
    return (book.ask - book.bid) / (book.ask + book.bid)


def _paired() -> dict[str, dict[Slot, Paired]]:
    """Return by base and slot what takes part."""
    return {
        base: {slot: Paired(id=row.pk, instrument=row.snapshot()) for slot, row in slots.items()}
        for base, slots in hedgeable().items()
    }


def _settlements(paired: Paired, now: datetime) -> list[SettledFunding]:
    """Return the newest settlements, oldest first."""
    rows = SettledFundingRate.objects.filter(
        instrument=paired.id, settled_at__gt=now - SETTLEMENTS_LAST
    ).order_by("settled_at")
    return [
        SettledFunding(
            venue=paired.instrument.venue,
            symbol=Symbol(paired.instrument.symbol),
            funding_rate=row.funding_rate,
            settled_at=row.settled_at,
            settlement_price=row.settlement_price,
        )
        for row in rows
    ]
