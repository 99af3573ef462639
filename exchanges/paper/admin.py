"""Paper accounts in the admin: opened with a starting balance, their assumptions changed there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin

from arbsite.accounts import audit
from arbsite.accounts.models import User
from arbsite.accounts.read_only import ReadOnly
from exchanges.account_keys import ModesMixed
from exchanges.assumed_loans import hourly_rates
from exchanges.matching import tiers_from
from exchanges.models import Exchange
from exchanges.modes import Mode
from exchanges.paper.accounts import PaperRefused, check_paper_account, open_paper_account
from exchanges.paper.isolated import MarginModeRefused, set_margin_mode
from exchanges.paper.margin_rows import PaperInterest, PaperTopUp
from exchanges.paper.rows import PaperAccount, PaperFill, PaperFunding, PaperHolding, PaperOrder

ASSUMPTIONS: tuple[str, ...] = (
    "slippage",
    "maker_fee",
    "taker_fee",
    "spot_maker_fee",
    "spot_taker_fee",
    "max_leverage",
    "maintenance_rate",
    "tiers",
    "borrow_rate",
    "borrow_rates",
)
# 1 % an hour is beyond what any venue ever asked.
MOST_BORROW_RATE = Decimal("0.01")
MOST_FEE = Decimal("0.05")


class PaperAccountForm(ModelForm):  # type: ignore[type-arg]
    """What is assumed of an account; rates are fractions of the notional."""

    class Meta:
        model = PaperAccount
        fields: tuple[str, ...] = ASSUMPTIONS

    def clean_tiers(self) -> list[list[str]]:
        """Refuse tiers that are no rows of three numbers with rising notionals."""
        rows = self.cleaned_data["tiers"] or []
        try:
            read = [(str(cap), str(leverage), str(rate)) for cap, leverage, rate in rows]
            caps = [tier.notional_cap for tier in tiers_from(read)]
        except (ArithmeticError, TypeError, ValueError):
            caps = None
        if caps is None or caps != sorted(set(caps)):
            raise forms.ValidationError(
                'Write tiers as [["50000", "50", "0.004"], …]: notional up to, largest leverage, '
                "maintenance rate; the notionals rise."
            )
        return [[str(value) for value in row] for row in rows]

    def clean_borrow_rates(self) -> list[list[str]]:
        """Refuse rates of coins that are no rows of coin, rate and its span, each coin once."""
        rows = self.cleaned_data["borrow_rates"] or []
        try:
            written = [
                [str(asset).upper(), f"{Decimal(str(rate)):f}", str(span)]
                for asset, rate, span in rows
            ]
            rates = dict(hourly_rates(written))
        except (ArithmeticError, KeyError, TypeError, ValueError):
            written, rates = [[]], {}
        if len(rates) < len(written):
            raise forms.ValidationError(
                'Write rates as [["BTC", "0.05", "year"], ["ETH", "0.000004", "hour"]]: a coin '
                "once, its rate as a fraction, and for how long."
            )
        for asset, rate in rates.items():
            if not 0 <= rate <= MOST_BORROW_RATE:
                raise forms.ValidationError(
                    f"{rate.normalize():f} of {asset} is no hourly rate of a loan: 0 to "
                    f"{MOST_BORROW_RATE}."
                )
        return written

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in ASSUMPTIONS[:5]:
            value = cleaned.get(name)
            if value is not None and not -MOST_FEE <= value <= MOST_FEE:
                self.add_error(name, f"{value} is a fraction beyond {MOST_FEE}: 0.0005 is 5 bp.")
        if (cleaned.get("slippage") or 0) < 0:
            self.add_error("slippage", "Slippage makes a price worse: 0 or more.")
        leverage = cleaned.get("max_leverage")
        if leverage is not None and leverage < 1:
            self.add_error("max_leverage", "The least leverage is 1.")
        rate = cleaned.get("maintenance_rate")
        if rate is not None and not 0 <= rate < 1:
            self.add_error("maintenance_rate", f"{rate} is no part of a notional: 0 to below 1.")
        borrow = cleaned.get("borrow_rate")
        if borrow is not None and not 0 <= borrow <= MOST_BORROW_RATE:
            self.add_error(
                "borrow_rate", f"{borrow} is no hourly rate of a loan: 0 to {MOST_BORROW_RATE}."
            )
        return cleaned


class NewPaperAccountForm(PaperAccountForm):
    """A new account: whose, where, with how much."""

    user = forms.ModelChoiceField(User.objects.all())
    exchange = forms.ModelChoiceField(Exchange.objects.filter(mode=Mode.PAPER))
    label = forms.CharField(max_length=64, initial="main")

    class Meta(PaperAccountForm.Meta):
        fields = ("asset", "starting_balance", "allocation", *ASSUMPTIONS)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        wanted = ("user", "exchange", "label", "starting_balance", "allocation")
        if all(cleaned.get(name) is not None for name in wanted):
            try:
                check_paper_account(**{name: cleaned[name] for name in wanted})
            except (ModesMixed, PaperRefused) as refusal:
                raise forms.ValidationError(str(refusal)) from refusal
        return cleaned


@admin.register(PaperAccount)
class PaperAccountAdmin(ModelAdmin):  # type: ignore[misc]  # the package has no types
    list_display = ("account", "owner", "starting_balance", "asset", "allocation", "created_at")
    list_select_related = ("account__exchange", "account__user")
    readonly_fields: ClassVar = ("account", "asset", "starting_balance", "allocation", "created_at")

    @admin.display(description="user")
    def owner(self, paper: PaperAccount) -> str:
        return str(paper.account.user)

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        kwargs["form"] = NewPaperAccountForm if obj is None else PaperAccountForm
        return super().get_form(request, obj, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ("user", "exchange", "label", *NewPaperAccountForm.Meta.fields)
        return (*self.readonly_fields, *ASSUMPTIONS)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else tuple(self.readonly_fields)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: PaperAccount, form: Any, change: bool) -> None:
        """Open a new account through the one function that may; audit what is assumed anew."""
        now, actor = timezone.now(), request.user.get_username()
        if change:
            before = PaperAccount.objects.get(pk=obj.pk)
            changes = {
                name: str(getattr(obj, name))
                for name in ASSUMPTIONS
                if getattr(obj, name) != getattr(before, name)
            }
            obj.save(update_fields=ASSUMPTIONS)
            audit.record(
                actor=actor,
                action="paper assumptions changed",
                subject=str(obj.account),
                details=changes,
                now=now,
            )
            return
        opened = open_paper_account(actor=actor, now=now, **form.cleaned_data)
        obj.pk = opened.pk
        obj.refresh_from_db()


class Books(ReadOnly, ModelAdmin):  # type: ignore[misc]
    """A paper venue's own books: looked at, never edited."""

    list_select_related = ("paper__account__exchange",)


@admin.register(PaperOrder)
class PaperOrderAdmin(Books):
    list_display = ("created_at", "paper", "symbol", "side", "base_quantity", "filled", "status")
    list_filter = ("status", "side")


@admin.register(PaperFill)
class PaperFillAdmin(Books):
    list_display = ("filled_at", "paper", "symbol", "side", "price", "base_quantity", "fee")


@admin.register(PaperFunding)
class PaperFundingAdmin(Books):
    list_display = ("settled_at", "paper", "symbol", "funding_rate", "settlement_price", "payment")


@admin.register(PaperInterest)
class PaperInterestAdmin(Books):
    list_display = ("charged_at", "paper", "asset", "borrowed", "hourly_rate", "amount")


@admin.register(PaperTopUp)
class PaperTopUpAdmin(Books):
    list_display = ("added_at", "paper", "symbol", "amount", "margin_after")


@admin.register(PaperHolding)
class PaperHoldingAdmin(Books):
    """What is held; its margin mode is switched here, as on a venue's own page."""

    list_display = ("symbol", "paper", "base_quantity", "leverage", "is_isolated", "added_margin")
    actions = ("set_isolated", "set_cross")

    @admin.action(description="Put on isolated margin", permissions=["switch"])
    def set_isolated(self, request: HttpRequest, chosen: QuerySet[PaperHolding]) -> None:
        self._set(request, chosen, is_isolated=True)

    @admin.action(description="Put on cross margin", permissions=["switch"])
    def set_cross(self, request: HttpRequest, chosen: QuerySet[PaperHolding]) -> None:
        self._set(request, chosen, is_isolated=False)

    def has_switch_permission(self, request: HttpRequest) -> bool:
        """Tell who may: whoever may change holdings, though no field of them is edited here."""
        allowed: bool = request.user.has_perm("exchanges.change_paperholding")
        return allowed

    def _set(
        self, request: HttpRequest, chosen: QuerySet[PaperHolding], *, is_isolated: bool
    ) -> None:
        now, actor = timezone.now(), request.user.get_username()
        for row in chosen:
            try:
                set_margin_mode(row, is_isolated=is_isolated, actor=actor, now=now)
            except MarginModeRefused as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
