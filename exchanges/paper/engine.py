"""The matching engine of paper venues: taking, resting, cancels; each call inside a transaction.

A taker walks the real book at the moment of the order, less what we took of it lately. A resting
order trades when the other side comes to its price, or when its own level shrinks by more than was
ahead of it; `book.look` says how much.
"""

from __future__ import annotations

from decimal import Decimal

from exchanges.domain import (
    FillCause,
    InstrumentKind,
    Level,
    OrderRequest,
    OrderType,
    Side,
    Symbol,
    TimeInForce,
    VenueOrderStatus,
)
from exchanges.matching import book_fill, reducible, take, trade_fee
from exchanges.paper import book
from exchanges.paper.admission import admit
from exchanges.paper.facts import Facts, base_of, is_contract, quote_of, settle_of
from exchanges.paper.ledger import Ledger, as_holding
from exchanges.paper.loans import note_loan
from exchanges.paper.rows import PaperFill, PaperOrder
from exchanges.paper.terms import Terms

ZERO = Decimal(0)


def place(ledger: Ledger, request: OrderRequest, facts: Facts, terms: Terms) -> PaperOrder:
    """Admit and execute one order and return its row. Raise OrderRejected, having written nothing.

    `facts` carries the book of the order's instrument.
    """
    admit(ledger, request, facts, terms)
    order = _new_order(ledger, request, facts)
    _take(ledger, order, facts, terms)
    is_immediate = (
        request.order_type is OrderType.MARKET or request.time_in_force is TimeInForce.IOC
    )
    if is_immediate and not order.is_final:
        ledger.finish(order, VenueOrderStatus.EXPIRED, facts.now)
    return order


def match_resting(ledger: Ledger, facts: Facts, terms: Terms) -> None:
    """Let every working order trade that the books in `facts` allow."""
    for symbol, depth in facts.depths.items():
        if symbol not in facts.instruments:
            continue
        for order in ledger.orders(symbol):
            # Two processes may read books in one order and come here in another.
            if order.seen_at <= depth.observed_at:
                _match_one(ledger, order, facts, terms)


def close_by_venue(
    ledger: Ledger,
    symbol: Symbol,
    held: Decimal,
    cause: FillCause,
    price: Decimal,
    facts: Facts,
    terms: Terms,
) -> None:
    """Close what is held, < 0 sold, in full at one price, whatever the book holds.

    A delivery costs no fee.
    """
    number = ledger.next_number()
    order = PaperOrder.objects.create(
        paper=ledger.paper,
        number=number,
        client_order_id=f"{cause.value}-{number}",
        symbol=symbol,
        side=Side.SELL if held > 0 else Side.BUY,
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.IOC,
        base_quantity=abs(held),
        reduce_only=True,
        cause=cause,
        seen_at=facts.now,
        created_at=facts.now,
        updated_at=facts.now,
    )
    instrument = facts.instruments.get(symbol)
    is_free = instrument is None or cause is FillCause.SETTLEMENT
    rate = ZERO if is_free or instrument is None else terms.fees(instrument).taker
    level = Level(price=price, base_quantity=abs(held))
    _fill(ledger, order, level, price=price, rate=rate, is_maker=False, facts=facts, terms=terms)


def _new_order(ledger: Ledger, request: OrderRequest, facts: Facts) -> PaperOrder:
    is_spot = facts.instruments[request.symbol].kind is InstrumentKind.SPOT
    depth = facts.depths[request.symbol]
    order = PaperOrder(
        paper=ledger.paper,
        number=ledger.next_number(),
        client_order_id=request.client_order_id,
        symbol=request.symbol,
        side=request.side,
        order_type=request.order_type,
        time_in_force=request.time_in_force,
        base_quantity=request.base_quantity,
        price=request.price,
        reduce_only=request.reduce_only and not is_spot,
        seen_at=depth.observed_at,
        created_at=facts.now,
        updated_at=facts.now,
    )
    if request.price is not None:
        place = book.place_in(depth, side=request.side, price=request.price)
        order.queue_ahead, order.level_seen = place.ahead, place.seen
    order.save(force_insert=True)
    return order


def _take(ledger: Ledger, order: PaperOrder, facts: Facts, terms: Terms) -> None:
    if order.time_in_force == TimeInForce.POST_ONLY:
        return
    symbol, side = Symbol(order.symbol), Side(order.side)
    instrument = facts.instruments[symbol]
    taken = ledger.taken(symbol, side, facts.now)
    executions = take(
        book.left_of(book.opposite(facts.depths[symbol], side), taken),
        side=side,
        base_quantity=_executable(ledger, order),
        limit=order.price,
    )
    rate = terms.fees(instrument).taker
    for level in executions:
        price = book.slipped(
            level.price,
            side=side,
            slippage=terms.paper.slippage,
            instrument=instrument,
            limit=order.price,
        )
        _fill(
            ledger, order, level, price=price, rate=rate, is_maker=False, facts=facts, terms=terms
        )


def _match_one(ledger: Ledger, order: PaperOrder, facts: Facts, terms: Terms) -> None:
    symbol, side = Symbol(order.symbol), Side(order.side)
    quantity = _executable(ledger, order)
    if quantity <= 0:
        ledger.finish(order, VenueOrderStatus.CANCELED, facts.now)
        return
    if order.price is None:
        return
    depth = facts.depths[symbol]
    executions, place = book.look(
        depth,
        book.Place(order.queue_ahead, order.level_seen),
        side=side,
        price=order.price,
        base_quantity=quantity,
        taken=ledger.taken(symbol, side, facts.now),
    )
    order.queue_ahead, order.level_seen, order.seen_at = place.ahead, place.seen, depth.observed_at
    order.save(update_fields=["queue_ahead", "level_seen", "seen_at"])
    rate = terms.fees(facts.instruments[symbol]).maker
    for level in executions:
        _fill(
            ledger,
            order,
            level,
            price=order.price,
            rate=rate,
            is_maker=True,
            facts=facts,
            terms=terms,
        )
    if not order.is_final and _executable(ledger, order) <= 0:
        ledger.finish(order, VenueOrderStatus.CANCELED, facts.now)


def _executable(ledger: Ledger, order: PaperOrder) -> Decimal:
    """Return what may still trade: a reduce-only order never exceeds the position."""
    if not order.reduce_only:
        return order.remaining
    held = ledger.position(order.symbol)
    return reducible(held, side=Side(order.side), base_quantity=order.remaining)


def _fill(
    ledger: Ledger,
    order: PaperOrder,
    level: Level,
    *,
    price: Decimal,
    rate: Decimal,
    is_maker: bool,
    facts: Facts,
    terms: Terms,
) -> None:
    """Book one execution: money, holding, fill and order together."""
    quantity = level.base_quantity
    if is_contract(order.symbol):
        fee, fee_asset = _move_contract(ledger, order, quantity, price, rate, facts)
    else:
        # What a venue buys back pays its fee in money, so that nothing stays owed.
        in_quote = order.cause != FillCause.ORDER
        in_quote |= terms.profile.part(InstrumentKind.SPOT).fees_in_quote
        fee, fee_asset = _move_spot(ledger, order, quantity, price, rate, in_quote=in_quote)
        note_loan(ledger, order.symbol, price, facts, terms)
    PaperFill.objects.create(
        paper=ledger.paper,
        order=order,
        number=order.fills.count() + 1,
        symbol=order.symbol,
        side=order.side,
        price=price,
        book_price=level.price,
        base_quantity=level.base_quantity,
        fee=fee,
        fee_asset=fee_asset,
        is_maker=is_maker,
        filled_at=facts.now,
    )
    order.filled += level.base_quantity
    order.filled_quote += level.base_quantity * price
    order.status = VenueOrderStatus.PARTIAL if order.remaining else VenueOrderStatus.FILLED
    order.updated_at = facts.now
    order.save(update_fields=["filled", "filled_quote", "status", "updated_at"])


def _move_contract(
    ledger: Ledger,
    order: PaperOrder,
    quantity: Decimal,
    price: Decimal,
    rate: Decimal,
    facts: Facts,
) -> tuple[Decimal, str]:
    """Change the holding and credit what it realised, less the fee; return the fee."""
    settle = settle_of(order.symbol)
    row = ledger.hold(order.symbol, facts.now)
    if not row.base_quantity and row.pk not in {one.pk for one in ledger.unsettled()}:
        # It was flat at every settlement since the last one that was booked.
        row.settled_until = facts.now
    after, realised = book_fill(
        as_holding(row), side=Side(order.side), base_quantity=quantity, price=price
    )
    if row.base_quantity * after.base_quantity <= 0:
        # What was added stood behind a position that is no more.
        row.added_margin = ZERO
    row.base_quantity, row.cost = after.base_quantity, after.cost
    row.save(update_fields=["base_quantity", "cost", "added_margin", "settled_until"])
    fee = trade_fee(notional=quantity * price, rate=rate)
    ledger.credit(settle, realised - fee)
    return fee, settle


def _move_spot(
    ledger: Ledger,
    order: PaperOrder,
    quantity: Decimal,
    price: Decimal,
    rate: Decimal,
    *,
    in_quote: bool,
) -> tuple[Decimal, str]:
    """Exchange coins and money; the fee comes off what is received unless it is always money."""
    base, quote, sign = base_of(order.symbol), quote_of(order.symbol), Side(order.side).sign
    is_coins = order.side == Side.BUY and not in_quote
    fee, fee_asset = (quantity * rate, base) if is_coins else (quantity * price * rate, quote)
    ledger.credit(base, quantity * sign)
    ledger.credit(quote, -quantity * price * sign)
    ledger.credit(fee_asset, -fee)
    return fee, fee_asset
