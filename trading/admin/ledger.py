"""What funding was expected and fitted, what accounts were worth and what moved: read-only."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin

from arbsite.accounts.read_only import ReadOnly
from trading.models import AccountEquity, ExpectedFunding, FittedBeta, Transfer


@admin.register(ExpectedFunding)
class ExpectedFundingAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # the package has no types
    list_display = (
        "settles_at",
        "leg",
        "base_quantity",
        "funding_rate",
        "settlement_price",
        "price_source",
        "payment",
        "status",
        "event",
    )
    list_filter = ("status", "price_source")
    list_select_related = ("leg__instrument__exchange", "event")


@admin.register(Transfer)
class TransferAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("moved_at", "account", "amount", "asset", "venue_transfer_id")
    list_select_related = ("account__exchange",)
    search_fields = ("venue_transfer_id",)


@admin.register(AccountEquity)
class AccountEquityAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("snapshot", "account", "wallet_usd", "equity_usd")
    list_select_related = ("snapshot", "account__exchange")


@admin.register(FittedBeta)
class FittedBetaAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("perpetual", "other", "days", "half_life", "beta", "windows", "fitted_at")
    list_select_related = ("perpetual__exchange", "other__exchange")
