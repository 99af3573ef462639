"""What we know of venues: exchanges, instruments, accounts and the last facts read from them."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

import exchanges.paper.rows  # noqa: F401 - Django finds their tables here
from exchanges import domain, notices  # noqa: F401  (its rows are rows of this app)
from exchanges.decimals import money_field, price_field, quantity_field, rate_field
from exchanges.domain import InstrumentKind, IntervalSource, SettlementKind
from exchanges.fields import SealedField
from exchanges.modes import Mode

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

    @property
    def shut(self) -> str:
        """Return why its breaker lets nothing be opened here, empty while it does."""
        health: VenueHealth | None = getattr(self, "health", None)
        return "" if health is None else health.sentence


class VenueHealth(models.Model):
    """Whether an exchange answers, as all processes together see it; written by `breaker`."""

    class State(models.TextChoices):
        CLOSED = "closed", "closed"
        OPEN = "open", "open"
        PROBING = "probing", "probing"

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
        return (
            f"{self.exchange.name} failed {self.failures} times in a row, the last time because "
            f"{self.symptom}: since {self.opened_at:%H:%M:%S} UTC nothing is opened there, until a "
            "probe succeeds; closing and look-ups go on."
        )


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
    refreshed_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["base", "symbol"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["exchange", "symbol"], name="instrument_symbol"),
        ]
        indexes: ClassVar = [models.Index(fields=["base", "kind"])]

    def __str__(self) -> str:
        return f"{self.symbol} at {self.exchange.short_code}"

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
        )


class SettledFundingRate(models.Model):
    """One settlement that has happened at a venue; written by `poll_settlements`."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="settled")
    settled_at = models.DateTimeField()
    funding_rate = rate_field()
    settlement_price = price_field(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["settled_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "settled_at"], name="settled_once"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.funding_rate} at {self.settled_at:%Y-%m-%d %H:%M}"


class HourlyMid(models.Model):
    """The mid of an instrument's book in one hour; written by `sample_mids`, kept some days."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="mids")
    hour_at = models.DateTimeField(db_index=True)
    mid = price_field()

    class Meta:
        ordering: ClassVar = ["hour_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "hour_at"], name="hourly_mid_once"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.mid} at {self.hour_at:%Y-%m-%d %H:%M}"


class MidBar(models.Model):
    """How far the mid of an instrument's book went within 8 hours; written by `sample_mids`."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="bars")
    starts_at = models.DateTimeField(db_index=True)
    first = price_field()
    low = price_field()
    high = price_field()

    class Meta:
        ordering: ClassVar = ["starts_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "starts_at"], name="mid_bar_once"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.low} … {self.high} at {self.starts_at:%Y-%m-%d %H:%M}"


class StablecoinRate(models.Model):
    """What one stablecoin is worth in another at a spot market; written by `poll_stablecoins`."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.OneToOneField(
        Instrument, on_delete=models.CASCADE, related_name="stablecoin_rate"
    )
    mid = price_field()
    observed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.instrument}: {self.mid}"


class HourlyBorrowRate(models.Model):
    """What borrowing an asset cost in one hour at a venue; written by `poll_borrow_rates`."""

    id = models.BigAutoField(primary_key=True)
    exchange = models.ForeignKey(Exchange, on_delete=models.CASCADE, related_name="borrow_rates")
    asset = models.CharField(max_length=32)
    hour_at = models.DateTimeField()
    hourly_rate = rate_field(help_text="As last read in this hour.")
    highest_hourly_rate = rate_field()
    most = quantity_field(null=True, blank=True, help_text="That one account may borrow.")
    observed_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["hour_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["exchange", "asset", "hour_at"], name="borrow_rate_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.asset} {self.hourly_rate} an hour at {self.exchange.short_code}"

    def snapshot(self, highest: Decimal) -> domain.BorrowRate:
        """Return the frozen value; `highest` is the day's, which no single row knows."""
        return domain.BorrowRate(
            venue=self.exchange.code,
            asset=self.asset,
            hourly_rate=self.hourly_rate,
            highest_hourly_rate=highest,
            most=self.most,
            observed_at=self.observed_at,
        )


class ExchangeAccountQuerySet(models.QuerySet["ExchangeAccount"]):
    def for_user(self, user: models.Model) -> Self:
        return self.filter(user=user)

    def active(self) -> Self:
        return self.filter(is_active=True)


class ExchangeAccount(models.Model):
    """A user's key at one exchange; keys are write-only. A halted account opens nothing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="exchange_accounts"
    )
    exchange = models.ForeignKey(Exchange, on_delete=models.PROTECT, related_name="accounts")
    label = models.CharField(max_length=64, default="main")
    sealed_keys = SealedField(null=True, blank=True)
    key_fingerprint = models.CharField(
        max_length=64, help_text="Keyed hash of the API key: two users cannot share one account."
    )
    is_active = models.BooleanField(default=True)
    halted_at = models.DateTimeField(null=True, blank=True)
    halted_reason = models.CharField(max_length=300, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    uid_fingerprint = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text="Keyed hash of whose account the venue says it is; empty while untold.",
    )
    key_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ExchangeAccountQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["exchange__code", "label"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "exchange", "label"], name="account_label"),
            # One live owner per venue account (I13): fingerprints are unique while in use.
            models.UniqueConstraint(
                fields=["exchange", "key_fingerprint"],
                condition=Q(is_active=True),
                name="account_key_once",
            ),
            models.UniqueConstraint(
                fields=["exchange", "uid_fingerprint"],
                condition=Q(is_active=True) & ~Q(uid_fingerprint=""),
                name="account_uid_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} at {self.exchange.short_code}"

    @property
    def is_halted(self) -> bool:
        return self.halted_at is not None


class AccountBalance(models.Model):
    """The last balance of one asset as the venue said it; overwritten by each read."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(ExchangeAccount, on_delete=models.CASCADE, related_name="balances")
    asset = models.CharField(max_length=16)
    free = money_field()
    total = money_field()
    equity = money_field()
    observed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "asset"], name="balance_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.total} {self.asset}"


class AccountPosition(models.Model):
    """The last position the venue reported; overwritten by each read, never our own opinion."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(
        ExchangeAccount, on_delete=models.CASCADE, related_name="venue_positions"
    )
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE)
    base_quantity = quantity_field()
    entry_price = price_field(null=True, blank=True)
    mark_price = price_field(null=True, blank=True)
    liquidation_price = price_field(null=True, blank=True)
    leverage = rate_field(null=True, blank=True)
    unrealised_pnl = money_field(null=True, blank=True)
    adl_rank = models.PositiveSmallIntegerField(null=True, blank=True)
    observed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "instrument"], name="venue_position_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.base_quantity} {self.instrument.symbol}"


class AccountFee(models.Model):
    """The account's own fees for one instrument; `is_fallback` when unaskable."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(ExchangeAccount, on_delete=models.CASCADE, related_name="fees")
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE)
    maker = rate_field()
    taker = rate_field()
    is_fallback = models.BooleanField(default=False)
    observed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "instrument"], name="fee_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.instrument.symbol} {self.maker}/{self.taker}"


class KeyCanary(models.Model):
    """Names the key file this database was sealed with; a foreign file stops the start."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    fingerprint = models.CharField(max_length=64)
    sealed_canary = SealedField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="one_canary"),
        ]

    def __str__(self) -> str:
        return self.fingerprint
