"""Every gate before an entry, in one list; each refuses with a sentence that holds its value.

The scan names the first that is shut, the ticket all of them. What only warns a person is marked.
What must hold at the instant itself, limits and the kill switch, is asked once more by the rows
that reserve and license.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exchanges.domain import InstrumentKind
from trading.core.depeg import refuse_depeg
from trading.core.money import plain
from trading.core.notices import refuse_meeting
from trading.core.refusal import Refusal
from trading.core.risk import refuse_bad_mark, refuse_off_mark
from trading.core.sentence import usd
from trading.core.sizing import PlannedSize
from trading.services.appraise import Appraisal
from trading.services.rehearsal import is_live
from trading.services.seen import Seen
from trading.services.standing import Standing
from trading.strategies.base import EntryTrigger, Strategy
from trading.strategies.entry_gates import refuse_symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryCase:
    """All that an entry is judged by. `room` is the size that fits, or why none does.

    `adds`: it makes the pair's own position larger, by itself, instead of opening another one.
    """

    strategy: Strategy
    base: str
    appraisal: Appraisal
    room: Decimal | PlannedSize | Refusal
    standing: Standing
    seen: Seen
    trigger: EntryTrigger
    now: datetime
    adds: bool = False

    @property
    def is_by_hand(self) -> bool:
        return self.trigger is EntryTrigger.MANUAL

    @property
    def venues(self) -> list[str]:
        return [leg.paired.instrument.venue for leg in self.appraisal.legs]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """`asks` is what must be so. Not `binds_hand`: a person may overrule it and is told."""

    key: str
    asks: str
    refuse: Callable[[EntryCase], Refusal | None]
    binds_hand: bool = True


def _data(case: EntryCase) -> Refusal | None:
    counted = case.appraisal.counted
    return counted if isinstance(counted, Refusal) else None


def _settle(case: EntryCase) -> Refusal | None:
    """Refuse legs in different stablecoins: no figure here counts what a depeg does to one."""
    settled = {
        one.settle: f"{one.symbol} on {one.venue}"
        for one in (leg.paired.instrument for leg in case.appraisal.legs)
    }
    if len(settled) < 2:
        return None
    legs = " and ".join(f"{name} in {asset}" for asset, name in sorted(settled.items()))
    return Refusal(
        code="mixed_settle",
        sentence=f"The legs would settle in different assets, {legs}: a depeg would move one of "
        "them alone, so they are no hedge.",
    )


def _peg(case: EntryCase) -> Refusal | None:
    settled_in = {leg.paired.instrument.settle for leg in case.appraisal.legs}
    return refuse_depeg(case.standing.stablecoins, settled_in, case.now)


def _band(case: EntryCase) -> Refusal | None:
    p = case.standing.parameters
    for facts in case.appraisal.facts:
        instrument = facts.instrument
        if instrument.kind is InstrumentKind.SPOT or facts.book is None:
            continue
        row = case.seen.board.row(instrument.venue, instrument.symbol)
        quote = None if row is None else row.quote
        name = f"{instrument.symbol} on {instrument.venue}"
        refusal = refuse_bad_mark(name, quote, case.now, p.max_funding_age)
        if refusal is None and quote is not None:
            refusal = refuse_off_mark(name, facts.mid, quote, p.max_spread)
        if refusal is not None:
            return refusal
    return None


def _whitelist(case: EntryCase) -> Refusal | None:
    candidate = case.appraisal.candidate
    return None if candidate is None else refuse_symbol(candidate, case.standing.parameters)


def _pair(case: EntryCase) -> Refusal | None:
    if case.adds:
        return case.standing.refuse_rest(case.base, case.now)
    if case.is_by_hand and case.base not in case.standing.live:
        return None
    return case.standing.refuse_pair(case.base, case.now)


def _strategy(case: EntryCase) -> Refusal | None:
    candidate = case.appraisal.candidate
    if candidate is None:
        return None
    return case.strategy.entry_gate(
        candidate, parameters=case.standing.parameters, now=case.now, trigger=case.trigger
    )


def _chosen(case: EntryCase) -> Refusal | None:
    for venue in case.venues:
        if not case.standing.parameters.uses_venue(venue):
            return Refusal(
                code="venue_off", sentence=f"{venue} is not among the configured venues."
            )
    return None


def _venues(case: EntryCase) -> Refusal | None:
    return case.standing.refuse_venues(case.venues)


def _sizes(case: EntryCase) -> Refusal | None:
    for leg in case.appraisal.legs:
        instrument = leg.paired.instrument
        since = case.standing.resized.get(leg.paired.key)
        if since is not None:
            return Refusal(
                code="contract_resized",
                sentence=f"A contract of {instrument.symbol} on {instrument.venue} has another "
                f"size since {since:%H:%M:%S} UTC, {plain(instrument.contract_base)} "
                f"{instrument.base}: nothing is opened before the account was compared again.",
            )
    return None


def _calendar(case: EntryCase) -> Refusal | None:
    p = case.standing.parameters
    legs = [leg.paired.key for leg in case.appraisal.legs]
    return refuse_meeting(
        legs, case.standing.announced, now=case.now, hold=p.hold_horizon, lead=p.notice_lead
    )


def _mode(case: EntryCase) -> Refusal | None:
    accounts = case.standing.accounts
    modes = {accounts[venue].exchange.mode for venue in case.venues if venue in accounts}
    if len(modes) < 2:
        return None
    return Refusal(
        code="mixed_modes",
        sentence=f"The legs would be of different modes, {' and '.join(sorted(modes))}: "
        "simulated and real money never hedge each other.",
    )


def _rehearsed(case: EntryCase) -> Refusal | None:
    accounts, rehearsal = case.standing.accounts, case.standing.rehearsal
    legs = [accounts[venue] for venue in case.venues if venue in accounts]
    return rehearsal.refusal if rehearsal is not None and is_live(legs) else None


def _room(case: EntryCase) -> Refusal | None:
    return case.room if isinstance(case.room, Refusal) else None


def _tier(case: EntryCase) -> Refusal | None:
    """Refuse a person's size beyond a venue's risk tiers; what the scan finds is made to fit."""
    bound = case.appraisal.tier_bound
    if not case.is_by_hand or bound is None or case.appraisal.size_usd <= bound.whole_leg_usd:
        return None
    held = f", of which {usd(bound.held_usd)} are held" if bound.held_usd else ""
    return Refusal(
        code="risk_tier",
        sentence=f"{usd(case.appraisal.size_usd)} are more than {bound.venue} would take: at "
        f"{plain(bound.leverage)}x it lets {usd(bound.limit_usd)} of {bound.symbol} be held"
        f"{held}. With what prices may move meanwhile {usd(bound.whole_leg_usd)} can be entered.",
    )


def _least(case: EntryCase) -> Refusal | None:
    room, least = case.room, case.standing.parameters.min_position_usd
    if isinstance(room, Refusal):
        return None
    size = room.size_usd if isinstance(room, PlannedSize) else case.appraisal.size_usd
    if size >= least:
        return None
    bound = f", all that {room.bound_by} allows" if isinstance(room, PlannedSize) else ""
    if not bound and case.appraisal.venue_bound:
        bound = f": {case.appraisal.venue_bound}"
    return Refusal(
        code="too_small",
        sentence=f"The position would be of {usd(size)}{bound}; none below {usd(least)} is opened.",
    )


def _day(case: EntryCase) -> Refusal | None:
    """Warn a person; automation is halted with the engine."""
    return case.standing.refuse_day() if case.is_by_hand else None


def _engine(case: EntryCase) -> Refusal | None:
    standing = case.standing
    if case.adds:
        return standing.refuse_additions()
    return standing.refuse_by_hand() if case.is_by_hand else standing.refuse_entries()


GATES = (
    Gate(key="data", asks="the data of every leg is there, fresh and plausible", refuse=_data),
    Gate(key="pair", asks="the pair has no position and need not rest", refuse=_pair),
    Gate(key="whitelist", asks="the pair is among the configured symbols", refuse=_whitelist),
    Gate(
        key="strategy",
        asks="the strategy is on, its threshold is met, it pays after all costs, its leverage is "
        "safe, it broke even and stayed clear of margin warnings in the past, the moment is right",
        refuse=_strategy,
        binds_hand=False,
    ),
    Gate(
        key="band",
        asks="the venue's mark of every contract is fresh, and no price far from mark and index",
        refuse=_band,
    ),
    Gate(key="settle", asks="all legs settle in one asset", refuse=_settle),
    Gate(
        key="peg",
        asks="the asset that legs settle in is at most 0.5 % off its peg, where a market tells it",
        refuse=_peg,
    ),
    Gate(key="chosen", asks="every venue is among the configured ones", refuse=_chosen),
    Gate(
        key="venues",
        asks="every venue answers and has a checked, compared account that is not halted, with "
        "margin to spare",
        refuse=_venues,
    ),
    Gate(
        key="sizes",
        asks="no contract changed its size since the account was compared with its venue",
        refuse=_sizes,
    ),
    Gate(
        key="calendar",
        asks="nothing that is announced begins while it would be held",
        refuse=_calendar,
    ),
    Gate(key="mode", asks="all legs are simulated, or none is", refuse=_mode),
    Gate(
        key="rehearsed",
        asks="what trades live was rehearsed with this configuration as long as staff wants",
        refuse=_rehearsed,
    ),
    Gate(key="room", asks="capital, books and every limit leave room", refuse=_room),
    Gate(
        key="tier",
        asks="by hand: the size is within what the venues' risk tiers let be held at its leverage",
        refuse=_tier,
    ),
    Gate(
        key="least",
        asks="the position is no smaller than the least that is worth opening",
        refuse=_least,
        binds_hand=False,
    ),
    Gate(
        key="engine",
        asks="no kill switch is pressed and the engine runs; for automation also: it is on, the "
        "day's loss is below the stop and not too many positions are open",
        refuse=_engine,
    ),
    Gate(
        key="day",
        asks="by hand: the day's loss is below what halts automation",
        refuse=_day,
        binds_hand=False,
    ),
)


def shut(case: EntryCase) -> Iterator[tuple[Gate, Refusal]]:
    """Yield every gate that is shut, in order, with its sentence."""
    for gate in GATES:
        refusal = gate.refuse(case)
        if refusal is not None:
            yield gate, refusal
