"""What accounts are worth and what moved in or out of them, as the venues say it."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from exchanges.decimals import money_field
from exchanges.models import ExchangeAccount
from trading.models.append_only import AppendOnlyModel, AppendOnlyQuerySet
from trading.models.ledger import EquitySnapshot


class AccountEquity(AppendOnlyModel):
    """One account's part of an equity snapshot, in USD; append-only.

    `equity_usd` counts unrealised P&L and `coins`, `wallet_usd` neither. `positions` lists what the
    venue held for us: symbol, signed base quantity, mark price, unrealised P&L; `coins` what our
    spot legs held: symbol, signed base quantity, mid. Decimals as text.
    """

    id = models.BigAutoField(primary_key=True)
    snapshot = models.ForeignKey(EquitySnapshot, on_delete=models.PROTECT, related_name="accounts")
    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="equity")
    wallet_usd = money_field()
    equity_usd = money_field()
    positions = models.JSONField(default=list)
    coins = models.JSONField(default=list)

    objects = AppendOnlyQuerySet["AccountEquity"].as_manager()

    class Meta:
        ordering: ClassVar = ["snapshot__at"]
        verbose_name_plural = "account equity"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["snapshot", "account"], name="account_equity_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.equity_usd} USD"


class Transfer(AppendOnlyModel):
    """Money moved into an account (> 0) or out of it, as the venue booked it; append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="transfers")
    venue_transfer_id = models.CharField(max_length=96)
    amount = money_field()
    asset = models.CharField(max_length=16)
    moved_at = models.DateTimeField()
    booked_at = models.DateTimeField()

    objects = AppendOnlyQuerySet["Transfer"].as_manager()

    class Meta:
        ordering: ClassVar = ["moved_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "venue_transfer_id"], name="transfer_once"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.asset} at {self.moved_at:%Y-%m-%d %H:%M}"
