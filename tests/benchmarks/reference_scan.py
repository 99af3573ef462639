"""The scan in plain Python, one pair after the other: what the vectorised one must agree with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from exchanges.domain import InstrumentKind as Kind
from trading.core.scan.facts import COLUMNS, PAIRED_KINDS, ScanFacts
from trading.core.scan.settings import ScanSettings

HOURS_8 = 28_800
DATED = Kind.FUTURE


@dataclass(slots=True)
class Fact:
    """One instrument: what it brings as the long and as the short leg, without the gap."""

    kind: Kind
    mid: float
    expires: float
    expected_8h: float
    long: float
    short: float


def reference_net(
    facts: ScanFacts, settings: ScanSettings, now: float
) -> Iterator[tuple[int, int, int, float]]:
    """Yield long slot, short slot, base and net return of every pair that can be traded."""
    exit_ratio, fair = facts.exit_ratio.tolist(), facts.fair_8h.tolist()
    for base in range(len(facts.bases)):
        sound = [
            (place, fact)
            for place, slot in enumerate(facts.slots)
            if (fact := _fact(slot.kind, facts.rows[:, place, base].tolist(), settings, now))
        ]
        for i, long in sound:
            for j, short in sound:
                if i == j or (long.kind, short.kind) not in PAIRED_KINDS:
                    continue
                exit_gap = exit_ratio[i][j][base] - 1
                credit = _credit(long, short, settings, now, exit_gap, fair[base])
                net = long.long + short.short + credit
                if not math.isnan(net):
                    yield i, j, base, net


def _fact(kind: Kind, row: list[float], settings: ScanSettings, now: float) -> Fact | None:
    """Return an instrument that can be trusted."""
    known = dict(zip(COLUMNS, row, strict=True))
    is_sound = (
        known["ask"] > known["bid"]
        and now - known["book_at"] < settings.max_book_age
        and now - known["rate_at"] < settings.max_rate_age
        and known["next_funding"] > now
        and known["expires"] - settings.expiry_lead > now + settings.horizon
    )
    if not is_sound:
        return None
    borrow = known["borrow"] * math.ceil(settings.horizon / 3600)
    expected = known["predicted_8h"]
    if settings.beta is not None:
        expected = settings.beta * known["carry_8h"]
    return Fact(
        kind=kind,
        mid=(known["bid"] + known["ask"]) / 2,
        expires=known["expires"],
        expected_8h=expected,
        long=_funding(kind, known, expected, settings, now, 1) - known["cost"],
        short=_funding(kind, known, expected, settings, now, -1) - known["cost"] - borrow,
    )


def _funding(
    kind: Kind,
    known: dict[str, float],
    expected_8h: float,
    settings: ScanSettings,
    now: float,
    side: int,
) -> float:
    """Return what a leg receives: the coming settlement at its rate only where that is less."""
    if kind is not Kind.PERPETUAL:
        return 0.0
    part, at = known["interval"] / HOURS_8, known["next_funding"]
    later = -side * expected_8h * part
    coming = min(-side * known["predicted_8h"] * part, later)
    # A rate that nobody knows makes the sum unknown even where nothing settles.
    total = 0 * later
    if at <= now + settings.horizon:
        total += coming
        at += known["interval"]
    while at <= now + settings.horizon:
        total += later
        at += known["interval"]
    return total


def _credit(
    long: Fact, short: Fact, settings: ScanSettings, now: float, exit_gap: float, fair: float
) -> float:
    gap = short.mid / long.mid - 1
    if DATED not in (long.kind, short.kind):
        return _half_of_a_gain(gap - exit_gap)
    left = [(row.expires - now - settings.horizon) / HOURS_8 for row in (long, short)]
    if long.kind is short.kind:
        span = left[1] - left[0]
        return _half_of_a_gain(gap - fair * span) if span else math.nan
    flat = long if short.kind is DATED else short
    if short.kind is DATED:
        aged = gap * settings.horizon / (short.expires - now)
        return aged + _half_of_a_gain(gap - aged - flat.expected_8h * left[1])
    aged = (1 - long.mid / short.mid) * settings.horizon / (long.expires - now)
    return aged + _half_of_a_gain(gap - aged + flat.expected_8h * left[0])


def _half_of_a_gain(difference: float) -> float:
    return difference / 2 if difference > 0 else difference
