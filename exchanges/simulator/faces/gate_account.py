"""Payloads of a classic account of Gate: its wallet, positions, and the rights of its keys."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from exchanges.matching import tier_of
from exchanges.simulator.accounts import Account, HoldingRow
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.gate_calls import number, size
from exchanges.simulator.listings import GATE
from exchanges.simulator.margin import (
    holding_of,
    isolated_margin,
    isolated_part,
    liquidation_price,
    margin_state,
)
from exchanges.simulator.wire import Json, milliseconds, plain

ADDRESS = "192.0.2.7"
SHOWN = 8
FUTURES, SETTINGS = {"name": "futures", "read_only": False}, {"name": "account", "read_only": True}


def keys(owner: Account) -> list[Json]:
    """Return all keys of the account behind one, which are shown in part, and one more."""
    perms = [FUTURES, SETTINGS, {"name": "wallet", "read_only": not owner.may_transfer}]
    if owner.may_withdraw:
        perms.append({"name": "withdraw", "read_only": False})
    told = {
        "created_at": milliseconds(owner.created_at) // 1000,
        "currency_pairs": [],
        "ip_whitelist": [ADDRESS] if owner.is_bound_to_address else [],
        "key": owner.api_key[:SHOWN] + "*****",
        "last_access": milliseconds(owner.created_at) // 1000,
        "mode": 1,
        "name": "carry",
        "perms": perms,
        "state": 1,
        "update_at": milliseconds(owner.created_at) // 1000,
        "user_id": owner.uid,
    }
    return [told | {"key": "0123456789ab*****", "name": "another", "perms": []}, told]


def wallet(simulator: Simulator, owner: Account, now: datetime) -> Json:
    ledger, market = simulator.ledger, simulator.market
    state = margin_state(ledger, market, owner, venue=GATE, now=now)
    apart, apart_pnl = isolated_part(ledger, market, owner, venue=GATE, now=now)
    free = plain(max(state.available, Decimal(0)))
    return {
        "available": free,
        "bonus": "0",
        "cross_available": free,
        "cross_initial_margin": plain(state.initial_margin),
        "cross_maintenance_margin": plain(state.maintenance_margin),
        "cross_margin_balance": plain(state.equity),
        "cross_order_margin": plain(state.order_margin),
        "cross_unrealised_pnl": plain(state.unrealised_pnl),
        "currency": "USDT",
        "enable_credit": False,
        "enable_evolved_classic": True,
        "in_dual_mode": owner.is_hedge_mode,
        "isolated_position_margin": plain(apart),
        "margin_mode": 0,
        "order_margin": plain(state.order_margin),
        "point": "0",
        "position_margin": plain(apart + state.initial_margin),
        "position_mode": "dual" if owner.is_hedge_mode else "single",
        "total": plain(state.wallet_balance + apart),
        "unrealised_pnl": plain(state.unrealised_pnl + apart_pnl),
        "user": owner.uid,
    }


def position(simulator: Simulator, owner: Account, row: HoldingRow, now: datetime) -> Json:
    """Return one position: its size is below zero where it is short, its leverage 0 on cross."""
    listing = simulator.market.listings[(row.venue, row.symbol)]
    holding, mark = holding_of(row), simulator.market.mark(listing, now)
    notional, leverage = holding.notional(mark), plain(owner.leverage(GATE, row.symbol))
    is_isolated = owner.is_isolated(GATE, row.symbol)
    margin = isolated_margin(owner, row) if is_isolated else notional / Decimal(leverage)
    liquidation = liquidation_price(simulator.ledger, simulator.market, owner, row, now=now)
    return {
        "adl_ranking": 5 if holding.base_quantity else 6,
        "contract": row.symbol,
        "cross_leverage_limit": "0" if is_isolated else leverage,
        "entry_price": plain(round(holding.entry_price or Decimal(0), 8)),
        "history_pnl": "0",
        "last_close_pnl": "0",
        "leverage": leverage if is_isolated else "0",
        "leverage_max": plain(listing.max_leverage),
        "lever": leverage,
        "liq_price": "0" if liquidation is None else plain(liquidation),
        "maintenance_rate": plain(tier_of(notional, listing.tiers).maintenance_rate),
        "margin": plain(round(margin, 8)),
        "mark_price": plain(mark),
        "mode": "single",
        "open_time": milliseconds(row.updated_at) // 1000,
        "pending_orders": 0,
        "pos_margin_mode": "isolated" if is_isolated else "cross",
        "realised_pnl": "0",
        "risk_limit": plain(listing.tiers[0].notional_cap),
        "size": size(listing, holding.base_quantity),
        "unrealised_pnl": plain(holding.unrealised_pnl(mark)),
        "update_id": 1,
        "update_time": milliseconds(row.updated_at) // 1000,
        "user": owner.uid,
        "value": plain(notional),
    }


# What the private channel tells as numbers.
NUMBERS = (
    *("cross_leverage_limit", "entry_price", "history_pnl", "last_close_pnl", "leverage"),
    *("leverage_max", "liq_price", "maintenance_rate", "margin", "realised_pnl", "risk_limit"),
)
UNSTREAMED = ("mark_price", "unrealised_pnl", "value", "lever", "open_time", "pending_orders")


def streamed_position(simulator: Simulator, owner: Account, row: HoldingRow, now: datetime) -> Json:
    told = position(simulator, owner, row, now)
    kept = {name: value for name, value in told.items() if name not in UNSTREAMED}
    return kept | {
        **{name: number(Decimal(told[name])) for name in NUMBERS},
        "time": milliseconds(now) // 1000,
        "time_ms": milliseconds(now),
        "user": str(owner.uid),
    }
