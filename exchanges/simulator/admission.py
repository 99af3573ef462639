"""What an order must satisfy before a simulated venue takes it; each face names its own codes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from exchanges.domain import OrderType, Side, TimeInForce
from exchanges.loans import BORROW_INITIAL_RATE
from exchanges.matching import (
    MarginState,
    added_exposure,
    crosses,
    notional_limit,
    reducible,
    take,
    trade_fee,
)
from exchanges.simulator.accounts import Account, Origin
from exchanges.simulator.books import Books
from exchanges.simulator.interest import owed
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import BYBIT, BYBIT_SPOT, SPOT_IN_WALLET, Listing
from exchanges.simulator.margin import locked, margin_state
from exchanges.simulator.pins import PinnedMarket

ZERO = Decimal(0)


class RefusalReason(StrEnum):
    QUANTITY_STEP = "quantity_step"
    PRICE_STEP = "price_step"
    BELOW_MIN_QUANTITY = "below_min_quantity"
    ABOVE_MAX_QUANTITY = "above_max_quantity"
    BELOW_MIN_NOTIONAL = "below_min_notional"
    DUPLICATE_ID = "duplicate_id"
    REDUCE_ONLY = "reduce_only"
    PRICE_BAND = "price_band"
    WOULD_TAKE = "would_take"
    INSUFFICIENT_MARGIN = "insufficient_margin"
    POSITION_LIMIT = "position_limit"
    NOT_LENT = "not_lent"
    BORROW_LIMIT = "borrow_limit"
    LIMITS_ONLY = "limits_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    reason: RefusalReason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderIntent:
    """One order as a client asked for it, after its face has read it."""

    listing: Listing
    client_order_id: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    base_quantity: Decimal
    price: Decimal | None
    reduce_only: bool
    may_borrow: bool = False
    origin: Origin = Origin.USER
    tag: str = ""


def refusal_of(
    account: Account,
    intent: OrderIntent,
    *,
    ledger: Ledger,
    market: PinnedMarket,
    books: Books,
    now: datetime,
) -> Refusal | None:
    """Return why the venue would refuse this order now, or None."""
    mark = market.mark(intent.listing, now)
    found = (
        _format_refusal(intent)
        or _duplicate_refusal(account, intent, ledger)
        or _reduce_only_refusal(account, intent, ledger)
        or _value_refusal(intent, mark)
    )
    if found is not None:
        return found
    opposite = books.remaining(intent.listing, now).opposite(intent.side)
    if (
        intent.time_in_force is TimeInForce.POST_ONLY
        and intent.price is not None
        and crosses(intent.side, intent.price, opposite[0].price)
    ):
        detail = f"price {intent.price} would trade at {opposite[0].price}"
        return Refusal(reason=RefusalReason.WOULD_TAKE, detail=detail)
    if not intent.listing.is_contract:
        executions = take(
            opposite, side=intent.side, base_quantity=intent.base_quantity, limit=intent.price
        )
        worst = intent.price or max(level.price for level in executions)
        free = _free(account, intent, ledger, market)
        if intent.listing.venue == BYBIT_SPOT:
            state = margin_state(ledger, market, account, venue=BYBIT, now=now)
            return _unified_refusal(account, intent, worst, free, state)
        if intent.listing.venue in SPOT_IN_WALLET and intent.side is Side.BUY:
            # Dollars that margin contracts cannot be spent.
            state = margin_state(ledger, market, account, venue=intent.listing.venue, now=now)
            free = min(free, state.available)
        return _spot_refusal(intent, worst, free)
    price = intent.price or opposite[0].price
    return _margin_refusal(account, intent, ledger, market, price, now)


def _format_refusal(intent: OrderIntent) -> Refusal | None:
    listing, quantity = intent.listing, intent.base_quantity
    if listing.limits_only and intent.order_type is OrderType.MARKET:
        return Refusal(reason=RefusalReason.LIMITS_ONLY, detail="no market orders now")
    if quantity < listing.lot:
        detail = f"quantity {quantity} is below the minimum {listing.lot}"
        return Refusal(reason=RefusalReason.BELOW_MIN_QUANTITY, detail=detail)
    if quantity > listing.max_quantity:
        detail = f"quantity {quantity} is above the maximum {listing.max_quantity}"
        return Refusal(reason=RefusalReason.ABOVE_MAX_QUANTITY, detail=detail)
    if quantity % listing.lot:
        detail = f"quantity {quantity} is no multiple of {listing.lot}"
        return Refusal(reason=RefusalReason.QUANTITY_STEP, detail=detail)
    if intent.price is not None and (intent.price <= 0 or intent.price % listing.tick):
        detail = f"price {intent.price} is no positive multiple of {listing.tick}"
        return Refusal(reason=RefusalReason.PRICE_STEP, detail=detail)
    return None


def _duplicate_refusal(account: Account, intent: OrderIntent, ledger: Ledger) -> Refusal | None:
    """Refuse an id that is taken: for good, or as long as the earlier order works."""
    if intent.listing.habits.takes_ids_always:
        return None
    named = ledger.orders_named(account.api_key, intent.listing.venue, intent.client_order_id)
    takes_again = intent.listing.habits.takes_ids_again
    clashes = [order for order in named if not (takes_again and order.is_final)]
    if intent.client_order_id and clashes:
        detail = f"client order id {intent.client_order_id} is taken"
        return Refusal(reason=RefusalReason.DUPLICATE_ID, detail=detail)
    return None


def _reduce_only_refusal(account: Account, intent: OrderIntent, ledger: Ledger) -> Refusal | None:
    if not intent.reduce_only:
        return None
    holding = ledger.holding(account.api_key, intent.listing.key)
    if reducible(holding, side=intent.side, base_quantity=intent.base_quantity):
        return None
    detail = f"position {holding.base_quantity} cannot be reduced by a {intent.side}"
    return Refusal(reason=RefusalReason.REDUCE_ONLY, detail=detail)


def _value_refusal(intent: OrderIntent, mark: Decimal) -> Refusal | None:
    listing = intent.listing
    notional = intent.base_quantity * (intent.price or mark)
    if notional < listing.min_notional and not intent.reduce_only:
        detail = f"notional {notional} is below {listing.min_notional}"
        return Refusal(reason=RefusalReason.BELOW_MIN_NOTIONAL, detail=detail)
    bound = mark * (1 + listing.price_band * intent.side.sign)
    if intent.price is not None and (intent.price - bound) * intent.side.sign > 0:
        detail = f"price {intent.price} is beyond {bound}"
        return Refusal(reason=RefusalReason.PRICE_BAND, detail=detail)
    return None


def _free(account: Account, intent: OrderIntent, ledger: Ledger, market: PinnedMarket) -> Decimal:
    """Return what of the asset to be paid is not held for working orders."""
    listing = intent.listing
    asset = _paid_asset(intent)
    held = locked(ledger, market, account, asset, venue=listing.venue)
    return account.balance(listing.wallet, asset) - held


def _paid_asset(intent: OrderIntent) -> str:
    return intent.listing.quote if intent.side is Side.BUY else intent.listing.base


def _spot_refusal(intent: OrderIntent, worst: Decimal, free: Decimal) -> Refusal | None:
    needed = intent.base_quantity
    if intent.side is Side.BUY:
        fee = intent.listing.taker_fee if intent.listing.habits.fees_in_quote else ZERO
        needed *= worst * (1 + fee)
    if needed > free:
        detail = f"{needed} {_paid_asset(intent)} needed, {free} free"
        return Refusal(reason=RefusalReason.INSUFFICIENT_MARGIN, detail=detail)
    return None


def _unified_refusal(
    account: Account, intent: OrderIntent, worst: Decimal, free: Decimal, state: MarginState
) -> Refusal | None:
    """Refuse what the wallet cannot pay, or may not borrow; USDT is not borrowed here."""
    listing = intent.listing
    if intent.side is Side.BUY or not intent.may_borrow:
        return _spot_refusal(intent, worst, free)
    borrowed = intent.base_quantity - max(free, ZERO)
    if borrowed <= 0:
        return None
    if not listing.most_borrowed:
        detail = f"{listing.base} is not lent"
        return Refusal(reason=RefusalReason.NOT_LENT, detail=detail)
    after = borrowed + owed(account, listing.base)
    if after > listing.most_borrowed:
        detail = f"borrowing {after} {listing.base} is above {listing.most_borrowed}"
        return Refusal(reason=RefusalReason.BORROW_LIMIT, detail=detail)
    needed = borrowed * worst * BORROW_INITIAL_RATE
    if needed > state.available:
        detail = f"{needed} {listing.quote} needed, {state.available} available"
        return Refusal(reason=RefusalReason.INSUFFICIENT_MARGIN, detail=detail)
    return None


def _margin_refusal(
    account: Account,
    intent: OrderIntent,
    ledger: Ledger,
    market: PinnedMarket,
    price: Decimal,
    now: datetime,
) -> Refusal | None:
    listing = intent.listing
    holding = ledger.holding(account.api_key, listing.key)
    added = added_exposure(holding, side=intent.side, base_quantity=intent.base_quantity)
    if intent.reduce_only or not added:
        return None
    leverage = account.leverage(listing.venue, listing.symbol)
    after = abs(holding.base_quantity + intent.base_quantity * intent.side.sign) * price
    limit = notional_limit(leverage, listing.tiers)
    if after > limit:
        detail = f"position of {after} is above {limit} allowed at {leverage}x"
        return Refusal(reason=RefusalReason.POSITION_LIMIT, detail=detail)
    notional = added * price
    needed = notional / leverage + trade_fee(notional=notional, rate=listing.taker_fee)
    state = margin_state(ledger, market, account, venue=listing.venue, now=now)
    if needed > state.available:
        detail = f"{needed} {listing.settle} needed, {state.available} available"
        return Refusal(reason=RefusalReason.INSUFFICIENT_MARGIN, detail=detail)
    return None
