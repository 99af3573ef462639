"""What people were told, on which ways: read-only, and no secret among it."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin

from alerts.models import Alert, Channel, Delivery, Preferences
from arbsite.accounts.read_only import ReadOnly


@admin.register(Alert)
class AlertAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # the package has no types
    list_display = ("created_at", "user", "severity", "title", "count", "acknowledged_by")
    list_filter = ("severity", "kind")
    list_select_related = ("user",)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("created_at", "alert", "channel", "round", "state", "attempts", "last_error")
    list_filter = ("state", "channel__kind")
    list_select_related = ("alert", "channel__user")


@admin.register(Channel)
class ChannelAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("user", "kind", "is_second", "is_active", "confirmed_at", "failing_since")
    list_filter = ("kind", "is_active")
    list_select_related = ("user",)
    exclude = ("address", "secret", "authority")


@admin.register(Preferences)
class PreferencesAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("user", "least", "quiet_from", "quiet_until", "report_hour", "muted_until")
    list_select_related = ("user",)
