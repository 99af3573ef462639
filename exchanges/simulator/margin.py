"""What an account's wallet carries: margin of cross positions and orders, locked spot balances."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from exchanges.domain import Side
from exchanges.matching import Holding, MarginState, maintenance_margin
from exchanges.simulator.accounts import Account, HoldingRow, Order
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import SPOT, WALLETS
from exchanges.simulator.market import Market

ZERO = Decimal(0)


def margin_state(
    ledger: Ledger, market: Market, account: Account, *, venue: str, now: datetime
) -> MarginState:
    """Return the USDT cross wallet behind the perpetuals of `venue`."""
    unrealised = initial = maintenance = ZERO
    listings = market.listings
    for row in ledger.holdings(api_key=account.api_key, venue=venue):
        listing = listings[(row.venue, row.symbol)]
        holding = holding_of(row)
        mark = market.mark(listing, now)
        notional = holding.notional(mark)
        unrealised += holding.unrealised_pnl(mark)
        initial += notional / account.leverage(venue, row.symbol)
        maintenance += maintenance_margin(notional, listing.tiers)
    return MarginState(
        wallet_balance=account.balance(WALLETS[venue], "USDT"),
        unrealised_pnl=unrealised,
        initial_margin=initial,
        order_margin=sum(
            (
                order_margin(account, order)
                for order in ledger.open_orders(api_key=account.api_key, venue=venue)
            ),
            ZERO,
        ),
        maintenance_margin=maintenance,
    )


def holding_of(row: HoldingRow) -> Holding:
    return Holding(base_quantity=row.base_quantity, cost=row.cost)


def order_margin(account: Account, order: Order) -> Decimal:
    """Return the margin a working order holds; reduce-only orders hold none."""
    if order.reduce_only or order.price is None:
        return ZERO
    return order.remaining * order.price / account.leverage(order.venue, order.symbol)


def locked(ledger: Ledger, market: Market, account: Account, asset: str) -> Decimal:
    """Return how much of `asset` working spot orders hold."""
    total = ZERO
    for order in ledger.open_orders(api_key=account.api_key, venue=SPOT):
        listing = market.listings[(SPOT, order.symbol)]
        if order.side is Side.BUY and listing.quote == asset and order.price is not None:
            total += order.remaining * order.price
        elif order.side is Side.SELL and listing.base == asset:
            total += order.remaining
    return total
