"""How long venues take to answer, from the orders they answered lately."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from trading.models import Order

RECENT = timedelta(minutes=10)
# One lost answer counts with the whole time it was waited for; it says nothing of a venue's speed.
LEAST_ANSWERS = 3


def venue_latencies(now: datetime) -> dict[str, timedelta]:
    """Return the median time from sending to answer by venue; one hardly asked is left out."""
    answers: defaultdict[str, list[timedelta]] = defaultdict(list)
    rows = Order.objects.filter(sent_at__gt=now - RECENT, answered_at__isnull=False)
    for venue, sent, answered in rows.values_list(
        "leg__instrument__exchange__code", "sent_at", "answered_at"
    ):
        if sent is not None and answered is not None:
            answers[venue].append(answered - sent)
    return {
        venue: sorted(spans)[(len(spans) - 1) // 2]
        for venue, spans in answers.items()
        if len(spans) >= LEAST_ANSWERS
    }
