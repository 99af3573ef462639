"""What an account's wallet carries: margin of cross positions and orders, locked spot balances."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from exchanges.domain import Side
from exchanges.loans import indebted
from exchanges.matching import (
    Holding,
    MarginState,
    cross_liquidation_price,
    maintenance_margin,
    margin_alone,
    standing_alone,
)
from exchanges.simulator.accounts import Account, HoldingRow, Order
from exchanges.simulator.interest import coin_worth, debt_worth
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import HABITS, SPOT_IN_WALLET, WALLETS
from exchanges.simulator.market import Market

ZERO = Decimal(0)


def margin_state(
    ledger: Ledger, market: Market, account: Account, *, venue: str, now: datetime
) -> MarginState:
    """Return the cross wallet of dollars behind the contracts of `venue`, without isolated ones.

    Coins of a unified account count as collateral, what it has borrowed against it.
    """
    unrealised = initial = maintenance = apart = ZERO
    listings = market.listings
    debt = debt_worth(market, account, venue=venue, now=now)
    for row in ledger.holdings(api_key=account.api_key, venue=venue):
        listing = listings[(row.venue, row.symbol)]
        if account.is_isolated(venue, row.symbol):
            apart += isolated_margin(account, row)
            continue
        holding = holding_of(row)
        mark = market.mark(listing, now)
        notional = holding.notional(mark)
        unrealised += holding.unrealised_pnl(mark)
        initial += notional / account.leverage(venue, row.symbol)
        maintenance += maintenance_margin(notional, listing.tiers)
    state = MarginState(
        wallet_balance=account.balance(WALLETS[venue], HABITS[venue].margin_asset)
        - apart
        + coin_worth(market, account, venue=venue, now=now)
        + debt,
        unrealised_pnl=unrealised,
        initial_margin=initial,
        order_margin=_order_margin(ledger, market, account, venue),
        maintenance_margin=maintenance,
    )
    return indebted(state, debt)


def _order_margin(ledger: Ledger, market: Market, account: Account, venue: str) -> Decimal:
    orders = ledger.open_orders(api_key=account.api_key, venue=venue)
    of_contracts = [row for row in orders if market.listings[(venue, row.symbol)].is_contract]
    spot = SPOT_IN_WALLET.get(venue)
    held = locked(ledger, market, account, "USDT", venue=spot) if spot else ZERO
    return sum((order_margin(account, order) for order in of_contracts), held)


def isolated_margin(account: Account, row: HoldingRow) -> Decimal:
    """Return what stands behind an isolated holding alone: its initial margin and what was added.

    Funding goes to the wallet, not to this margin: a simplification of the simulator.
    """
    leverage = account.leverage(row.venue, row.symbol)
    return margin_alone(
        holding_of(row), leverage=leverage, added=account.added_margin(row.venue, row.symbol)
    )


def state_behind(
    ledger: Ledger, market: Market, account: Account, row: HoldingRow, *, now: datetime
) -> MarginState:
    """Return what carries one holding: its own margin where it is isolated, else the wallet."""
    if not account.is_isolated(row.venue, row.symbol):
        return margin_state(ledger, market, account, venue=row.venue, now=now)
    listing = market.listings[(row.venue, row.symbol)]
    holding, mark = holding_of(row), market.mark(listing, now)
    return standing_alone(
        holding,
        margin=isolated_margin(account, row),
        mark_price=mark,
        maintenance=maintenance_margin(holding.notional(mark), listing.tiers),
    )


def liquidation_price(
    ledger: Ledger, market: Market, account: Account, row: HoldingRow, *, now: datetime
) -> Decimal | None:
    """Return the mark at which a holding is taken over, to 8 places; None where none threatens."""
    if not row.base_quantity:
        return None
    listing = market.listings[(row.venue, row.symbol)]
    price = cross_liquidation_price(
        holding_of(row),
        state=state_behind(ledger, market, account, row, now=now),
        mark_price=market.mark(listing, now),
        tiers=listing.tiers,
    )
    return None if price is None else round(price, 8)


def isolated_part(
    ledger: Ledger, market: Market, account: Account, *, venue: str, now: datetime
) -> tuple[Decimal, Decimal]:
    """Return the margin behind the isolated holdings of a venue and their unrealised P&L."""
    states = [
        state_behind(ledger, market, account, row, now=now)
        for row in ledger.holdings(api_key=account.api_key, venue=venue)
        if account.is_isolated(venue, row.symbol)
    ]
    margin = sum((state.wallet_balance for state in states), ZERO)
    return margin, sum((state.unrealised_pnl for state in states), ZERO)


def holding_of(row: HoldingRow) -> Holding:
    return Holding(base_quantity=row.base_quantity, cost=row.cost)


def order_margin(account: Account, order: Order) -> Decimal:
    """Return the margin a working order holds; reduce-only orders hold none."""
    if order.reduce_only or order.price is None:
        return ZERO
    return order.remaining * order.price / account.leverage(order.venue, order.symbol)


def locked(ledger: Ledger, market: Market, account: Account, asset: str, *, venue: str) -> Decimal:
    """Return how much of `asset` working spot orders at `venue` hold."""
    total = ZERO
    for order in ledger.open_orders(api_key=account.api_key, venue=venue):
        listing = market.listings[(venue, order.symbol)]
        if listing.is_contract:
            continue
        if order.side is Side.BUY and listing.quote == asset and order.price is not None:
            total += order.remaining * order.price
        elif order.side is Side.SELL and listing.base == asset:
            total += order.remaining
    return total
