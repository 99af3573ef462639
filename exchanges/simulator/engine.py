"""The matching engine of the simulated venues: admission, execution, resting orders, cancels.

Rule for resting orders: one trades as maker when the synthetic book moves to or through its price
(the opposite touch reaches it), or when it has stood at or inside its own touch for QUEUE_TIME,
then with one touch level's quantity per beat. Executions are at the order's own price.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid5

from exchanges.domain import Level, OrderType, Side, TimeInForce, VenueOrderStatus
from exchanges.matching import Holding, book_fill, crosses, reducible, take, trade_fee
from exchanges.simulator.accounts import Account, Order, Origin, TradeRow
from exchanges.simulator.accrual import realise
from exchanges.simulator.admission import OrderIntent, Refusal, RefusalReason, refusal_of
from exchanges.simulator.books import Books
from exchanges.simulator.events import AccountEvent, Happening
from exchanges.simulator.habits import Habits
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import Listing
from exchanges.simulator.pins import PinnedMarket

QUEUE_TIME = timedelta(seconds=2)
FIRST_NUMBER = 1_000_000
NAMESPACE = UUID("8f0f1a52-6f4b-5d1c-9a51-3f2f0f7a6b10")
ZERO = Decimal(0)


class Engine:
    """Executes orders against the synthetic books and books the results."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        market: PinnedMarket,
        books: Books,
        tell: Callable[[AccountEvent], None],
    ) -> None:
        self._ledger = ledger
        self._market = market
        self._books = books
        self._tell = tell

    def place(self, account: Account, intent: OrderIntent, *, now: datetime) -> Order | Refusal:
        """Admit and execute one order, or say why not; a refused order leaves no trace."""
        refusal = refusal_of(
            account, intent, ledger=self._ledger, market=self._market, books=self._books, now=now
        )
        crossing = intent.listing.habits.cancels_crossing
        late_cancel = (
            refusal is not None and refusal.reason is RefusalReason.WOULD_TAKE and crossing != ""
        )
        if refusal is not None and not late_cancel:
            return refusal
        order = self._new_order(account, intent, now)
        self._ledger.put_order(order)
        self._report(Happening.NEW, account, order, now)
        if late_cancel:
            order.reject_reason = crossing
            self._finish(account, order, VenueOrderStatus.CANCELED, now)
            return order
        self._take(account, order, intent.listing, now)
        is_immediate = (
            order.order_type is OrderType.MARKET or order.time_in_force is TimeInForce.IOC
        )
        if is_immediate and not order.is_final:
            self._finish(account, order, VenueOrderStatus.EXPIRED, now)
        return order

    def cancel(self, account: Account, order: Order, *, now: datetime) -> bool:
        """Cancel a working order; False if it is already final."""
        if order.is_final:
            return False
        self._finish(account, order, VenueOrderStatus.CANCELED, now)
        return True

    def match_resting(self, now: datetime) -> None:
        """Let every working order trade that the present books allow."""
        for order in self._ledger.open_orders():
            listing = self._market.listings[(order.venue, order.symbol)]
            self._match_one(order, listing, now)

    def close_by_venue(
        self,
        account: Account,
        listing: Listing,
        origin: Origin,
        *,
        now: datetime,
        base_quantity: Decimal | None = None,
        price: Decimal | None = None,
    ) -> Order | None:
        """Close a holding, in full unless told how much, at its mark unless told at what.

        What the book holds does not matter. None where nothing is held.
        """
        held = self._ledger.holding(account.api_key, listing.key).base_quantity
        if not held:
            return None
        number = self._ledger.next_order_number()
        own_id = listing.habits.own_orders.get(origin, "").format(number=number)
        intent = OrderIntent(
            listing=listing,
            client_order_id=own_id,
            side=Side.SELL if held > 0 else Side.BUY,
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.IOC,
            base_quantity=min(base_quantity or abs(held), abs(held)),
            price=None,
            reduce_only=True,
            origin=origin,
        )
        order = self._new_order(account, intent, now)
        self._ledger.put_order(order)
        self._report(Happening.NEW, account, order, now)
        execution = Level(
            price=price or self._market.mark(listing, now), base_quantity=order.base_quantity
        )
        self._fill(account, order, listing, execution, is_maker=False, now=now)
        return order

    def _new_order(self, account: Account, intent: OrderIntent, now: datetime) -> Order:
        number = self._ledger.next_order_number()
        habits, plain = intent.listing.habits, str(FIRST_NUMBER + number)
        return Order(
            number=number,
            venue_order_id=_id(habits, "order", number),
            venue=intent.listing.venue,
            symbol=intent.listing.symbol,
            api_key=account.api_key,
            client_order_id=intent.client_order_id or habits.unnamed.format(number=plain),
            side=intent.side,
            order_type=intent.order_type,
            time_in_force=intent.time_in_force,
            base_quantity=intent.base_quantity,
            price=intent.price,
            reduce_only=intent.reduce_only,
            origin=intent.origin,
            status=VenueOrderStatus.OPEN,
            created_at=now,
            updated_at=now,
            visible_at=now,
            may_borrow=intent.may_borrow,
            tag=intent.tag,
        )

    def _take(self, account: Account, order: Order, listing: Listing, now: datetime) -> None:
        if order.time_in_force is TimeInForce.POST_ONLY:
            return
        quantity = self._executable(order, listing)
        levels = self._books.remaining(listing, now).opposite(order.side)
        executions = take(levels, side=order.side, base_quantity=quantity, limit=order.price)
        if executions:
            self._books.consume(listing, order.side, executions)
        for execution in executions:
            self._fill(account, order, listing, execution, is_maker=False, now=now)

    def _match_one(self, order: Order, listing: Listing, now: datetime) -> None:
        account = self._ledger.accounts[order.api_key]
        quantity = self._executable(order, listing)
        if quantity <= 0:
            self._finish(account, order, VenueOrderStatus.CANCELED, now)
            return
        price = order.price
        if price is None:
            return
        book = self._books.remaining(listing, now)
        opposite = book.opposite(order.side)
        own_touch = book.touch(order.side)
        if crosses(order.side, price, opposite[0].price):
            reached = take(opposite, side=order.side, base_quantity=quantity, limit=price)
            self._books.consume(listing, order.side, reached)
            traded = sum((level.base_quantity for level in reached), ZERO)
        elif crosses(order.side, price, own_touch.price) and now - order.created_at >= QUEUE_TIME:
            traded = min(quantity, own_touch.base_quantity)
        else:
            return
        execution = Level(price=price, base_quantity=traded)
        self._fill(account, order, listing, execution, is_maker=True, now=now)

    def _executable(self, order: Order, listing: Listing) -> Decimal:
        """Return what may still trade: a reduce-only order never exceeds the position."""
        if not order.reduce_only:
            return order.remaining
        holding = self._ledger.holding(order.api_key, listing.key)
        return reducible(holding, side=order.side, base_quantity=order.remaining)

    def _fill(
        self,
        account: Account,
        order: Order,
        listing: Listing,
        execution: Level,
        *,
        is_maker: bool,
        now: datetime,
    ) -> None:
        number = len(self._ledger.trades) + 1
        realise(self._ledger, self._market, account, listing, trade=number, now=now)
        trade = self._trade(account, order, listing, execution, is_maker=is_maker, now=now)
        order.filled += execution.base_quantity
        order.filled_quote += execution.base_quantity * execution.price
        order.fee_paid += trade.fee
        order.status = VenueOrderStatus.PARTIAL if order.remaining else VenueOrderStatus.FILLED
        order.updated_at = now
        self._ledger.add_trade(trade)
        self._ledger.put_order(order)
        self._ledger.put_account(account)
        event = AccountEvent(
            happening=Happening.TRADE,
            account=account,
            venue=order.venue,
            at=now,
            order=order,
            trade=trade,
        )
        self._tell(event)

    def _trade(
        self,
        account: Account,
        order: Order,
        listing: Listing,
        execution: Level,
        *,
        is_maker: bool,
        now: datetime,
    ) -> TradeRow:
        """Move the balances of one execution and return its row."""
        rate = listing.maker_fee if is_maker else listing.taker_fee
        notional = execution.base_quantity * execution.price
        realised = closed = ZERO
        if listing.is_contract:
            realised, closed = self._book(account, order, listing, execution, now)
            fee, fee_asset = trade_fee(notional=notional, rate=rate), listing.settle
        else:
            # Spot takes its fee from what is received: base on a buy, quote on a sell.
            in_coins = order.side is Side.BUY and not listing.habits.fees_in_quote
            fee_asset = listing.base if in_coins else listing.quote
            fee = (execution.base_quantity if in_coins else notional) * rate
            signed = execution.base_quantity * order.side.sign
            account.credit(listing.wallet, listing.base, signed)
            account.credit(listing.wallet, listing.quote, -notional * order.side.sign)
        account.credit(listing.wallet, fee_asset, -fee)
        number = len(self._ledger.trades) + 1
        return TradeRow(
            number=number,
            venue_trade_id=_id(listing.habits, "trade", number),
            order_number=order.number,
            venue_order_id=order.venue_order_id,
            client_order_id=order.client_order_id,
            api_key=account.api_key,
            venue=listing.venue,
            symbol=listing.symbol,
            side=order.side,
            price=execution.price,
            base_quantity=execution.base_quantity,
            fee=fee,
            fee_rate=rate,
            fee_asset=fee_asset,
            is_maker=is_maker,
            realised_pnl=realised,
            closed_quantity=closed,
            mark_price=self._market.mark(listing, now),
            filled_at=now,
        )

    def _book(
        self, account: Account, order: Order, listing: Listing, execution: Level, now: datetime
    ) -> tuple[Decimal, Decimal]:
        """Move the holding of a contract; return what was realised, and the quantity closed."""
        before = self._ledger.holding(account.api_key, listing.key)
        closed = reducible(before, side=order.side, base_quantity=execution.base_quantity)
        after, realised = book_fill(
            before,
            side=order.side,
            base_quantity=execution.base_quantity,
            price=execution.price,
        )
        self._hold(account, listing, after, now)
        account.credit(listing.wallet, listing.settle, realised)
        return realised, closed

    def _hold(self, account: Account, listing: Listing, holding: Holding, now: datetime) -> None:
        """Keep a holding; margin that was added to one that ended is free again."""
        self._ledger.put_holding(account.api_key, listing.key, holding, now=now)
        if not holding.base_quantity:
            account.forget_added_margin(listing.venue, listing.symbol)

    def _finish(
        self, account: Account, order: Order, status: VenueOrderStatus, now: datetime
    ) -> None:
        order.status = status
        order.updated_at = now
        self._ledger.put_order(order)
        happening = Happening.EXPIRED if status is VenueOrderStatus.EXPIRED else Happening.CANCELED
        self._report(happening, account, order, now)

    def _report(self, happening: Happening, account: Account, order: Order, now: datetime) -> None:
        event = AccountEvent(
            happening=happening, account=account, venue=order.venue, at=now, order=order
        )
        self._tell(event)


def _id(habits: Habits, kind: str, number: int) -> str:
    """Return what a venue calls an order or an execution of its own numbering."""
    if habits.long_ids:
        return str(uuid5(NAMESPACE, f"{kind}-{number}"))
    form = habits.order_id if kind == "order" else habits.trade_id
    return form.format(number=FIRST_NUMBER + number)
