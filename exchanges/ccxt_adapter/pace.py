"""Keeps the requests of a client within its venue's quotas, by the limiter all clients share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exchanges.ccxt_adapter.faults import FIRST_SERVER_ERROR, Answer, bar_of, wants_silence
from exchanges.errors import Block
from exchanges.limits.buckets import Size, Use
from exchanges.limits.lanes import Lane, lane_or
from exchanges.limits.limiter import Limiter
from exchanges.venues.profile import VenueProfile
from exchanges.venues.quotas import Quota, Scope

# Every other refusal for its number of requests means the address, for longer.
BRIEF_STATUSES = frozenset({200, 429})
# So long a silence is told to those whom it concerns.
LONG_SECONDS = 60.0
# A ban is as long as the venue says. What is down, or wants a pause, is asked again sooner than it
# may say: a header that names a day would keep us from closing for a day.
LONGEST_PAUSE = 600.0


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
        lasts = _number(said, self._profile.quotas.waits_header)
        for quota, scope, _ in self._counts:
            if scope in counting and (used := _used(said, quota)) is not None:
                ends = None if lasts is None else lasts / 1000
                self._limiter.hear(counting[scope], used, ends)

    async def refused(self, group: str, answer: Answer) -> Block | None:
        """Keep the silence that a venue asks for, of the key or of the whole address.

        Return what is to be told of it, None of a short pause. A venue that serves nobody here is
        asked again rarely, for as long as it lasts.
        """
        if not wants_silence(self._profile, answer):
            return None
        quotas, is_down = self._profile.quotas, answer.status >= FIRST_SERVER_ERROR
        is_ban = answer.status not in BRIEF_STATUSES and not is_down
        silent = self._meant(group, answer.code in quotas.key_codes, is_ban=is_ban)
        bar = bar_of(self._profile, answer)
        usual = quotas.barred if bar else quotas.ban if is_ban else quotas.pause
        pause = usual.total_seconds()
        seconds = pause if answer.retry_after is None else answer.retry_after
        if bar or not is_ban:
            seconds = min(seconds, LONGEST_PAUSE)
        await self._limiter.hush([use for _, use in silent], seconds)
        if not is_ban and seconds < LONG_SECONDS:
            return None
        is_keys_own = all(quota.scope is Scope.KEY for quota, _ in silent)
        return Block(
            seconds=seconds,
            bar=bar,
            tenant=self._asker.tenant if is_keys_own else "",
            is_of_reads=all(quota.is_public for quota, _ in silent),
        )

    def _meant(self, group: str, is_of_keys: bool, *, is_ban: bool) -> list[tuple[Quota, Use]]:
        """Return what must be silent after a refusal of a call of this group."""
        counts = [
            (quota, Use(scope=scope, size=size, cost=0.0))
            for quota, scope, size in self._counts
            if is_ban or group.startswith(quota.group)
        ]
        of_key = [count for count in counts if count[0].scope is Scope.KEY]
        if of_key and is_of_keys and not is_ban:
            return of_key
        address = [count for count in counts if count[0].scope is Scope.ADDRESS]
        pauses = [count for count in address if not count[0].is_of_blocks]
        return address if is_ban or not pauses else pauses

    def _scope(self, quota: Quota) -> str:
        if quota.scope is Scope.KEY:
            return f"{quota.name}:key:{self._asker.key}"
        return f"{quota.name}:address:{self._asker.address}"


def size_of(quota: Quota) -> Size:
    return Size.of(quota.limit, quota.window.total_seconds(), quota.at_once)


def _used(said: Mapping[str, str], quota: Quota) -> float | None:
    """Return what an answer says is used of a quota, None where it does not say."""
    left = _number(said, quota.left_header)
    if left is None:
        return _number(said, quota.used_header)
    whole = _number(said, quota.of_header) or quota.left_of or quota.limit
    return max(0.0, whole - left)


def _number(headers: Mapping[str, str], name: str) -> float | None:
    value = headers.get(name, "") if name else ""
    return float(value) if value.isdecimal() else None
