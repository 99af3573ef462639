"""Payloads of a Deribit account: summaries, positions, and its log.

Profits and funding of a day are in the equity at once and in the cash at its end, 08:00 UTC. What a
position has won and not realised is left out of that, which the venue pays daily too.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from exchanges.matching import cross_liquidation_price, maintenance_margin
from exchanges.simulator.accounts import Account, FundingRow, HoldingRow, Order, TradeRow
from exchanges.simulator.accrual import day_began, earned, entry_id
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.deribit_calls import number
from exchanges.simulator.listings import DERIBIT, WALLETS
from exchanges.simulator.margin import holding_of, margin_state
from exchanges.simulator.wire import Json, milliseconds

DOLLAR, ZERO = "USDC", Decimal(0)
DIGITS = 8


class Money(NamedTuple):
    """What an account has, in dollars: cash, worth, and what its margin takes of it."""

    cash: Decimal
    session: Decimal
    won: Decimal
    initial: Decimal
    maintenance: Decimal

    @property
    def equity(self) -> Decimal:
        return self.cash + self.session + self.won

    @property
    def available(self) -> Decimal:
        return self.equity - self.initial


def accruing(simulator: Simulator, row: HoldingRow, now: datetime) -> Decimal:
    """Return what a position has earned since it was last paid."""
    market = simulator.market
    return earned(simulator.ledger, market, market.listings[(row.venue, row.symbol)], row, to=now)


def session_funding(simulator: Simulator, row: HoldingRow, now: datetime) -> Decimal:
    """Return what a position has earned since the day began, realised by trades or not yet."""
    ledger, began = simulator.ledger, day_began(now)
    paid = ledger.account_funding(row.api_key, DERIBIT, row.symbol)
    return accruing(simulator, row, now) + sum(
        (one.payment for one in paid if one.settled_at > began), ZERO
    )


def money(simulator: Simulator, owner: Account, now: datetime) -> Money:
    ledger, began = simulator.ledger, day_began(now)
    state = margin_state(ledger, simulator.market, owner, venue=DERIBIT, now=now)
    trades = ledger.account_trades(owner.api_key, DERIBIT, None)
    paid = ledger.account_funding(owner.api_key, DERIBIT, None)
    session = sum((row.realised_pnl for row in trades if row.filled_at > began), ZERO)
    session += sum((row.payment for row in paid if row.settled_at > began), ZERO)
    held = ledger.holdings(api_key=owner.api_key, venue=DERIBIT)
    return Money(
        cash=owner.balance(WALLETS[DERIBIT], DOLLAR) - session,
        session=session,
        won=state.unrealised_pnl + sum((accruing(simulator, row, now) for row in held), ZERO),
        initial=state.initial_margin + state.order_margin,
        maintenance=state.maintenance_margin,
    )


def summary(simulator: Simulator, owner: Account, now: datetime) -> Json:
    found, listings = money(simulator, owner, now), simulator.listings_at(DERIBIT).values()
    return {
        "currency": DOLLAR,
        "balance": number(found.cash),
        "equity": number(found.equity),
        "margin_balance": number(found.equity),
        "available_funds": number(found.available),
        "available_withdrawal_funds": number(max(min(found.available, found.cash), ZERO)),
        "initial_margin": number(round(found.initial, DIGITS)),
        "maintenance_margin": number(round(found.maintenance, DIGITS)),
        "session_rpl": number(found.session),
        "session_upl": number(found.won),
        "margin_model": "segregated_sm",
        "portfolio_margining_enabled": False,
        "cross_collateral_enabled": False,
        "fees": [
            {
                "kind": "perpetual",
                "index_name": f"{row.base.lower()}_usdc",
                "value": {
                    "default": {
                        "type": "fixed",
                        "maker": number(row.maker_fee),
                        "taker": number(row.taker_fee),
                    }
                },
            }
            for row in listings
        ],
    }


def position(simulator: Simulator, owner: Account, row: HoldingRow, now: datetime) -> Json:
    market, holding = simulator.market, holding_of(row)
    listing = market.listings[(row.venue, row.symbol)]
    mark = market.mark(listing, now)
    notional, size = holding.notional(mark), row.base_quantity
    price = cross_liquidation_price(
        holding,
        state=margin_state(simulator.ledger, market, owner, venue=DERIBIT, now=now),
        mark_price=mark,
        tiers=listing.tiers,
    )
    initial = notional / owner.leverage(DERIBIT, row.symbol)
    return {
        "instrument_name": row.symbol,
        "kind": "future",
        "direction": "buy" if size > 0 else "sell" if size < 0 else "zero",
        "size": number(size),
        "size_currency": number(size),
        "average_price": number(round(holding.entry_price or ZERO, DIGITS)),
        "mark_price": number(mark),
        "index_price": number(market.index(listing, now)),
        "estimated_liquidation_price": number(round(price, DIGITS)) if price else None,
        "leverage": int(owner.leverage(DERIBIT, row.symbol)),
        "initial_margin": number(round(initial, DIGITS)),
        "maintenance_margin": number(round(maintenance_margin(notional, listing.tiers), DIGITS)),
        "floating_profit_loss": number(round(holding.unrealised_pnl(mark), DIGITS)),
        "realized_funding": number(session_funding(simulator, row, now)),
    }


def closed(symbol: str) -> Json:
    """Return what is told of a position that is no more."""
    nothing = dict.fromkeys(("size", "average_price", "mark_price", "maintenance_margin"), 0)
    return {"instrument_name": symbol, "kind": "future", "direction": "zero", **nothing}


def account_log(simulator: Simulator, owner: Account) -> list[Json]:
    """Return all entries, newest first: trades with their funding, settlements, transfers."""
    ledger, key = simulator.ledger, owner.api_key
    funding = list(ledger.account_funding(key, DERIBIT, None))
    realised = {row.trade_number: row for row in funding if row.trade_number}
    found = [_settled(row) for row in funding if not row.trade_number]
    for trade in ledger.account_trades(key, DERIBIT, None):
        order = ledger.orders[trade.order_number]
        found.append(_traded(trade, order, realised.get(trade.number)))
    for moved in ledger.account_transfers(key, WALLETS[DERIBIT]):
        name = entry_id(moved.number, moved.moved_at)
        row = _entry(name, moved.moved_at, "transfer")
        found.append(row | {"change": number(moved.amount), "cashflow": number(moved.amount)})
    return sorted(found, key=lambda row: (row["timestamp"], row["id"]), reverse=True)


def _settled(row: FundingRow) -> Json:
    told = _entry(int(row.venue_payment_id), row.settled_at, "settlement")
    return told | {
        "instrument_name": row.symbol,
        "side": "long" if row.position_base > 0 else "short",
        "position": number(row.position_base),
        "price": number(row.settlement_price),
        "interest_pl": number(row.payment),
        "change": number(row.payment),
        "cashflow": number(row.payment),
    }


def _traded(trade: TradeRow, order: Order, funding: FundingRow | None) -> Json:
    """Return what an execution changes in cash at once: its fee alone."""
    own = entry_id(trade.number, trade.filled_at)
    told = _entry(int(funding.venue_payment_id) if funding else own, trade.filled_at, "trade")
    verb = "close" if trade.closed_quantity else "open"
    return told | {
        "instrument_name": trade.symbol,
        "side": f"{verb} {trade.side.value}",
        "trade_id": trade.venue_trade_id,
        "order_id": order.venue_order_id,
        "user_role": "maker" if trade.is_maker else "taker",
        "price": number(trade.price),
        "amount": number(trade.base_quantity),
        "commission": number(trade.fee),
        "interest_pl": number(funding.payment if funding else ZERO),
        "change": number(-trade.fee),
        "cashflow": number(trade.realised_pnl),
    }


def _entry(name: int, at: datetime, kind: str) -> Json:
    nothing = dict.fromkeys(("instrument_name", "trade_id", "order_id", "interest_pl", "price"))
    return nothing | {
        "id": name,
        "type": kind,
        "timestamp": milliseconds(at),
        "currency": DOLLAR,
        "side": "-",
        "commission": 0,
        "user_seq": name,
    }
