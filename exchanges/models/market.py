"""What markets said, kept as rows: settlements, mids, rates."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models

from exchanges import domain
from exchanges.decimals import money_field, price_field, quantity_field, rate_field
from exchanges.models.venues import Exchange, Instrument


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


class Activity(models.Model):
    """What is held and was traded of a perpetual, as last told; written by `poll_activity`."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.OneToOneField(Instrument, on_delete=models.CASCADE, related_name="activity")
    open_interest = quantity_field(null=True, blank=True, help_text="In base units.")
    open_interest_at = models.DateTimeField(null=True, blank=True)
    turnover_usd = money_field(null=True, blank=True, help_text="Of the last 24 hours.")
    turnover_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.instrument}: {self.open_interest} held, {self.turnover_usd} USD a day"


class ActivityBar(models.Model):
    """What was told of a perpetual's open interest and turnover in one minute; kept some days."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.CASCADE, related_name="activity_bars"
    )
    minute_at = models.DateTimeField(db_index=True)
    open_interest = quantity_field(null=True, blank=True, help_text="In base units.")
    turnover_usd = money_field(null=True, blank=True, help_text="Of the 24 hours before.")

    class Meta:
        ordering: ClassVar = ["minute_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "minute_at"], name="activity_bar_once"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.open_interest} at {self.minute_at:%Y-%m-%d %H:%M}"


class HourlyActivity(models.Model):
    """The last that was told of a perpetual's open interest and turnover in one hour."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.CASCADE, related_name="hourly_activity"
    )
    hour_at = models.DateTimeField(db_index=True)
    open_interest = quantity_field(null=True, blank=True, help_text="In base units.")
    turnover_usd = money_field(null=True, blank=True, help_text="Of the 24 hours before.")

    class Meta:
        ordering: ClassVar = ["hour_at"]
        verbose_name_plural = "hourly activity"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "hour_at"], name="hourly_activity_once"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.open_interest} at {self.hour_at:%Y-%m-%d %H:%M}"


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
        indexes: ClassVar = [models.Index(fields=["hour_at"], name="borrow_rate_age")]

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
