"""What a soak holds against a feed: prices that were over, and the venues' own log of it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from exchanges.venues import PROFILES
from exchanges.venues.quotas import Scope

PREFIXES = (
    *("/fapi/v1/", "/fapi/v2/", "/fapi/v3/", "/api/v1/", "/api/v3/", "/api/v4/", "/api/v5/"),
    *("/api/", "/sapi/v1/", "/derivatives/api/v3/", "/0/public/", "/"),
)


FIRST_PRICE, STEP, STEPS = Decimal(50_000), Decimal(500), 1000


class Steps:
    """Prices that step up, and when all venues had each; after the last they begin anew."""

    def __init__(self) -> None:
        self._number = 0
        # As many as there are prices: none is known twice.
        self._steps: deque[tuple[float, Decimal]] = deque(maxlen=STEPS)

    @property
    def next_price(self) -> Decimal:
        return FIRST_PRICE + STEP * (self._number % STEPS)

    def add(self, at: float, price: Decimal) -> None:
        self._number += 1
        self._steps.append((at, price))

    def over_since(self, mid: Decimal) -> float | None:
        """Return when the step that a price belongs to was over; None while it is not."""
        steps = list(self._steps)
        nearest = min(range(len(steps)), key=lambda number: abs(steps[number][1] - mid))
        return steps[nearest + 1][0] if nearest + 1 < len(steps) else None


def violations(entries: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Return how often the weight of a window was above an address quota, by its name."""
    windows: dict[tuple[str, str], deque[tuple[float, int]]] = {}
    found: Counter[str] = Counter()
    for entry in entries:
        at = at_of(entry)
        for quota in PROFILES[entry["venue"]].quotas.all:
            if quota.scope is not Scope.ADDRESS:
                continue
            weight = quota.weight(entry["method"], _named(entry["path"]), {})
            window = windows.setdefault((entry["venue"], quota.name), deque())
            window.append((at, weight))
            while window[0][0] <= at - quota.window.total_seconds():
                window.popleft()
            found[quota.name] += sum(one for _, one in window) > quota.limit
    return found


def openings_above(openings: Iterable[Mapping[str, str]]) -> Counter[str]:
    """Return how often more sockets were opened in a window than a venue lets one address."""
    windows: dict[str, deque[float]] = {}
    found: Counter[str] = Counter()
    for opening in openings:
        at, quota = at_of(opening), PROFILES[opening["venue"]].quotas.sockets
        window = windows.setdefault(opening["venue"], deque())
        window.append(at)
        while window[0] <= at - quota.window.total_seconds():
            window.popleft()
        found[f"sockets of {opening['venue']}"] += len(window) > quota.limit
    return found


def at_of(entry: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(entry["time"]).timestamp()


def _named(path: str) -> str:
    prefix = next(known for known in PREFIXES if path.startswith(known))
    return path.removeprefix(prefix)
