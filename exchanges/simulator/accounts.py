"""What a simulated venue keeps of an account: balances, settings, orders, fills, funding."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from exchanges.domain import (
    FINAL_VENUE_STATUSES,
    OrderType,
    Side,
    TimeInForce,
    VenueOrderStatus,
)

ZERO = Decimal(0)
DEFAULT_LEVERAGE = Decimal(20)
ALL = "*"


class Origin(StrEnum):
    """Who placed an order: through the API, by hand on the venue's page, or the venue itself."""

    USER = "user"
    FOREIGN = "foreign"
    LIQUIDATION = "liquidation"
    ADL = "adl"
    SETTLEMENT = "settlement"
    DELIVERY = "delivery"

    @property
    def is_venue(self) -> bool:
        return self not in (Origin.USER, Origin.FOREIGN)


@dataclass(slots=True, kw_only=True)
class Account:
    """One API key. `wallets` maps wallet name to asset to balance (negative after a bad end).

    `isolated` maps `venue:symbol`, or `venue:*`, to margin added by hand; what is not in it is
    cross. `countdowns` maps `venue:symbol`, or `venue:#tag`, to when its orders are cancelled.
    """

    venue: str
    api_key: str
    secret: str
    uid: int
    wallets: dict[str, dict[str, Decimal]]
    leverages: dict[str, Decimal] = field(default_factory=dict)
    isolated: dict[str, Decimal] = field(default_factory=dict)
    countdowns: dict[str, datetime] = field(default_factory=dict)
    is_hedge_mode: bool = False
    may_withdraw: bool = False
    # Its key was made where the venue lets people practise, and is taken there alone.
    practices: bool = False
    may_transfer: bool = False
    is_bound_to_address: bool = True
    key_expires_at: datetime | None = None
    passphrase: str = ""
    created_at: datetime

    def leverage(self, venue: str, symbol: str) -> Decimal:
        return self.leverages.get(f"{venue}:{symbol}", DEFAULT_LEVERAGE)

    def is_isolated(self, venue: str, symbol: str) -> bool:
        return f"{venue}:{symbol}" in self.isolated or f"{venue}:{ALL}" in self.isolated

    def isolate(self, venue: str, symbol: str = ALL) -> None:
        self.isolated[f"{venue}:{symbol}"] = ZERO

    def added_margin(self, venue: str, symbol: str) -> Decimal:
        return self.isolated.get(f"{venue}:{symbol}", ZERO)

    def add_margin(self, venue: str, symbol: str, amount: Decimal) -> None:
        self.isolated[f"{venue}:{symbol}"] = self.added_margin(venue, symbol) + amount

    def forget_added_margin(self, venue: str, symbol: str) -> None:
        """Free what was added to a position that is no more."""
        if f"{venue}:{symbol}" in self.isolated:
            self.isolated[f"{venue}:{symbol}"] = ZERO

    def balance(self, wallet: str, asset: str) -> Decimal:
        return self.wallets.get(wallet, {}).get(asset, ZERO)

    def credit(self, wallet: str, asset: str, amount: Decimal) -> None:
        balances = self.wallets.setdefault(wallet, {})
        balances[asset] = balances.get(asset, ZERO) + amount


@dataclass(slots=True, kw_only=True)
class Order:
    """One order and its life at the venue."""

    number: int
    venue_order_id: str
    venue: str
    symbol: str
    api_key: str
    client_order_id: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    base_quantity: Decimal
    price: Decimal | None
    reduce_only: bool
    origin: Origin
    status: VenueOrderStatus
    created_at: datetime
    updated_at: datetime
    visible_at: datetime
    filled: Decimal = ZERO
    filled_quote: Decimal = ZERO
    fee_paid: Decimal = ZERO
    reject_reason: str = ""
    may_borrow: bool = False
    tag: str = ""

    @property
    def remaining(self) -> Decimal:
        return self.base_quantity - self.filled

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_VENUE_STATUSES

    @property
    def average_price(self) -> Decimal:
        return self.filled_quote / self.filled if self.filled else ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeRow:
    """One execution. `fee` > 0 was paid in `fee_asset`."""

    number: int
    venue_trade_id: str
    order_number: int
    venue_order_id: str
    client_order_id: str
    api_key: str
    venue: str
    symbol: str
    side: Side
    price: Decimal
    base_quantity: Decimal
    fee: Decimal
    fee_rate: Decimal
    fee_asset: str
    is_maker: bool
    realised_pnl: Decimal
    closed_quantity: Decimal
    mark_price: Decimal
    filled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingRow:
    """One booked payment; `payment` > 0 was received."""

    number: int
    venue_payment_id: str
    api_key: str
    venue: str
    symbol: str
    asset: str
    position_base: Decimal
    settlement_price: Decimal
    funding_rate: Decimal
    payment: Decimal
    settled_at: datetime
    # The execution that realised it, where funding is owed all along; 0 for a settlement.
    trade_number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestRow:
    """One hour's charge on what an account had borrowed; `interest` > 0 was paid in `asset`."""

    number: int
    venue_interest_id: str
    api_key: str
    asset: str
    borrowed: Decimal
    hourly_rate: Decimal
    interest: Decimal
    charged_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRow:
    """Money moved into a wallet (> 0) or out of it."""

    number: int
    api_key: str
    wallet: str
    asset: str
    amount: Decimal
    moved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementRow:
    """What one instrument settled at, kept because a pinned rate cannot be computed again."""

    venue: str
    symbol: str
    funding_rate: Decimal
    settlement_price: Decimal
    settled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingRow:
    """One open derivative position of an account."""

    api_key: str
    venue: str
    symbol: str
    base_quantity: Decimal
    cost: Decimal
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A market control of a test: what it sets stays so until released. None leaves as it is."""

    venue: str
    symbol: str
    price: Decimal | None = None
    funding_rate: Decimal | None = None
    level_quantity: Decimal | None = None
    borrow_rate: Decimal | None = None
    open_interest: Decimal | None = None
    day_volume: Decimal | None = None
    funding_skew: Decimal | None = None
