"""Accounts at venues and the last facts read from them."""

from __future__ import annotations

import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from exchanges.decimals import money_field, price_field, quantity_field, rate_field
from exchanges.fields import SealedField
from exchanges.models.venues import Exchange, Instrument


class ExchangeAccountQuerySet(models.QuerySet["ExchangeAccount"]):
    def for_user(self, user: models.Model) -> Self:
        return self.filter(user=user)

    def active(self) -> Self:
        return self.filter(is_active=True)


class ExchangeAccount(models.Model):
    """A user's key at one exchange; keys are write-only. A halted account opens nothing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="exchange_accounts"
    )
    exchange = models.ForeignKey(Exchange, on_delete=models.PROTECT, related_name="accounts")
    label = models.CharField(max_length=64, default="main")
    sealed_keys = SealedField(null=True, blank=True)
    key_fingerprint = models.CharField(
        max_length=64, help_text="Keyed hash of the API key: two users cannot share one account."
    )
    is_active = models.BooleanField(default=True)
    halted_at = models.DateTimeField(null=True, blank=True)
    halted_reason = models.CharField(max_length=300, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    uid_fingerprint = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text="Keyed hash of whose account the venue says it is; empty while untold.",
    )
    key_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ExchangeAccountQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["exchange__code", "label"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "exchange", "label"], name="account_label"),
            # One live owner per venue account (I13): fingerprints are unique while in use.
            models.UniqueConstraint(
                fields=["exchange", "key_fingerprint"],
                condition=Q(is_active=True),
                name="account_key_once",
            ),
            models.UniqueConstraint(
                fields=["exchange", "uid_fingerprint"],
                condition=Q(is_active=True) & ~Q(uid_fingerprint=""),
                name="account_uid_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} at {self.exchange.short_code}"

    @property
    def is_halted(self) -> bool:
        return self.halted_at is not None


class AccountBalance(models.Model):
    """The last balance of one asset as the venue said it; overwritten by each read."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(ExchangeAccount, on_delete=models.CASCADE, related_name="balances")
    asset = models.CharField(max_length=16)
    free = money_field()
    total = money_field()
    equity = money_field()
    observed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "asset"], name="balance_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.total} {self.asset}"


class AccountPosition(models.Model):
    """The last position the venue reported; overwritten by each read, never our own opinion."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(
        ExchangeAccount, on_delete=models.CASCADE, related_name="venue_positions"
    )
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE)
    base_quantity = quantity_field()
    entry_price = price_field(null=True, blank=True)
    mark_price = price_field(null=True, blank=True)
    liquidation_price = price_field(null=True, blank=True)
    leverage = rate_field(null=True, blank=True)
    unrealised_pnl = money_field(null=True, blank=True)
    adl_rank = models.PositiveSmallIntegerField(null=True, blank=True)
    observed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "instrument"], name="venue_position_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.base_quantity} {self.instrument.symbol}"


class AccountFee(models.Model):
    """The account's own fees for one instrument; `is_fallback` when unaskable."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(ExchangeAccount, on_delete=models.CASCADE, related_name="fees")
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE)
    maker = rate_field()
    taker = rate_field()
    is_fallback = models.BooleanField(default=False)
    observed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "instrument"], name="fee_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.instrument.symbol} {self.maker}/{self.taker}"


class KeyCanary(models.Model):
    """Names the key file this database was sealed with; a foreign file stops the start."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    fingerprint = models.CharField(max_length=64)
    sealed_canary = SealedField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="one_canary"),
        ]

    def __str__(self) -> str:
        return self.fingerprint
