"""What people are told of, on which ways, and what became of each telling."""

from __future__ import annotations

import secrets
import uuid
from decimal import Decimal
from typing import ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from alerts.rules import Severity
from exchanges.decimals import rate_field
from exchanges.fields import SealedField

SEVERITIES = [(severity.value, severity.value) for severity in Severity]


class Preferences(models.Model):
    """What one person wants to hear, when, and what counts as worth a warning."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="alert_preferences",
    )
    least = models.CharField(
        "send from", max_length=8, choices=SEVERITIES, default=Severity.INFO.value
    )
    quiet_from = models.TimeField("quiet from", null=True, blank=True)
    quiet_until = models.TimeField("quiet until", null=True, blank=True)
    muted_until = models.DateTimeField(null=True, blank=True)
    repeat_minutes = models.PositiveSmallIntegerField(
        "repeat CRITICAL every, minutes",
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
    )
    report_hour = models.PositiveSmallIntegerField(
        "daily report at, hour",
        null=True,
        blank=True,
        default=8,
        validators=[MaxValueValidator(23)],
    )
    reported_on = models.CharField(max_length=10, blank=True, help_text="Local day, ISO.")
    adverse_basis = rate_field(default=Decimal("0.0025"))
    limit_share = rate_field(default=Decimal("0.8"))

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return f"alert preferences of {self.user}"


# A chat is linked with a code and a webhook is nobody's mailbox: only mail can reach a stranger.
UNCONFIRMED = Q(kind="email", confirmed_at=None)


class ChannelQuerySet(models.QuerySet["Channel"]):
    def for_user(self, user: models.Model) -> Self:
        return self.filter(user=user)

    def active(self) -> Self:
        return self.filter(is_active=True)

    def in_use(self) -> Self:
        """Return those that something may be sent to: active, a mailbox only once confirmed."""
        return self.active().exclude(UNCONFIRMED)

    def unconfirmed(self) -> Self:
        return self.active().filter(UNCONFIRMED)


class Channel(models.Model):
    """One way to one person: a chat, a mailbox, an address that takes signed POSTs."""

    class Kind(models.TextChoices):
        TELEGRAM = "telegram", "Telegram"
        EMAIL = "email", "E-mail"
        WEBHOOK = "webhook", "Webhook"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alert_channels"
    )
    kind = models.CharField(max_length=8, choices=Kind)
    address = models.CharField(max_length=500, help_text="Chat id, mailbox or URL.")
    is_second = models.BooleanField(
        default=False, help_text="Only where another fails or nobody acknowledges."
    )
    is_active = models.BooleanField(default=True)
    secret = SealedField(null=True, blank=True)
    authority = models.CharField(
        max_length=64, blank=True, help_text="Commands end when the password changes."
    )
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    failing_since = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=200, blank=True)
    last_sent_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="Of a mailbox: its code was typed. Nothing is sent before."
    )
    created_at = models.DateTimeField()

    objects = ChannelQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "kind", "address"],
                condition=Q(is_active=True),
                name="channel_once_per_user",
            ),
            models.UniqueConstraint(
                fields=["address"],
                condition=Q(kind="telegram", is_active=True),
                name="chat_of_one_user",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.user}"

    @property
    def is_unconfirmed(self) -> bool:
        return self.kind == self.Kind.EMAIL and self.confirmed_at is None


class AlertQuerySet(models.QuerySet["Alert"]):
    def for_user(self, user: models.Model) -> Self:
        return self.filter(user=user)

    def waiting(self) -> Self:
        """Return the CRITICAL ones that nobody acknowledged."""
        return self.filter(severity=Severity.CRITICAL.value, acknowledged_at=None)


class Alert(models.Model):
    """One thing a person is told of; events that say the same are counted in one row."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alerts"
    )
    event = models.OneToOneField("trading.Event", on_delete=models.CASCADE, related_name="alert")
    kind = models.CharField(max_length=40)
    severity = models.CharField(max_length=8, choices=SEVERITIES)
    title = models.CharField(max_length=60)
    lines = models.JSONField(default=list)
    subject = models.CharField(max_length=64, help_text="Digest of what makes two the same.")
    count = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    last_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)
    repeats = models.PositiveIntegerField(default=0)
    repeat_at = models.DateTimeField(null=True, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="alert_of_user"),
            models.Index(fields=["user", "subject", "-last_at"], name="alert_subject"),
            models.Index(
                fields=["repeat_at"],
                condition=Q(repeat_at__isnull=False),
                name="alert_to_repeat",
            ),
            models.Index(fields=["last_at"], name="alert_age"),
        ]

    def __str__(self) -> str:
        return f"{self.severity.upper()} | {self.title}"


class Delivery(models.Model):
    """One message of one alert on one channel; `round` 0 is the first, then the repeats."""

    class State(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"
        DROPPED = "dropped"

    id = models.BigAutoField(primary_key=True)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="deliveries")
    round = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name_plural = "deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["alert", "channel", "round"], name="delivery_once_per_round"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(state="pending"), name="delivery_pending"),
            models.Index(fields=["created_at"], name="delivery_age"),
        ]

    def __str__(self) -> str:
        return f"{self.alert}: {self.state}"


class LinkCode(models.Model):
    """A one-time code that links a chat to its user; only its digest is kept."""

    digest = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="link_codes"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"link code of {self.user}"


class MailedCode(models.Model):
    """A one-time code that was mailed to confirm a mailbox; only its digest is kept."""

    id = models.BigAutoField(primary_key=True)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="mailed_codes")
    digest = models.CharField(max_length=64, help_text="Of the channel and the code.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["created_at"], name="mailed_code_age")]

    def __str__(self) -> str:
        return f"mailed code of {self.channel}"


class BotUpdate(models.Model):
    """One update of Telegram that was taken; its number is never taken again."""

    update_id = models.BigIntegerField(primary_key=True)
    taken_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["taken_at"], name="bot_update_age")]

    def __str__(self) -> str:
        return str(self.update_id)


def new_token() -> str:
    return secrets.token_urlsafe(24)


class Confirmation(models.Model):
    """A button that may be pressed once, by one user in one chat, for one act, within a minute."""

    token = models.CharField(max_length=48, primary_key=True, default=new_token)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="confirmations"
    )
    chat_id = models.CharField(max_length=32)
    act = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.act
