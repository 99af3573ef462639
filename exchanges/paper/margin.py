"""What a paper wallet carries: cross margin of contracts, what working orders hold."""

from __future__ import annotations

from decimal import Decimal

from exchanges.domain import Side, Symbol
from exchanges.loans import indebted
from exchanges.matching import (
    MarginState,
    cross_liquidation_price,
    maintenance_margin,
    margin_alone,
    standing_alone,
)
from exchanges.paper.facts import Facts, base_of, is_contract, quote_of, settle_of
from exchanges.paper.ledger import Ledger, as_holding, contracts
from exchanges.paper.loans import debt_worth
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


def alone(row: PaperHolding) -> Decimal:
    """Return what stands behind an isolated holding and nothing else."""
    return margin_alone(as_holding(row), leverage=row.leverage, added=row.added_margin)


def wallets(ledger: Ledger) -> set[str]:
    """Return the assets that hold margin: contracts settle in them, or loans were sold for them."""
    lent = {quote_of(loan.symbol) for loan in ledger.loans()}
    return {settle_of(row.symbol) for row in ledger.held()} | lent


def unrealised_pnl(ledger: Ledger, asset: str, facts: Facts) -> Decimal:
    """Return what all holdings that settle in an asset have won, cross and isolated."""
    rows = ledger.held(asset)
    return sum((as_holding(row).unrealised_pnl(mark_of(row, facts)) for row in rows), ZERO)


def margin_state(ledger: Ledger, asset: str, facts: Facts, terms: Terms) -> MarginState:
    """Return the cross wallet of one settle asset, without what stands behind isolated holdings.

    Coins are no collateral here, and those that are owed count against it.
    """
    unrealised = initial = maintained = apart = ZERO
    for row in ledger.held(asset):
        if row.is_isolated:
            apart += alone(row)
            continue
        holding, mark = as_holding(row), mark_of(row, facts)
        unrealised += holding.unrealised_pnl(mark)
        initial += holding.notional(mark) / row.leverage
        maintained += maintenance(row, facts, terms)
    working = ledger.orders()
    held = sum((_order_margin(ledger, row) for row in contracts(working, asset)), ZERO)
    state = MarginState(
        wallet_balance=ledger.balance(asset) - apart,
        unrealised_pnl=unrealised,
        initial_margin=initial,
        order_margin=held + locked(working, asset, terms),
        maintenance_margin=maintained,
    )
    return indebted(state, debt_worth(ledger, asset, facts))


def state_behind(ledger: Ledger, row: PaperHolding, facts: Facts, terms: Terms) -> MarginState:
    """Return what carries one holding: its own margin where it is isolated, else the wallet."""
    if not row.is_isolated:
        return margin_state(ledger, settle_of(row.symbol), facts, terms)
    return standing_alone(
        as_holding(row),
        margin=alone(row),
        mark_price=mark_of(row, facts),
        maintenance=maintenance(row, facts, terms),
    )


def liquidation_price(
    row: PaperHolding, state: MarginState, facts: Facts, terms: Terms
) -> Decimal | None:
    """Return the mark at which what is behind a holding is used up, all else as it is now."""
    instrument = facts.instruments.get(Symbol(row.symbol))
    if instrument is None:
        return None
    mark = mark_of(row, facts)
    return cross_liquidation_price(
        as_holding(row),
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
        if order.side == Side.BUY and quote_of(order.symbol) == asset:
            total += order.remaining * (order.price or ZERO) * (1 + terms.quote_fee)
        elif order.side == Side.SELL and base_of(order.symbol) == asset:
            total += order.remaining
    return total


def _order_margin(ledger: Ledger, order: PaperOrder) -> Decimal:
    if order.reduce_only or order.price is None:
        return ZERO
    price: Decimal = order.price
    return order.remaining * price / ledger.leverage(order.symbol)
