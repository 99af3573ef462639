"""Payloads of a multi-collateral account of Kraken Futures: wallet, positions and fills."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID, uuid5

from exchanges.domain import Side
from exchanges.matching import Holding, cross_liquidation_price, maintenance_margin
from exchanges.simulator.accounts import Account, HoldingRow, Order, Origin, TradeRow
from exchanges.simulator.accrual import earned
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.kraken_futures_calls import iso, number
from exchanges.simulator.listings import KRAKEN_FUTURES, WALLETS
from exchanges.simulator.margin import holding_of, margin_state
from exchanges.simulator.wire import Json, milliseconds

NAMESPACE = UUID("0a3b7d1c-44f0-5a52-9f5b-6a5d0d0c7f11")
FORCED = {Origin.LIQUIDATION: "liquidation", Origin.ADL: "unwindCounterparty"}
DOLLAR, ZERO = "USD", Decimal(0)


def account_uid(owner: Account) -> str:
    return str(uuid5(NAMESPACE, str(owner.uid)))


def unrealised_funding(simulator: Simulator, row: HoldingRow, now: datetime) -> Decimal:
    """Return what a position has earned since it was last paid."""
    market = simulator.market
    return earned(simulator.ledger, market, market.listings[(row.venue, row.symbol)], row, to=now)


class Wallet(NamedTuple):
    """The figures of the multi-collateral wallet, in dollars."""

    quantity: Decimal
    won: Decimal
    funding: Decimal
    initial: Decimal
    with_orders: Decimal
    maintenance: Decimal

    @property
    def equity(self) -> Decimal:
        return self.quantity + self.won + self.funding

    @property
    def available(self) -> Decimal:
        return self.equity - self.with_orders


def wallet(simulator: Simulator, owner: Account, now: datetime) -> Wallet:
    state = margin_state(simulator.ledger, simulator.market, owner, venue=KRAKEN_FUTURES, now=now)
    held = simulator.ledger.holdings(api_key=owner.api_key, venue=KRAKEN_FUTURES)
    return Wallet(
        quantity=owner.balance(WALLETS[KRAKEN_FUTURES], DOLLAR),
        won=state.unrealised_pnl,
        funding=sum((unrealised_funding(simulator, row, now) for row in held), ZERO),
        initial=state.initial_margin,
        with_orders=state.initial_margin + state.order_margin,
        maintenance=state.maintenance_margin,
    )


def balances(found: Wallet) -> Json:
    """Return the wallet as `accounts` tells it."""
    quantity = number(found.quantity)
    return {
        "cash": {"type": "cashAccount", "balances": {}},
        "flex": {
            "type": "multiCollateralMarginAccount",
            "currencies": {
                DOLLAR: {
                    "quantity": quantity,
                    "value": quantity,
                    "collateral": quantity,
                    "available": number(max(found.available, ZERO)),
                }
            },
            "initialMargin": number(found.initial),
            "initialMarginWithOrders": number(found.with_orders),
            "maintenanceMargin": number(found.maintenance),
            "balanceValue": quantity,
            "portfolioValue": number(found.quantity + found.won),
            "collateralValue": quantity,
            "pnl": number(found.won),
            "unrealizedFunding": number(found.funding),
            "totalUnrealized": number(found.won + found.funding),
            "totalUnrealizedAsMargin": number(found.won + found.funding),
            "marginEquity": number(found.equity),
            "availableMargin": number(found.available),
        },
    }


def streamed_balances(found: Wallet) -> Json:
    quantity = number(found.quantity)
    return {
        "currencies": {
            DOLLAR: {
                "quantity": quantity,
                "value": quantity,
                "collateral_value": quantity,
                "available": number(max(found.available, ZERO)),
                "haircut": 0.0,
                "conversion_spread": 0.0,
            }
        },
        "balance_value": quantity,
        "portfolio_value": number(found.equity),
        "collateral_value": quantity,
        "initial_margin": number(found.with_orders),
        "initial_margin_without_orders": number(found.initial),
        "maintenance_margin": number(found.maintenance),
        "pnl": number(found.won),
        "unrealized_funding": number(found.funding),
        "total_unrealized": number(found.won + found.funding),
        "total_unrealized_as_margin": number(found.won + found.funding),
        "margin_equity": number(found.equity),
        "available_margin": number(found.available),
        "isolated": {},
        "cross": {},
    }


def _entry_price(holding: Holding) -> float | int:
    return number(round(holding.entry_price or ZERO, 8))


def position(simulator: Simulator, row: HoldingRow, now: datetime) -> Json:
    """Return one position as `openpositions` tells it: without a mark, its size without sign."""
    return {
        "side": "long" if row.base_quantity > 0 else "short",
        "symbol": row.symbol,
        "price": _entry_price(holding_of(row)),
        "fillTime": iso(row.updated_at),
        "size": number(abs(row.base_quantity)),
        "unrealizedFunding": number(unrealised_funding(simulator, row, now)),
        "pnlCurrency": DOLLAR,
    }


def streamed_position(simulator: Simulator, owner: Account, row: HoldingRow, now: datetime) -> Json:
    market, holding = simulator.market, holding_of(row)
    listing = market.listings[(row.venue, row.symbol)]
    mark = market.mark(listing, now)
    notional = holding.notional(mark)
    price = cross_liquidation_price(
        holding,
        state=margin_state(simulator.ledger, market, owner, venue=KRAKEN_FUTURES, now=now),
        mark_price=mark,
        tiers=listing.tiers,
    )
    initial = notional / owner.leverage(KRAKEN_FUTURES, row.symbol)
    return {
        "instrument": row.symbol,
        "balance": number(row.base_quantity),
        "pnl": number(holding.unrealised_pnl(mark)),
        "entry_price": _entry_price(holding),
        "mark_price": number(mark),
        "index_price": number(market.index(listing, now)),
        "liquidation_threshold": number(round(price, 8)) if price else 0.0,
        "effective_leverage": 0.1,
        "return_on_equity": 0.0,
        "unrealized_funding": number(unrealised_funding(simulator, row, now)),
        "initial_margin": number(round(initial, 8)),
        "initial_margin_with_orders": number(round(initial, 8)),
        "maintenance_margin": number(round(maintenance_margin(notional, listing.tiers), 8)),
        "pnl_currency": DOLLAR,
    }


def fill_type(trade: TradeRow, order: Order) -> str:
    return FORCED.get(order.origin, "maker" if trade.is_maker else "taker")


def fill(trade: TradeRow, order: Order) -> Json:
    """Return one execution as `fills` lists it: without its fee."""
    row = {
        "fill_id": trade.venue_trade_id,
        "symbol": trade.symbol,
        "side": trade.side.value,
        "order_id": trade.venue_order_id,
        "size": number(trade.base_quantity),
        "price": number(trade.price),
        "fillTime": iso(trade.filled_at),
        "fillType": fill_type(trade, order),
    }
    return row | ({"cliOrdId": trade.client_order_id} if trade.client_order_id else {})


def streamed_fill(trade: TradeRow, order: Order) -> Json:
    row = {
        "instrument": trade.symbol,
        "time": milliseconds(trade.filled_at),
        "price": number(trade.price),
        "seq": trade.number,
        "buy": trade.side is Side.BUY,
        "qty": number(trade.base_quantity),
        "remaining_order_qty": number(order.remaining),
        "order_id": trade.venue_order_id,
        "fill_id": trade.venue_trade_id,
        "fill_type": fill_type(trade, order),
        "fee_paid": number(trade.fee),
        "fee_currency": trade.fee_asset,
        "taker_order_type": "ioc",
        "order_type": "limit",
    }
    return row | ({"cli_ord_id": trade.client_order_id} if trade.client_order_id else {})
