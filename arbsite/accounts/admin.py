from __future__ import annotations

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from arbsite.accounts.audit import faults
from arbsite.accounts.models import AuditEntry, User
from arbsite.accounts.read_only import ReadOnly


@admin.register(User)
class CarryUserAdmin(UserAdmin, ModelAdmin):  # type: ignore[misc,type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    fieldsets = (
        *UserAdmin.fieldsets,  # type: ignore[misc]
        ("Display", {"fields": ("time_zone", "theme", "profit_colours")}),
    )


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # the package has no types
    """Looked at, and its chain verified; nobody edits what happened."""

    list_display = ("at", "actor", "action", "subject")
    list_filter = ("action",)
    search_fields = ("actor", "subject")
    actions = ("verify",)

    @admin.action(description="Verify the whole chain")
    def verify(self, request: HttpRequest, entries: QuerySet[AuditEntry]) -> None:
        found = faults()
        for sentence in found:
            self.message_user(request, sentence, messages.ERROR)
        if not found:
            self.message_user(request, "The chain is unbroken.", messages.SUCCESS)
