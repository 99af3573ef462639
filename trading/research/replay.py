"""Run a strategy of production over the recorded past: one base, any number of venues.

Facts go in as the scan would give them; candidate, gates and exits are the strategy's own. At each
settlement of the slower venues the strategy is asked `entry_buffer` before it, as the scheduler
asks, and what it wants is filled at the price of the settlement, at its cost. Margin calls, missed
fills and latency are not replayed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import permutations
from statistics import median

from exchanges.domain import InstrumentKind, Side
from trading.core.basis import GapPrices, PricedLeg, price_gap
from trading.core.funding import (
    SettledRate,
    funding_spread_8h,
    settled_carry_8h,
    trailing_mean,
)
from trading.core.parameters import Parameters
from trading.core.refusal import Refusal
from trading.research.ledger import ReplayedTrade, ReplayResult
from trading.research.recorded import NothingRecorded
from trading.research.tape import Tape, TradingCost
from trading.strategies.base import (
    Candidate,
    CandidateLeg,
    EntryTrigger,
    HeldPosition,
    PairHistory,
    Strategy,
)

ZERO = Decimal(0)
EIGHT_HOURS, DAY = timedelta(hours=8), timedelta(hours=24)
SLOW = timedelta(hours=4)
SPREADS_SEEN = 120
"""Of the settled spreads; 13 half-lives of the carry average at 8 h."""
GAPS_SEEN = 21
END_OF_RECORD = "end_of_record"


@dataclass(slots=True, kw_only=True)
class _Held:
    """The open position of a replay; `filled` and `tapes` in the order of the candidate's legs."""

    candidate: Candidate
    filled: tuple[PricedLeg, ...]
    tapes: tuple[Tape, ...]
    opened_at: datetime
    settled: tuple[SettledRate, ...]


class Replay:
    """One base's tapes under one strategy and one set of rules."""

    def __init__(
        self,
        tapes: Sequence[Tape],
        strategy: Strategy,
        parameters: Parameters,
        *,
        cost: TradingCost,
        size_usd: Decimal,
    ) -> None:
        self._tapes = tapes
        self._strategy = strategy
        self._parameters = parameters
        self._cost = cost
        self._size_usd = size_usd
        self._sets = list(_sets(tapes, strategy))
        self._spreads: dict[tuple[int, ...], tuple[SettledRate, ...]] = {}
        self._held: _Held | None = None
        self._trades: list[ReplayedTrade] = []

    def run(self) -> ReplayResult:
        """Return every trade; what is open at the end is closed there at its cost."""
        moments = decision_moments(self._tapes, len(self._strategy.shape))
        if not moments:
            raise NothingRecorded("No settlement lies within the period that was asked for.")
        for settles_at in moments:
            now = settles_at - self._parameters.entry_buffer
            if self._held is not None and self._left(now, settles_at):
                now += self._parameters.next_arbitrage_opening_delay
            if self._held is None:
                self._enter(now, settles_at)
        if self._held is not None:
            self._close(self._held, moments[-1], moments[-1], END_OF_RECORD)
        since, until = moments[0], moments[-1]
        return ReplayResult(
            trades=tuple(self._trades), since=since, until=until, span=until - since
        )

    def _enter(self, now: datetime, settles_at: datetime) -> None:
        found = [
            (candidate, tapes)
            for tapes in self._sets
            if (candidate := self._candidate(tapes, now, settles_at)) is not None
        ]
        if not found:
            return
        candidate, tapes = max(found, key=lambda one: one[0].rank(self._parameters.ranking))
        filled = _at_prices(candidate.legs, [tape.price(settles_at) for tape in tapes])
        if filled is not None:
            self._held = _Held(
                candidate=candidate,
                filled=filled,
                tapes=tapes,
                opened_at=now,
                settled=self._spreads_of(tapes),
            )

    def _candidate(
        self, tapes: tuple[Tape, ...], now: datetime, settles_at: datetime
    ) -> Candidate | None:
        """Return what these legs would be worth, None where the strategy would not enter."""
        facts = [tape.facts(now, self._cost) for tape in tapes]
        known = [fact for fact in facts if fact is not None]
        if len(known) < len(facts):
            return None
        counted = self._strategy.evaluate(
            known,
            PairHistory(
                expected_exit_gap=self._usual_gap(tapes, settles_at),
                spreads=_until(self._spreads_of(tapes), now),
            ),
            size_usd=self._size_usd,
            parameters=self._parameters,
            now=now,
        )
        if isinstance(counted, Refusal):
            return None
        refusal = self._strategy.entry_gate(
            counted, parameters=self._parameters, now=now, trigger=EntryTrigger.SCHEDULE
        )
        return counted if refusal is None else None

    def _left(self, now: datetime, settles_at: datetime) -> bool:
        """Close what the strategy wants closed, or what the record says no more about."""
        held = self._held
        if held is None:
            return False
        seen = self._as_held(held, now)
        if seen is None:
            self._close(held, now, settles_at, END_OF_RECORD)
            return True
        signal = self._strategy.exit_signal(seen, parameters=self._parameters, now=now)
        if signal is not None:
            self._close(held, now, settles_at, signal.reason.value)
        return signal is not None

    def _as_held(self, held: _Held, now: datetime) -> HeldPosition | None:
        """Return the position as its exit rules see it, None where the record is silent."""
        facts = [tape.facts(now, self._cost) for tape in held.tapes]
        known = [fact for fact in facts if fact is not None]
        if len(known) < len(facts):
            return None
        legs = [
            replace(leg, facts=fact) for leg, fact in zip(held.candidate.legs, known, strict=True)
        ]
        funded = tuple(leg for each in legs if (leg := each.funding_leg) is not None)
        spreads = _until(held.settled, now)
        coming = SettledRate(
            settled_at=now,
            rate_8h=funding_spread_8h(funded),
            interval_seconds=max(leg.interval_seconds for leg in funded),
        )
        costs = held.candidate.costs
        funding, price = self._earned(held, now, [tape.known_price(now) for tape in held.tapes])
        return HeldPosition(
            open_reason=held.candidate.open_reason,
            opened_at=held.opened_at,
            legs=funded,
            exit_cost=costs.closing,
            spread_8h=trailing_mean([*spreads, coming], now=now, window=EIGHT_HOURS),
            spread_24h=trailing_mean(spreads, now=now, window=DAY),
            net_pnl_usd=(funding + price - costs.opening) * self._size_usd,
            capital_usd=self._size_usd * self._capital(legs),
            settled=spreads,
            entry_prices=self._touched(held.filled, opens=True),
            exit_prices=self._touched([leg.priced for leg in legs], opens=False),
            borrow_per_hour=costs.borrow_per_hour,
        )

    def _capital(self, legs: Sequence[CandidateLeg]) -> Decimal:
        """Return the collateral behind the position per one leg's notional; spot is paid whole."""
        instruments = [leg.facts.instrument for leg in legs]
        against_spot = any(one.kind is InstrumentKind.SPOT for one in instruments)
        capital = ZERO
        for leg, one in zip(legs, instruments, strict=True):
            pair = f"{one.base}/{one.quote}"
            leverage = self._parameters.leverage_at(
                venue=one.venue, pair=pair, against_spot=against_spot
            )
            capital += leg.ratio if one.kind is InstrumentKind.SPOT else leg.ratio / leverage
        return capital

    def _earned(
        self, held: _Held, now: datetime, prices: Sequence[Decimal | None]
    ) -> tuple[Decimal, Decimal]:
        """Return the funding paid so far and what the gap earned, of one leg's notional."""
        legs = zip(held.candidate.legs, held.tapes, strict=True)
        funding = sum((tape.paid(leg.side, held.opened_at, now) for leg, tape in legs), ZERO)
        priced = _at_prices(held.candidate.legs, prices)
        if priced is None:
            return funding, ZERO
        entry, present = GapPrices.of(held.filled), GapPrices.of(priced)
        gained = (entry.short - entry.long) - (present.short - present.long)
        return funding, gained / entry.long

    def _close(self, held: _Held, now: datetime, settles_at: datetime, reason: str) -> None:
        prices = [tape.price(settles_at) for tape in held.tapes]
        funding, price = self._earned(held, now, prices)
        self._trades.append(
            ReplayedTrade(
                base=held.candidate.base,
                venues=tuple(tape.instrument.venue for tape in held.tapes),
                opened_at=held.opened_at,
                closed_at=now,
                funding=funding,
                price=price,
                cost=held.candidate.costs.over(now - held.opened_at),
                reason=reason,
            )
        )
        self._held = None

    def _spreads_of(self, tapes: tuple[Tape, ...]) -> tuple[SettledRate, ...]:
        """Return what these legs, in order, received together at each settlement."""
        key = tuple(id(tape) for tape in tapes)
        if key not in self._spreads:
            weighed = zip(tapes, self._strategy.shape, strict=True)
            self._spreads[key] = settled_carry_8h(
                [(-leg.side.sign * leg.ratio, tape.rates) for tape, leg in weighed if tape.rates]
            )
        return self._spreads[key]

    def _touched(self, legs: Iterable[PricedLeg], *, opens: bool) -> GapPrices:
        """Return what legs at mids were bought and sold at, or could be closed at."""
        return GapPrices.of(
            replace(
                leg, price=self._cost.touch(leg.price, is_bought=(leg.side is Side.BUY) is opens)
            )
            for leg in legs
        )

    def _usual_gap(self, tapes: tuple[Tape, ...], settles_at: datetime) -> Decimal:
        """Return the median gap of the last seven days, 0 without prices."""
        gaps = []
        for back in range(1, GAPS_SEEN + 1):
            at = settles_at - back * EIGHT_HOURS
            long, short = tapes[0].price(at), tapes[-1].price(at)
            if long is not None and short is not None:
                gaps.append(price_gap(long, short))
        return median(gaps) if gaps else ZERO


def _at_prices(
    legs: Sequence[CandidateLeg], prices: Sequence[Decimal | None]
) -> tuple[PricedLeg, ...] | None:
    """Return legs at a price each, None where one was not recorded."""
    priced = [
        replace(leg.priced, price=price)
        for leg, price in zip(legs, prices, strict=True)
        if price is not None
    ]
    return tuple(priced) if len(priced) == len(legs) else None


def decision_moments(tapes: Iterable[Tape], legs: int) -> list[datetime]:
    """Return the settlements of the venues that settle rarely, else of all.

    Only of the time in which as many tapes run as `legs` need: before it nothing can be held.
    """
    funded = [tape for tape in tapes if tape.times]
    slow = [tape for tape in funded if tape.spacing >= SLOW]
    needed = min(legs, len(funded))
    if not funded:
        return []
    since = sorted(tape.times[0] for tape in funded)[needed - 1]
    until = sorted((tape.times[-1] for tape in funded), reverse=True)[needed - 1]
    return sorted({at for tape in slow or funded for at in tape.times if since <= at <= until})


def _sets(tapes: Sequence[Tape], strategy: Strategy) -> Iterable[tuple[Tape, ...]]:
    """Yield the tapes in every order that fits the strategy's legs."""
    for tuple_of in permutations(tapes, len(strategy.shape)):
        placed = zip(tuple_of, strategy.shape, strict=True)
        if all(tape.instrument.kind in leg.kinds for tape, leg in placed):
            yield tuple_of


def _until(spreads: tuple[SettledRate, ...], now: datetime) -> tuple[SettledRate, ...]:
    end = bisect_right(spreads, now, key=lambda spread: spread.settled_at)
    return spreads[max(end - SPREADS_SEEN, 0) : end]
