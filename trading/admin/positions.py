"""Positions, orders, ledgers and the journal, read-only: the engine writes them."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin, TabularInline

from arbsite.accounts.read_only import ReadOnly
from trading.models import (
    BorrowInterest,
    Event,
    FundingEvent,
    Leg,
    Opportunity,
    Order,
    Position,
    StateChange,
    Trade,
)


class LegInline(ReadOnly, TabularInline):  # type: ignore[misc]  # the package has no types
    model = Leg
    fields = ("index", "side", "instrument", "account", "leverage", "taker_fee")
    extra = 0


class OrderInline(ReadOnly, TabularInline):  # type: ignore[misc]
    model = Order
    fields = (
        "client_order_id",
        "purpose",
        "side",
        "base_quantity",
        "filled_base_quantity",
        "price",
        "state",
        "refusal",
    )
    extra = 0


class StateChangeInline(ReadOnly, TabularInline):  # type: ignore[misc]
    model = StateChange
    fields = ("at", "from_state", "event", "to_state", "cause")
    verbose_name_plural = "Journal"
    extra = 0


@admin.register(Position)
class PositionAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = (
        "base",
        "user",
        "mode",
        "state",
        "goal",
        "size_usd",
        "opened_by",
        "created_at",
        "close_timestamp",
        "close_reason",
    )
    list_filter = ("state", "mode", "base", "close_reason", "user__is_active")
    list_select_related = ("user",)
    search_fields = ("id", "base", "user__username")
    inlines = (LegInline, OrderInline, StateChangeInline)


@admin.register(Order)
class OrderAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = (
        "client_order_id",
        "position",
        "purpose",
        "side",
        "base_quantity",
        "filled_base_quantity",
        "state",
        "created_at",
    )
    list_filter = ("state", "purpose")
    list_select_related = ("position",)
    search_fields = ("client_order_id", "venue_order_id")


@admin.register(Trade)
class TradeAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = (
        "filled_at",
        "position",
        "account",
        "action",
        "side",
        "price",
        "base_quantity",
        "fee",
        "fee_asset",
    )
    list_filter = ("action", "fee_asset")
    list_select_related = ("position", "account__exchange")
    search_fields = ("venue_trade_id", "venue_order_id")


@admin.register(FundingEvent)
class FundingEventAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("paid_at", "position", "account", "funding_rate", "payment", "asset")
    list_select_related = ("position", "account__exchange")
    search_fields = ("venue_payment_id",)


@admin.register(BorrowInterest)
class BorrowInterestAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("charged_at", "position", "account", "amount", "asset", "amount_usd")
    list_select_related = ("position", "account__exchange")
    search_fields = ("venue_interest_id",)


@admin.register(StateChange)
class StateChangeAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("at", "position", "order", "from_state", "event", "to_state", "cause")
    list_filter = ("to_state",)
    list_select_related = ("position", "order__leg__instrument")


@admin.register(Event)
class EventAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("created_at", "user", "severity", "kind", "sentence")
    list_filter = ("severity", "kind")
    list_select_related = ("user",)


@admin.register(Opportunity)
class OpportunityAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = (
        "seen_at",
        "user",
        "base",
        "long_instrument",
        "short_instrument",
        "net_apr",
        "status",
        "reason",
    )
    list_filter = ("status", "base")
    list_select_related = ("user", "long_instrument__exchange", "short_instrument__exchange")
