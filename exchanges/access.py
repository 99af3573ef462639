"""Who may trade at a venue, and when: what it says of a key and of its own maintenance.

Pure: standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """What a venue says of a key that may trade. Nothing is known of what it leaves out.

    `venue_uid` names the account behind the key, empty where untold; two keys may share one.
    """

    venue_uid: str = ""
    expires_at: datetime | None = None
    is_bound_to_address: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """A window in which a venue does not trade, as it announced it; `ends_at` None: not told."""

    venue: str
    reference: str
    title: str
    starts_at: datetime
    ends_at: datetime | None
