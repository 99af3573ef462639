"""The vectorised scan agrees with plain Python, whole and one instrument at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain import InstrumentKind as Kind
from exchanges.domain import Side
from tests.benchmarks.reference_scan import reference_bundles, reference_net
from tests.core.random_board import EPOCH, random_board
from tests.generated import quick
from tests.market import D
from trading.core.parameters import Parameters
from trading.core.scan.bundles import Bundle, BundleLeg, bundle_candidates
from trading.core.scan.candidates import Candidates, candidates, pairs
from trading.core.scan.facts import NEVER, ScanFacts, Slot
from trading.core.scan.rules import DATED, PERPETUAL, SPOT
from trading.core.scan.scanner import Scanner
from trading.core.scan.settings import ScanSettings

pytestmark = pytest.mark.core

EXPECTED = ScanSettings.of(Parameters())
BELIEVED = ScanSettings.of(Parameters.from_values({"carry_estimator": "predicted"}))
seeds = st.integers(0, 10_000)
SPLIT = [
    BundleLeg(side=Side.BUY, kinds=SPOT, ratio=D(1)),
    BundleLeg(side=Side.SELL, kinds=PERPETUAL, ratio=D("0.5")),
    BundleLeg(side=Side.SELL, kinds=DATED, ratio=D("0.5")),
]
TURNED = [replace(leg, side=Side.BUY if leg.side is Side.SELL else Side.SELL) for leg in SPLIT]


def scanned(facts: ScanFacts, settings: ScanSettings = EXPECTED) -> Scanner:
    scanner = Scanner(facts, settings)
    scanner.scan_full(EPOCH)
    return scanner


def referred(facts: ScanFacts, settings: ScanSettings) -> np.ndarray:
    net = np.full((len(facts.slots), len(facts.slots), len(facts.bases)), NEVER)
    for long, short, base, value in reference_net(facts, settings, EPOCH):
        net[long, short, base] = value
    return net


def bundles_of(
    scanner: Scanner, legs: Sequence[BundleLeg], *, base: int | None = None, limit: int = 100_000
) -> Candidates:
    return bundle_candidates(
        scanner,
        Bundle.of("split_carry", legs),
        least_net=-1,
        limit=limit,
        most_usd=50_000,
        base=base,
    )


@quick
@given(seeds, st.sampled_from([0, 2]), st.sampled_from([EXPECTED, BELIEVED]))
def test_scan_equals_plain_python_on_random_boards(
    seed: int, expiries: int, settings: ScanSettings
) -> None:
    facts = random_board(seed, expiries=expiries)

    net = scanned(facts, settings).net

    np.testing.assert_allclose(net, referred(facts, settings), rtol=0, atol=1e-12)
    assert (net > NEVER).any()


@quick
@given(seeds, st.sampled_from([EXPECTED, BELIEVED]), st.sampled_from(["split", "turned"]))
def test_bundles_equal_plain_python_on_random_boards(
    seed: int, settings: ScanSettings, shape: str
) -> None:
    facts = random_board(seed, expiries=2)
    scanner = scanned(facts, settings)
    legs = SPLIT if shape == "split" else TURNED

    found = bundles_of(scanner, legs)

    expected = {
        (*places, base): net
        for base in range(len(facts.bases))
        for places, net in reference_bundles(facts, settings, EPOCH, legs, base)
    }
    combinations = zip(*(leg.tolist() for leg in found.legs), found.base.tolist(), strict=True)
    counted = dict(zip(combinations, found.net.tolist(), strict=True))
    assert counted == pytest.approx(expected, abs=1e-12)
    one = bundles_of(scanner, legs, base=1)
    assert set(one.base.tolist()) <= {1}
    assert sorted(one.net) == pytest.approx(sorted(found.net[found.base == 1]), abs=1e-15)


@quick
@given(seeds, st.sampled_from([0, 2]), st.data())
def test_changed_instruments_equal_a_full_scan(
    seed: int, expiries: int, data: st.DataObject
) -> None:
    facts = random_board(seed, expiries=expiries)
    other = random_board(seed + 1, expiries=expiries)
    scanner = scanned(facts)

    for _ in range(5):
        slot = data.draw(st.integers(0, len(facts.slots) - 1))
        facts.rows[:, slot, 1] = other.rows[:, slot, 1]
        best = scanner.update(slot, 1, EPOCH)
        here = scanner.net[:, :, 1]
        assert best == max(here[slot].max(), here[:, slot].max())

    np.testing.assert_allclose(scanner.net, scanned(facts).net, rtol=0, atol=1e-15)


def test_an_update_notices_what_became_stale_meanwhile() -> None:
    facts = random_board(3, troubles=0)
    scanner = scanned(facts)
    facts.book_at[0, 0] = EPOCH + 5

    scanner.update(0, 0, EPOCH + 5)

    assert (scanner.net[:, :, 0] == NEVER).all()
    assert (scanner.net[:, :, 1] > NEVER).any()


def two_perpetuals() -> ScanFacts:
    """Short pays 10 bp per 8 h more than long; 10 bp of costs a leg, mid 100."""
    facts = random_board(1, venues=2, bases=1, troubles=0)
    facts.exit_ratio[:] = np.where(np.isinf(facts.exit_ratio), np.inf, 1)
    facts.bid[:], facts.ask[:], facts.cost[:] = 99.99, 100.01, 0.001
    perpetual = facts.of_kind(Kind.PERPETUAL)
    facts.interval[perpetual], facts.next_funding[perpetual] = 28_800, EPOCH + 3_600
    facts.carry_8h[perpetual] = facts.predicted_8h[perpetual] = [[0.0001], [0.0010]]
    facts.impact[:], facts.room[:] = 0, 20_000
    facts.book_at[facts.of_kind(Kind.SPOT)] = EPOCH - 60
    return facts


def test_scan_counts_a_pair_as_worked_by_hand() -> None:
    scanner = scanned(two_perpetuals())

    found = candidates(scanner, least_net=0.005, limit=5, most_usd=50_000)

    funding, convergence = pairs(scanner, found, most_usd=50_000)
    assert (funding.strategy, convergence.strategy) == ("funding_spread", "price_convergence")
    assert (funding.long.venue, funding.short.venue) == ("venue0", "venue1")
    # 21 settlements in 7 days at half of 0.0009; at the coming one the long leg pays its predicted
    # 0.0001, not half of it: 21 x 0.00045 - 0.00005 - 2 x 0.001.
    assert funding.net_return == pytest.approx(0.0074)
    assert funding.spread_8h == pytest.approx(0.0009)
    assert funding.net_apr == pytest.approx(0.0074 * 8_760 / 168)
    # The books take 20,000.
    assert funding.profit_usd == pytest.approx(148)


def test_transfers_are_charged_between_companies_only() -> None:
    settings = ScanSettings.of(Parameters.from_values({"transfer_cost_usd": "100"}))

    def profit(companies: dict[str, str]) -> float:
        scanner = Scanner(two_perpetuals(), settings, companies)
        scanner.scan_full(EPOCH)
        found = candidates(scanner, least_net=0.005, limit=1, most_usd=50_000)
        return pairs(scanner, found, most_usd=50_000)[0].profit_usd

    # One transfer of 100 in ten round trips, of the 148 above.
    assert profit({}) == pytest.approx(138)
    assert profit({"venue0": "one", "venue1": "one"}) == pytest.approx(148)


def test_size_is_the_one_that_earns_most() -> None:
    facts = two_perpetuals()
    # Each USD costs 3.7e-7 more of each: 0.0074 is eaten up at 20,000, most is earned at half.
    facts.impact[:] = 3.7e-7 / 2
    scanner = scanned(facts)

    (pair, *_) = pairs(
        scanner,
        candidates(scanner, least_net=0, limit=1, most_usd=50_000),
        most_usd=50_000,
    )

    assert pair.size_usd == pytest.approx(10_000)
    assert pair.profit_usd == pytest.approx(37)
    assert pair.net_return == pytest.approx(0.0037)


def test_ranking_is_by_expected_profit_and_bounded() -> None:
    scanner = scanned(random_board(5, bases=20))

    ranked = pairs(
        scanner, candidates(scanner, least_net=-1, limit=7, most_usd=9_000), most_usd=9_000
    )

    profits = [pair.profit_usd for pair in ranked]
    assert profits == sorted(profits, reverse=True)
    assert len({(pair.base, pair.long, pair.short) for pair in ranked}) == 7
    assert max(pair.size_usd for pair in ranked) <= 9_000


def test_spot_that_cannot_be_borrowed_is_bought_but_not_sold() -> None:
    facts = random_board(2, troubles=0)
    facts.borrow[facts.of_kind(Kind.SPOT)] = np.nan
    spots, perpetuals = facts.of_kind(Kind.SPOT), facts.of_kind(Kind.PERPETUAL)

    net = scanned(facts).net

    assert (net[spots, perpetuals] > NEVER).all()
    assert (net[perpetuals, spots] == NEVER).all()


def test_three_legs_are_counted_as_worked_by_hand() -> None:
    slots = [Slot("a", Kind.SPOT), Slot("a", Kind.PERPETUAL), Slot("a", Kind.FUTURE)]
    facts = ScanFacts(slots, ["BTC"])
    facts.rows[:, :, 0] = random_board(1, venues=1, bases=1, expiries=1, troubles=0).rows[:, :, 0]
    facts.bid[:, 0], facts.ask[:, 0] = [99.99, 99.99, 101.99], [100.01, 100.01, 102.01]
    facts.cost[:] = 0.001
    facts.interval[1], facts.next_funding[1] = 28_800, EPOCH + 3_600
    facts.carry_8h[1] = facts.predicted_8h[1] = 0.0002
    facts.expires[2] = EPOCH + 70 * 86_400
    facts.impact[:, 0], facts.room[:, 0] = [1e-7, 2e-7, 4e-7], [10_000, 4_000, 6_000]
    found = bundles_of(scanned(facts), SPLIT, base=0)

    assert [slots[leg[0]] for leg in found.legs] == slots
    # Half a future 2 % above the rest ages 7 of 70 days: 0.1 %. Half a perpetual receives 21 times
    # half of 0.0002: 0.105 %. Costs: 0.1 % of the spot and of both halves.
    assert found.net[0] == pytest.approx(0.001 + 0.00105 - 0.002)
    # 8,000 sell 4,000 of the perpetual. Half a leg walks half as far of half as much.
    assert found.room[0] == 8_000
    assert found.impact[0] == pytest.approx(1e-7 + 2e-7 / 4 + 4e-7 / 4)
    # Half of 2 bp of funding, and half of 2 % in 210 times 8 h.
    assert found.spread_8h[0] == pytest.approx(0.0001 + 0.01 / 210)
    assert found.gap[0] == pytest.approx(0.01)


def test_leg_that_ends_within_the_hold_time_is_held_until_a_day_before() -> None:
    slots = [Slot("a", Kind.PERPETUAL), Slot("a", Kind.FUTURE)]
    facts = ScanFacts(slots, ["BTC"])
    facts.rows[:, :, 0] = random_board(1, venues=1, bases=1, expiries=1, troubles=0).rows[:, 1:, 0]
    facts.bid[:, 0], facts.ask[:, 0] = [99.99, 101.99], [100.01, 102.01]
    facts.cost[:] = 0.001
    facts.interval[0], facts.next_funding[0] = 28_800, EPOCH + 3_600
    facts.carry_8h[0] = facts.predicted_8h[0] = 0.0002
    facts.expires[1] = EPOCH + 5 * 86_400

    # 4 of 5 days, of which 0.6125 of the average is kept: 0.65 after 3 days, 0.5 after 7. The gap
    # of 2 % ages by 1.6; a day is 3 x 8 h at 0.0002 x 0.6125, and of what is left beyond it half
    # counts. The long leg pays 12 times, the coming one as predicted.
    still_fair, paid = 3 * 0.0001225, 0.0002 + 11 * 0.0001225
    expected = 0.016 + (0.004 - still_fair) / 2 - paid - 0.002
    scanner = scanned(facts)
    assert scanner.net[0, 1, 0] == pytest.approx(expected, abs=1e-15)
    (pair,) = pairs(
        scanner, candidates(scanner, least_net=0, limit=5, most_usd=9_000), most_usd=9_000
    )
    assert pair.net_apr == pytest.approx(pair.net_return * 8_760 / 96)

    facts.expires[1] = EPOCH + 86_400
    assert scanned(facts).net[0, 1, 0] == NEVER


def test_bundles_are_ranked_by_expected_profit_and_bounded() -> None:
    scanner = scanned(random_board(7, expiries=2, troubles=0))
    every = bundles_of(scanner, SPLIT)
    profits = every.profits(every.sizes(50_000)).tolist()

    best = bundles_of(scanner, SPLIT, limit=5)

    assert profits == sorted(profits, reverse=True)
    assert best.profits(best.sizes(50_000)).tolist() == profits[:5]


def test_bundle_of_what_is_not_listed_or_not_trusted_is_not_found() -> None:
    unlisted, stale = random_board(1), random_board(1, expiries=1)
    stale.book_at[:] = EPOCH - 60

    assert not Bundle.of("split_carry", SPLIT).fits(unlisted)
    assert Bundle.of("split_carry", SPLIT).fits(stale)
    assert not len(bundles_of(scanned(unlisted), SPLIT))
    assert not len(bundles_of(scanned(stale), SPLIT))
