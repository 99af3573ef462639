"""The scan in plain Python, one pair after the other: what the vectorised one must agree with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from exchanges.domain import InstrumentKind as Kind
from exchanges.domain import Side
from trading.core.scan.bundles import BundleLeg
from trading.core.scan.facts import COLUMNS, PAIRED_KINDS, ScanFacts
from trading.core.scan.settings import ScanSettings

HOURS_8 = 28_800
DATED = Kind.FUTURE


@dataclass(slots=True)
class Fact:
    """One instrument: what it brings as the long and as the short leg, without the gap."""

    place: int
    kind: Kind
    mid: float
    hold: float
    left: float
    known: dict[str, float]
    long: float
    short: float


def reference_net(
    facts: ScanFacts, settings: ScanSettings, now: float
) -> Iterator[tuple[int, int, int, float]]:
    """Yield long slot, short slot, base and net return of every pair that can be traded."""
    exit_ratio, fair = facts.exit_ratio.tolist(), facts.fair_8h.tolist()
    for base in range(len(facts.bases)):
        sound = _sound(facts, base, settings, now)
        for long in sound:
            for short in sound:
                i, j = long.place, short.place
                if i == j or (long.kind, short.kind) not in PAIRED_KINDS:
                    continue
                hold = min(long.hold, short.hold)
                credit = _credit(
                    long, short, settings, hold, exit_ratio[i][j][base] - 1, fair[base]
                )
                net = _worth(long, 1, settings, hold, now) + _worth(short, -1, settings, hold, now)
                if not math.isnan(net + credit):
                    yield i, j, base, net + credit


def reference_bundles(
    facts: ScanFacts, settings: ScanSettings, now: float, shape: Sequence[BundleLeg], base: int
) -> Iterator[tuple[tuple[int, ...], float]]:
    """Yield the slots and the net return of every combination of more than two legs."""
    sound = _sound(facts, base, settings, now)
    for legs in product(*([fact for fact in sound if fact.kind in leg.kinds] for leg in shape)):
        hold = min(fact.hold for fact in legs)
        sides = [(1 if leg.side is Side.BUY else -1, float(leg.ratio)) for leg in shape]
        net = _bundle_credit(legs, sides, hold, facts.exit_ratio[:, :, base].tolist())
        for fact, (side, ratio) in zip(legs, sides, strict=True):
            net += ratio * _worth(fact, side, settings, hold, now)
        if net > -math.inf:
            yield tuple(fact.place for fact in legs), net


def _sound(facts: ScanFacts, base: int, settings: ScanSettings, now: float) -> list[Fact]:
    """Return the instruments of a base that can be trusted."""
    found = []
    for place, slot in enumerate(facts.slots):
        known = dict(zip(COLUMNS, facts.rows[:, place, base].tolist(), strict=True))
        if not (
            known["ask"] > known["bid"]
            and now - known["book_at"] < settings.max_book_age
            and now - known["rate_at"] < settings.max_rate_age
            and known["next_funding"] > now
            and known["expires"] - settings.expiry_lead > now
        ):
            continue
        left = known["expires"] - now
        fact = Fact(
            place=place,
            kind=slot.kind,
            mid=(known["bid"] + known["ask"]) / 2,
            hold=min(settings.horizon, left - settings.expiry_lead),
            left=left,
            known=known,
            long=math.nan,
            short=math.nan,
        )
        fact.long = _held(fact, 1, settings, settings.horizon, now)
        fact.short = _held(fact, -1, settings, settings.horizon, now)
        found.append(fact)
    return found


def _worth(fact: Fact, side: int, settings: ScanSettings, hold: float, now: float) -> float:
    """Return what a leg brings, counted anew where it must be left before the hold time is over."""
    if hold == settings.horizon or fact.kind is DATED:
        return fact.long if side > 0 else fact.short
    return _held(fact, side, settings, hold, now)


def _held(fact: Fact, side: int, settings: ScanSettings, hold: float, now: float) -> float:
    worth = _funding(fact, side, settings, hold, now) - fact.known["cost"]
    return worth if side > 0 else worth - fact.known["borrow"] * math.ceil(hold / 3600)


def _expected_8h(fact: Fact, settings: ScanSettings, hold: float) -> float:
    """Return the rate of later settlements; of the average a shorter hold keeps more."""
    if settings.beta is None:
        return fact.known["predicted_8h"]
    return _kept(settings, hold) * fact.known["carry_8h"]


def _kept(settings: ScanSettings, hold: float) -> float:
    points = settings.betas
    if hold == settings.horizon or not points:
        return settings.beta or 0.0
    if hold <= points[0][0]:
        return points[0][1]
    for (low, low_beta), (high, high_beta) in pairwise(points):
        if hold <= high:
            return low_beta + (high_beta - low_beta) * (hold - low) / (high - low)
    return points[-1][1]


def _funding(fact: Fact, side: int, settings: ScanSettings, hold: float, now: float) -> float:
    """Return what a leg receives: the coming settlement at its rate only where that is less."""
    if fact.kind is not Kind.PERPETUAL:
        return 0.0
    known = fact.known
    part, at = known["interval"] / HOURS_8, known["next_funding"]
    later = -side * _expected_8h(fact, settings, hold) * part
    coming = min(-side * known["predicted_8h"] * part, later)
    # A rate that nobody knows makes the sum unknown even where nothing settles.
    total = 0 * later
    if at <= now + hold:
        total += coming
        at += known["interval"]
    while at <= now + hold:
        total += later
        at += known["interval"]
    return total


def _credit(
    long: Fact, short: Fact, settings: ScanSettings, hold: float, exit_gap: float, fair: float
) -> float:
    gap = short.mid / long.mid - 1
    if DATED not in (long.kind, short.kind):
        return _half_of_a_gain(gap - exit_gap)
    if long.kind is short.kind:
        span = (short.left - long.left) / HOURS_8
        return _half_of_a_gain(gap - fair * span) if span else math.nan
    flat, dated, side = (long, short, 1) if short.kind is DATED else (short, long, -1)
    aged = side * (dated.mid / flat.mid - 1) * hold / dated.left
    still = side * (dated.left - hold) / HOURS_8
    return aged + _half_of_a_gain(gap - aged - _expected_8h(flat, settings, hold) * still)


def _bundle_credit(
    legs: Sequence[Fact],
    sides: Sequence[tuple[int, float]],
    hold: float,
    exit_ratio: list[list[float]],
) -> float:
    """Count dated legs against spot, else the perpetual, the rest against its usual gap."""
    undated = [number for number, fact in enumerate(legs) if fact.kind is not DATED]
    spots = [number for number in undated if legs[number].kind is Kind.SPOT]
    par = (spots or undated)[-1]
    gap = _gap([fact.mid for fact in legs], sides)
    own = [
        -side * ratio * (fact.mid / legs[par].mid - 1) if fact.kind is DATED else 0.0
        for fact, (side, ratio) in zip(legs, sides, strict=True)
    ]
    usual = 0.0
    if len(undated) == 2 and {sides[number][0] for number in undated} == {1, -1}:
        long, short = sorted(undated, key=lambda number: -sides[number][0])
        at_exit = {long: 1.0, short: exit_ratio[legs[long].place][legs[short].place]}
        if math.isinf(at_exit[short]):
            return -math.inf
        usual = _gap([at_exit.get(n, at_exit[par]) for n in range(len(legs))], sides)
    aged = sum(part * hold / fact.left for part, fact in zip(own, legs, strict=True) if part)
    return aged + _half_of_a_gain(gap - sum(own) - usual)


def _gap(prices: Sequence[float], sides: Sequence[tuple[int, float]]) -> float:
    long = sum(r * price for price, (side, r) in zip(prices, sides, strict=True) if side > 0)
    short = sum(r * price for price, (side, r) in zip(prices, sides, strict=True) if side < 0)
    return short / long - 1


def _half_of_a_gain(difference: float) -> float:
    return difference / 2 if difference > 0 else difference
