"""`python -m tests.simulation`: run seeds on all cores, print what was violated and the figures."""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.simulation import batch, crash_points
from tests.simulation.report import Report

MOST_SHOWN = 100
MOST_SHRUNK = 5


def main() -> int:
    """Return 0 when no rule was broken and no aim was missed."""
    options = _options()
    started, whole = time.monotonic(), Report()
    for report in batch.run_all(_work(options), jobs=options.jobs, fail_fast=options.fail_fast):
        for sentence in report.violations[: max(0, MOST_SHOWN - len(whole.violations))]:
            print(sentence, flush=True)
        whole.merge(report)
    if options.keep:
        _shrink(whole)
    print(f"took {time.monotonic() - started:.0f} s")
    print("\n".join(whole.lines()))
    for breach in whole.breaches():
        print(breach)
    return 1 if whole.violations or whole.breaches() else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first one")
    parser.add_argument("--crashes", choices=("none", "singles", "pairs"), default="none")
    parser.add_argument("--pairs", type=int, default=2000, help="how many pairs of deaths at most")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--fail-fast", action="store_true", help="stop at the first violation")
    parser.add_argument("--keep", action="store_true", help="shrink failures and keep them")
    return parser.parse_args()


def _work(options: argparse.Namespace) -> list[batch.Chunk]:
    work = batch.seeds_in_chunks(options.first, options.seeds)
    if options.crashes == "none":
        return work
    with batch.the_laboratory().open() as laboratory:
        passed = {
            trade: crash_points.boundaries_of(laboratory, trade) for trade in crash_points.TRADES
        }
    for trade, names in passed.items():
        deaths = crash_points.singles(trade, names)
        if options.crashes == "pairs":
            deaths += crash_points.pairs(trade, names, options.pairs // len(passed))
        work += batch.deaths_in_chunks(deaths)
    return work


def _shrink(whole: Report) -> None:
    failures: dict[str, int] = {}
    for sentence in whole.violations:
        seed, rule = sentence.split(": ")[:2]
        number = seed.removeprefix("seed ")
        if number.isdigit():
            failures.setdefault(rule, int(number))
    for rule, first in list(failures.items())[:MOST_SHRUNK]:
        print(f"{rule} of seed {first} is kept as {batch.shorten(first, rule)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
