"""Kill switches and engines: pressed and re-armed here, written by the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.admin import ModelAdmin

from arbsite.accounts.read_only import ReadOnly
from trading.models import (
    DailyStop,
    Discrepancy,
    Engine,
    EnginePulse,
    KillSwitch,
    Reconciliation,
    RehearsedHour,
)
from trading.services import kill_switch
from trading.services.flatten import carry_out
from trading.services.rehearsal import set_hours
from trading.views.password import refuse_password


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
        """Press through the service, which needs no broker, and have the closing driven."""
        now = timezone.now()
        pressed = kill_switch.press(
            user=obj.user,
            actor=request.user.get_username(),
            reason=obj.reason,
            closes_positions=obj.closes_positions,
            now=now,
        )
        obj.pk = pressed.pk
        carry_out(pressed, now=now)

    @admin.action(description="Re-arm: allow entries again", permissions=["add"])
    def rearm(
        self, request: HttpRequest, switches: QuerySet[KillSwitch]
    ) -> TemplateResponse | None:
        """End the chosen presses, each up to its own epoch, once the password was given."""
        refusal, status = "", 200
        if "password" in request.POST:
            refusal, status = refuse_password(request, str(request.POST["password"]))
            if not refusal:
                self._rearm(request, switches)
                return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Re-arm",
            "switches": switches,
            "refusal": refusal,
        }
        return TemplateResponse(request, "admin/trading/rearm.html", context, status=status)

    def _rearm(self, request: HttpRequest, switches: QuerySet[KillSwitch]) -> None:
        ended = 0
        for switch in switches.filter(rearmed_at=None).select_related("user"):
            ended += kill_switch.rearm(
                user=switch.user,
                actor=request.user.get_username(),
                now=timezone.now(),
                through_epoch=switch.epoch,
            )
        self.message_user(
            request, f"Re-armed {ended} of {len(switches)}; later presses stay.", messages.SUCCESS
        )


@admin.register(Engine)
class EngineAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    """All but one field is what people and the engine say; how much is rehearsed, staff says."""

    readonly_fields = ("user", "state", "changed_by", "changed_at", "last_scan_at")
    list_display = (*readonly_fields, "rehearsal_hours")
    list_select_related = ("user",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = ModelAdmin.has_change_permission(self, request, obj)
        return allowed

    def save_model(self, request: HttpRequest, obj: Engine, form: Any, change: bool) -> None:
        set_hours(obj, obj.rehearsal_hours, actor=request.user.get_username(), now=timezone.now())


@admin.register(DailyStop)
class DailyStopAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    """Its user lifts it on the dashboard."""

    list_display = ("reached_at", "user", "mode", "day", "lost", "most", "lifted_at", "lifted_by")
    list_select_related = ("user",)


@admin.register(RehearsedHour)
class RehearsedHourAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("hour_at", "user", "fingerprint")
    list_select_related = ("user",)


@admin.register(EnginePulse)
class EnginePulseAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("generation_at", "beat_at")


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("account", "compared_at")
    list_select_related = ("account__exchange", "account__user")


@admin.register(Discrepancy)
class DiscrepancyAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    """Staff sees every user's; its owner resolves it on the reconcile page."""

    list_display = (
        "found_at",
        "user",
        "account",
        "symbol",
        "kind",
        "ours",
        "theirs",
        "resolution",
        "resolved_by",
    )
    list_filter = ("kind", "resolution", ("resolved_at", admin.EmptyFieldListFilter))
    list_select_related = ("user", "account__exchange")
