"""What a paper venue keeps of an account; the rows are its only state, for all processes.

They take the place of a venue's own books: nothing of `trading` reads them, only the ports do.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import Q

from exchanges.decimals import money_field, price_field, quantity_field, rate_field
from exchanges.domain import (
    FINAL_VENUE_STATUSES,
    FillCause,
    OrderType,
    Side,
    TimeInForce,
    VenueOrderStatus,
)


class PaperAccount(models.Model):
    """What a paper account started with and what is assumed of it; also the lock of all its rows.

    An empty fee is the venue's list price of its lowest tier; an empty maintenance rate and no
    tiers mean the venue's own risk tiers, of which it lists the lowest where it tells no more.
    """

    account = models.OneToOneField(
        "exchanges.ExchangeAccount",
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="paper",
    )
    asset = models.CharField(max_length=16, default="USDT", help_text="Of the starting balance.")
    starting_balance = money_field()
    allocation = rate_field(
        default=1,
        help_text="Part of the starting balance that is traded with, 0 to 1; the rest stays aside.",
    )
    slippage = rate_field(
        default=0,
        help_text="Charged on every taker fill beyond the book, as a fraction: 0.0001 is 1 bp.",
    )
    maker_fee = rate_field(null=True, blank=True, help_text="Of contracts, as a fraction.")
    taker_fee = rate_field(null=True, blank=True, help_text="Of contracts, as a fraction.")
    spot_maker_fee = rate_field(null=True, blank=True)
    spot_taker_fee = rate_field(null=True, blank=True)
    max_leverage = rate_field(null=True, blank=True, help_text="Below what the venue allows.")
    maintenance_rate = rate_field(
        null=True, blank=True, help_text="Instead of the venue's, as a fraction of the notional."
    )
    tiers = models.JSONField(
        default=list,
        blank=True,
        help_text='Risk tiers instead of one rate: [["50000", "50", "0.004"], …] as notional up '
        "to, largest leverage, maintenance rate.",
    )
    borrow_rate = rate_field(
        null=True,
        blank=True,
        help_text="An hour, as a fraction of what is borrowed, where the venue tells no rate of a "
        "coin: 0.000004 is 0.01 % a day.",
    )
    borrow_rates = models.JSONField(
        default=list,
        blank=True,
        help_text='Of single coins instead, a year or an hour: [["BTC", "0.05", "year"], '
        '["ETH", "0.000004", "hour"]].',
    )
    orders_placed = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"paper account of {self.starting_balance.normalize():f} {self.asset}"


class PaperBalance(models.Model):
    """One asset of a paper wallet; contracts settle into it, spot is bought with it."""

    id = models.BigAutoField(primary_key=True)
    paper = models.ForeignKey(PaperAccount, on_delete=models.CASCADE, related_name="balances")
    asset = models.CharField(max_length=16)
    total = money_field(default=0)

    class Meta:
        ordering: ClassVar = ["asset"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["paper", "asset"], name="paper_balance_once"),
        ]

    def __str__(self) -> str:
        return f"{self.total.normalize():f} {self.asset}"


class PaperHolding(models.Model):
    """A contract of a paper account: what is held of it, on what terms, and how far it is settled.

    `cost` is the signed value at which it was opened. Settlements after `settled_until` are not
    booked yet. `mark_price` is the last one seen, for venues that do not tell at what they settle.
    An isolated one stands on its initial margin and `added_margin`, any other on the whole wallet.
    """

    id = models.BigAutoField(primary_key=True)
    paper = models.ForeignKey(PaperAccount, on_delete=models.CASCADE, related_name="holdings")
    symbol = models.CharField(max_length=64)
    base_quantity = quantity_field(default=0)
    cost = money_field(default=0)
    leverage = rate_field(default=1)
    is_isolated = models.BooleanField(default=False)
    added_margin = money_field(default=0)
    settled_until = models.DateTimeField()
    mark_price = price_field(null=True, blank=True)
    marked_at = models.DateTimeField(null=True, blank=True)
    unlisted_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when its venue names it no more."
    )
    cancels_at = models.DateTimeField(
        null=True, blank=True, help_text="When its countdown cancels its orders."
    )

    class Meta:
        ordering: ClassVar = ["symbol"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["paper", "symbol"], name="paper_holding_once"),
        ]

    def __str__(self) -> str:
        return f"{self.base_quantity.normalize():f} {self.symbol}"


class PaperOrder(models.Model):
    """One order at a paper venue. `queue_ahead` stands before it at its price, None: unknown.

    `level_seen` is what its price level showed when the book was last looked at.
    """

    id = models.BigAutoField(primary_key=True)
    paper = models.ForeignKey(PaperAccount, on_delete=models.CASCADE, related_name="orders")
    number = models.PositiveBigIntegerField()
    client_order_id = models.CharField(max_length=64)
    symbol = models.CharField(max_length=64)
    side = models.CharField(max_length=4, choices=[(s.value, s.value) for s in Side])
    order_type = models.CharField(max_length=8, choices=[(t.value, t.value) for t in OrderType])
    time_in_force = models.CharField(
        max_length=12, choices=[(t.value, t.value) for t in TimeInForce]
    )
    base_quantity = quantity_field()
    price = price_field(null=True, blank=True)
    reduce_only = models.BooleanField(default=False)
    cause = models.CharField(
        max_length=12, choices=[(c.value, c.value) for c in FillCause], default=FillCause.ORDER
    )
    status = models.CharField(
        max_length=12,
        choices=[(s.value, s.value) for s in VenueOrderStatus],
        default=VenueOrderStatus.OPEN,
    )
    filled = quantity_field(default=0)
    filled_quote = money_field(default=0)
    queue_ahead = quantity_field(null=True, blank=True)
    level_seen = quantity_field(null=True, blank=True)
    seen_at = models.DateTimeField(help_text="The book before this is no news to it.")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["paper", "number"], name="paper_order_number"),
            models.UniqueConstraint(
                fields=["paper", "client_order_id"], name="paper_order_own_id_once"
            ),
            models.CheckConstraint(
                condition=Q(order_type=OrderType.MARKET.value) | Q(price__isnull=False),
                name="paper_limit_has_price",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["paper", "status"])]

    def __str__(self) -> str:
        return f"{self.venue_order_id} {self.side} {self.base_quantity.normalize():f} {self.symbol}"

    @property
    def venue_order_id(self) -> str:
        return f"P{self.number}"

    @property
    def remaining(self) -> Decimal:
        left: Decimal = self.base_quantity - self.filled
        return left

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_VENUE_STATUSES


class PaperFill(models.Model):
    """One execution; `fee` > 0 was paid. `book_price` is the level it took or was reached by."""

    id = models.BigAutoField(primary_key=True)
    paper = models.ForeignKey(PaperAccount, on_delete=models.CASCADE, related_name="fills")
    order = models.ForeignKey(PaperOrder, on_delete=models.CASCADE, related_name="fills")
    number = models.PositiveIntegerField(help_text="Within its order.")
    symbol = models.CharField(max_length=64)
    side = models.CharField(max_length=4, choices=[(s.value, s.value) for s in Side])
    price = price_field()
    book_price = price_field()
    base_quantity = quantity_field()
    fee = money_field()
    fee_asset = models.CharField(max_length=16)
    is_maker = models.BooleanField()
    filled_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["order__number", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "number"], name="paper_fill_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["paper", "symbol", "filled_at"])]

    def __str__(self) -> str:
        return f"{self.side} {self.base_quantity.normalize():f} @ {self.price.normalize():f}"

    @property
    def venue_trade_id(self) -> str:
        return f"{self.order.venue_order_id}-{self.number}"

    @property
    def signed(self) -> Decimal:
        signed: Decimal = self.base_quantity * Side(self.side).sign
        return signed


class PaperFunding(models.Model):
    """What one settlement paid a paper account; `payment` > 0 was received."""

    id = models.BigAutoField(primary_key=True)
    paper = models.ForeignKey(PaperAccount, on_delete=models.CASCADE, related_name="funding")
    symbol = models.CharField(max_length=64)
    settled_at = models.DateTimeField()
    funding_rate = rate_field()
    settlement_price = price_field()
    is_venue_price = models.BooleanField(help_text="Off: the mark seen nearest to the settlement.")
    position_base = quantity_field()
    payment = money_field()
    asset = models.CharField(max_length=16)

    class Meta:
        verbose_name_plural = "paper funding"
        ordering: ClassVar = ["settled_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["paper", "symbol", "settled_at"], name="paper_funding_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payment.normalize():f} {self.asset} at {self.settled_at:%Y-%m-%d %H:%M}"

    @property
    def venue_payment_id(self) -> str:
        """Return symbol and second; where a fill ended what had accrued, its fraction too."""
        at = self.settled_at
        # Venues settle at whole milliseconds.
        part = f".{at.microsecond:06}" if at.microsecond % 1000 else ""
        return f"{self.symbol}@{int(at.timestamp())}{part}"
