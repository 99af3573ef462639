"""What care of open positions must remember: how long something lasts, margin added, switches."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from exchanges.decimals import money_field
from exchanges.models import ExchangeAccount, Instrument
from trading.models.position import Leg, Position


class LastingCondition(models.Model):
    """A condition that was true of a position at every look from `since` to `seen_at`.

    Written by the watch; kept here so that a restart does not start the wait anew.
    """

    id = models.BigAutoField(primary_key=True)
    position = models.ForeignKey(Position, on_delete=models.CASCADE, related_name="lasting")
    rule = models.CharField(max_length=32)
    since = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["position", "rule"], name="lasting_once"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} since {self.since:%H:%M:%S}"


class MarginTopUp(models.Model):
    """One addition of margin to an isolated leg: written before the call, asked for at most once.

    UNKNOWN ends only by a look at the leg's margin, which is compared with `margin_before`.
    """

    class Outcome(models.TextChoices):
        ASKED = "asked"
        UNKNOWN = "unknown"
        DONE = "done"
        REFUSED = "refused"
        NOT_DONE = "not_done"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    leg = models.ForeignKey(Leg, on_delete=models.PROTECT, related_name="margin_top_ups")
    amount = money_field(help_text="> 0, in the settle asset.")
    margin_before = money_field()
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.ASKED)
    refusal = models.CharField(max_length=300, blank=True)
    asked_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["asked_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["leg"],
                condition=Q(outcome__in=["asked", "unknown"]),
                name="one_unresolved_top_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.outcome}"


class DeadManSwitch(models.Model):
    """A venue's countdown that cancels an account's orders in one instrument unless renewed.

    The row is written before the venue is asked and removed after it was asked to stop, so a
    switch that may be armed always has one.
    """

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(
        ExchangeAccount, on_delete=models.CASCADE, related_name="dead_man_switches"
    )
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="+")
    tended_at = models.DateTimeField(help_text="When a worker last took it upon itself.")
    fires_at = models.DateTimeField(help_text="At the latest, unless renewed.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "instrument"], name="switch_once"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} fires at {self.fires_at:%H:%M:%S}"
