"""Our own book of one account, as `core.reconcile` compares it with the venue's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Q, QuerySet

from exchanges.domain import ClientOrderId, Side, Symbol
from exchanges.models import ExchangeAccount
from trading.core.quantity import SpotHolding
from trading.core.reconcile import OwnBook, OwnOrder, TradeKey
from trading.core.states import LIVE_POSITION_STATES, OrderState
from trading.models import Discrepancy, Leg, Order, Position, Trade
from trading.services.holdings import base_fees, base_interest, is_spot
from trading.services.lookup import ORDER_LIFETIME
from trading.services.outside_fills import unconfirmed_since

READ_MARGIN = timedelta(seconds=5)
# A venue rounds the moment it is asked from, and its clock is not ours.
BOOKED_MARGIN = timedelta(hours=1)
# A venue may fill what it called final, or list that late: by minutes, and never by days.
LATE_WITHIN = timedelta(days=1)


def own_orders(account: ExchangeAccount) -> list[Order]:
    """Return the orders that may still change, and all of the positions that are live."""
    sent = _sent(account)
    open_ended = sent.filter(is_final_at_venue=False)
    live = sent.filter(position__state__in=LIVE_POSITION_STATES)
    return list((open_ended | live).distinct())


def orders_of_ended(
    account: ExchangeAccount, symbols: Iterable[Symbol], *, now: datetime
) -> list[Order]:
    """Return the final orders of ended positions that may have filled since, unknown to us."""
    ended = _sent(account).exclude(position__state__in=LIVE_POSITION_STATES)
    lately = ended.filter(is_final_at_venue=True, created_at__gt=now - LATE_WITHIN)
    return list(lately.filter(leg__instrument__symbol__in=list(symbols)))


def _sent(account: ExchangeAccount) -> QuerySet[Order]:
    return (
        Order.objects.filter(leg__account=account)
        .exclude(state__in=(OrderState.PLANNED, OrderState.DROPPED))
        .select_related("position", "leg__instrument__exchange", "leg__account__exchange")
        .prefetch_related("trades")
    )


def own_book(
    account: ExchangeAccount,
    orders: Sequence[Order],
    *,
    of_ended: Sequence[Order] = (),
    now: datetime,
) -> OwnBook:
    """Return our book; with `of_ended` what these orders of ended positions may have filled."""
    legs = _counted_legs(account)
    read_from = unfinished_since(orders, now=now)
    for symbol, since in since_written(of_ended).items():
        read_from[symbol] = min(read_from.get(symbol, since), since)
    for leg in legs:
        symbol, since = Symbol(leg.instrument.symbol), unconfirmed_since(leg)
        read_from[symbol] = min(read_from.get(symbol, since), since)
    ignored = Discrepancy.objects.ignored().filter(account=account)
    return OwnBook(
        orders=[_own_order(order) for order in (*orders, *of_ended)],
        booked_trades=_booked_since(account, read_from),
        quantities=_quantities(leg for leg in legs if not is_spot(leg)),
        ignored={Symbol(row.symbol): row.ignored_base for row in ignored},
        spot=_spot(leg for leg in legs if is_spot(leg)),
    )


def unfinished_since(orders: Iterable[Order], *, now: datetime) -> dict[Symbol, datetime]:
    """Return by symbol from when on fills of orders may exist that are not booked."""
    since: dict[Symbol, datetime] = {}
    for order in orders:
        if order.is_final_at_venue and is_complete(order):
            continue
        symbol = Symbol(order.leg.instrument.symbol)
        since[symbol] = min(since.get(symbol, now), order.created_at - READ_MARGIN)
    return since


def since_written(orders: Iterable[Order]) -> dict[Symbol, datetime]:
    """Return by symbol from when on fills of these orders may exist, final or not."""
    since: dict[Symbol, datetime] = {}
    for order in orders:
        symbol, written = Symbol(order.leg.instrument.symbol), order.created_at - READ_MARGIN
        since[symbol] = min(since.get(symbol, written), written)
    return since


def _booked_since(
    account: ExchangeAccount, read_from: Mapping[Symbol, datetime]
) -> frozenset[TradeKey]:
    """Return the trades that a read from then on may bring again; older ones are in no read.

    Trades of any order, and of none: what closed a leg without us has none.
    """
    may_be_read = Q()
    for symbol, since in read_from.items():
        at = {"leg__instrument__symbol": symbol, "filled_at__gte": since - BOOKED_MARGIN}
        may_be_read |= Q(**at)
    if not may_be_read:
        return frozenset()
    booked = Trade.objects.filter(may_be_read, account=account)
    keys = booked.values_list("leg__instrument__symbol", "venue_trade_id")
    return frozenset((Symbol(symbol), trade_id) for symbol, trade_id in keys)


def is_complete(order: Order) -> bool:
    """Tell whether everything the order filled is booked."""
    filled: Decimal = order.filled_base_quantity
    return _booked(order) == filled


def _counted_legs(account: ExchangeAccount) -> list[Leg]:
    """Return the legs that may hold something: an ended position's too, once it has filled late."""
    may_hold = Q(position__state__in=LIVE_POSITION_STATES) | Q(
        position__in=Position.objects.unjudged()
    )
    return list(
        Leg.objects.filter(may_hold, account=account)
        .select_related("instrument", "position")
        .prefetch_related("trades")
    )


def _own_order(order: Order) -> OwnOrder:
    return OwnOrder(
        client_order_id=ClientOrderId(order.client_order_id),
        symbol=Symbol(order.leg.instrument.symbol),
        side=Side(order.side),
        base_quantity=order.base_quantity,
        filled=_booked(order),
        state=OrderState(order.state),
        lifetime_ends_at=(order.sent_at or order.created_at) + ORDER_LIFETIME,
        venue_order_id=order.venue_order_id or None,
        reduces=order.reduce_only,
    )


def _booked(order: Order) -> Decimal:
    return sum((trade.base_quantity for trade in order.trades.all()), Decimal(0))


def _quantities(legs: Iterable[Leg]) -> dict[Symbol, Decimal]:
    """Return what the live positions hold by their booked fills."""
    quantities: dict[Symbol, Decimal] = {}
    for leg in legs:
        symbol = Symbol(leg.instrument.symbol)
        quantities[symbol] = quantities.get(symbol, Decimal(0)) + _booked_base(leg)
    return quantities


def _spot(legs: Iterable[Leg]) -> dict[Symbol, SpotHolding]:
    held: dict[Symbol, SpotHolding] = {}
    for leg in legs:
        symbol = Symbol(leg.instrument.symbol)
        before = held[symbol].base_quantity if symbol in held else Decimal(0)
        ours = before + _booked_base(leg) - base_fees(leg) - base_interest(leg)
        held[symbol] = SpotHolding(base_quantity=ours, lot=leg.instrument.lot)
    return held


def _booked_base(leg: Leg) -> Decimal:
    return sum(
        (Side(trade.order_side).sign * trade.base_quantity for trade in leg.trades.all()),
        Decimal(0),
    )
