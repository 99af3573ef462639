"""The one entry that a half-open breaker lets in: its order tells whether orders are taken again.

Nothing else can: reads are answered all the while, and what a venue answers to an order that is not
meant tells nothing of the engine behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import F

from exchanges.models import Exchange, VenueHealth
from trading.models import Position

PROBE_AFTER = timedelta(seconds=10)
# Each order that fails in a trial doubles the wait for the next one, so often.
MOST_DOUBLINGS = 5
LONGEST_WAIT = PROBE_AFTER * 2**MOST_DOUBLINGS
# Longer than an entry takes from its plan to an answer; it may also never be sent.
TRIAL_LASTS = timedelta(minutes=1)
LONGEST_SYMPTOM = 80
ORDERS_FAIL = "orders fail, reads do not: "

State = VenueHealth.State


def of_orders(symptom: str) -> str:
    """Return the symptom of an order where reads are answered, as long as a row takes it."""
    return f"{ORDERS_FAIL}{symptom}"[:LONGEST_SYMPTOM]


def claim_trials(position: Position, exchanges: Iterable[Exchange], now: datetime) -> str:
    """Make a planned entry the one that half-open breakers let in; return why one does not.

    Called in the transaction that writes the position, which is taken back with a refusal.
    """
    shut = VenueHealth.objects.filter(exchange__in=exchanges).exclude(state=State.CLOSED)
    for row in shut.select_related("exchange"):
        free = VenueHealth.objects.filter(pk=row.pk, state=State.HALF_OPEN, trial_of=None)
        if not free.update(trial_of=position.pk, probe_at=now + TRIAL_LASTS):
            return row.sentence
    return ""


def fail_trial(row: VenueHealth, symptom: str, now: datetime) -> bool:
    """Let one failed order shut what was half open, for twice as long; tell whether it was.

    Nobody is told: it was not closed in between.
    """
    half_open = VenueHealth.objects.filter(pk=row.pk, state=State.HALF_OPEN)
    trials = half_open.values_list("order_trials", flat=True).first()
    if trials is None:
        return False
    shut = half_open.filter(order_trials=trials).update(
        state=State.OPEN,
        failures=F("failures") + 1,
        symptom=of_orders(symptom),
        failed_at=now,
        order_trials=trials + 1,
        trial_of=None,
        probe_at=now + PROBE_AFTER * 2 ** min(trials, MOST_DOUBLINGS),
    )
    return shut == 1
