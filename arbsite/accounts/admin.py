from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from arbsite.accounts.models import User


@admin.register(User)
class CarryUserAdmin(UserAdmin, ModelAdmin):  # type: ignore[misc,type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    fieldsets = (
        *UserAdmin.fieldsets,  # type: ignore[misc]
        ("Display", {"fields": ("time_zone", "theme", "profit_colours")}),
    )
