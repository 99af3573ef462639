"""What changed and why (journal), and what people must hear of (outbox)."""

from __future__ import annotations

import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.db import models

from trading.models.append_only import AppendOnlyModel, AppendOnlyQuerySet
from trading.models.order import Order
from trading.models.position import Position


class StateChange(AppendOnlyModel):
    """One row per change of a state column, written in the same transaction; append-only."""

    id = models.BigAutoField(primary_key=True)
    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="changes")
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, null=True, blank=True, related_name="changes"
    )
    from_state = models.CharField(max_length=16)
    event = models.CharField(max_length=24)
    to_state = models.CharField(max_length=16)
    cause = models.CharField(max_length=300)
    at = models.DateTimeField()

    objects = AppendOnlyQuerySet["StateChange"].as_manager()

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.from_state} -{self.event}→ {self.to_state}"


class EventQuerySet(models.QuerySet["Event"]):
    def for_user(self, user: models.Model) -> Self:
        return self.filter(user=user)


class Event(models.Model):
    """What a person or a screen must hear of: written with the change, relayed after commit."""

    class Severity(models.TextChoices):
        INFO = "info"
        WARNING = "warning"
        CRITICAL = "critical"

    id = models.BigAutoField(primary_key=True)
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="events"
    )
    kind = models.CharField(max_length=40)
    severity = models.CharField(max_length=8, choices=Severity.choices, default=Severity.INFO)
    sentence = models.CharField(max_length=400)
    position = models.ForeignKey(
        Position, on_delete=models.PROTECT, null=True, blank=True, related_name="events"
    )
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    relayed_at = models.DateTimeField(null=True, blank=True)
    heard_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was judged whether people are told."
    )
    read_at = models.DateTimeField(null=True, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"]),
            models.Index(
                fields=["id"], condition=models.Q(relayed_at=None), name="event_unrelayed"
            ),
            models.Index(fields=["id"], condition=models.Q(heard_at=None), name="event_unheard"),
            models.Index(fields=["created_at"], name="event_age"),
        ]

    def __str__(self) -> str:
        return self.sentence
