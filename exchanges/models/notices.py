"""What changes at venues: facts that are no longer what they were, and what is announced."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

CONTRACT_BASE, INTERVAL, IS_LISTED = "contract_base", "funding_interval_seconds", "is_active"
RISK_TIER = "risk_tier"
ON, OFF = "on", "off"
WORDS = {
    CONTRACT_BASE: "base units of one contract",
    INTERVAL: "funding interval",
    IS_LISTED: "trading",
    "expires_at": "end",
    "limits_only": "limit orders only",
}


class FactChange(models.Model):
    """One fact of a venue that is not what it was; `account` where it is one account's own."""

    id = models.BigAutoField(primary_key=True)
    exchange = models.ForeignKey(
        "exchanges.Exchange", on_delete=models.CASCADE, related_name="changes"
    )
    instrument = models.ForeignKey(
        "exchanges.Instrument", on_delete=models.CASCADE, related_name="changes"
    )
    account = models.ForeignKey(
        "exchanges.ExchangeAccount",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="changes",
    )
    fact = models.CharField(max_length=40)
    old = models.CharField(max_length=64)
    new = models.CharField(max_length=64)
    seen_at = models.DateTimeField(db_index=True)
    heeded_at = models.DateTimeField(
        null=True, blank=True, help_text="When those who hold it were told."
    )

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(heeded_at=None), name="change_unheeded"),
        ]

    def __str__(self) -> str:
        return self.sentence

    @property
    def words(self) -> str:
        """Return the name of the fact as a trader says it."""
        return WORDS.get(self.fact, self.fact.replace("_", " "))

    @property
    def sentence(self) -> str:
        symbol = self.instrument.symbol
        return f"{symbol}: {self.words} is now {self.new}, was {self.old}"


class NoticeQuerySet(models.QuerySet["VenueNotice"]):
    def coming(self, now: datetime) -> NoticeQuerySet:
        """Return what has not ended yet, withdrawn ones aside."""
        still = Q(ends_at__gt=now) | Q(ends_at=None)
        return self.filter(still, is_withdrawn=False).select_related("exchange", "instrument")


class VenueNotice(models.Model):
    """Something a venue will do: nothing is held into it. Written by staff and by the venue's call.

    Without an instrument it concerns all that is traded there; without an end it lasts until it is
    withdrawn.
    """

    class Kind(models.TextChoices):
        MAINTENANCE = "maintenance", "maintenance"
        DELISTING = "delisting", "delisting"
        CONTRACT_CHANGE = "contract_change", "contract change"

    class Source(models.TextChoices):
        STAFF = "staff", "staff"
        VENUE = "venue", "the venue"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.MAINTENANCE)
    exchange = models.ForeignKey(
        "exchanges.Exchange", on_delete=models.CASCADE, related_name="notices"
    )
    instrument = models.ForeignKey(
        "exchanges.Instrument",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="notices",
        help_text="Empty: everything at this exchange.",
    )
    starts_at = models.DateTimeField(help_text="UTC.")
    ends_at = models.DateTimeField(null=True, blank=True, help_text="Empty: until withdrawn.")
    note = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.STAFF)
    reference = models.CharField(
        max_length=100, blank=True, editable=False, help_text="The venue's own id of it."
    )
    is_withdrawn = models.BooleanField(
        default=False, help_text="It does not take place: entries go on."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["starts_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["exchange", "reference"],
                condition=~Q(reference=""),
                name="venue_notice_once",
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=models.F("starts_at")),
                name="notice_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return self.sentence

    @property
    def sentence(self) -> str:
        """Return what happens when, e.g. `OKX: maintenance from 2026-12-01 04:00 to 06:00 UTC`."""
        what = f"{self.get_kind_display()} of {self.instrument.symbol}" if self.instrument else ""
        until = f" to {self.ends_at:%Y-%m-%d %H:%M}" if self.ends_at else ""
        note = f" ({self.note})" if self.note else ""
        return (
            f"{self.exchange.name}: {what or self.get_kind_display()} from "
            f"{self.starts_at:%Y-%m-%d %H:%M}{until} UTC{note}"
        )
