"""What people type about alerts. Every error names the value and what to do."""

from __future__ import annotations

from decimal import Decimal
from ipaddress import ip_address
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from alerts.models import Preferences
from alerts.transports.addresses import AddressRefused, checked, destination

HUNDRED = Decimal(100)


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]
    """What one person wants to hear; thresholds are typed in percent and kept as fractions."""

    adverse_percent = forms.DecimalField(
        label="Warn when the gap is against a position by, %",
        min_value=Decimal("0.01"),
        max_value=HUNDRED,
        decimal_places=4,
    )
    limit_percent = forms.DecimalField(
        label="Warn when so much of a limit is used, %",
        min_value=Decimal(1),
        max_value=HUNDRED,
        decimal_places=2,
    )

    class Meta:
        model = Preferences
        fields = ("least", "quiet_from", "quiet_until", "repeat_minutes", "report_hour")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {
            **self.initial,
            "adverse_percent": _percent(self.instance.adverse_basis),
            "limit_percent": _percent(self.instance.limit_share),
        }
        for name in ("quiet_from", "quiet_until"):
            self.fields[name].widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        if (cleaned.get("quiet_from") is None) != (cleaned.get("quiet_until") is None):
            self.add_error("quiet_until", "Quiet hours have a beginning and an end, or neither.")
        return cleaned

    def save(self, commit: bool = True) -> Preferences:
        self.instance.adverse_basis = self.cleaned_data["adverse_percent"] / HUNDRED
        self.instance.limit_share = self.cleaned_data["limit_percent"] / HUNDRED
        saved: Preferences = super().save(commit=commit)
        return saved


class MailboxForm(forms.Form):
    address = forms.EmailField(label="E-mail address", max_length=254)
    is_second = forms.BooleanField(label="Only as a second channel", required=False, initial=True)

    def clean_address(self) -> str:
        if not settings.EMAIL_HOST:
            raise ValidationError("This installation has no mail server: staff configures one.")
        return str(self.cleaned_data["address"])


class WebhookForm(forms.Form):
    address = forms.CharField(label="URL, https", max_length=500)
    is_second = forms.BooleanField(label="Only as a second channel", required=False, initial=True)

    def clean_address(self) -> str:
        """Judge what the text alone tells; what a name leads to is judged at every call."""
        url = str(self.cleaned_data["address"])
        try:
            parts = checked(url)
            if _is_literal(parts.hostname or ""):
                destination(url)
            elif parts.scheme != "https" and not settings.CARRY_WEBHOOK_NETWORKS:
                raise AddressRefused("A webhook must be https.")
        except AddressRefused as refusal:
            raise ValidationError(str(refusal)) from None
        return url


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _percent(fraction: Decimal) -> str:
    """Write a fraction as people type it: 0.8 is 80, not 8E+1."""
    return f"{(fraction * HUNDRED).normalize():f}"
