"""Which of several opportunities get how much of one user's room, and when leaving one pays.

The most worthwhile is served first with all that it can use; what it takes is gone for the next.
The split of capital into active, buffer and fees and the planned part of it are in `sizing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """One opportunity. `uses` is what each USD of its size takes of each pool.

    A pool is whatever runs out: an account's free margin, a limit. `least_usd` is the smallest size
    that can be traded.
    """

    key: str
    size_usd: Decimal
    uses: Mapping[str, Decimal]
    least_usd: Decimal = ZERO


def allocate(
    claimants: Sequence[Claimant], pools: Mapping[str, Decimal], *, most: int
) -> dict[str, Decimal]:
    """Return a size in USD for each claimant that is served, by key; at most `most` of them.

    Claimants are in the order of preference; a pool that is not named is unlimited.
    """
    left, sizes = dict(pools), dict[str, Decimal]()
    for claimant in claimants:
        if len(sizes) >= most:
            break
        bounds = [
            left[pool] / use for pool, use in claimant.uses.items() if use > 0 and pool in left
        ]
        size = min([claimant.size_usd, *bounds])
        if size <= 0 or size < claimant.least_usd:
            continue
        sizes[claimant.key] = size
        for pool, use in claimant.uses.items():
            if pool in left:
                left[pool] -= use * size
    return sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What keeping a position for the hold time brings, and what leaving it costs, in USD."""

    key: str
    keeps_usd: Decimal
    exit_cost_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Leave `key` for a better pair: `gain_usd` is the difference, `cost_usd` of both switches."""

    key: str
    gain_usd: Decimal
    cost_usd: Decimal


def rotation(
    held: Sequence[Held], *, better_usd: Decimal, entry_cost_usd: Decimal, gain_multiple: Decimal
) -> Rotation | None:
    """Return the position to leave for an opportunity; None where no switch is clearly worth it.

    `better_usd` is what the opportunity brings over the hold time before its round trip,
    `entry_cost_usd` that round trip. The gain must exceed the cost of leaving and of entering
    `gain_multiple` times.
    """
    worst = min(held, key=lambda each: each.keeps_usd, default=None)
    if worst is None:
        return None
    gain, cost = better_usd - worst.keeps_usd, worst.exit_cost_usd + entry_cost_usd
    if gain <= gain_multiple * cost:
        return None
    return Rotation(key=worst.key, gain_usd=gain, cost_usd=cost)
