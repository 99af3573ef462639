"""What a venue lets one ask: its limits as data, and the weight of each request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

NONE: Mapping[str, int] = MappingProxyType({})


class Scope(StrEnum):
    """Whom a venue counts: all that comes from one network address, or from one key's account."""

    ADDRESS = "address"
    KEY = "key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """At most `limit` of weight in each `window`. Venues with a quota of one name count together.

    `group` is how the library's name of an interface begins to which it applies. `weights` are by
    method and path, with the page size (`limit` or `count`) or the type asked for behind it where
    that matters, or with `*` where a request names no symbol; what is not listed weighs `other`.
    """

    name: str
    scope: Scope
    limit: int
    window: timedelta
    group: str = ""
    weights: Mapping[str, int] = field(default_factory=lambda: NONE)
    other: int = 0
    # The part of it that may be used at once; with what comes in steadily it makes four fifths.
    at_once: float = 0.3
    # The answer's header that tells what is used of it, or what is left.
    used_header: str = ""
    left_header: str = ""
    # The header that tells of how many that is left, or the number itself where no header does: a
    # venue that counts each call alone, or by a shorter window, tells no more of it than is used.
    of_header: str = ""
    left_of: int = 0
    # No 429 means it as long as another count of the address is meant: a pause of polls is none of
    # orders. A block of the address means all.
    is_of_blocks: bool = False

    @property
    def is_public(self) -> bool:
        """Tell whether reads of the market alone are counted in it."""
        return self.group.lower().endswith("public")

    def weight(self, method: str, path: str, params: Mapping[str, object]) -> int:
        """Return what one request counts."""
        if not self.weights:
            return self.other
        call = f"{method} {path}"
        names = [f"{call} {params.get(name)}" for name in ("limit", "count", "type")]
        if "symbol" not in params:
            names.append(f"{call} *")
        found = (self.weights[name] for name in (*names, call) if name in self.weights)
        return next(found, self.other)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionQuota:
    """At most `limit` sockets may be opened from one network address in each `window`."""

    limit: int
    window: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """A venue's quotas, and how long it wants silence where it does not say so itself."""

    all: tuple[Quota, ...]
    sockets: ConnectionQuota
    # Codes of answers after which only the key's own requests must pause, where the call that hears
    # one is counted by key: a public call's 429 means the address, whoever made it.
    key_codes: frozenset[str] = frozenset()
    pause: timedelta = timedelta(seconds=5)
    # After a block of the whole address.
    ban: timedelta = timedelta(minutes=10)
    # The statuses of such a block; any other 403 is one of what is not served at all.
    ban_statuses: frozenset[int] = frozenset({418})
    # Who is not served is asked again so rarely.
    barred: timedelta = timedelta(minutes=1)
    # The answer's header that tells when a pause ends, in seconds or milliseconds since 1970, or
    # how many milliseconds are left of it. `Retry-After` goes before both.
    resets_header: str = ""
    waits_header: str = ""
