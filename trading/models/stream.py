"""The numbered stream of one user: what programs are told, in an order that is kept for good."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.db import models

from trading.models.journal import Event
from trading.models.ledger import Trade


class StreamCounter(models.Model):
    """How far a user's stream is numbered: the one row that whoever numbers it locks."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    last = models.BigIntegerField(default=0)
    numbered_at = models.DateTimeField(help_text="What was written long before it has its number.")

    def __str__(self) -> str:
        return f"{self.user} {self.last}"


class StreamEntryQuerySet(models.QuerySet["StreamEntry"]):
    def for_user(self, user: models.Model) -> Self:
        return self.filter(user=user)


class StreamEntry(models.Model):
    """One message of a user's stream: numbers begin at 1 and leave none out."""

    class Kind(models.TextChoices):
        POSITION = "POSITION_UPDATE"
        TRADE = "TRADE_EXECUTED"
        ENGINE = "ENGINE_STATUS"
        ALERT = "ALERT"

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="stream"
    )
    sequence = models.BigIntegerField()
    kind = models.CharField(max_length=16, choices=Kind)
    event = models.ForeignKey(
        Event, on_delete=models.CASCADE, null=True, blank=True, related_name="stream"
    )
    trade = models.ForeignKey(
        Trade, on_delete=models.PROTECT, null=True, blank=True, related_name="stream"
    )

    objects = StreamEntryQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["sequence"]
        verbose_name_plural = "stream entries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "sequence"], name="stream_sequence"),
            models.UniqueConstraint(fields=["event", "kind"], name="stream_event_once"),
            models.UniqueConstraint(fields=["trade"], name="stream_trade_once"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.kind}"
