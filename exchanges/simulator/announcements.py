"""What each venue says it is going to do: maintenance of all of it, the end of one contract."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import Listing

ENDS, MAINTENANCE = "announced ends", "announced maintenance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """One window in which a venue will not trade."""

    number: int
    venue: str
    title: str
    begins_at: datetime
    ends_at: datetime

    def state(self, now: datetime) -> str:
        if now < self.begins_at:
            return "scheduled"
        return "ongoing" if now < self.ends_at else "completed"


class Announcements:
    """Kept with the ledger, so that a restart forgets none."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._ends: dict[str, str] = ledger.meta(ENDS) or {}
        self._windows: list[dict[str, Any]] = ledger.meta(MAINTENANCE) or []

    def announce_end(self, listing: Listing, at: datetime) -> None:
        """Say when a contract without an end of its own will be delisted."""
        self._ends[_name(listing)] = at.isoformat()
        self._ledger.put_meta(ENDS, self._ends)

    def end_of(self, listing: Listing) -> datetime | None:
        """Return when a contract ends, by its nature or as announced."""
        announced = self._ends.get(_name(listing))
        return listing.expires_at or (datetime.fromisoformat(announced) if announced else None)

    def announce_maintenance(
        self, venue: str, *, title: str, begins_at: datetime, ends_at: datetime
    ) -> None:
        window = {"venue": venue, "title": title}
        window |= {"begins_at": begins_at.isoformat(), "ends_at": ends_at.isoformat()}
        self._windows.append(window)
        self._ledger.put_meta(MAINTENANCE, self._windows)

    def withdraw_maintenance(self, venue: str) -> None:
        """Take back whatever a venue announced."""
        self._windows = [row for row in self._windows if row["venue"] != venue]
        self._ledger.put_meta(MAINTENANCE, self._windows)

    def maintenance(self, venue: str) -> list[Maintenance]:
        """Return all windows of a venue, those that are over included."""
        return [
            Maintenance(
                number=number,
                venue=venue,
                title=row["title"],
                begins_at=datetime.fromisoformat(row["begins_at"]),
                ends_at=datetime.fromisoformat(row["ends_at"]),
            )
            for number, row in enumerate(self._windows, start=1)
            if row["venue"] == venue
        ]


def _name(listing: Listing) -> str:
    return f"{listing.venue}:{listing.symbol}"
