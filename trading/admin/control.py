"""Kill switches, engines and configurations: pressed and re-armed here, written by the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin

from exchanges.admin import ReadOnly
from trading.doorbell import ring_drive
from trading.models import ConfigurationVersion, Engine, KillSwitch, Position
from trading.services import kill_switch


class KillSwitchForm(ModelForm):  # type: ignore[type-arg]
    """Pressing a switch: for one user, or for everyone when none is named."""

    reason = forms.CharField(max_length=300, help_text="Why; everyone it stops reads this.")

    class Meta:
        model = KillSwitch
        fields = ("user", "closes_positions", "reason")


@admin.register(KillSwitch)
class KillSwitchAdmin(ModelAdmin):  # type: ignore[misc]  # the package has no types
    """Adding a row presses; the action re-arms. Rows are never edited or deleted."""

    form = KillSwitchForm
    list_display = (
        "epoch",
        "user",
        "closes_positions",
        "pressed_at",
        "pressed_by",
        "reason",
        "rearmed_at",
        "rearmed_by",
    )
    list_filter = (("rearmed_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user",)
    actions = ("rearm",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: KillSwitch, form: Any, change: bool) -> None:
        """Press through the service, which needs no broker, and ring for the closing."""
        pressed = kill_switch.press(
            user=obj.user,
            actor=request.user.get_username(),
            reason=obj.reason,
            closes_positions=obj.closes_positions,
            now=timezone.now(),
        )
        obj.pk = pressed.pk
        live = Position.objects.live()
        scope = live if pressed.user_id is None else live.filter(user_id=pressed.user_id)
        for position_id in scope.values_list("id", flat=True):
            ring_drive(position_id)

    @admin.action(description="Re-arm: allow entries again", permissions=["add"])
    def rearm(self, request: HttpRequest, switches: QuerySet[KillSwitch]) -> None:
        """End the chosen presses in the name of the person signed in."""
        ended = sum(
            kill_switch.rearm(
                user=switch.user, actor=request.user.get_username(), now=timezone.now()
            )
            for switch in switches.filter(rearmed_at=None).select_related("user")
        )
        self.message_user(request, f"Re-armed {ended} of {len(switches)}.", messages.SUCCESS)


@admin.register(Engine)
class EngineAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("user", "state", "changed_by", "changed_at", "last_scan_at")
    list_select_related = ("user",)


@admin.register(ConfigurationVersion)
class ConfigurationVersionAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("user", "version", "saved_by", "saved_at")
    list_filter = ("user",)
    list_select_related = ("user",)
