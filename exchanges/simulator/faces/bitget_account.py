"""Payloads of a classic futures account of Bitget: margin, positions, modes, rights of a key."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from exchanges.matching import tier_of
from exchanges.simulator.accounts import Account, HoldingRow
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.bitget_calls import COIN
from exchanges.simulator.faces.bitget_orders import margin_mode, mode_of
from exchanges.simulator.listings import BITGET, Listing
from exchanges.simulator.margin import (
    holding_of,
    isolated_margin,
    isolated_part,
    liquidation_price,
    margin_state,
)
from exchanges.simulator.wire import Json, milliseconds, plain

# Futures orders and holdings, read and write; spot, read only.
RIGHTS = ("coor", "cpor", "coow", "cpow", "stor")
ADDRESS = "192.0.2.7"


def key_info(owner: Account) -> Json:
    further = [*(["wwow"] if owner.may_withdraw else ()), *(["wtow"] if owner.may_transfer else ())]
    return {
        "authorities": [*RIGHTS, *further],
        "channel": "",
        "channelCode": "",
        "inviterId": "0",
        "ips": ADDRESS if owner.is_bound_to_address else "",
        "parentId": owner.uid,
        "regisTime": str(milliseconds(owner.created_at)),
        "traderType": "not_trader",
        "userId": str(owner.uid),
    }


def _margin(simulator: Simulator, owner: Account, now: datetime) -> tuple[Json, Json]:
    """Return what REST tells of the margin coin and what the socket does."""
    ledger, market = simulator.ledger, simulator.market
    state = margin_state(ledger, market, owner, venue=BITGET, now=now)
    apart, apart_pnl = isolated_part(ledger, market, owner, venue=BITGET, now=now)
    equity = plain(state.equity + apart + apart_pnl)
    free, won = plain(max(state.available, Decimal(0))), plain(state.unrealised_pnl + apart_pnl)
    told = {
        "available": plain(state.wallet_balance - state.order_margin),
        "crossedRiskRate": "0",
        "marginCoin": COIN,
        "maxTransferOut": free,
        "unrealizedPL": won,
        "usdtEquity": equity,
    }
    listed = told | {
        "accountEquity": equity,
        "assetMode": "single",
        "btcEquity": "0",
        "coupon": "0",
        "crossedMaxAvailable": free,
        "crossedUnrealizedPL": plain(state.unrealised_pnl),
        "isolatedMaxAvailable": free,
        "isolatedUnrealizedPL": plain(apart_pnl),
        "locked": plain(state.order_margin),
    }
    streamed = told | {
        "assetsMode": "single",
        "equity": equity,
        "frozen": plain(state.order_margin),
        "maxOpenPosAvailable": free,
    }
    margins = {
        "crossedMargin": plain(state.initial_margin),
        "isolatedMargin": plain(apart),
    }
    return listed | margins, streamed


def balance(simulator: Simulator, owner: Account, now: datetime) -> Json:
    return _margin(simulator, owner, now)[0] | {"assetList": []}


def streamed_balance(simulator: Simulator, owner: Account, now: datetime) -> Json:
    return _margin(simulator, owner, now)[1]


def modes(simulator: Simulator, owner: Account, listing: Listing, now: datetime) -> Json:
    """Return the account as it is asked for by one contract."""
    leverage = plain(owner.leverage(BITGET, listing.symbol))
    return _margin(simulator, owner, now)[0] | {
        "crossedMarginLeverage": leverage,
        "isolatedLongLever": leverage,
        "isolatedShortLever": leverage,
        "marginMode": margin_mode(owner, listing.symbol),
        "posMode": mode_of(owner),
    }


def position(simulator: Simulator, owner: Account, row: HoldingRow, now: datetime) -> Json:
    """Return one position as REST tells it: its size has no sign."""
    listing = simulator.market.listings[(row.venue, row.symbol)]
    holding, mark = holding_of(row), simulator.market.mark(listing, now)
    notional, leverage = holding.notional(mark), owner.leverage(BITGET, row.symbol)
    is_isolated = owner.is_isolated(BITGET, row.symbol)
    margin = isolated_margin(owner, row) if is_isolated else notional / leverage
    entry = plain(round(holding.entry_price, 8)) if holding.entry_price else ""
    size = plain(abs(holding.base_quantity))
    liquidation = liquidation_price(simulator.ledger, simulator.market, owner, row, now=now)
    return {
        "achievedProfits": "0",
        "assetMode": "single",
        "autoMargin": "off",
        "available": size,
        "breakEvenPrice": entry,
        "cTime": str(milliseconds(row.updated_at)),
        "deductedFee": "0",
        "holdSide": "short" if holding.base_quantity < 0 else "long",
        "keepMarginRate": plain(tier_of(notional, listing.tiers).maintenance_rate),
        "leverage": plain(leverage),
        "liquidationPrice": "-1" if liquidation is None else plain(liquidation),
        "locked": "0",
        "marginCoin": COIN,
        "marginMode": margin_mode(owner, row.symbol),
        "marginRatio": "0",
        "marginSize": plain(round(margin, 8)),
        "markPrice": plain(mark),
        "openDelegateSize": "0",
        "openPriceAvg": entry,
        "posMode": mode_of(owner),
        "symbol": row.symbol,
        "total": size,
        "totalFee": "",
        "uTime": str(milliseconds(now)),
        "unrealizedPL": plain(holding.unrealised_pnl(mark)),
    }


def streamed_position(simulator: Simulator, owner: Account, row: HoldingRow, now: datetime) -> Json:
    told = position(simulator, owner, row, now)
    for name in ("symbol", "locked", "marginRatio", "openDelegateSize"):
        del told[name]
    return told | {
        "frozen": "0",
        "instId": row.symbol,
        "leverage": int(owner.leverage(BITGET, row.symbol)),
        "marginRate": "0",
        "posId": f"{owner.uid}{sum(row.symbol.encode())}",
        "unrealizedPLR": "0",
    }
