"""One scan matched against many users at once equals asking each candidate for each user."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exchanges.domain import InstrumentKind as Kind
from tests.core.random_board import EPOCH, random_board
from tests.generated import quick
from tests.market import D
from trading.core.parameters import Parameters
from trading.core.policies import Ranking
from trading.core.scan.candidates import Candidates, candidates
from trading.core.scan.facts import ScanFacts, Slot
from trading.core.scan.matching import Wish, best_row, gather, match, who_wants
from trading.core.scan.rules import PAIR_RULES, RULES
from trading.core.scan.scanner import Scanner
from trading.core.scan.settings import ScanSettings
from trading.strategies.registry import STRATEGIES

pytestmark = pytest.mark.core


def scanner_of(seed: int) -> Scanner:
    settings = ScanSettings.of(Parameters.from_values({"transfer_cost_usd": "5"}))
    scanner = Scanner(random_board(seed, expiries=1), settings)
    scanner.scan_full(EPOCH)
    return scanner


def found_on(seed: int) -> tuple[ScanFacts, Candidates]:
    scanner = scanner_of(seed)
    return scanner.facts, candidates(scanner, least_net=-1, limit=60, most_usd=20_000)


def wish(facts: ScanFacts, seed: int) -> Wish:
    generator = np.random.default_rng(seed)

    def number(most: float) -> Decimal:
        return D(str(round(generator.uniform(0, most), 8)))

    return Wish(
        least_net=number(0.004),
        spread_base=number(2e-4),
        spread_per_usd=number(1e-8),
        least_gaps=tuple(
            D(str(generator.choice(["NaN", "0.001", "-Infinity", "Infinity"]))) for _ in RULES
        ),
        base_room={base: number(20_000) for base in facts.bases[1:]},
        slot_room={slot: number(20_000) for slot in facts.slots[1:]},
        fees={slot: number(1e-3) for slot in facts.slots},
        most_gap=D(str(generator.choice(["Infinity", "0.002"]))),
    )


def suits(facts: ScanFacts, found: Candidates, row: int, asked: Wish) -> bool:
    """Tell in plain Python whether one candidate suits one user."""
    long, short = facts.slots[found.long[row]], facts.slots[found.short[row]]
    impact = float(found.impact[row])
    net = float(found.net[row]) - float(asked.fees[long]) - float(asked.fees[short])
    size = min(
        abs(net) / (2 * impact),
        float(found.room[row]),
        float(asked.slot_room.get(long, 0)),
        float(asked.slot_room.get(short, 0)),
        float(asked.base_room.get(facts.bases[found.base[row]], 0)),
    )
    if size <= 0:
        return False
    profit = size * (net - impact * size) - float(found.transfer[row])
    rule = RULES[found.rule[row]]
    gap = float(asked.least_gaps[found.rule[row]])
    needed = float(asked.spread_base) + float(asked.spread_per_usd) * size
    by_spread = rule.spread and gap == gap and float(found.spread_8h[row]) >= needed
    by_gap = float(found.gap[row]) >= gap
    if max(abs(float(found.gap[row])), abs(float(found.spread_8h[row]))) > float(asked.most_gap):
        return False
    return profit >= float(asked.least_net) * size and (by_spread or by_gap)


@quick
@given(st.integers(0, 1_000))
def test_matching_equals_asking_one_by_one(seed: int) -> None:
    facts, found = found_on(seed)
    wishes = [wish(facts, seed + user) for user in range(7)]

    matched = match(found, gather(facts, wishes))

    expected = [[suits(facts, found, row, asked) for asked in wishes] for row in range(len(found))]
    assert matched.tolist() == expected


@quick
@given(st.integers(0, 1_000))
def test_who_wants_something_of_a_base_is_whom_one_of_its_pairs_suits(seed: int) -> None:
    scanner = scanner_of(seed)
    facts = scanner.facts
    found = candidates(scanner, least_net=-1, limit=10_000, most_usd=20_000, base=2)
    wishes = [wish(facts, seed + user) for user in range(7)]

    wanted = who_wants(scanner, 2, gather(facts, wishes), limit=10_000)

    assert wanted == [
        user
        for user, asked in enumerate(wishes)
        if any(suits(facts, found, row, asked) for row in range(len(found)))
    ]


@quick
@given(st.integers(0, 1_000))
def test_some_users_at_one_base_are_matched_as_among_all(seed: int) -> None:
    scanner = scanner_of(seed)
    facts = scanner.facts
    found = candidates(scanner, least_net=-1, limit=60, most_usd=20_000, base=2)
    assume(len(found))
    wishes = gather(facts, [wish(facts, seed + user) for user in range(7)])
    wishes.base_room[:, [0, 2, 3, 5]] = 0

    some, here = wishes.at(2)
    matched = match(found.of_one_base(), here)

    assert some == [1, 4, 6]
    assert matched.tolist() == match(found, wishes)[:, some].tolist()


@quick
@given(st.integers(0, 1_000), st.sampled_from(list(Ranking)))
def test_the_best_pair_of_one_user_is_the_best_by_plain_python(seed: int, ranking: Ranking) -> None:
    facts, found = found_on(seed)
    asked = wish(facts, seed)

    best = best_row(found, gather(facts, [asked]), ranking)

    ranks = [rank(facts, found, row, asked, ranking) for row in range(len(found))]
    assert ranks[best] == max(ranks)


def rank(
    facts: ScanFacts, found: Candidates, row: int, asked: Wish, ranking: Ranking
) -> tuple[bool, bool, float]:
    """Return whether a candidate suits, whether there is room for it, and what it ranks by."""
    long, short = facts.slots[found.long[row]], facts.slots[found.short[row]]
    net = float(found.net[row]) - float(asked.fees[long]) - float(asked.fees[short])
    rooms = [
        float(asked.slot_room.get(long, 0)),
        float(asked.slot_room.get(short, 0)),
        float(asked.base_room.get(facts.bases[found.base[row]], 0)),
    ]
    sizes = [abs(net) / (2 * float(found.impact[row])), float(found.room[row])]
    size = min(*sizes, *rooms) if min(rooms) > 0 else min(sizes)
    profit = size * (net - float(found.impact[row]) * size) - float(found.transfer[row])
    by = {
        Ranking.NET_PROFIT: profit,
        Ranking.NET_BPS: profit / size,
        Ranking.SPREAD: float(found.spread_8h[row]),
    }
    return suits(facts, found, row, asked), min(rooms) > 0, by[ranking]


def two_pairs() -> Candidates:
    """Return one pair of 50 bp for 1,000 USD, and one of 30 bp and the higher spread for 10,000."""
    return Candidates(
        rule=np.array([0, 0]),
        legs=(np.array([0, 0]), np.array([1, 2])),
        base=np.array([0, 0]),
        net=np.array([0.005, 0.003]),
        spread_8h=np.array([0.0002, 0.0004]),
        gap=np.zeros(2),
        impact=np.full(2, 1e-30),
        room=np.array([1_000.0, 10_000.0]),
        transfer=np.zeros(2),
    )


@pytest.mark.parametrize(
    ("ranking", "best"),
    # 5 against 30 USD, 50 against 30 bp, 2 against 4 bp.
    [(Ranking.NET_PROFIT, 1), (Ranking.NET_BPS, 0), (Ranking.SPREAD, 1)],
)
def test_ranking_says_which_pair_of_a_base_is_the_best(ranking: Ranking, best: int) -> None:
    slots = [Slot(venue, Kind.PERPETUAL) for venue in ("a", "b", "c")]
    facts = ScanFacts(slots, ["BTC"])
    asked = Wish(
        least_net=D(0),
        spread_base=D(0),
        spread_per_usd=D(0),
        least_gaps=(D(1),) * len(RULES),
        base_room={"BTC": D(50_000)},
        slot_room=dict.fromkeys(slots, D(50_000)),
        fees={},
    )

    assert best_row(two_pairs(), gather(facts, [asked]), ranking) == best
    # Nothing may be opened at the third venue, so the first pair remains.
    closed = replace(asked, slot_room=dict.fromkeys(slots[:2], D(50_000)))
    assert best_row(two_pairs(), gather(facts, [closed]), ranking) == 0
    # A spread of 4 bp is taken for bad data.
    assert (
        best_row(two_pairs(), gather(facts, [replace(asked, most_gap=D("0.0003"))]), ranking) == 0
    )
    # The third venue costs this user 30 bp more: nothing is left of the second pair.
    dear = replace(asked, fees={slots[2]: D("0.003")}, least_net=D("0.001"))
    assert best_row(two_pairs(), gather(facts, [dear]), ranking) == 0


def test_rules_cover_what_two_leg_strategies_hold_and_nothing_else() -> None:
    kinds = set(Kind)
    for key, strategy in STRATEGIES.items():
        if len(strategy.shape) > 2:
            continue
        long, short = strategy.shape
        allowed = {(one, two) for one in kinds for two in kinds if {one} <= long.kinds}
        allowed = {(one, two) for one, two in allowed if two in short.kinds}
        covered = {
            (one, two)
            for rule in PAIR_RULES
            if rule.strategy == key
            for one in rule.longs
            for two in rule.shorts
        }
        # A calendar spread of two perpetuals has no calendar.
        assert covered == allowed - (
            {(Kind.PERPETUAL, Kind.PERPETUAL)} if key == "calendar_spread" else set()
        ), key
