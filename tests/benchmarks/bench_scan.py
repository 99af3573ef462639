"""How long the scan takes: 10 venues x 500 symbols, every strategy, all ordered pairs, all costs.

A symbol is listed as spot and as perpetual at every venue, the ten largest also as two dated
futures, as venues do. The plain-Python reference counts the same pairs in the same run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from time import perf_counter

import numpy as np

from exchanges.domain import InstrumentKind, Side
from tests.benchmarks.reference_scan import reference_net
from tests.core.random_board import EPOCH, random_board
from trading.core.parameters import Parameters
from trading.core.scan.bundles import Bundle, BundleLeg, bundle_candidates
from trading.core.scan.candidates import candidates
from trading.core.scan.facts import NEVER, ScanFacts
from trading.core.scan.matching import Wish, Wishes, gather, match, who_wants
from trading.core.scan.rules import DATED, PERPETUAL, RULES, SPOT
from trading.core.scan.scanner import Scanner
from trading.core.scan.settings import ScanSettings
from trading.services.shared_scan import MOST_FOUND

VENUES, DATED_BASES, SYMBOLS = 10, 10, 500
USERS, SYMBOLS_EACH, MOST_USD, LISTED = 1_000, 3, 50_000, 128
FULL_RUNS, ONE_RUNS, MATCH_RUNS, WARM_UP = 400, 5_000, 100, 20
SPLIT_CARRY = Bundle.of(
    "split_carry",
    [
        BundleLeg(side=Side.BUY, kinds=SPOT, ratio=Decimal(1)),
        BundleLeg(side=Side.SELL, kinds=PERPETUAL, ratio=Decimal("0.5")),
        BundleLeg(side=Side.SELL, kinds=DATED, ratio=Decimal("0.5")),
    ],
)
Result = dict[str, float | int | str]


def measure() -> dict[str, Result]:
    """Return p50 and p99 of a full scan (ms), one changed instrument (us) and a match (ms)."""
    settings = ScanSettings.of(Parameters())
    scanners = [
        Scanner(calm_board(1, bases=SYMBOLS - DATED_BASES), settings),
        Scanner(calm_board(2, bases=DATED_BASES, expiries=2), settings),
    ]
    results = {
        "scan.full": timed(lambda: full(scanners), FULL_RUNS, per_second=1e3, unit="ms"),
        "scan.one": _one(scanners),
        "scan.match": _match(scanners[0]),
        "scan.who_wants": _who_wants(scanners[0]),
    }
    results["scan.reference"] = _reference(scanners, settings)
    faster = float(results["scan.reference"]["p50"]) / float(results["scan.full"]["p50"])
    results["scan.speed-up"] = {"p50": faster, "p99": faster, "unit": "x", "n": 1}
    return results


def calm_board(seed: int, *, bases: int, expiries: int = 0) -> ScanFacts:
    """Return a sound board: rates around 1 bp, 14 bp a leg, prices 3 bp apart."""
    generator = np.random.default_rng(seed)
    facts = random_board(seed, venues=VENUES, bases=bases, expiries=expiries, troubles=0)
    perpetual = facts.of_kind(InstrumentKind.PERPETUAL)
    shape = facts.bid[perpetual].shape
    facts.predicted_8h[perpetual] = generator.normal(1e-4, 2e-4, shape)
    facts.carry_8h[perpetual] = generator.normal(1e-4, 2e-4, shape)
    mids = np.exp(generator.normal(3, 2, bases)) * (1 + generator.normal(0, 3e-4, facts.bid.shape))
    facts.bid[:], facts.ask[:], facts.cost[:] = mids * 0.9999, mids * 1.0001, 14e-4
    return facts


def full(scanners: Sequence[Scanner]) -> None:
    """Scan everything and rank what pays, of every strategy."""
    for scanner in scanners:
        scanner.scan_full(EPOCH)
        candidates(scanner, least_net=0.002, limit=LISTED, most_usd=MOST_USD)
    bundle_candidates(scanners[1], SPLIT_CARRY, least_net=0.002, limit=LISTED, most_usd=MOST_USD)


def timed(act: Callable[[], object], runs: int, *, per_second: float, unit: str) -> Result:
    """Time `act` after a warm-up; percentiles are of single runs."""
    for _ in range(WARM_UP):
        act()
    spans = np.empty(runs)
    for run in range(runs):
        start = perf_counter()
        act()
        spans[run] = perf_counter() - start
    p50, p99 = (np.percentile(spans, [50, 99]) * per_second).tolist()
    return {"p50": p50, "p99": p99, "unit": unit, "n": runs}


def _one(scanners: Sequence[Scanner]) -> Result:
    """Change one instrument of a random symbol; one in fifty symbols has dated futures."""
    generator = np.random.default_rng(3)
    changes = [
        (scanner, int(generator.integers(len(scanner.facts.slots))), base)
        for scanner in scanners
        for base in range(len(scanner.facts.bases))
    ]
    order = generator.integers(0, len(changes), ONE_RUNS + WARM_UP).tolist()

    def one() -> None:
        scanner, slot, base = changes[order.pop()]
        scanner.facts.bid[slot, base] *= 1.000001
        scanner.update(slot, base, EPOCH)

    return timed(one, ONE_RUNS, per_second=1e6, unit="us")


def _match(scanner: Scanner) -> Result:
    """Match the best pairs of one scan against users who differ in everything that they set."""
    wishes = _wishes(scanner, scanner.facts.bases)
    found = candidates(scanner, least_net=0, limit=LISTED, most_usd=MOST_USD)
    return timed(lambda: match(found, wishes), MATCH_RUNS, per_second=1e3, unit="ms")


def _who_wants(scanner: Scanner) -> Result:
    """Ask which of the users, all of them with room at the base that changed, want its pairs."""
    wishes = _wishes(scanner, scanner.facts.bases[:SYMBOLS_EACH])

    def ask() -> None:
        who_wants(scanner, 0, wishes, limit=MOST_FOUND)

    return timed(ask, MATCH_RUNS, per_second=1e3, unit="ms")


def _wishes(scanner: Scanner, bases: Sequence[str]) -> Wishes:
    generator = np.random.default_rng(4)
    return gather(scanner.facts, [_wish(generator, scanner, bases) for _ in range(USERS)])


def _wish(generator: np.random.Generator, scanner: Scanner, bases: Sequence[str]) -> Wish:
    def number(most: float) -> Decimal:
        return Decimal(str(generator.uniform(0, most)))

    facts = scanner.facts
    return Wish(
        least_net=number(0.003),
        spread_base=number(2e-4),
        spread_per_usd=number(2e-9),
        least_gaps=tuple(number(0.01) for _ in RULES),
        base_room={base: number(MOST_USD) for base in bases},
        slot_room={slot: number(MOST_USD) for slot in facts.slots},
        fees={slot: number(1e-4) for slot in facts.slots},
    )


def _reference(scanners: Sequence[Scanner], settings: ScanSettings) -> Result:
    """Time plain Python over the same pairs once, and see that it finds the same."""
    start = perf_counter()
    counted = [list(reference_net(scanner.facts, settings, EPOCH)) for scanner in scanners]
    span = (perf_counter() - start) * 1e3
    for scanner, pairs in zip(scanners, counted, strict=True):
        scanner.scan_full(EPOCH)
        assert len(pairs) == int((scanner.net > NEVER).sum())
        assert all(abs(scanner.net[i, j, base] - net) < 1e-12 for i, j, base, net in pairs)
    return {"p50": span, "p99": span, "unit": "ms", "n": 1}
