"""Count one pair through for one user at one size: what it brings, what it costs, what forbids it.

The ticket, the entry and nothing else use this; the scan finds candidates with the same strategy.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

from django.utils import timezone
from redis.exceptions import RedisError

from arbsite.accounts.models import User
from exchanges.board import Board
from exchanges.depths import load_depths
from exchanges.domain import Depth, Side
from exchanges.models import Instrument
from exchanges.selectors import board_redis
from trading.core.refusal import Refusal
from trading.core.sizing import Capital, LegCapacity, PlannedSize, plan_size
from trading.services import market
from trading.services.depth_facts import side_capacity, with_depth
from trading.services.standing import Standing, standing_of
from trading.services.universe import Paired, Universe
from trading.strategies.base import Candidate, EntryTrigger, InstrumentFacts
from trading.strategies.entry_gates import refuse_symbol
from trading.strategies.funding_spread import FundingSpread

STRATEGY = FundingSpread()
UNIVERSE_LASTS = timedelta(seconds=5)
DEPTH_LASTS = timedelta(seconds=5)
NO_CAPITAL = Capital(account="", free=Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One pair at one size. `refusals` forbid the entry; `notes` a person may overrule.

    `candidate` is None where the data cannot be trusted, `size` where nothing fits.
    `depth_usd` is what both books take within the slippage limit, `book_capacities` what each leg's
    book takes in base units.
    """

    standing: Standing
    candidate: Candidate | None
    size: PlannedSize | None
    depth_usd: Decimal | None
    book_capacities: tuple[Decimal, ...] = ()
    refusals: tuple[Refusal, ...]
    notes: tuple[Refusal, ...]


class _SharedUniverse:
    """This process's universe, refreshed now and then by whoever asks."""

    def __init__(self) -> None:
        self._universe = Universe()
        self._refreshed_at: datetime | None = None
        self._lock = threading.Lock()

    def at(self, now: datetime, lasts: timedelta) -> Universe:
        if not self._is_fresh(now, lasts):
            with self._lock:
                if not self._is_fresh(now, lasts):
                    self._universe.refresh(now)
                    self._refreshed_at = now
        return self._universe

    def _is_fresh(self, now: datetime, lasts: timedelta) -> bool:
        return self._refreshed_at is not None and abs(now - self._refreshed_at) <= lasts


@cache
def _shared() -> _SharedUniverse:
    return _SharedUniverse()


def shared_universe(now: datetime) -> Universe:
    """Return this process's universe, at most a few seconds old."""
    return _shared().at(now, UNIVERSE_LASTS)


def keep_universe_fresh() -> None:
    """Refresh this process's universe ahead of the entries that would wait for it."""
    _shared().at(timezone.now(), UNIVERSE_LASTS / 2)


def evaluate(
    *,
    user: User,
    base: str,
    long_instrument: Instrument,
    short_instrument: Instrument,
    size_usd: Decimal,
    trigger: EntryTrigger,
    now: datetime,
) -> Evaluation:
    """Evaluate a long and a short instrument; a person's entry needs less than the scheduler's."""
    standing = standing_of(user, now)
    instruments = (long_instrument, short_instrument)
    board = market.board_of(instruments)
    depths = _depths(instruments, now)
    facts = _facts(instruments, board, depths, size_usd, standing, now)
    shut = _gates(standing, base, instruments, trigger, now)
    counted = STRATEGY.evaluate(
        facts,
        shared_universe(now).history(_paired(long_instrument), _paired(short_instrument)),
        size_usd=size_usd,
        parameters=standing.parameters,
        now=now,
    )
    if isinstance(counted, Refusal):
        return Evaluation(
            standing=standing,
            candidate=None,
            size=None,
            depth_usd=None,
            refusals=(*shut, counted),
            notes=(),
        )
    legs = _capacities(instruments, facts, depths, standing)
    sized = _size(legs, size_usd, instruments, standing)
    if isinstance(sized, Refusal):
        shut = [*shut, sized]
    refused, notes = _strategy_gate(counted, standing, trigger, now)
    return Evaluation(
        standing=standing,
        candidate=counted,
        size=sized if isinstance(sized, PlannedSize) else None,
        depth_usd=min(leg.book_capacity * leg.price for leg in legs),
        book_capacities=tuple(leg.book_capacity for leg in legs),
        refusals=(*shut, *refused),
        notes=notes,
    )


def _gates(
    standing: Standing,
    base: str,
    instruments: Sequence[Instrument],
    trigger: EntryTrigger,
    now: datetime,
) -> list[Refusal]:
    """Return every shut gate that is not about the market."""
    venues = [instrument.exchange.code for instrument in instruments]
    same = None
    if instruments[0].pk == instruments[1].pk or {i.base for i in instruments} != {base}:
        names = " and ".join(str(instrument) for instrument in instruments)
        same = Refusal(code="no_pair", sentence=f"{names} are no two legs of {base}.")
    by_hand = trigger is EntryTrigger.MANUAL
    found = (
        same,
        standing.refuse_by_hand() if by_hand else standing.refuse_entries(),
        None if by_hand and base not in standing.live else standing.refuse_pair(base, now),
        standing.refuse_venues(venues),
    )
    return [refusal for refusal in found if refusal is not None]


def _strategy_gate(
    candidate: Candidate, standing: Standing, trigger: EntryTrigger, now: datetime
) -> tuple[tuple[Refusal, ...], tuple[Refusal, ...]]:
    """Return refusals and notes: what forbids the scheduler only warns a person."""
    parameters = standing.parameters
    refused = STRATEGY.entry_gate(candidate, parameters=parameters, now=now, trigger=trigger)
    if refused is None:
        return (), ()
    if trigger is EntryTrigger.MANUAL and refuse_symbol(candidate, parameters) is None:
        return (), (refused,)
    return (refused,), ()


def _depths(instruments: Sequence[Instrument], now: datetime) -> dict[str, Depth]:
    """Return the fresh shared books by instrument id; without Redis there are none."""
    keys = {str(i.pk): _paired(i).key for i in instruments}
    try:
        found = load_depths(keys.values(), board_redis())
    except RedisError:
        return {}
    return {
        pk: found[key]
        for pk, key in keys.items()
        if key in found and now - found[key].observed_at <= DEPTH_LASTS
    }


def _facts(
    instruments: Sequence[Instrument],
    board: Board,
    depths: dict[str, Depth],
    size_usd: Decimal,
    standing: Standing,
    now: datetime,
) -> tuple[InstrumentFacts, InstrumentFacts]:
    universe = shared_universe(now)
    found = []
    for instrument, side in zip(instruments, (Side.BUY, Side.SELL), strict=True):
        paired = _paired(instrument)
        facts = universe.facts(
            paired,
            board,
            taker_fee=standing.taker_fee(paired.key),
            half_life=standing.parameters.carry_half_life,
            now=now,
        )
        depth = depths.get(str(instrument.pk))
        found.append(with_depth(facts, depth, side, size_usd))
    return found[0], found[1]


def _capacities(
    instruments: Sequence[Instrument],
    facts: Sequence[InstrumentFacts],
    depths: dict[str, Depth],
    standing: Standing,
) -> list[LegCapacity]:
    most = standing.parameters.max_slippage
    found = []
    for instrument, known, side in zip(instruments, facts, (Side.BUY, Side.SELL), strict=True):
        found.append(
            LegCapacity(
                instrument=known.instrument,
                price=known.mid,
                leverage=leverage_of(instrument, standing),
                capital=standing.capital.get(instrument.exchange.code, NO_CAPITAL),
                book_capacity=side_capacity(known, depths.get(str(instrument.pk)), side, most),
            )
        )
    return found


def leverage_of(instrument: Instrument, standing: Standing) -> Decimal:
    """Return the configured leverage, within the cap and what the instrument allows."""
    parameters = standing.parameters
    allowed: Decimal = min(parameters.leverage, parameters.leverage_cap, instrument.max_leverage)
    return max(allowed, Decimal(1))


def _size(
    legs: Sequence[LegCapacity],
    size_usd: Decimal,
    instruments: Sequence[Instrument],
    standing: Standing,
) -> PlannedSize | Refusal:
    venues = [instrument.exchange.code for instrument in instruments]
    return plan_size(
        requested_usd=size_usd,
        legs=legs,
        total_equity_usd=standing.equity,
        limits_left_usd=standing.limits_left(instruments[0].base, venues),
        parameters=standing.parameters,
    )


def _paired(instrument: Instrument) -> Paired:
    return Paired(id=instrument.pk, instrument=instrument.snapshot())
