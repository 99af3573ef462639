"""From events to alerts and what is to be delivered of them, each event judged once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F

from alerts import rules
from alerts.models import Alert, Channel, Delivery
from alerts.rules import Heard, Severity
from alerts.services.lines import title_and_lines
from alerts.services.wishes import one_at_a_time, wishes_of
from trading.events import Event, take, unheard
from trading.services.apart import apart

BATCH = 100
MOST_LINES = 20


def hear(*, now: datetime) -> int:
    """Judge what nobody has judged and repeat what nobody acknowledged; return how many alerts."""
    made = 0
    for event in unheard(since=now - rules.NEWS_FOR, now=now, limit=BATCH):
        severity = Severity(event.severity)
        if not rules.is_alert(event.kind, severity):
            take(event, now=now)
            continue
        # The market is read before the transaction: a Redis that hangs must hold no lock.
        title, lines = _composed(event, now)
        with transaction.atomic():
            if take(event, now=now):
                made += _raise(event, severity, title, lines, now)
    repeat_unacknowledged(now=now)
    return made


def _composed(event: Event, now: datetime) -> tuple[str, list[str]]:
    """Return title and lines; whatever keeps them from being composed, the sentence is told."""
    title = rules.title_of(event.kind)
    found = apart(
        lambda: title_and_lines(event, title, now), "message not composed", event=event.pk
    )
    return found or (title, [event.sentence])


def _raise(event: Event, severity: Severity, title: str, lines: list[str], now: datetime) -> bool:
    """Count the event in an alert that says the same, or make a new one with its deliveries."""
    one_at_a_time(event.user)
    position = "" if event.position_id is None else str(event.position_id)
    heard = Heard(kind=event.kind, severity=severity, sentence=event.sentence, position=position)
    subject = hashlib.sha256(rules.subject_of(heard).encode()).hexdigest()
    same = _same(event, severity, subject, now)
    if same is not None:
        if event.kind in rules.GATHERED and len(same.lines) < MOST_LINES:
            same.lines += [line for line in lines if line not in same.lines]
        Alert.objects.filter(pk=same.pk).update(count=F("count") + 1, last_at=now, lines=same.lines)
        return False
    wishes = wishes_of(event.user)
    is_critical = severity is Severity.CRITICAL
    alert = Alert.objects.create(
        user=event.user,
        event=event,
        kind=event.kind,
        severity=severity,
        title=title,
        lines=lines,
        subject=subject,
        created_at=now,
        last_at=now,
        repeat_at=now + rules.next_repeat(0, wishes) if is_critical else None,
    )
    if rules.is_sent(severity, wishes, now):
        deliver_on(alert, first_channels(alert), now=now)
    return True


def _same(event: Event, severity: Severity, subject: str, now: datetime) -> Alert | None:
    said = Alert.objects.filter(user=event.user, subject=subject, acknowledged_at=None)
    if event.kind in rules.GATHERED:
        # What has left cannot be added to.
        since = now - rules.waits(event.kind)
        gathering = said.filter(created_at__gt=since, created_at__lte=now)
        return gathering.exclude(deliveries__attempts__gt=0).first()
    if severity is Severity.CRITICAL:
        return said.first()
    # What lies ahead was said before the clock was set back.
    return said.filter(
        last_at__gt=now - rules.SAME_WITHIN, last_at__lt=now + rules.SAME_WITHIN
    ).first()


def first_channels(alert: Alert) -> list[Channel]:
    """Return the channels that are tried first: all but the second ones, if there are others."""
    channels = _channels(alert)
    return [channel for channel in channels if not channel.is_second] or channels


def second_channels(alert: Alert) -> list[Channel]:
    return [channel for channel in _channels(alert) if channel.is_second]


def _channels(alert: Alert) -> list[Channel]:
    return list(Channel.objects.for_user(alert.user).in_use().filter(user__is_active=True))


def deliver_on(alert: Alert, channels: Iterable[Channel], *, now: datetime, again: int = 0) -> int:
    """Write what is to be delivered, but where the same alert still waits to be; return how many.

    `again` numbers the repeat.
    """
    waiting = set(
        alert.deliveries.filter(state=Delivery.State.PENDING).values_list("channel_id", flat=True)
    )
    fresh = [
        Delivery(
            alert=alert,
            channel=channel,
            round=again,
            created_at=now,
            due_at=now + rules.waits(alert.kind),
        )
        for channel in channels
        if channel.pk not in waiting
    ]
    # Two processes that hand over at once write one.
    Delivery.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)


def repeat_unacknowledged(*, now: datetime) -> int:
    """Say every CRITICAL again that nobody acknowledged in time, on all channels; return how many.

    The second ones are among them: whoever reads the first ones may be asleep.
    """
    repeated = 0
    for alert in Alert.objects.waiting().filter(repeat_at__lte=now).select_related("user")[:BATCH]:
        again = alert.repeats + 1
        pause = rules.next_repeat(again, wishes_of(alert.user))
        with transaction.atomic():
            # Of two processes one moves it on; who acknowledged meanwhile is left in peace.
            mine = Alert.objects.waiting().filter(pk=alert.pk, repeats=alert.repeats)
            if mine.update(repeats=again, repeat_at=now + pause) == 1:
                deliver_on(alert, _channels(alert), now=now, again=again)
                repeated += 1
    return repeated
