"""One scan matched against the thresholds, fees and room of many users at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from trading.core.policies import Ranking
from trading.core.scan.bundles import Bundle, bundle_candidates
from trading.core.scan.candidates import Candidates, candidates
from trading.core.scan.facts import Floats, ScanFacts, Slot
from trading.core.scan.rules import RULES
from trading.core.scan.scanner import Scanner

# As many candidates at a time as leave the arrays in the second-level cache.
CHUNK = 32
# Nothing is so small that its profit could not be divided by it.
LEAST_USD = 1e-9
USES_SPREAD = np.array([rule.spread for rule in RULES])


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one user asks of legs. Rooms in USD by base and slot; what is left out has none.

    `least_gaps` [rule] is what a price gap must reach, NaN where the rule is off. `fees` are what a
    leg's round trip costs beyond what the scan reckoned with. A gap or a spread beyond `most_gap`
    is probably bad data.
    """

    least_net: Decimal
    spread_base: Decimal
    spread_per_usd: Decimal
    least_gaps: tuple[Decimal, ...]
    base_room: Mapping[str, Decimal]
    slot_room: Mapping[Slot, Decimal]
    fees: Mapping[Slot, Decimal]
    ranking: Ranking = Ranking.NET_PROFIT
    most_gap: Decimal = Decimal("Infinity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What each user asks of legs; columns are users, rows as named.

    `least_gap` [rule, user] is NaN where a rule is not enabled. `base_room` [base, user] and
    `slot_room` [slot, user] are what one leg may be, USD: 0 where nothing may be opened. `fee`
    [slot, user] is what a leg's round trip costs this user beyond what the scan reckoned with.
    """

    least_net: Floats
    most_gap: Floats
    spread_base: Floats
    spread_per_usd: Floats
    least_gap: Floats
    base_room: Floats
    slot_room: Floats
    fee: Floats

    def at(self, base: int) -> tuple[list[int], Wishes]:
        """Return who has room at a base, and what they ask there: it is the only one then."""
        users = np.flatnonzero(self.base_room[base] > 0)
        return users.tolist(), Wishes(
            least_net=self.least_net[users],
            most_gap=self.most_gap[users],
            spread_base=self.spread_base[users],
            spread_per_usd=self.spread_per_usd[users],
            least_gap=self.least_gap[:, users],
            base_room=self.base_room[base, users][None],
            slot_room=self.slot_room[:, users],
            fee=self.fee[:, users],
        )


def gather(facts: ScanFacts, wishes: Sequence[Wish]) -> Wishes:
    """Return the wishes of many users as columns."""
    base_room = np.zeros((len(facts.bases), len(wishes)))
    places = {base: place for place, base in enumerate(facts.bases)}
    for user, wish in enumerate(wishes):
        for base, room in wish.base_room.items():
            if base in places:
                base_room[places[base], user] = float(room)
    return Wishes(
        least_net=np.array([float(wish.least_net) for wish in wishes]),
        most_gap=np.array([float(wish.most_gap) for wish in wishes]),
        spread_base=np.array([float(wish.spread_base) for wish in wishes]),
        spread_per_usd=np.array([float(wish.spread_per_usd) for wish in wishes]),
        least_gap=_columns([[*map(float, wish.least_gaps)] for wish in wishes], len(RULES)),
        base_room=base_room,
        slot_room=_columns([_by_slot(facts, wish.slot_room) for wish in wishes], len(facts.slots)),
        fee=_columns([_by_slot(facts, wish.fees) for wish in wishes], len(facts.slots)),
    )


def _by_slot(facts: ScanFacts, known: Mapping[Slot, Decimal]) -> list[float]:
    return [float(known.get(slot, 0)) for slot in facts.slots]


def _columns(rows: Sequence[Sequence[float]], width: int) -> Floats:
    return np.ascontiguousarray(np.array(rows, dtype=float).reshape(len(rows), width).T)


def who_wants(
    scanner: Scanner, base: int, wishes: Wishes, *, limit: int, bundles: Sequence[Bundle] = ()
) -> list[int]:
    """Return the users whom one of the best pairs of a base suits, or one of these bundles."""
    users, here = wishes.at(base)
    if not users:
        return []
    least, most = float(here.least_net.min()), float(here.base_room.max())
    found = candidates(scanner, least_net=least, limit=limit, most_usd=most, base=base)
    wanted = match(found.of_one_base(), here).any(axis=0)
    for bundle in bundles:
        if not np.isnan(here.least_gap[bundle.rule]).all():
            found = bundle_candidates(
                scanner, bundle, least_net=least, limit=limit, most_usd=most, base=base
            )
            wanted |= match(found.of_one_base(), here).any(axis=0)
    return [users[place] for place in np.flatnonzero(wanted)]


def best_row(found: Candidates, wish: Wishes, ranking: Ranking) -> int:
    """Return which candidate one user ranks highest, at the user's own fees and size.

    Of those that suit, else of those for which there is room, else of all.
    """
    net, room = found.net.copy(), wish.base_room[found.base, 0]
    for leg, part in zip(found.legs, found.parts, strict=True):
        net -= part * wish.fee[leg, 0]
        room = np.minimum(room, wish.slot_room[leg, 0] / part)
    has_room = np.minimum(room, found.room) > 0
    own = replace(found, net=net)
    sizes = own.sizes(np.where(has_room, room, np.inf))
    profits = own.profits(sizes)
    rank = {
        Ranking.NET_PROFIT: profits,
        Ranking.NET_BPS: profits / np.maximum(sizes, LEAST_USD),
        Ranking.SPREAD: found.spread_8h,
    }[ranking]
    fits = 2 * match(found, wish)[:, 0] + has_room
    rows = np.flatnonzero(fits == fits.max())
    return int(rows[rank[rows].argmax()])


def match(found: Candidates, wishes: Wishes) -> NDArray[np.bool_]:
    """Return which candidates suit whom, [candidate, user], each at the user's own size."""
    suits = np.empty((len(found), len(wishes.least_net)), dtype=bool)
    for start in range(0, len(found), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(found)))
        _match(found.only(rows), wishes, suits[start : start + CHUNK])
    return suits


def _match(found: Candidates, wishes: Wishes, suits: NDArray[np.bool_]) -> None:
    impact = found.impact[:, None]
    legs = list(zip(found.legs, found.parts, strict=True))
    net = np.repeat(found.net[:, None], wishes.fee.shape[1], axis=1)
    for places, part in legs:
        net -= wishes.fee[places] if part == 1 else part * wishes.fee[places]
    size = np.abs(net)
    size *= 0.5 / impact
    np.minimum(size, found.room[:, None], out=size)
    np.minimum(size, wishes.base_room[found.base], out=size)
    for places, part in legs:
        room = wishes.slot_room[places]
        np.minimum(size, room if part == 1 else room / part, out=size)
    np.greater(size, 0, out=suits)
    net -= size * impact
    net *= size
    net -= found.transfer[:, None]
    suits &= net >= wishes.least_net * size
    size *= wishes.spread_per_usd
    size += wishes.spread_base
    least_gap = wishes.least_gap[found.rule]
    # Where only a gap opens a pair no spread is enough; a rule that is off has NaN as its gap.
    spread = np.where(USES_SPREAD[found.rule], found.spread_8h, -np.inf)[:, None]
    opens = spread >= size
    opens &= least_gap == least_gap
    opens |= found.gap[:, None] >= least_gap
    suits &= opens
    widest = np.maximum(np.abs(found.gap), np.abs(found.spread_8h))
    suits &= widest[:, None] <= wishes.most_gap
