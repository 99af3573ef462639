"""The figures of many runs in a few lines, the last of them for machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

# Every test run reads this module for its last lines; few of them need what a run is made of.
if TYPE_CHECKING:
    from tests.simulation.run import Outcome

PROPERTY = "simulation"
# The aims of the design, in seconds.
CALM_P99, RECOVERED = 2.0, 30.0


@dataclass
class Report:
    """Adds up outcomes. Everything in it survives a trip through JSON."""

    seeds: int = 0
    steps: int = 0
    opened: int = 0
    orders: int = 0
    deaths: int = 0
    faults: int = 0
    duplicate_sends: int = 0
    unlicensed: int = 0
    violations: list[str] = field(default_factory=list)
    calm: list[float] = field(default_factory=list)
    faulted: list[float] = field(default_factory=list)
    mended: list[float] = field(default_factory=list)
    alerted: list[float] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self.steps += outcome.steps
        self.opened += outcome.opened
        self.orders += outcome.orders
        self.deaths += outcome.deaths
        self.faults += outcome.faults
        self.duplicate_sends += outcome.duplicate_sends
        self.unlicensed += outcome.unlicensed
        self.violations += [f"{outcome.name}: {v.sentence}" for v in outcome.violations]
        self.calm += outcome.calm_windows
        self.faulted += outcome.faulted_windows
        self.mended += outcome.mended
        self.alerted += outcome.alerted
        self.recoveries += outcome.recoveries

    def merge(self, other: Report) -> None:
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)

    def breaches(self) -> list[str]:
        """Return which aims in seconds were missed, of what is measured and not a rule itself.

        One window in a hundred may last longer than 2 s where nothing was disturbed, or one of few.
        """
        long = [seconds for seconds in self.calm if seconds > CALM_P99]
        slow = [seconds for seconds in self.recoveries if seconds > RECOVERED]
        found = [f"recovered {seconds:.2f} s after a death" for seconds in slow]
        if len(long) > max(1, len(self.calm) // 100):
            found += [f"unhedged for {seconds:.2f} s without a fault" for seconds in long]
        return found

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        """Return the report, the figures last."""
        return [
            f"opened={self.opened} orders={self.orders} faults={self.faults} deaths={self.deaths}",
            f"unhedged window: without faults p99={_percentile(self.calm, 99)} s "
            f"max={_most(self.calm)} s of {len(self.calm)}, with faults "
            f"max={_most(self.faulted)} s of {len(self.faulted)}, after the last fault "
            f"p99={_percentile(self.mended, 99)} s max={_most(self.mended)} s",
            f"alert max={_most(self.alerted)} s of {len(self.alerted)}, recovery after a death "
            f"max={_most(self.recoveries)} s of {len(self.recoveries)}",
            f"seeds={self.seeds} steps={self.steps} violations={len(self.violations)} "
            f"duplicate_sends={self.duplicate_sends} unlicensed={self.unlicensed}",
        ]


def total(parts: Iterable[Mapping[str, Any]]) -> Report:
    """Add up plain reports, as test processes and pools send them."""
    whole = Report()
    for part in parts:
        whole.merge(Report(**part))
    return whole


def _percentile(values: list[float], percent: int) -> str:
    ordered = sorted(values)
    return (
        f"{ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]:.2f}" if ordered else "-"
    )


def _most(values: list[float]) -> str:
    return f"{max(values):.2f}" if values else "-"
