"""Venues and what they list."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from exchanges import domain
from exchanges.decimals import money_field, price_field, quantity_field, rate_field
from exchanges.domain import InstrumentKind, IntervalSource, SettlementKind
from exchanges.modes import Mode
from exchanges.risk_tiers import TierLadder, read_ladder

MODES = [(mode.value, mode.value) for mode in Mode]


class Exchange(models.Model):
    """One venue in one mode; written by set-up and staff. `code` is the ccxt class name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=32)
    short_code = models.CharField(max_length=4, help_text="As shown in tables, e.g. BIN.")
    name = models.CharField(max_length=64)
    mode = models.CharField(max_length=16, choices=MODES, default=Mode.REHEARSAL)
    is_enabled = models.BooleanField(default=True, help_text="Off: no data, no entries here.")

    class Meta:
        ordering: ClassVar = ["code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "mode"], name="exchange_code_mode"),
            # Board, fees and limits know a venue by its code: two modes of it would be mixed up.
            models.UniqueConstraint(
                fields=["code"],
                condition=Q(is_enabled=True),
                name="exchange_in_one_mode",
                violation_error_message="This venue is enabled in another mode: disable it there "
                "first.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.mode})"

    def shut(self, entry: uuid.UUID | None = None) -> str:
        """Return why its breaker keeps out this entry, or any new one; empty where it does not."""
        health: VenueHealth | None = getattr(self, "health", None)
        return "" if health is None or health.lets_in(entry) else health.sentence


class VenueHealth(models.Model):
    """Whether an exchange answers, as all processes together see it; written by `breaker`."""

    class State(models.TextChoices):
        CLOSED = "closed", "closed"
        OPEN = "open", "open"
        PROBING = "probing", "probing"
        HALF_OPEN = "half_open", "half open"

    exchange = models.OneToOneField(
        Exchange, on_delete=models.CASCADE, primary_key=True, related_name="health"
    )
    state = models.CharField(max_length=16, choices=State.choices, default=State.CLOSED)
    failures = models.PositiveSmallIntegerField(
        default=0, help_text="In a row, since it last answered properly."
    )
    symptom = models.CharField(max_length=100, blank=True, help_text="Of the last failure.")
    failed_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    probe_at = models.DateTimeField(null=True, blank=True, help_text="Of the next probe.")
    order_trials = models.PositiveSmallIntegerField(
        default=0,
        help_text="How often in a row orders kept it open; 0 where an answer to a read closes it.",
    )
    trial_of = models.UUIDField(
        null=True,
        blank=True,
        help_text="The one entry that may be sent while it is half open: its order tells.",
    )

    class Meta:
        verbose_name_plural = "venue health"
        ordering: ClassVar = ["exchange__code"]

    def __str__(self) -> str:
        return f"{self.exchange}: breaker {self.state}"

    @property
    def sentence(self) -> str:
        """Return why nothing is opened here, empty while the breaker is closed."""
        if self.state == self.State.CLOSED or self.opened_at is None:
            return ""
        failed = (
            f"{self.exchange.name} failed {self.failures} times in a row, the last time because "
            f"{self.symptom}: since {self.opened_at:%H:%M:%S} UTC "
        )
        if self.state == self.State.HALF_OPEN:
            does = "is tried now" if self.trial_of else "may be tried"
            return (
                f"{failed}nothing was opened there; one entry {does}, closing and look-ups go on."
            )
        until = "an order there is answered" if self.order_trials else "a probe succeeds"
        return f"{failed}nothing is opened there, until {until}; closing and look-ups go on."

    def lets_in(self, entry: uuid.UUID | None = None) -> bool:
        """Tell whether this entry may open here, or one that is not planned yet may be."""
        if self.state == self.State.HALF_OPEN:
            return self.trial_of == entry
        return self.state == self.State.CLOSED


class Instrument(models.Model):
    """One tradable thing at one exchange; written by the hourly refresh."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    exchange = models.ForeignKey(Exchange, on_delete=models.PROTECT, related_name="instruments")
    symbol = models.CharField(max_length=64)
    venue_symbol = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=[(k.value, k.value) for k in InstrumentKind])
    base = models.CharField(max_length=32)
    quote = models.CharField(max_length=16)
    settle = models.CharField(max_length=16)
    contract_base = quantity_field()
    price_tick = price_field()
    lot = quantity_field()
    min_base_quantity = quantity_field()
    max_base_quantity = quantity_field(null=True, blank=True)
    min_notional = money_field()
    max_leverage = rate_field(default=1)
    maintenance_margin_rate = rate_field(default=0)
    settlement = models.CharField(
        max_length=16, choices=[(k.value, k.value) for k in SettlementKind]
    )
    funding_interval_seconds = models.PositiveIntegerField(null=True, blank=True)
    interval_source = models.CharField(
        max_length=24,
        choices=[(s.value, s.value) for s in IntervalSource],
        default=IntervalSource.UNKNOWN,
    )
    funding_cap = rate_field(
        null=True, blank=True, help_text="Highest rate of an interval; empty: not told."
    )
    funding_floor = rate_field(
        null=True, blank=True, help_text="Lowest rate of an interval; empty: not told."
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    limits_only = models.BooleanField(
        default=False, help_text="Its venue takes no market orders now; nothing is opened on it."
    )
    refreshed_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["base", "symbol"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["exchange", "symbol"], name="instrument_symbol"),
        ]
        indexes: ClassVar = [models.Index(fields=["base", "kind"])]

    def __str__(self) -> str:
        return f"{self.symbol} at {self.exchange.short_code}"

    @property
    def ladder(self) -> TierLadder | None:
        """Return the risk tiers that the venue told last, None where it told none."""
        told: RiskTiers | None = getattr(self, "risk_tiers", None)
        return None if told is None else told.ladder

    def snapshot(self) -> domain.Instrument:
        """Return the frozen value that pure code works with."""
        return domain.Instrument(
            venue=self.exchange.code,
            symbol=domain.Symbol(self.symbol),
            venue_symbol=self.venue_symbol,
            kind=InstrumentKind(self.kind),
            base=self.base,
            quote=self.quote,
            settle=self.settle,
            contract_base=self.contract_base,
            price_tick=self.price_tick,
            lot=self.lot,
            min_base_quantity=self.min_base_quantity,
            max_base_quantity=self.max_base_quantity,
            min_notional=self.min_notional,
            max_leverage=self.max_leverage,
            maintenance_margin_rate=self.maintenance_margin_rate,
            settlement=SettlementKind(self.settlement),
            funding_interval_seconds=self.funding_interval_seconds,
            funding_cap=self.funding_cap,
            funding_floor=self.funding_floor,
            expires_at=self.expires_at,
            is_active=self.is_active,
            limits_only=self.limits_only,
        )


class RiskTiers(models.Model):
    """The ladder of one contract; no rows until it was told. Written by `exchanges.tier_rows`."""

    instrument = models.OneToOneField(
        Instrument, on_delete=models.CASCADE, primary_key=True, related_name="risk_tiers"
    )
    rows = models.JSONField(
        default=list, help_text="Cap (empty: none), leverage, maintenance rate, deduction."
    )
    in_base = models.BooleanField(default=False, help_text="Caps in base units.")
    told_at = models.DateTimeField(null=True, blank=True, help_text="When the ladder was told.")
    asked_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was asked for; empty: it is in doubt."
    )

    class Meta:
        verbose_name_plural = "risk tiers"
        ordering: ClassVar = ["instrument"]

    def __str__(self) -> str:
        return f"{self.instrument}: {len(self.rows)} risk tiers"

    @property
    def ladder(self) -> TierLadder | None:
        """Return the ladder, None where none was told."""
        return read_ladder(self.rows, in_base=self.in_base)
