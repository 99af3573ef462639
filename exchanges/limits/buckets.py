"""Token buckets: what one scope of one venue's limits has left, and who may take of it.

Pure: the caller says the time, in seconds. `take.lua` is the same in Redis, where all processes
share it; here it serves one process that has no Redis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from exchanges.limits.lanes import Claim

# A tenant counts for the shares of the others this long after he asked last.
ACTIVE_SECONDS = 60.0
# How much of his part a tenant can save up: more, and the others would wait while he uses it.
SHARE_SECONDS = 1.0
# Of a venue's limit: the rest is for what other programs send from the same address.
USED = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A bucket holds `capacity` tokens, regains `rate` of them a second and stays below `target`.

    `target` is what may be used in each `window` seconds; a full bucket and what it regains in a
    window are no more than that.
    """

    capacity: float
    rate: float
    target: float
    window: float

    @classmethod
    def of(cls, limit: float, window: float, at_once: float) -> Size:
        """Return the size that keeps to four fifths of a venue's limit, a part of it at once."""
        return cls(
            capacity=limit * at_once,
            rate=limit * (USED - at_once) / window,
            target=limit * USED,
            window=window,
        )

    def part(self, share: float) -> Size:
        """Return the size of one process's part, where the processes cannot ask one another."""
        return Size(
            capacity=max(1.0, self.capacity * share),
            rate=self.rate * share,
            target=self.target * share,
            window=self.window,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What one request wants of one scope. `scope` names it across processes, without secrets."""

    scope: str
    size: Size
    cost: float


@dataclass(slots=True)
class Bucket:
    """The state of one scope; `shares` are what is left of each tenant's own part, and when."""

    tokens: float
    at: float
    shares: dict[str, tuple[float, float]] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Buckets:
    """All buckets of one process."""

    states: dict[str, Bucket] = field(default_factory=dict)

    def take(self, uses: Sequence[Use], claim: Claim, tenant: str, now: float) -> float:
        """Take the tokens of every use, or none; return 0, else how long to wait at least."""
        counting = [use for use in uses if use.cost > 0]
        longest = max((self._wait(use, claim, tenant, now) for use in counting), default=0.0)
        if longest > 0:
            return longest
        for use in counting:
            bucket = self.states[use.scope]
            bucket.tokens -= use.cost
            share, at = bucket.shares[tenant]
            if len(bucket.asked) > 1 and share > 0:
                bucket.shares[tenant] = (share - use.cost, at)
        return 0.0

    def correct(self, use: Use, used: float, now: float, left: float) -> None:
        """Believe the venue's own count: `used` in its window, which ends in `left` seconds."""
        bucket = self._refilled(use, now)
        bucket.tokens = min(bucket.tokens, most_tokens(use.size, used, left))

    def _wait(self, use: Use, claim: Claim, tenant: str, now: float) -> float:
        bucket = self._refilled(use, now)
        is_beyond = self._share(bucket, use, tenant, now) <= 0
        lacking = lacking_tokens(use, claim, bucket.tokens, is_beyond=is_beyond)
        return max(0.0, lacking) / use.size.rate

    def _refilled(self, use: Use, now: float) -> Bucket:
        bucket = self.states.setdefault(use.scope, Bucket(use.size.capacity, now))
        gained = max(0.0, now - bucket.at) * use.size.rate
        bucket.tokens = min(use.size.capacity, bucket.tokens + gained)
        bucket.at = now
        return bucket

    def _share(self, bucket: Bucket, use: Use, tenant: str, now: float) -> float:
        """Return what is left of a tenant's part of what comes in; above 0 he may take of it.

        It may fall below 0 by one request, however heavy. Who asks alone has had nothing of it.
        """
        for name in [name for name, at in bucket.asked.items() if now - at > ACTIVE_SECONDS]:
            del bucket.asked[name]
            bucket.shares.pop(name, None)
        bucket.asked[tenant] = now
        rate = use.size.rate / len(bucket.asked)
        share, at = bucket.shares.get(tenant, (rate * SHARE_SECONDS, now))
        share = min(rate * SHARE_SECONDS, share + max(0.0, now - at) * rate)
        bucket.shares[tenant] = (share, now)
        return share


def lacking_tokens(use: Use, claim: Claim, tokens: float, *, is_beyond: bool) -> float:
    """Return how many tokens are missing; a full bucket has enough for any lane."""
    part = claim.floor_beyond_share if is_beyond else claim.floor
    cost = min(use.cost, use.size.capacity)
    floor = min(part * use.size.capacity, use.size.capacity - cost)
    return floor + cost - tokens


def most_tokens(size: Size, used: float, left: float) -> float:
    """Return what a bucket may hold so that the venue's window ends within the target.

    At its end the debt is forgiven, as the venue forgives it.
    """
    to_come = size.rate * left
    return max(size.target - used - to_come, -to_come)
