"""Random but plausible boards for the scan; the same seed gives the same board."""

from __future__ import annotations

import numpy as np

from exchanges.domain import InstrumentKind as Kind
from tests.market import NOW
from trading.core.scan.facts import ALWAYS, ScanFacts, Slot

EPOCH = NOW.timestamp()
DAY = 86_400


def random_board(
    seed: int, *, venues: int = 3, bases: int = 4, expiries: int = 0, troubles: float = 0.1
) -> ScanFacts:
    """Return spot and perpetuals at every venue, and dated futures; some facts are missing."""
    generator = np.random.default_rng(seed)
    slots = [
        Slot(f"venue{venue}", kind, expiry)
        for venue in range(venues)
        for kind, count in ((Kind.SPOT, 1), (Kind.PERPETUAL, 1), (Kind.FUTURE, expiries))
        for expiry in range(count)
    ]
    facts = ScanFacts(slots, [f"ASSET{base}" for base in range(bases)])
    shape = facts.bid.shape
    facts.book_at[:] = EPOCH - generator.random(shape)
    facts.cost[:] = generator.uniform(5e-4, 3e-3, shape)
    facts.borrow[:] = 0
    mids = np.exp(generator.normal(3, 2, bases)) * (1 + generator.normal(0, 1e-3, shape))
    facts.bid[:], facts.ask[:] = mids * 0.9999, mids * 1.0001
    facts.impact[:] = generator.uniform(0, 1e-7, shape)
    facts.room[:] = generator.uniform(1e3, 1e5, shape)
    facts.interval[:] = 3_600
    facts.rate_at[:] = facts.next_funding[:] = ALWAYS
    facts.carry_8h[:] = facts.predicted_8h[:] = 0
    perpetual = facts.of_kind(Kind.PERPETUAL)
    part = facts.bid[perpetual].shape
    facts.interval[perpetual] = generator.choice([3_600, 14_400, 28_800], part)
    facts.rate_at[perpetual] = EPOCH - generator.random(part)
    waits = generator.random(part) * facts.interval[perpetual]
    facts.next_funding[perpetual] = EPOCH + np.ceil(waits)
    facts.predicted_8h[perpetual] = generator.normal(1e-4, 4e-4, part)
    facts.carry_8h[perpetual] = generator.normal(1e-4, 4e-4, part)
    facts.borrow[facts.of_kind(Kind.SPOT)] = generator.uniform(0, 1e-5)
    future = facts.of_kind(Kind.FUTURE)
    facts.expires[future] = EPOCH + generator.choice([5, 30, 120], facts.bid[future].shape) * DAY
    facts.fair_8h[:] = generator.normal(1e-4, 1e-4, bases)
    _trouble(facts, generator, troubles)
    return facts


def _trouble(facts: ScanFacts, generator: np.random.Generator, part: float) -> None:
    """Make some facts missing, stale or crossed."""
    for column, value in (
        (facts.book_at, EPOCH - 60),
        (facts.carry_8h[facts.of_kind(Kind.PERPETUAL)], np.nan),
        (facts.borrow[facts.of_kind(Kind.SPOT)], np.nan),
        (facts.ask, np.nan),
    ):
        column[generator.random(column.shape) < part] = value
    facts.exit_ratio *= 1 + generator.normal(0, 1e-4, facts.exit_ratio.shape)
