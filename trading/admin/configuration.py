"""Configurations and the ranges staff leaves: edited here by the service the page uses."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin

from arbsite.accounts.models import User
from trading.core.parameter_changes import changes
from trading.core.parameter_field import Unit
from trading.core.parameter_table import PARAMETER_FIELDS, PARAMETER_SECTIONS
from trading.core.parameters import ParameterErrors, Parameters
from trading.core.staff_range import RANGED_FIELDS
from trading.models import ConfigurationVersion, StaffLimit
from trading.services import configure
from trading.services.configure import UnitDoubts, VersionConflict
from trading.services.staff_limits import remove_limit, save_limit
from trading.views.configuration_form import text_of, texts

CONFIRM = "unusual_values_are_meant"


class ConfigurationForm(ModelForm):  # type: ignore[type-arg]
    """Every parameter as the table describes it; the service says what is wrong."""

    class Meta:
        model = ConfigurationVersion
        fields = ("user",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        adding = self.instance.pk is None
        stored = Parameters() if adding else Parameters.from_stored(self.instance.values)
        for key, text in texts(stored).items():
            if key in self.fields:
                is_switch = isinstance(self.fields[key], forms.BooleanField)
                self.fields[key].initial = text == "true" if is_switch else text

    def outer_values(self) -> dict[str, str]:
        """Return what was typed, by outer key."""
        typed = {described.key: self.cleaned_data[described.key] for described in PARAMETER_FIELDS}
        return {key: text_of(value) for key, value in typed.items()}

    def confirmed(self) -> dict[str, str]:
        return self.outer_values() if self.cleaned_data.get(CONFIRM) else {}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        user = cleaned.get("user") if self.instance.pk is None else self.instance.user
        if user is not None and not self.errors:
            self._check(user)
        return cleaned

    def _check(self, user: User) -> None:
        current = configure.current(user)
        if current.version != (self.instance.version or 0):
            self._show_both(current)
            return
        try:
            configure.check(
                user=user,
                before=current.saved,
                values=self.outer_values(),
                confirmed=self.confirmed(),
            )
        except ParameterErrors as error:
            for key, sentence in error.errors.items():
                self.add_error(key, sentence)
        except UnitDoubts as doubts:
            for key, question in doubts.questions.items():
                self.add_error(key, f"{question} Tick “unusual values are meant” to keep it.")

    def _show_both(self, current: configure.CurrentConfiguration) -> None:
        self.add_error(
            None, f"Version {current.version} is in force: open that one and edit it again."
        )
        if self.instance.pk is not None:
            edited = Parameters.from_stored(self.instance.values)
            for change in changes(edited, current.saved):
                yours = self.outer_values()[change.key]
                self.add_error(change.key, f"Yours is {yours}, saved meanwhile was {change.new}.")


FORM_FIELDS: dict[str, forms.Field] = {
    described.key: (
        forms.BooleanField(required=False, label=described.label, help_text=described.help)
        if described.unit is Unit.BOOL
        else forms.CharField(required=False, label=described.label, help_text=described.help)
    )
    for described in PARAMETER_FIELDS
}
FORM_FIELDS[CONFIRM] = forms.BooleanField(required=False, label="Unusual values are meant")
ParameterForm = type("ParameterForm", (ConfigurationForm,), FORM_FIELDS)


@admin.register(ConfigurationVersion)
class ConfigurationVersionAdmin(ModelAdmin):  # type: ignore[misc]  # the package has no types
    """Editing the newest version saves the next one; earlier ones are only looked at."""

    form = ParameterForm
    list_display = ("user", "version", "note", "saved_by", "saved_at")
    list_filter = ("user",)
    list_select_related = ("user",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        newest = obj is None or not ConfigurationVersion.objects.filter(
            user=obj.user_id, version__gt=obj.version
        )
        return allowed and bool(newest)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else ("user",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        if obj is not None and not self.has_change_permission(request, obj):
            shown = ("user", "version", "note", "saved_by", "saved_at", "values")
            return [(None, {"fields": shown})]
        return [
            (None, {"fields": ("user", CONFIRM)}),
            *(
                (section.title, {"fields": tuple(one.key for one in section.fields)})
                for section in PARAMETER_SECTIONS
            ),
        ]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        try:
            saved = configure.save(
                user=obj.user,
                values=form.outer_values(),
                expected_version=obj.version or 0,
                actor=request.user.get_username(),
                now=timezone.now(),
                confirmed=form.confirmed(),
                note="admin",
            )
        except VersionConflict as conflict:
            self.message_user(request, f"Not saved: {conflict}.", messages.ERROR)
            saved = ConfigurationVersion.objects.get(
                user=obj.user, version=conflict.current.version
            )
        obj.pk, obj.version = saved.pk, saved.version


class StaffLimitForm(ModelForm):  # type: ignore[type-arg]
    """A range of one field, in the unit of the field."""

    field = forms.ChoiceField(
        choices=[(key, f"{one.label} ({key})") for key, one in RANGED_FIELDS.items()]
    )

    class Meta:
        model = StaffLimit
        fields = ("user", "field", "least", "most")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        least, most = cleaned.get("least"), cleaned.get("most")
        if least is None and most is None and not self.errors:
            self.add_error(None, "Name at least one end of the range.")
        if least is not None and most is not None and least > most:
            self.add_error("least", f"{least} is above the most, {most}.")
        described = RANGED_FIELDS.get(cleaned.get("field", ""))
        for end, bound in (("least", least), ("most", most)):
            if described is not None and bound is not None:
                try:
                    described.parse(str(bound))
                except ValueError as error:
                    self.add_error(end, str(error))
        return cleaned


@admin.register(StaffLimit)
class StaffLimitAdmin(ModelAdmin):  # type: ignore[misc]
    """Users may only tighten what stands here; without a user it is for everyone."""

    form = StaffLimitForm
    list_display = ("field", "user", "least", "most")
    list_select_related = ("user",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        save_limit(obj, actor=request.user.get_username(), now=timezone.now())

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        remove_limit(obj, actor=request.user.get_username(), now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[StaffLimit]) -> None:
        for limit in queryset:
            self.delete_model(request, limit)
