"""One scan matched against many users at once equals asking each candidate for each user."""

from __future__ import annotations

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
from trading.core.scan.candidates import Candidates, candidates
from trading.core.scan.facts import ScanFacts
from trading.core.scan.matching import Wish, gather, match, who_wants
from trading.core.scan.rules import PAIR_RULES
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
            D(str(generator.choice(["NaN", "0.001", "-Infinity", "Infinity"]))) for _ in PAIR_RULES
        ),
        base_room={base: number(20_000) for base in facts.bases[1:]},
        slot_room={slot: number(20_000) for slot in facts.slots[1:]},
        fees={slot: number(1e-3) for slot in facts.slots},
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
    rule = PAIR_RULES[found.rule[row]]
    gap = float(asked.least_gaps[found.rule[row]])
    needed = float(asked.spread_base) + float(asked.spread_per_usd) * size
    by_spread = rule.spread and gap == gap and float(found.spread_8h[row]) >= needed
    by_gap = float(found.gap[row]) >= gap
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
