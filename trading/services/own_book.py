"""Our own book of one account, as `core.reconcile` compares it with the venue's."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from exchanges.domain import ClientOrderId, Side, Symbol
from exchanges.models import ExchangeAccount
from trading.core.quantity import SpotHolding
from trading.core.reconcile import OwnBook, OwnOrder
from trading.core.states import LIVE_POSITION_STATES, OrderState
from trading.models import Discrepancy, Leg, Order, Trade
from trading.services.holdings import base_fees, base_interest, is_spot
from trading.services.lookup import ORDER_LIFETIME


def own_orders(account: ExchangeAccount) -> list[Order]:
    """Return the orders that may still change, and all of the positions that are live."""
    sent = (
        Order.objects.filter(leg__account=account)
        .exclude(state__in=(OrderState.PLANNED, OrderState.DROPPED))
        .select_related("position", "leg__instrument__exchange", "leg__account__exchange")
        .prefetch_related("trades")
    )
    open_ended = sent.filter(is_final_at_venue=False)
    live = sent.filter(position__state__in=LIVE_POSITION_STATES)
    return list((open_ended | live).distinct())


def own_book(account: ExchangeAccount, orders: Iterable[Order]) -> OwnBook:
    legs = _live_legs(account)
    # Trades of other orders count too: what closed a leg has none.
    booked = Trade.objects.filter(account=account)
    symbols = {leg.instrument.symbol for leg in legs}
    symbols |= {order.leg.instrument.symbol for order in orders}
    keys = booked.filter(leg__instrument__symbol__in=symbols).values_list(
        "leg__instrument__symbol", "venue_trade_id"
    )
    ignored = Discrepancy.objects.ignored().filter(account=account)
    return OwnBook(
        orders=[_own_order(order) for order in orders],
        booked_trades=frozenset((Symbol(symbol), trade_id) for symbol, trade_id in keys),
        quantities=_quantities(leg for leg in legs if not is_spot(leg)),
        ignored={Symbol(row.symbol): row.ignored_base for row in ignored},
        spot=_spot(leg for leg in legs if is_spot(leg)),
    )


def is_complete(order: Order) -> bool:
    """Tell whether everything the order filled is booked."""
    filled: Decimal = order.filled_base_quantity
    return _booked(order) == filled


def _live_legs(account: ExchangeAccount) -> list[Leg]:
    return list(
        Leg.objects.filter(account=account, position__state__in=LIVE_POSITION_STATES)
        .select_related("instrument")
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
