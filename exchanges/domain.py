"""What venues tell us and what we ask of them, as frozen values.

Pure: standard library only. Every quantity is in *base units of the base asset* (never contracts),
every price in quote per one base unit, every rate a fraction (0.0001 = 1 bp), every time aware UTC.
Money, prices, quantities and rates are Decimal. Adapters convert at their border and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NewType

Symbol = NewType("Symbol", str)
"""ccxt's unified form: `BTC/USDT` spot, `BTC/USDT:USDT` perpetual, `BTC/USDT:USDT-261225` dated."""

ClientOrderId = NewType("ClientOrderId", str)


class InstrumentKind(StrEnum):
    SPOT = "spot"
    PERPETUAL = "perpetual"
    FUTURE = "future"


class SettlementKind(StrEnum):
    """How a venue pays funding; `docs/DOMAIN.md` section 2."""

    NONE = "none"
    LUMP = "lump"
    HOURLY = "hourly"
    ACCRUED = "accrued"


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """Return +1 for BUY and -1 for SELL: the sign of the base quantity it adds."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    LIMIT = "limit"
    MARKET = "market"


class TimeInForce(StrEnum):
    GTC = "gtc"
    IOC = "ioc"
    POST_ONLY = "post_only"


class VenueOrderStatus(StrEnum):
    """What a venue says of an order; our own life cycle is `trading.core.states.OrderState`."""

    OPEN = "open"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class FillCause(StrEnum):
    """Why a fill happened: an order, or the venue itself closed something."""

    ORDER = "order"
    LIQUIDATION = "liquidation"
    ADL = "adl"
    SETTLEMENT = "settlement"

    @property
    def is_venue(self) -> bool:
        return self is not FillCause.ORDER


FINAL_VENUE_STATUSES = frozenset(
    {
        VenueOrderStatus.FILLED,
        VenueOrderStatus.CANCELED,
        VenueOrderStatus.EXPIRED,
        VenueOrderStatus.REJECTED,
    }
)


class IntervalSource(StrEnum):
    """Where a funding interval was read; `UNKNOWN` and `CONFLICTING` are never tradable."""

    VENUE = "venue"
    SETTLEMENT_SPACING = "settlement_spacing"
    UNKNOWN = "unknown"
    CONFLICTING = "conflicting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One tradable thing at one venue. `base` is the plain asset: 1000PEPE has base PEPE.

    `lot` and the minima are in base units; `price_tick` in quote per base unit.
    `contract_base` is how many base units one venue unit of amount stands for
    (contract size x ticker multiplier; 1 where amounts are plain base units).
    """

    venue: str
    symbol: Symbol
    venue_symbol: str
    kind: InstrumentKind
    base: str
    quote: str
    settle: str
    contract_base: Decimal
    price_tick: Decimal
    lot: Decimal
    min_base_quantity: Decimal
    min_notional: Decimal
    max_base_quantity: Decimal | None = None
    max_leverage: Decimal = Decimal(1)
    maintenance_margin_rate: Decimal = Decimal(0)
    settlement: SettlementKind = SettlementKind.NONE
    funding_interval_seconds: int | None = None
    funding_cap: Decimal | None = None
    """No rate is settled above it, nor below the floor, per interval; None where nobody told."""
    funding_floor: Decimal | None = None
    expires_at: datetime | None = None
    is_active: bool = True
    limits_only: bool = False
    """Its venue takes limits and no market orders now, and may match none of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingRate:
    """The rate of the settlement to come. Positive: longs pay shorts. Fraction per interval."""

    venue: str
    symbol: Symbol
    funding_rate: Decimal
    interval_seconds: int | None
    interval_source: IntervalSource
    next_funding_at: datetime | None
    observed_at: datetime
    mark_price: Decimal | None = None
    index_price: Decimal | None = None
    cap: Decimal | None = None
    """No rate is settled above it, nor below the floor; only REST tells, streams do not."""
    floor: Decimal | None = None

    @property
    def is_tradable(self) -> bool:
        """Tell whether the interval is a known fact and the next settlement has a time."""
        return self.interval_seconds is not None and self.next_funding_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledFunding:
    """One settlement that has happened. `settlement_price` is None where the venue omits it."""

    venue: str
    symbol: Symbol
    funding_rate: Decimal
    settled_at: datetime
    settlement_price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Mark and index price of one instrument."""

    venue: str
    symbol: Symbol
    mark_price: Decimal
    index_price: Decimal | None
    observed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BookTop:
    venue: str
    symbol: Symbol
    bid: Decimal
    bid_quantity: Decimal
    ask: Decimal
    ask_quantity: Decimal
    observed_at: datetime

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2

    @property
    def is_crossed(self) -> bool:
        return self.bid >= self.ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    price: Decimal
    base_quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """Bids from the highest, asks from the lowest price."""

    venue: str
    symbol: Symbol
    bids: Sequence[Level]
    asks: Sequence[Level]
    observed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """One order as we mean it. `price` is None for MARKET. `base_quantity` > 0.

    `may_borrow`: a spot sale may borrow what the account does not hold; buying pays it back.
    """

    client_order_id: ClientOrderId
    symbol: Symbol
    side: Side
    order_type: OrderType
    base_quantity: Decimal
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    may_borrow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """What the venue says of one order. `filled_base_quantity` is cumulative.

    Fields the venue did not echo are None, never guessed.
    """

    client_order_id: ClientOrderId | None
    venue_order_id: str | None
    symbol: Symbol
    status: VenueOrderStatus | None
    observed_at: datetime
    side: Side | None = None
    base_quantity: Decimal | None = None
    filled_base_quantity: Decimal | None = None
    average_price: Decimal | None = None
    reduce_only: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution. `fee` > 0 was paid, < 0 is a rebate, in `fee_asset`."""

    venue: str
    symbol: Symbol
    venue_trade_id: str
    venue_order_id: str
    client_order_id: ClientOrderId | None
    side: Side
    price: Decimal
    base_quantity: Decimal
    fee: Decimal
    fee_asset: str
    is_maker: bool
    filled_at: datetime
    cause: FillCause = FillCause.ORDER


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingPayment:
    """One booked payment. `payment` > 0: the account received it."""

    venue: str
    symbol: Symbol
    venue_payment_id: str
    payment: Decimal
    asset: str
    paid_at: datetime
    funding_rate: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTransfer:
    """Money that moved into the account (> 0) or out of it (< 0), as the venue booked it."""

    venue: str
    venue_transfer_id: str
    amount: Decimal
    asset: str
    moved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VenuePosition:
    """`base_quantity` is signed: > 0 long, < 0 short, 0 flat."""

    venue: str
    symbol: Symbol
    base_quantity: Decimal
    entry_price: Decimal | None
    mark_price: Decimal | None
    liquidation_price: Decimal | None
    leverage: Decimal | None
    unrealised_pnl: Decimal | None
    observed_at: datetime
    is_hedge_mode: bool = False
    adl_rank: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One asset of an account. `equity` counts unrealised P&L where the venue says it.

    `total` is net of what is owed: below 0 the account sold what it had borrowed. `borrowed` >= 0
    is owed, `interest` >= 0 has accrued on it and is not charged yet.
    """

    venue: str
    asset: str
    free: Decimal
    total: Decimal
    equity: Decimal
    observed_at: datetime
    borrowed: Decimal = Decimal(0)
    interest: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BorrowRate:
    """What borrowing one asset costs an hour, as a fraction of what is borrowed.

    `highest_hourly_rate` is that of the last 24 hours as far as it is known. `most` is what one
    account may borrow, in units of the asset, None where untold. What is not lent has no rate.
    """

    venue: str
    asset: str
    hourly_rate: Decimal
    highest_hourly_rate: Decimal
    most: Decimal | None
    observed_at: datetime

    @property
    def prudent_hourly_rate(self) -> Decimal:
        """Return the larger of the rate now and the day's highest: what tests count with."""
        return max(self.hourly_rate, self.highest_hourly_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class BorrowInterest:
    """One charge on what was borrowed, as the venue booked it. `amount` > 0 was paid."""

    venue: str
    venue_interest_id: str
    amount: Decimal
    asset: str
    charged_at: datetime
    borrowed: Decimal | None = None
    hourly_rate: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PremiumTerms:
    """How a venue makes a funding rate of a premium P: P + clamp(interest - P, ±clamp).

    `is_per_8h`: it counts so per 8 h and divides the rate among shorter intervals; otherwise it
    divides the interest alone, and the premium counts whole in each interval.
    """

    interest_8h: Decimal = Decimal("0.0001")
    clamp: Decimal = Decimal("0.0005")
    is_per_8h: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeTier:
    """Fractions of notional; a negative maker fee is a rebate. `is_fallback`: nobody answered."""

    venue: str
    symbol: Symbol
    maker: Decimal
    taker: Decimal
    is_fallback: bool = False


MarketFact = FundingRate | Quote | BookTop
AccountFact = OrderReport | Fill | VenuePosition | Balance
