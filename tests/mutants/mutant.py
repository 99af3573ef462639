"""A planted bug: one change of one file, and the tests that must notice it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Stale(Exception):
    """The code that a mutant changes is not there any more, or is there twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`before` occurs exactly once in `path`; `tests` are arguments of pytest."""

    name: str
    path: str
    before: str
    after: str
    tests: tuple[str, ...]

    def planted(self, root: Path) -> str:
        """Return the text of the file with the bug in it. Raise Stale where it cannot be put."""
        text = (root / self.path).read_text()
        found = text.count(self.before)
        if found != 1:
            raise Stale(f"{self.name}: its code occurs {found} times in {self.path}")
        return text.replace(self.before, self.after)
