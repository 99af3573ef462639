"""Keeps the requests of a client within its venue's quotas, by the limiter all clients share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exchanges.ccxt_adapter.faults import Answer, bar_of, is_rate_limit
from exchanges.errors import Block
from exchanges.limits.buckets import Size, Use
from exchanges.limits.lanes import Lane, lane_or
from exchanges.limits.limiter import Limiter
from exchanges.venues.profile import VenueProfile
from exchanges.venues.quotas import Quota, Scope

# Every other refusal for its number of requests means the address, for longer.
BRIEF_STATUSES = frozenset({200, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks: from which address, with which key (none for public reads), for which tenant."""

    address: str
    key: str = ""
    tenant: str = ""


class Pace:
    """`asker` names things, never secrets: the names are keys in Redis."""

    def __init__(self, profile: VenueProfile, limiter: Limiter, asker: Asker) -> None:
        self._profile = profile
        self._limiter = limiter
        self._asker = asker
        self._usual_lane = Lane.LOOK_UP if asker.key else Lane.POLL
        # With where each quota is counted, and how large a bucket it makes.
        self._counts = [
            (quota, self._scope(quota), size_of(quota))
            for quota in profile.quotas.all
            if quota.scope is Scope.ADDRESS or asker.key
        ]

    async def wait(self, group: str, method: str, path: str, params: object) -> list[Use]:
        """Return what the request counts in once it may be sent. Raise RateLimited, unsent."""
        known = params if isinstance(params, Mapping) else {}
        uses = [
            Use(scope=scope, size=size, cost=quota.weight(method, path, known))
            for quota, scope, size in self._counts
            if group.startswith(quota.group)
        ]
        await self._limiter.take(
            uses,
            lane=lane_or(self._usual_lane),
            tenant=self._asker.tenant,
            venue=self._profile.name,
        )
        return uses

    def heard(self, uses: Sequence[Use], headers: Mapping[str, str]) -> None:
        """Believe the venue's own count of what we used."""
        said = {name.lower(): value for name, value in headers.items()}
        counting = {use.scope: use for use in uses if use.cost > 0}
        for quota, scope, _ in self._counts:
            if scope not in counting:
                continue
            if (used := _number(said, quota.used_header)) is not None:
                self._limiter.hear(counting[scope], used)
            elif (left := _number(said, quota.left_header)) is not None:
                self._limiter.hear(counting[scope], max(0.0, quota.limit - left))

    async def refused(self, group: str, answer: Answer) -> Block | None:
        """Keep the silence that a venue asks for, of the key or of the whole address.

        Return how it blocks the address, None where it only wants a pause. A venue that serves
        nobody here is asked again rarely, for as long as it lasts.
        """
        if not is_rate_limit(self._profile, answer):
            return None
        quotas = self._profile.quotas
        is_ban = answer.status not in BRIEF_STATUSES
        silent = self._meant(group, answer.code in quotas.key_codes, is_ban=is_ban)
        bar = bar_of(self._profile, answer)
        usual = quotas.barred if bar else quotas.ban if is_ban else quotas.pause
        pause = usual.total_seconds()
        seconds = pause if answer.retry_after is None else answer.retry_after
        await self._limiter.hush(silent, seconds)
        return Block(seconds=seconds, bar=bar) if is_ban else None

    def _meant(self, group: str, is_of_keys: bool, *, is_ban: bool) -> list[Use]:
        """Return what must be silent after a refusal of a call of this group."""
        counts = [
            (quota, Use(scope=scope, size=size, cost=0.0))
            for quota, scope, size in self._counts
            if is_ban or group.startswith(quota.group)
        ]
        of_key = [use for quota, use in counts if quota.scope is Scope.KEY]
        if of_key and is_of_keys and not is_ban:
            return of_key
        address = [(quota, use) for quota, use in counts if quota.scope is Scope.ADDRESS]
        pauses = [use for quota, use in address if not quota.is_of_blocks]
        return [use for _, use in address] if is_ban or not pauses else pauses

    def _scope(self, quota: Quota) -> str:
        if quota.scope is Scope.KEY:
            return f"{quota.name}:key:{self._asker.key}"
        return f"{quota.name}:address:{self._asker.address}"


def size_of(quota: Quota) -> Size:
    return Size.of(quota.limit, quota.window.total_seconds(), quota.at_once)


def _number(headers: Mapping[str, str], name: str) -> float | None:
    value = headers.get(name, "") if name else ""
    return float(value) if value.isdigit() else None
