"""What Kraken announces for the next seven days, of spot and of futures, in one public list.

docs.kraken.com, Get Maintenance Schedule. Kraken Futures has notifications of its own, which are
told to a key alone; what is announced has to be known without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exchanges.ccxt_adapter.instants import of_iso

CANCELLED, SCHEDULED = "cancelled", "scheduled"


def windows(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the announced windows as rows; a list of none is no list that is missing."""
    return [
        {
            "key": str(event["event_id"]),
            "status": CANCELLED if event.get("phase") == CANCELLED else SCHEDULED,
            "title": event["title"],
            "start": of_iso(event["expected_start_utc"]),
            "end": of_iso(end) if (end := event.get("expected_end_utc")) else None,
            "services": event["affected_services"],
        }
        for event in answer["result"]["events"]
    ]
