"""One observer per run: asks every rule at its moment and keeps what was violated, once each."""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulation.chronicle import Chronicle
from tests.simulation.observer.arrivals import ARRIVAL_RULES
from tests.simulation.observer.case import Case
from tests.simulation.observer.ends import END_RULES
from tests.simulation.observer.requests import REQUEST_RULES
from tests.simulation.observer.steps import STEP_RULES
from tests.simulation.venue_side import Arrival, Sight
from tests.simulation.world import World


@dataclass(frozen=True, slots=True)
class Violation:
    """One sentence that begins with the number of its invariant, and when it was seen."""

    sentence: str
    step: int

    @property
    def rule(self) -> str:
        return self.sentence.partition(":")[0]


class Observer:
    """Watches a world from outside."""

    def __init__(self, world: World) -> None:
        chronicle = Chronicle(
            lambda: world.excused, lambda: world.is_faulted, lambda: world.last_fault
        )
        world.far.listen(chronicle.hear)
        self.case = Case(world, chronicle)
        self.violations: list[Violation] = []
        world.far.on_create = self.see_request
        world.far.on_arrival = self.see_arrival
        world.on_step = self.see_step

    def see_request(self, sight: Sight) -> None:
        for rule in REQUEST_RULES:
            self._keep(list(rule(self.case, sight)))

    def see_arrival(self, arrival: Arrival) -> None:
        for rule in ARRIVAL_RULES:
            self._keep(list(rule(self.case, arrival)))

    def see_step(self) -> None:
        self.case.read()
        self.case.note_alerts()
        for rule in STEP_RULES:
            self._keep(list(rule(self.case)))

    def see_end(self) -> None:
        for rule in END_RULES:
            self.case.read()
            self._keep(list(rule(self.case)))

    def _keep(self, sentences: list[str]) -> None:
        known = {violation.sentence for violation in self.violations}
        self.violations += [
            Violation(sentence, self.case.world.steps)
            for sentence in sentences
            if sentence not in known
        ]
