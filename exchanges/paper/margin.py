"""What a paper wallet carries: cross margin of contracts, what working orders hold."""

from __future__ import annotations

from decimal import Decimal

from exchanges.domain import Side, Symbol
from exchanges.matching import (
    Holding,
    MarginState,
    cross_liquidation_price,
    maintenance_margin,
)
from exchanges.paper.facts import Facts, is_contract, quote_of
from exchanges.paper.ledger import Ledger, as_holding, contracts
from exchanges.paper.rows import PaperHolding, PaperOrder
from exchanges.paper.terms import Terms

ZERO = Decimal(0)


def mark_of(row: PaperHolding, facts: Facts) -> Decimal:
    """Return the mark, else the last one seen, else the price it was opened at."""
    mark = facts.mark(Symbol(row.symbol)) or row.mark_price
    return mark or as_holding(row).entry_price or ZERO


def maintenance(row: PaperHolding, facts: Facts, terms: Terms) -> Decimal:
    """Return the maintenance margin of one holding; of what is listed no more none is known."""
    instrument = facts.instruments.get(Symbol(row.symbol))
    if instrument is None:
        return ZERO
    mark = mark_of(row, facts)
    return maintenance_margin(as_holding(row).notional(mark), terms.tiers(instrument, mark))


def margin_state(ledger: Ledger, asset: str, facts: Facts, terms: Terms) -> MarginState:
    """Return the cross wallet of one settle asset. Coins are no collateral here."""
    unrealised = initial = maintained = ZERO
    for row in ledger.held(asset):
        holding, mark = as_holding(row), mark_of(row, facts)
        unrealised += holding.unrealised_pnl(mark)
        initial += holding.notional(mark) / row.leverage
        maintained += maintenance(row, facts, terms)
    working = ledger.orders()
    held = sum((_order_margin(ledger, row) for row in contracts(working, asset)), ZERO)
    return MarginState(
        wallet_balance=ledger.balance(asset),
        unrealised_pnl=unrealised,
        initial_margin=initial,
        order_margin=held + locked(working, asset, terms),
        maintenance_margin=maintained,
    )


def liquidation_price(
    ledger: Ledger, row: PaperHolding, state: MarginState, facts: Facts, terms: Terms
) -> Decimal | None:
    """Return the mark at which the account is liquidated, other holdings as they are now."""
    instrument = facts.instruments.get(Symbol(row.symbol))
    if instrument is None:
        return None
    mark = mark_of(row, facts)
    return cross_liquidation_price(
        Holding(base_quantity=row.base_quantity, cost=row.cost),
        state=state,
        mark_price=mark,
        tiers=terms.tiers(instrument, mark),
    )


def locked(orders: list[PaperOrder], asset: str, terms: Terms) -> Decimal:
    """Return how much of an asset working spot orders hold, with fees that are paid in it."""
    total = ZERO
    for order in orders:
        if is_contract(order.symbol):
            continue
        base = order.symbol.partition("/")[0]
        if order.side == Side.BUY and quote_of(order.symbol) == asset:
            total += order.remaining * (order.price or ZERO) * (1 + terms.quote_fee)
        elif order.side == Side.SELL and base == asset:
            total += order.remaining
    return total


def _order_margin(ledger: Ledger, order: PaperOrder) -> Decimal:
    if order.reduce_only or order.price is None:
        return ZERO
    price: Decimal = order.price
    return order.remaining * price / ledger.leverage(order.symbol)
