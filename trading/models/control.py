"""Who may open what, right now: kill switches, engine states, reservations, cool-downs, slots."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from exchanges.decimals import money_field
from exchanges.models import MODES, ExchangeAccount
from exchanges.modes import Mode


class KillSwitch(models.Model):
    """One press of a kill switch: the epoch is its id, user null means everyone's.

    While `rearmed_at` is null the licence of every opening and hedging order of the scope fails.
    """

    epoch = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="kill_switches",
        help_text="Empty: global, for every user.",
    )
    closes_positions = models.BooleanField(
        default=True, help_text="Off: only entries are stopped and orders cancelled."
    )
    pressed_at = models.DateTimeField()
    pressed_by = models.CharField(max_length=150)
    reason = models.CharField(max_length=300)
    rearmed_at = models.DateTimeField(null=True, blank=True)
    rearmed_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering: ClassVar = ["-epoch"]
        verbose_name_plural = "kill switches"
        indexes: ClassVar = [
            models.Index(fields=["user"], condition=Q(rearmed_at=None), name="kill_pressed")
        ]

    def __str__(self) -> str:
        scope = "global" if self.user_id is None else f"user {self.user}"
        return f"kill {self.epoch} ({scope})"


class Engine(models.Model):
    """Whether a user's automation may open positions, and who said so."""

    class State(models.TextChoices):
        RUNNING = "running"
        PAUSED = "paused"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="engine"
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.PAUSED)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField()
    last_scan_at = models.DateTimeField(null=True, blank=True)
    rehearsal_hours = models.PositiveSmallIntegerField(
        default=24,
        help_text="Hours that must be rehearsed with a configuration before it trades live; staff "
        "sets it.",
    )

    def __str__(self) -> str:
        return f"{self.user} {self.state}"


class OrderFailures(models.Model):
    """How many orders in a row got no proper answer at a venue, whose reads may be answered.

    Written by `breaker`, which counts all calls together in `VenueHealth`.
    """

    exchange = models.OneToOneField(
        "exchanges.Exchange",
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="order_failures",
    )
    failures = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.exchange}: {self.failures} orders failed in a row"


class EnginePulse(models.Model):
    """The engine's sign of life: one row, written by the sweep of every trade worker.

    A generation begins when the first worker beats after a time without any: what was known of the
    venues before is then too old to open anything on.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    generation_at = models.DateTimeField(help_text="When the engine came back to life.")
    beat_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="one_engine_pulse"),
        ]

    def __str__(self) -> str:
        return f"beat {self.beat_at:%H:%M:%S}"


class Reconciliation(models.Model):
    """When an account was last compared as a whole with its venue; overwritten by each."""

    account = models.OneToOneField(
        ExchangeAccount, on_delete=models.CASCADE, primary_key=True, related_name="reconciliation"
    )
    compared_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.account} at {self.compared_at:%H:%M:%S}"


class LimitUse(models.Model):
    """Notional reserved under one limit of a user in one mode, in whole cents.

    So SQL compares it exactly; what is held on paper takes no room from anything else.

    `scope` is `pair:BTC`, `venue:bybit` or `user`. Written only by conditional update.
    """

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="limit_uses"
    )
    mode = models.CharField(max_length=16, choices=MODES, default=Mode.REHEARSAL)
    scope = models.CharField(max_length=48)
    reserved_cents = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "mode", "scope"], name="limit_scope_of_mode"),
            models.CheckConstraint(
                condition=Q(reserved_cents__gte=0), name="reserved_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.reserved_cents}"


class CoolDown(models.Model):
    """No entry of a user on a pair until a time, with the reason."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="cool_downs"
    )
    base = models.CharField(max_length=32)
    until = models.DateTimeField()
    reason = models.CharField(max_length=300)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "base"], name="cool_down_per_pair"),
        ]

    def __str__(self) -> str:
        return f"{self.base} until {self.until:%H:%M:%S}"


class JobRun(models.Model):
    """One scheduled slot that was claimed; two beats claim it once."""

    id = models.BigAutoField(primary_key=True)
    job = models.CharField(max_length=64)
    slot = models.DateTimeField()
    claimed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "slot"], name="slot_once"),
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.slot:%H:%M:%S}"


class IdempotencyKey(models.Model):
    """A form or call that was already done: the same key and body get the same answer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="idempotency_keys"
    )
    key = models.CharField(max_length=64)
    request_hash = models.CharField(max_length=64)
    answer = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "key"], name="idempotency_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="idempotency_age")]

    def __str__(self) -> str:
        return self.key


class FailedAttempt(models.Model):
    """An entry that was aborted after it had cost something; its cost is a line of its own."""

    id = models.BigAutoField(primary_key=True)
    position = models.OneToOneField(
        "trading.Position", on_delete=models.PROTECT, related_name="failed_attempt"
    )
    cost_usd = money_field(help_text="> 0 lost: fees and price over the attempt.")
    reason = models.CharField(max_length=300)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.cost_usd} USD: {self.reason}"
