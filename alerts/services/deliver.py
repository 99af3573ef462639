"""Deliver what is due on one kind of channel; each kind has a thread: none waits for another.

A message is delivered at least once: who dies between sending and noting it has it sent again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.module_loading import import_string

from alerts import rules
from alerts.models import Channel, Delivery
from alerts.rules import Severity
from alerts.services.channels import target_of
from alerts.services.hear import deliver_on, second_channels
from alerts.services.wishes import wishes_of
from alerts.transports.port import Send, Target, Undelivered
from alerts.wording import Message
from exchanges.sealing import SealBroken

logger = logging.getLogger(__name__)

# By name: only the worker that delivers loads what they need.
TRANSPORTS = {
    Channel.Kind.TELEGRAM: "alerts.transports.telegram.send",
    Channel.Kind.EMAIL: "alerts.transports.email.send",
    Channel.Kind.WEBHOOK: "alerts.transports.webhook.send",
}
# Telegram takes 30 messages a second of one bot; threads turn twice a second.
BATCH = 10
# Nobody else sends what is being sent; a process that died is followed by another after this.
LEASE = timedelta(seconds=30)
SECONDS = 8.0


def deliver(
    kind: Channel.Kind, *, clock: Callable[[], datetime] = timezone.now, send: Send | None = None
) -> int:
    """Send everything of one kind that is due; return how many arrived."""
    taken = _take(kind, clock())
    if not taken:
        return 0
    send = send or transport(kind)
    parcels = [(_target(row), _message(row, clock())) for row in taken]
    outcomes = asyncio.run(_send_all(parcels, send))
    arrived = 0
    for delivery, failure in zip(taken, outcomes, strict=True):
        if failure is None:
            _note_sent(delivery, clock())
            arrived += 1
        else:
            _note_failed(delivery, failure, clock())
    return arrived


def transport(kind: Channel.Kind) -> Send:
    """Load what sends messages of a kind."""
    send: Send = import_string(TRANSPORTS[kind])
    return send


def _take(kind: Channel.Kind, now: datetime) -> list[Delivery]:
    """Take what is due, the gravest first; of two processes one gets each."""
    pending = Delivery.objects.filter(state=Delivery.State.PENDING, due_at__lte=now)
    if not pending.exists():
        return []
    of_kind = (
        pending.filter(channel__in=Channel.objects.in_use().filter(kind=kind, user__is_active=True))
        .select_related("alert", "channel__user")
        .order_by("due_at")
    )
    # Two questions: what an outage has piled up must not hide a CRITICAL behind it.
    grave = list(of_kind.filter(alert__severity=Severity.CRITICAL.value)[:BATCH])
    others = of_kind.exclude(alert__severity=Severity.CRITICAL.value)[: BATCH - len(grave)]
    return [row for row in [*grave, *others] if _take_one(row, now)]


def _take_one(row: Delivery, now: datetime) -> bool:
    mine = Delivery.objects.filter(
        pk=row.pk, state=Delivery.State.PENDING, attempts=row.attempts, due_at=row.due_at
    )
    if mine.update(attempts=F("attempts") + 1, due_at=now + LEASE) != 1:
        return False
    row.attempts += 1
    return True


async def _send_all(
    parcels: Sequence[tuple[Target | Undelivered, Message]], send: Send
) -> list[Undelivered | None]:
    outcomes = await asyncio.gather(
        *(_send(*parcel, send) for parcel in parcels), return_exceptions=True
    )
    return [_in_our_words(outcome) for outcome in outcomes]


def _in_our_words(outcome: Undelivered | BaseException | None) -> Undelivered | None:
    """Return a failure that no transport has foreseen as one that is tried again."""
    if outcome is None or isinstance(outcome, Undelivered):
        return outcome
    # Its text may hold an address or a secret: only the kind of error is told.
    logger.error("delivery failed", extra={"error": type(outcome).__name__})
    return Undelivered(f"it failed ({type(outcome).__name__})")


async def _send(target: Target | Undelivered, message: Message, send: Send) -> Undelivered | None:
    if isinstance(target, Undelivered):
        return target
    try:
        async with asyncio.timeout(SECONDS):
            await send(target, message)
    except Undelivered as failure:
        return failure
    except TimeoutError:
        return Undelivered(f"no answer within {SECONDS:g} s")
    return None


def _target(delivery: Delivery) -> Target | Undelivered:
    try:
        return target_of(delivery.channel)
    except SealBroken as broken:
        return Undelivered(str(broken), is_final=True)


def _message(delivery: Delivery, now: datetime) -> Message:
    alert = delivery.alert
    severity = Severity(alert.severity)
    return Message(
        alert_id=alert.pk,
        delivery_id=delivery.pk,
        kind=alert.kind,
        severity=severity,
        title=alert.title,
        lines=tuple(alert.lines),
        created_at=alert.created_at,
        count=alert.count,
        repeat=delivery.round,
        is_loud=rules.is_loud(severity, wishes_of(delivery.channel.user), now),
    )


def _note_sent(delivery: Delivery, now: datetime) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(
        state=Delivery.State.SENT, sent_at=now, last_error=""
    )
    Channel.objects.filter(pk=delivery.channel_id).update(
        failures=0, failing_since=None, last_error="", last_sent_at=now
    )


def _note_failed(delivery: Delivery, failure: Undelivered, now: datetime) -> None:
    """Try again later, or drop it; what matters goes to the second channels meanwhile."""
    why = failure.sentence[:200]
    severity = Severity(delivery.alert.severity)
    is_over = failure.is_final or rules.gives_up(severity, now - delivery.created_at)
    pause = rules.pause_after(delivery.attempts, failure.retry_after)
    Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.PENDING).update(
        state=Delivery.State.DROPPED if is_over else Delivery.State.PENDING,
        due_at=now + pause,
        last_error=why,
    )
    Channel.objects.filter(pk=delivery.channel_id).update(
        failures=F("failures") + 1,
        failing_since=Coalesce("failing_since", now),
        last_error=why,
    )
    if delivery.channel.is_second or delivery.alert.acknowledged_at is not None:
        return
    if is_over or rules.escalates(severity, delivery.attempts):
        # Once per round: the row that was written for it is found again.
        deliver_on(delivery.alert, second_channels(delivery.alert), now=now, again=delivery.round)
