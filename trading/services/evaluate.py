"""Count legs through for one user at one size: what it brings, what it costs, what forbids it.

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

from arbsite.accounts.models import User
from exchanges.models import Instrument
from trading.core.refusal import Refusal
from trading.core.sizing import PlannedSize, plan_size
from trading.services import market
from trading.services.appraise import Appraisal, appraise, leg_capacities
from trading.services.entry_legs import EntryLeg, refuse_legs
from trading.services.gates import EntryCase, shut
from trading.services.seen import Seen
from trading.services.standing import Standing, standing_of
from trading.services.universe import Paired, PairedLeg, Universe, parts_of
from trading.strategies.base import Candidate, EntryTrigger
from trading.strategies.registry import STRATEGIES

UNIVERSE_LASTS = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Legs at one size. `refusals` forbid the entry; `notes` a person may overrule.

    `appraisal` is None where the legs are none of the strategy's, `size` where nothing fits.
    """

    standing: Standing
    appraisal: Appraisal | None = None
    size: PlannedSize | None = None
    refusals: tuple[Refusal, ...]
    notes: tuple[Refusal, ...] = ()

    @property
    def candidate(self) -> Candidate | None:
        """Return the figures; None where the data behind them cannot be trusted."""
        return None if self.appraisal is None else self.appraisal.candidate

    @property
    def depth_usd(self) -> Decimal | None:
        """Return what all books take within the slippage limit."""
        return None if self.appraisal is None else self.appraisal.capacity_usd

    @property
    def book_capacities(self) -> tuple[Decimal, ...]:
        """Return what each leg's book takes, in base of the position."""
        return () if self.appraisal is None else self.appraisal.capacities


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
                    self._universe = self._universe.refreshed(now)
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
    strategy: str,
    base: str,
    legs: Sequence[EntryLeg],
    size_usd: Decimal,
    trigger: EntryTrigger,
    now: datetime,
    adds: bool = False,
) -> Evaluation:
    """Evaluate legs in the strategy's order; a person's entry needs less than the scheduler's.

    With `adds` they are what a position of the pair grows by: it may exist, and no other is opened.
    """
    standing = standing_of(user, now)
    rules = STRATEGIES[strategy]
    wrong = refuse_legs(rules, base, legs) or _refuse_other_mode(legs, standing)
    if wrong is not None:
        return Evaluation(standing=standing, refusals=(wrong,))
    instruments = [leg.instrument for leg in legs]
    board = market.board_of(instruments)
    seen = Seen(board, market.depths_of(instruments))
    appraisal = appraise(
        rules,
        [PairedLeg(paired=_paired(leg.instrument), side=leg.side, ratio=leg.ratio) for leg in legs],
        size_usd=size_usd,
        seen=seen,
        universe=shared_universe(now),
        standing=standing,
        now=now,
    )
    sized = _size(appraisal, standing)
    case = EntryCase(
        strategy=rules,
        base=base,
        appraisal=appraisal,
        room=sized or size_usd,
        standing=standing,
        seen=seen,
        trigger=trigger,
        now=now,
        adds=adds,
    )
    shut_now = list(shut(case))
    overruled = [refusal for gate, refusal in shut_now if case.is_by_hand and not gate.binds_hand]
    refusals = [refusal for _, refusal in shut_now if refusal not in overruled]
    codes = {refusal.code for refusal in refusals}
    return Evaluation(
        standing=standing,
        appraisal=appraisal,
        size=sized if isinstance(sized, PlannedSize) else None,
        refusals=tuple(refusals),
        # What forbids it anyway is not said twice.
        notes=tuple(note for note in overruled if note.code not in codes),
    )


def _refuse_other_mode(legs: Sequence[EntryLeg], standing: Standing) -> Refusal | None:
    """Refuse an instrument of another mode than the account that would trade it."""
    for leg in legs:
        exchange = leg.instrument.exchange
        account = standing.accounts.get(exchange.code)
        if account is not None and account.exchange_id != exchange.pk:
            return Refusal(
                code="mixed_modes",
                sentence=f"{leg.instrument.symbol} of {exchange} is not what the account at "
                f"{account.exchange} trades: simulated and real money never mix.",
            )
    return None


def _size(appraisal: Appraisal, standing: Standing) -> PlannedSize | Refusal | None:
    """Return the size that fits; None where the data of a leg cannot be trusted."""
    candidate = appraisal.candidate
    if candidate is None:
        return None
    return plan_size(
        requested_usd=appraisal.size_usd,
        legs=leg_capacities(appraisal, standing),
        total_equity_usd=standing.equity,
        limits_left_usd=standing.limits_left(
            candidate.base, parts_of(appraisal.legs), candidate.open_reason
        ),
        parameters=standing.parameters,
    )


def _paired(instrument: Instrument) -> Paired:
    return Paired(id=instrument.pk, instrument=instrument.snapshot())
