"""Deterministic noise: every value is a pure function of (seed, name, time).

A market made of it needs no stored state: any moment, past or to come, can be asked for again and
answers the same, which is what lets a restarted simulator book what it missed.
"""

from __future__ import annotations

import math
from functools import lru_cache
from hashlib import blake2b

OCTAVES = tuple(4.0**exponent for exponent in range(11))
"""Periods in seconds, from 1 s to about 12 days."""


@lru_cache(maxsize=65536)
def uniform(seed: int, name: str, index: int) -> float:
    """Return a value of [0, 1) that is independent for each (seed, name, index)."""
    digest = blake2b(f"{seed}:{name}:{index}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


@lru_cache(maxsize=65536)
def normal(seed: int, name: str, index: int) -> float:
    """Return a standard normal value for each (seed, name, index)."""
    first = uniform(seed, name + "/u", index)
    second = uniform(seed, name + "/v", index)
    return math.sqrt(-2 * math.log(1 - first)) * math.cos(2 * math.pi * second)


def smooth(seed: int, name: str, seconds: float, period: float) -> float:
    """Return value noise of [-1, 1] that changes over about `period` seconds."""
    position = seconds / period
    index = math.floor(position)
    part = position - index
    weight = part * part * (3 - 2 * part)
    left = uniform(seed, name, index)
    right = uniform(seed, name, index + 1)
    return 2 * (left + (right - left) * weight) - 1


def wander(seed: int, name: str, seconds: float, *, volatility: float) -> float:
    """Return a log price that moves like a random walk of `volatility` per root second.

    Octaves of value noise with an amplitude that grows with the root of the period have the
    variance of a random walk at lags between the shortest and the longest period.
    """
    return volatility * sum(
        math.sqrt(period) * smooth(seed, f"{name}/{period:.0f}", seconds, period)
        for period in OCTAVES
    )


def persistent(seed: int, name: str, index: int, *, persistence: float, lags: int = 40) -> float:
    """Return an AR(1) series of unit variance at `index`, truncated after `lags` shocks."""
    total = sum(
        weight * normal(seed, name, index - lag)
        for lag, weight in enumerate(_weights(persistence, lags))
    )
    return total * math.sqrt(1 - persistence**2)


@lru_cache(maxsize=16)
def _weights(persistence: float, lags: int) -> tuple[float, ...]:
    return tuple(persistence**lag for lag in range(lags))
