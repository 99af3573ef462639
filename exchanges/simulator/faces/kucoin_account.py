"""Payloads of a classic futures account of KuCoin: margin, positions, rights of a key."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from exchanges.matching import tier_of
from exchanges.simulator.accounts import Account, HoldingRow
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.kucoin_calls import COIN, contracts, number
from exchanges.simulator.faces.kucoin_orders import margin_mode
from exchanges.simulator.listings import KUCOIN
from exchanges.simulator.margin import (
    holding_of,
    isolated_margin,
    isolated_part,
    liquidation_price,
    margin_state,
)
from exchanges.simulator.wire import Json, milliseconds, plain

RIGHTS = ("General", "Futures")
ADDRESS = "192.0.2.7"
ZERO = Decimal(0)


def key_info(owner: Account) -> Json:
    further = [
        *(["Transfer"] if owner.may_withdraw else ()),
        *(["InnerTransfer"] if owner.may_transfer else ()),
    ]
    told = {
        "remark": "carry",
        "apiKey": owner.api_key,
        "apiVersion": 3,
        "permission": ",".join([*RIGHTS, *further]),
        "createdAt": milliseconds(owner.created_at),
        "uid": owner.uid,
        "isMaster": True,
    }
    return told | ({"ipWhitelist": ADDRESS} if owner.is_bound_to_address else {})


def overview(simulator: Simulator, owner: Account, coin: str, now: datetime) -> Json:
    """Return one coin of the account; nothing is held in another one than the margin."""
    figures = _figures(simulator, owner, now) if coin == COIN else dict.fromkeys(FIGURES, ZERO)
    return {
        "accountEquity": number(figures["equity"]),
        "unrealisedPNL": number(figures["pnl"]),
        "marginBalance": number(figures["equity"] - figures["pnl"]),
        "positionMargin": number(figures["position"]),
        "orderMargin": number(figures["order"]),
        "frozenFunds": 0,
        "availableBalance": number(figures["free"]),
        "currency": coin,
        "riskRatio": 0,
        "maxWithdrawAmount": number(figures["free"]),
    }


def wallet(simulator: Simulator, owner: Account, now: datetime) -> Json:
    """Return the margin coin as the private channel tells it."""
    figures = _figures(simulator, owner, now)
    return {
        "currency": COIN,
        "walletBalance": plain(figures["equity"] - figures["pnl"]),
        "availableBalance": plain(figures["free"]),
        "holdBalance": "0",
        "equity": plain(figures["equity"]),
        "totalCrossMargin": plain(figures["equity"] - figures["apart"]),
        "crossPosMargin": plain(figures["position"] - figures["apart"]),
        "crossOrderMargin": plain(figures["order"]),
        "crossUnPnl": plain(figures["pnl"]),
        "isolatedPosMargin": plain(figures["apart"]),
        "isolatedOrderMargin": "0",
        "isolatedFundingFeeMargin": "0",
        "isolatedUnPnl": "0",
        "maxWithdrawAmount": plain(figures["free"]),
        "version": "1",
        "timestamp": str(milliseconds(now)),
    }


FIGURES = ("equity", "pnl", "position", "order", "free", "apart")


def _figures(simulator: Simulator, owner: Account, now: datetime) -> dict[str, Decimal]:
    ledger, market = simulator.ledger, simulator.market
    state = margin_state(ledger, market, owner, venue=KUCOIN, now=now)
    apart, apart_pnl = isolated_part(ledger, market, owner, venue=KUCOIN, now=now)
    return {
        "equity": state.equity + apart + apart_pnl,
        "pnl": state.unrealised_pnl + apart_pnl,
        "position": state.initial_margin + apart,
        "order": state.order_margin,
        "free": max(state.available, ZERO),
        "apart": apart,
    }


def position(simulator: Simulator, owner: Account, row: HoldingRow, now: datetime) -> Json:
    """Return one position, short below zero; one that was closed is told once more with nothing."""
    listing = simulator.market.listings[(row.venue, row.symbol)]
    holding, mark = holding_of(row), simulator.market.mark(listing, now)
    notional, leverage = holding.notional(mark), owner.leverage(KUCOIN, row.symbol)
    is_isolated, is_open = owner.is_isolated(KUCOIN, row.symbol), bool(row.base_quantity)
    margin = isolated_margin(owner, row) if is_isolated and is_open else notional / leverage
    entry = round(holding.entry_price, 8) if is_open and holding.entry_price else ZERO
    liquidation = liquidation_price(simulator.ledger, simulator.market, owner, row, now=now) or ZERO
    return {
        "id": f"{owner.uid}{sum(row.symbol.encode())}",
        "symbol": row.symbol,
        "crossMode": not is_isolated,
        "delevPercentage": 0,
        "openingTimestamp": milliseconds(row.updated_at),
        "currentTimestamp": milliseconds(now),
        "currentQty": contracts(listing, row.base_quantity),
        "currentCost": number(row.cost),
        "isOpen": is_open,
        "markPrice": number(mark),
        "markValue": number(row.base_quantity * mark),
        "posCost": number(row.cost),
        "posInit": number(round(notional / leverage, 8)),
        "posMargin": number(round(margin, 8)),
        "maintMarginReq": number(tier_of(notional, listing.tiers).maintenance_rate),
        "unrealisedPnl": number(holding.unrealised_pnl(mark)),
        "avgEntryPrice": number(entry),
        "liquidationPrice": number(liquidation),
        "settleCurrency": listing.settle,
        "isInverse": False,
        "marginMode": margin_mode(owner, row.symbol),
        "positionSide": _side(owner, row),
        "leverage": number(leverage),
    }


def _side(owner: Account, row: HoldingRow) -> str:
    if not owner.is_hedge_mode:
        return "BOTH"
    return "SHORT" if row.base_quantity < 0 else "LONG"
