"""Many seeds over all cores: chunks to processes, outcomes to one report."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.simulation import crash_points
from tests.simulation.actions import Action
from tests.simulation.laboratory import Laboratory
from tests.simulation.report import Report
from tests.simulation.run import run_actions, run_seed
from tests.simulation.scheduler import scheduled
from tests.simulation.shrink import keep, shrunk

CHUNK = 25


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one process does before it reports: seeds, or crash points by number or pair."""

    seeds: tuple[int, ...] = ()
    deaths: tuple[crash_points.Deaths, ...] = ()


def seeds_in_chunks(first: int, count: int) -> list[Chunk]:
    numbers = range(first, first + count)
    return [Chunk(seeds=tuple(numbers[n : n + CHUNK])) for n in range(0, count, CHUNK)]


def deaths_in_chunks(deaths: list[crash_points.Deaths]) -> list[Chunk]:
    return [Chunk(deaths=tuple(deaths[n : n + CHUNK])) for n in range(0, len(deaths), CHUNK)]


def run_chunk(laboratory: Laboratory, chunk: Chunk) -> Report:
    report = Report()
    for seed in chunk.seeds:
        report.add(run_seed(laboratory, seed))
    for deaths in chunk.deaths:
        report.add(crash_points.run_with_deaths(laboratory, deaths))
    return report


def run_all(chunks: list[Chunk], *, jobs: int, fail_fast: bool) -> Iterator[Report]:
    """Yield each chunk's report as it comes; stop at the first violation if asked to."""
    if jobs <= 1:
        for chunk in chunks:
            report = _in_own_laboratory(chunk)
            yield report
            if fail_fast and report.violations:
                return
        return
    # Forked children would share the key file's folder and what asyncio holds; spawned ones do not.
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for report in pool.imap_unordered(_in_own_laboratory, chunks):
            yield report
            if fail_fast and report.violations:
                pool.terminate()
                return


def shorten(seed: int, rule: str) -> str:
    """Shrink a failing seed, keep it and return where it is kept."""
    with the_laboratory().open() as laboratory:

        def fails(actions: list[Action]) -> bool:
            outcome = run_actions(laboratory, seed, actions)
            return any(violation.rule == rule for violation in outcome.violations)

        actions = shrunk(scheduled(seed), fails)
        outcome = run_actions(laboratory, seed, actions)
        why = next(v.sentence for v in outcome.violations if v.rule == rule)
        return str(keep(seed, actions, why))


def _in_own_laboratory(chunk: Chunk) -> Report:
    """Run a chunk in this process's own laboratory, which stays open until the process ends."""
    with the_laboratory().open() as laboratory:
        return run_chunk(laboratory, chunk)


@cache
def the_laboratory() -> Laboratory:
    """Return this process's laboratory."""
    return Laboratory()
