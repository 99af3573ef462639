"""What people type: symbols, venues, sizes, phrases. Every error names the value and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError

from arbsite.accounts.models import ApiToken, User, validate_time_zone
from exchanges.domain import InstrumentKind
from exchanges.models import Exchange, Instrument
from trading.core.symbols import parse_pair, shown_pair
from trading.models import Opportunity
from trading.services.entry_legs import EntryLeg, long_short
from trading.strategies.registry import STRATEGIES

SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>[km]?)", re.IGNORECASE)
UNITS = {"": 1, "k": 1_000, "m": 1_000_000}
MOST_USD = 1_000_000_000
KILL_PHRASE = re.compile(r"KILL\s+(?P<count>\d+)", re.IGNORECASE)
# A perpetual is meant before a spot market, and the commonest margin asset before the others.
KIND_RANK = {InstrumentKind.PERPETUAL: 0, InstrumentKind.SPOT: 1}
# Strategies of two venues; those with expiries are entered from what was found.
SIMPLE = ("funding_spread", "price_convergence", "cash_and_carry", "reverse_cash_and_carry")
QUOTE_RANK = {"USDT": 0, "USDC": 1, "USD": 2}


def parse_size(text: str) -> Decimal:
    """Return USD for `25000`, `25,000`, `$25k` or `1.5m`. Raise ValidationError otherwise."""
    cleaned = text.strip().removeprefix("$").replace(",", "").replace(" ", "")
    match = SIZE.fullmatch(cleaned)
    if match is None:
        raise ValidationError(f"{text!r} is not a size: write 25000, 25,000 or 25k.")
    amount = Decimal(match["number"]) * UNITS[match["unit"].lower()]
    if amount <= 0:
        raise ValidationError(f"{text!r} is no size: it must be above zero.")
    if amount > MOST_USD:
        raise ValidationError(f"{text!r} is too large a size: {MOST_USD:,} USD is the most.")
    return amount


def parse_symbol(text: str) -> tuple[str, str | None]:
    """Return base and quote of `BTC`, `BTC-USDT`, `BTCUSDT`; the quote is None if not named."""
    cleaned = text.strip().upper()
    try:
        base, _, quote = parse_pair(cleaned).partition("/")
    except ValueError:
        base, quote = cleaned, ""
    if not (base.isascii() and base.isalnum()):
        raise ValidationError(f"{text!r} is not a symbol: write BTC, BTC-USDT or BTCUSDT.")
    return base, quote or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A ticket that names existing things; whether it may be opened is asked of the services."""

    strategy: str
    base: str
    legs: tuple[EntryLeg, ...]
    size_usd: Decimal


class TicketForm(forms.Form):
    """The new-position ticket of one user: two venues, or all legs of an `opportunity`."""

    opportunity = forms.UUIDField(required=False)
    strategy = forms.ChoiceField(choices=[(key, key) for key in SIMPLE], required=False)
    symbol = forms.CharField(max_length=40, error_messages={"required": "Name a symbol: BTC."})
    long = forms.CharField(max_length=32, error_messages={"required": "Choose the long venue."})
    short = forms.CharField(max_length=32, error_messages={"required": "Choose the short venue."})
    size = forms.CharField(max_length=24, error_messages={"required": "Name a size: 25k."})
    idempotency_key = forms.UUIDField(required=False)
    quoted_net_apr = forms.DecimalField(required=False)

    def __init__(
        self, data: Mapping[str, Any], *, exchanges: Sequence[Exchange], user: User
    ) -> None:
        super().__init__(data)
        self.exchanges = {exchange.code: exchange for exchange in exchanges}
        self.user = user
        if data.get("opportunity"):
            for name in ("symbol", "long", "short"):
                del self.fields[name]

    def clean_size(self) -> Decimal:
        return parse_size(self.cleaned_data["size"])

    def clean_symbol(self) -> tuple[str, str | None]:
        return parse_symbol(self.cleaned_data["symbol"])

    def clean_long(self) -> Exchange:
        return self._venue("long")

    def clean_short(self) -> Exchange:
        return self._venue("short")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        if cleaned.get("opportunity"):
            cleaned["found"] = self._opportunity(cleaned["opportunity"])
            return cleaned
        strategy = STRATEGIES[cleaned.get("strategy") or SIMPLE[0]]
        for leg, place in zip(("long", "short"), strategy.shape, strict=True):
            if "symbol" in cleaned and leg in cleaned:
                cleaned[f"{leg}_instrument"] = self._instrument(
                    cleaned["symbol"], cleaned[leg], place.kinds
                )
        instruments = cleaned.get("long_instrument"), cleaned.get("short_instrument")
        if instruments[0] is not None and instruments[0] == instruments[1]:
            self.add_error("short", f"Both legs are {instruments[0]}: choose two venues.")
        return cleaned

    def entry(self) -> Entry:
        """Return what a valid ticket asks for."""
        cleaned = self.cleaned_data
        found = cleaned.get("found")
        if found is not None:
            return Entry(
                strategy=found.strategy,
                base=found.base,
                legs=EntryLeg.read(found.legs),
                size_usd=cleaned["size"],
            )
        return Entry(
            strategy=cleaned["strategy"] or SIMPLE[0],
            base=cleaned["symbol"][0],
            legs=long_short(cleaned["long_instrument"], cleaned["short_instrument"]),
            size_usd=cleaned["size"],
        )

    def _opportunity(self, wanted: UUID) -> Opportunity | None:
        found = Opportunity.objects.for_user(self.user).filter(pk=wanted).first()
        if found is None or not found.legs:
            self.add_error(None, "This opportunity is gone: choose another, or name two venues.")
            return None
        return found

    def _venue(self, leg: str) -> Exchange:
        code = self.cleaned_data[leg]
        for exchange in self.exchanges.values():
            if code.lower() in (exchange.code.lower(), exchange.short_code.lower()):
                return exchange
        known = ", ".join(exchange.short_code for exchange in self.exchanges.values()) or "none"
        raise ValidationError(f"{code!r}: you have no account at such a venue (yours: {known}).")

    def _instrument(
        self,
        symbol: tuple[str, str | None],
        exchange: Exchange,
        kinds: frozenset[InstrumentKind],
    ) -> Instrument | None:
        base, quote = symbol
        listed = Instrument.objects.filter(
            exchange=exchange, base=base, is_active=True, kind__in=kinds
        )
        known = [i for i in listed.select_related("exchange") if quote in (None, i.quote)]
        if not known:
            named = shown_pair(f"{base}/{quote}") if quote else base
            self.add_error(
                "symbol",
                f"{named} is not listed at {exchange.name} as a {' or '.join(sorted(kinds))} "
                "market; inverse contracts are not traded.",
            )
            return None
        return min(known, key=_preference)


class KillForm(forms.Form):
    """The typed half of the kill dialog: `KILL 6` for six open positions."""

    phrase = forms.CharField(max_length=24, required=False)
    shown_count = forms.IntegerField(min_value=0)

    def __init__(self, data: Mapping[str, Any], *, open_count: int) -> None:
        super().__init__(data)
        self.open_count = open_count

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        typed = str(cleaned.get("phrase", ""))
        match = KILL_PHRASE.fullmatch(typed.strip())
        # The count that was on the screen is good too: it must not be a race to stop.
        accepted = {self.open_count, cleaned.get("shown_count", self.open_count)}
        if match is None or int(match["count"]) not in accepted:
            self.add_error(
                "phrase",
                f"{typed!r} does not confirm it: type KILL {self.open_count} to close all.",
            )
        return cleaned


class TypedForm(forms.Form):
    """The words that confirm what cannot be undone: `ONE LEG BTC`, `WRITE OFF BTC`."""

    phrase = forms.CharField(max_length=48, required=False)

    def __init__(self, data: Mapping[str, Any], *, wanted: str) -> None:
        super().__init__(data)
        self.wanted = wanted

    def clean_phrase(self) -> str:
        typed = str(self.cleaned_data["phrase"])
        if " ".join(typed.upper().split()) != self.wanted.upper():
            raise ValidationError(f"{typed!r} does not confirm it: type {self.wanted}.")
        return typed


class TokenForm(forms.Form):
    """A new token for a program: what it is called, what it may, how long."""

    name = forms.CharField(max_length=60, label="Name of the program")
    scope = forms.ChoiceField(choices=ApiToken.Scope.choices, label="It may")
    days = forms.IntegerField(min_value=1, max_value=365, initial=90, label="Days it lasts")
    password = forms.CharField(
        max_length=200, strip=False, widget=forms.PasswordInput, label="Your password"
    )


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]
    """How one person sees the site."""

    time_zone = forms.CharField(max_length=64, validators=[validate_time_zone])

    class Meta:
        model = User
        fields = ("time_zone", "theme", "profit_colours")


def _preference(instrument: Instrument) -> tuple[int, int, str]:
    kind = KIND_RANK.get(InstrumentKind(instrument.kind), len(KIND_RANK))
    return kind, QUOTE_RANK.get(instrument.quote, len(QUOTE_RANK)), instrument.symbol
