"""Exchanges, what they list, and accounts whose keys go in and never come out."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminPasswordWidget

import exchanges.paper.admin  # noqa: F401 - registers what it describes
from arbsite.accounts.read_only import ReadOnly
from exchanges.account_keys import (
    KeyInUse,
    ModesMixed,
    VenueReadOnly,
    refuse_mixed_modes,
    refuse_read_only,
    store_account,
)
from exchanges.models import (
    AccountBalance,
    AccountPosition,
    Exchange,
    ExchangeAccount,
    Instrument,
    RiskTiers,
    VenueHealth,
)
from exchanges.models.notices import FactChange, VenueNotice
from exchanges.modes import Mode
from exchanges.sealing import SealError

NO_KEY_ON_PAPER = "A paper account has no key: add it under paper accounts."
NOTHING_TO_SEAL = "Enter the API key and its secret: an account without keys can do nothing."


@admin.register(Exchange)
class ExchangeAdmin(ModelAdmin):  # type: ignore[misc]  # the package has no types
    list_display = ("name", "code", "short_code", "mode", "is_enabled")
    list_filter = ("mode", "is_enabled")
    search_fields = ("name", "code")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(VenueHealth)
class VenueHealthAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("exchange", "state", "failures", "symptom", "failed_at", "opened_at")
    list_filter = ("state",)
    list_select_related = ("exchange",)


@admin.register(RiskTiers)
class RiskTiersAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("instrument", "told_at", "asked_at")
    list_filter = ("instrument__exchange",)
    search_fields = ("instrument__symbol",)
    list_select_related = ("instrument__exchange",)


@admin.register(Instrument)
class InstrumentAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = (
        "symbol",
        "exchange",
        "kind",
        "funding_interval_seconds",
        "interval_source",
        "lot",
        "min_notional",
        "is_active",
        "refreshed_at",
    )
    list_filter = ("exchange", "kind", "interval_source", "is_active")
    list_select_related = ("exchange",)
    search_fields = ("symbol", "base")


@admin.register(FactChange)
class FactChangeAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("seen_at", "exchange", "instrument", "account", "fact", "old", "new")
    list_filter = ("exchange", "fact")
    list_select_related = ("exchange", "instrument__exchange", "account__exchange")
    search_fields = ("instrument__symbol",)


@admin.register(VenueNotice)
class VenueNoticeAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = (
        "exchange",
        "kind",
        "instrument",
        "starts_at",
        "ends_at",
        "source",
        "is_withdrawn",
        "note",
    )
    list_filter = ("exchange", "kind", "source", "is_withdrawn")
    list_select_related = ("exchange", "instrument__exchange")
    autocomplete_fields = ("instrument",)
    readonly_fields = ("source",)


class BalanceInline(ReadOnly, TabularInline):  # type: ignore[misc]
    model = AccountBalance
    extra = 0


class VenuePositionInline(ReadOnly, TabularInline):  # type: ignore[misc]
    model = AccountPosition
    extra = 0


class ExchangeAccountForm(ModelForm):  # type: ignore[type-arg]
    """Keys are typed in to replace what is there; the form never shows what is there."""

    api_key = forms.CharField(
        required=False, widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"})
    )
    secret = forms.CharField(
        required=False, widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"})
    )
    passphrase = forms.CharField(
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text="Only for venues that give one.",
    )

    class Meta:
        model = ExchangeAccount
        fields = ("user", "exchange", "label", "is_active")
        help_texts: ClassVar = {
            "is_active": "Off: nothing is opened with this account. What is open on it is watched "
            "and managed to its end all the same."
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        typed = [name for name in ("api_key", "secret") if cleaned.get(name)]
        is_new = self.instance._state.adding
        exchange = cleaned.get("exchange") if is_new else self.instance.exchange
        if is_new and exchange is not None:
            self._refuse_read_only(exchange)
        if not is_new and cleaned.get("is_active"):
            self._refuse_mixed_modes()
        if exchange is not None and exchange.mode == Mode.PAPER:
            if typed or is_new:
                raise forms.ValidationError(NO_KEY_ON_PAPER)
            return cleaned
        if len(typed) == 1 or (not typed and self.instance.sealed_keys is None):
            raise forms.ValidationError(NOTHING_TO_SEAL)
        return cleaned

    @staticmethod
    def _refuse_read_only(exchange: Exchange) -> None:
        try:
            refuse_read_only(exchange)
        except VenueReadOnly as refusal:
            raise forms.ValidationError(str(refusal)) from refusal

    def _refuse_mixed_modes(self) -> None:
        try:
            refuse_mixed_modes(self.instance.user, self.instance.exchange)
        except ModesMixed as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


@admin.register(ExchangeAccount)
class ExchangeAccountAdmin(ModelAdmin):  # type: ignore[misc]
    form = ExchangeAccountForm
    list_display = ("label", "exchange", "user", "is_active", "halted_reason", "checked_at")
    list_filter = ("exchange", "is_active")
    list_select_related = ("exchange", "user")
    readonly_fields = (
        "halted_at",
        "halted_reason",
        "checked_at",
        "key_expires_at",
        "created_at",
    )
    inlines = (BalanceInline, VenuePositionInline)
    fields = (
        *ExchangeAccountForm.Meta.fields,
        "api_key",
        "secret",
        "passphrase",
        *readonly_fields,
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Keys are sealed for their owner and venue: another owner needs keys of his own.
        fixed = () if obj is None else ("user", "exchange", "label")
        return (*fixed, *self.readonly_fields)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: ExchangeAccount, form: Any, change: bool
    ) -> None:
        """Seal new keys through the one function that may; otherwise keep those in place."""
        typed = form.cleaned_data
        if not typed.get("api_key"):
            obj.save()
            return
        stored = store_account(
            user=obj.user,
            exchange=obj.exchange,
            label=obj.label,
            api_key=typed["api_key"],
            secret=typed["secret"],
            passphrase=typed["passphrase"],
        )
        ExchangeAccount.objects.filter(pk=stored.pk).update(is_active=obj.is_active)
        obj.pk = stored.pk
        obj.refresh_from_db()

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer a key that cannot be sealed with its sentence; the transaction is rolled back."""
        try:
            answer: HttpResponse = super().changeform_view(request, *args, **kwargs)
        except (KeyInUse, ModesMixed, SealError) as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.get_full_path())
        return answer
