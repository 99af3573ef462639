"""What people type: symbols, venues, sizes, phrases. Every error names the value and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from arbsite.accounts.models import User, validate_time_zone
from exchanges.domain import InstrumentKind
from exchanges.models import Exchange, Instrument
from trading.core.symbols import parse_pair, shown_pair

SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>[km]?)", re.IGNORECASE)
UNITS = {"": 1, "k": 1_000, "m": 1_000_000}
KILL_PHRASE = re.compile(r"KILL\s+(?P<count>\d+)", re.IGNORECASE)
# A perpetual is meant before a spot market, and the commonest margin asset before the others.
KIND_RANK = {InstrumentKind.PERPETUAL: 0, InstrumentKind.SPOT: 1}
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

    base: str
    long_instrument: Instrument
    short_instrument: Instrument
    size_usd: Decimal


class TicketForm(forms.Form):
    """The new-position ticket of one user."""

    symbol = forms.CharField(max_length=40, error_messages={"required": "Name a symbol: BTC."})
    long = forms.CharField(max_length=32, error_messages={"required": "Choose the long venue."})
    short = forms.CharField(max_length=32, error_messages={"required": "Choose the short venue."})
    size = forms.CharField(max_length=24, error_messages={"required": "Name a size: 25k."})
    idempotency_key = forms.UUIDField(required=False)
    quoted_net_apr = forms.DecimalField(required=False)

    def __init__(self, data: Mapping[str, Any], *, exchanges: Sequence[Exchange]) -> None:
        super().__init__(data)
        self.exchanges = {exchange.code: exchange for exchange in exchanges}

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
        for leg in ("long", "short"):
            if "symbol" in cleaned and leg in cleaned:
                cleaned[f"{leg}_instrument"] = self._instrument(cleaned["symbol"], cleaned[leg])
        instruments = cleaned.get("long_instrument"), cleaned.get("short_instrument")
        if instruments[0] is not None and instruments[0] == instruments[1]:
            self.add_error("short", f"Both legs are {instruments[0]}: choose two venues.")
        return cleaned

    def entry(self) -> Entry:
        """Return what a valid ticket asks for."""
        return Entry(
            base=self.cleaned_data["symbol"][0],
            long_instrument=self.cleaned_data["long_instrument"],
            short_instrument=self.cleaned_data["short_instrument"],
            size_usd=self.cleaned_data["size"],
        )

    def _venue(self, leg: str) -> Exchange:
        code = self.cleaned_data[leg]
        for exchange in self.exchanges.values():
            if code.lower() in (exchange.code.lower(), exchange.short_code.lower()):
                return exchange
        known = ", ".join(exchange.short_code for exchange in self.exchanges.values()) or "none"
        raise ValidationError(f"{code!r}: you have no account at such a venue (yours: {known}).")

    def _instrument(self, symbol: tuple[str, str | None], exchange: Exchange) -> Instrument | None:
        base, quote = symbol
        listed = Instrument.objects.filter(exchange=exchange, base=base, is_active=True)
        known = [i for i in listed.select_related("exchange") if quote in (None, i.quote)]
        if not known:
            named = shown_pair(f"{base}/{quote}") if quote else base
            self.add_error(
                "symbol",
                f"{named} is not listed at {exchange.name} as a spot or linear market; "
                "inverse contracts are not traded.",
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


class OneSidedForm(forms.Form):
    """The typed word that lets one leg be closed alone: `ONE LEG BTC`."""

    phrase = forms.CharField(max_length=48, required=False)

    def __init__(self, data: Mapping[str, Any], *, base: str) -> None:
        super().__init__(data)
        self.wanted = f"ONE LEG {base}"

    def clean_phrase(self) -> str:
        typed = str(self.cleaned_data["phrase"])
        if " ".join(typed.upper().split()) != self.wanted.upper():
            raise ValidationError(f"{typed!r} does not confirm it: type {self.wanted}.")
        return typed


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]
    """How one person sees the site."""

    time_zone = forms.CharField(max_length=64, validators=[validate_time_zone])

    class Meta:
        model = User
        fields = ("time_zone", "theme", "profit_colours")


def _preference(instrument: Instrument) -> tuple[int, int, str]:
    kind = KIND_RANK.get(InstrumentKind(instrument.kind), len(KIND_RANK))
    return kind, QUOTE_RANK.get(instrument.quote, len(QUOTE_RANK)), instrument.symbol
