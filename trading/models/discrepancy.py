"""Where a venue and our own book differ, until a person or a later read has resolved it."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from exchanges.decimals import quantity_field
from exchanges.models import ExchangeAccount, Instrument
from trading.models.position import Position


class DiscrepancyQuerySet(models.QuerySet["Discrepancy"]):
    def for_user(self, user: models.Model) -> Self:
        return self.filter(user=user)

    def unresolved(self) -> Self:
        return self.filter(resolved_at=None)

    def confirmed(self) -> Self:
        """Return what halts an account: unresolved, and longer there than a read may lag."""
        return self.unresolved().exclude(confirmed_at=None)

    def ignored(self, at: datetime | None = None) -> Self:
        """Return what a person has accepted as not ours and is, or then was, as it had been."""
        is_so = Q(lapsed_at=None) if at is None else Q(lapsed_at=None) | Q(lapsed_at__gt=at)
        return self.filter(is_so).exclude(ignored_base=0)


class Discrepancy(models.Model):
    """One difference in one symbol of one account; quantities signed, > 0 long.

    A row begins as a suspicion: a read may lag behind a fill. From `confirmed_at` on it halts the
    account and only a person ends it; if the difference goes away, `theirs` says so.
    """

    class Kind(models.TextChoices):
        MISSING = "missing"
        FOREIGN = "foreign"
        HEDGE_MODE = "hedge_mode"
        WRONG_ORDER = "wrong_order"

    class Resolution(models.TextChoices):
        ADOPTED = "adopted"
        IGNORED = "ignored"
        CLOSED = "closed"
        WRITTEN_OFF = "written_off", "Written off"
        VANISHED = "vanished"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="discrepancies"
    )
    account = models.ForeignKey(
        ExchangeAccount, on_delete=models.PROTECT, related_name="discrepancies"
    )
    symbol = models.CharField(max_length=64)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    position = models.ForeignKey(
        Position, on_delete=models.PROTECT, null=True, blank=True, related_name="discrepancies"
    )
    kind = models.CharField(max_length=16, choices=Kind.choices)
    ours = quantity_field(help_text="What our own fills say.")
    theirs = quantity_field(help_text="What the venue says.")
    sentence = models.CharField(max_length=400)
    found_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=16, choices=Resolution.choices, blank=True)
    resolved_by = models.CharField(max_length=150, blank=True)
    ignored_base = quantity_field(
        default=Decimal(0), help_text="Signed quantity accepted as not ours."
    )
    lapsed_at = models.DateTimeField(
        null=True, blank=True, help_text="The ignored quantity changed and is expected no more."
    )

    objects = DiscrepancyQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-found_at"]
        verbose_name_plural = "discrepancies"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "symbol"],
                condition=Q(resolved_at=None),
                name="one_open_discrepancy",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["user", "resolved_at"])]

    def __str__(self) -> str:
        return self.sentence

    @property
    def difference(self) -> Decimal:
        """Return what the venue holds beyond our book: > 0 more bought, < 0 more sold."""
        more: Decimal = self.theirs - self.ours
        return more

    @property
    def missing(self) -> Decimal:
        """Return what of our own leg the venue holds no more, signed as the leg is; 0 if nothing.

        All of it where the venue is flat or on the other side.
        """
        if not self.takes_from_ours:
            return Decimal(0)
        ours: Decimal = self.ours
        kept: Decimal = self.theirs if ours * self.theirs > 0 else Decimal(0)
        return ours - kept

    @property
    def takes_from_ours(self) -> bool:
        """Tell whether the venue holds less of our own leg than our fills say, or the opposite."""
        ours: Decimal = self.ours
        return ours * self.difference < 0


class AccountReview(models.Model):
    """An account that is to be compared with its venue soon, and why; deleted when it was."""

    account = models.OneToOneField(
        ExchangeAccount, on_delete=models.CASCADE, primary_key=True, related_name="review"
    )
    reason = models.CharField(max_length=300)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["due_at"]

    def __str__(self) -> str:
        return f"{self.account}: {self.reason}"
