"""How long the scan takes: 10 venues x 500 symbols, all ordered pairs, net of costs."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np

from trading.core.parameters import Parameters
from trading.core.scan import ScanFacts, Scanner, ScanSettings

VENUES, SYMBOLS = 10, 500
NOW = 1_790_000_000.0
FULL_RUNS, ONE_RUNS, WARM_UP = 400, 5_000, 20


def measure() -> dict[str, dict[str, float | int | str]]:
    """Return p50 and p99 of a full scan (ms) and of one changed symbol (us), ranking included."""
    facts = make_facts()
    scanner = Scanner(facts, ScanSettings.of(Parameters()))
    # What a settlement changes is computed once an hour per symbol, not per update.
    for symbol in range(SYMBOLS):
        scanner.scan_symbol(symbol, NOW)
    generator = np.random.default_rng(2)
    changes = generator.integers(0, (VENUES, SYMBOLS), (ONE_RUNS + WARM_UP, 2)).tolist()

    def full() -> None:
        scanner.scan_full(NOW)
        scanner.best(least_net=0.002, least_spread=0.0001, limit=20)

    def one() -> None:
        venue, symbol = changes.pop()
        facts.predicted_8h[venue, symbol] *= 1.001
        scanner.scan_symbol(symbol, NOW)

    return {
        "scan.full": timed(full, FULL_RUNS, per_second=1e3, unit="ms"),
        "scan.one": timed(one, ONE_RUNS, per_second=1e6, unit="us"),
    }


def timed(
    act: Callable[[], None], runs: int, *, per_second: float, unit: str
) -> dict[str, float | int | str]:
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


def make_facts() -> ScanFacts:
    """Return a sound board: mixed 1, 4 and 8 h intervals, rates around 1 bp, 14 bp a leg."""
    generator = np.random.default_rng(1)
    facts = ScanFacts(
        [f"venue{number}" for number in range(VENUES)],
        [f"ASSET{number}" for number in range(SYMBOLS)],
    )
    shape = (VENUES, SYMBOLS)
    facts.book_at[:] = NOW - generator.random(shape)
    facts.rate_at[:] = NOW - generator.random(shape)
    facts.interval[:] = generator.choice([3_600, 14_400, 28_800], shape)
    facts.next_funding[:] = NOW - NOW % facts.interval + facts.interval
    facts.predicted_8h[:] = generator.normal(1e-4, 2e-4, shape)
    facts.carry_8h[:] = generator.normal(1e-4, 2e-4, shape)
    mids = np.exp(generator.normal(3, 2, SYMBOLS)) * (1 + generator.normal(0, 3e-4, shape))
    facts.bid[:], facts.ask[:] = mids * 0.9999, mids * 1.0001
    facts.cost[:] = 14e-4
    return facts
