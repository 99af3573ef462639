"""Payloads of an OKX trading account in futures mode: balances, positions, settings, fees."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from exchanges.matching import Holding, maintenance_margin
from exchanges.simulator.accounts import Account, HoldingRow
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.okx_market import fee_group
from exchanges.simulator.faces.okx_orders import contracts, instrument_type
from exchanges.simulator.listings import OKX, WALLETS, Listing
from exchanges.simulator.margin import (
    holding_of,
    isolated_margin,
    isolated_part,
    liquidation_price,
    locked,
    margin_state,
)
from exchanges.simulator.wire import Json, milliseconds, plain

MARGIN_ASSET = "USDT"
# What the venue tells only of accounts that borrow, copy or hedge: nobody does here.
UNTOLD_OF_ASSET = (
    *("accAvgPx", "borrowFroz", "clSpotInUseAmt", "crossLiab", "interest", "isoLiab", "liab"),
    *("maxLoan", "maxSpotInUseAmt", "mgnRatio", "openAvgPx", "spotBal", "spotInUseAmt"),
    *("spotUpl", "spotUplRatio", "totalPnl", "totalPnlRatio", "uplLiab"),
)
NOTHING_OF_ASSET = (
    *("fixedBal", "notionalLever", "rewardBal", "smtSyncEq", "spotCopyTradingEq", "spotIsoBal"),
    *("stgyEq", "twap", "colBorrAutoConversion"),
)
UNTOLD_OF_ACCOUNT = (
    *("adjEq", "availEq", "borrowFroz", "mgnRatio", "notionalUsd", "notionalUsdForBorrow"),
    *("notionalUsdForFutures", "notionalUsdForOption", "notionalUsdForSwap", "ordFroz"),
)
UNTOLD_OF_POSITION = (
    *("baseBal", "optVal", "pendingCloseOrdLiabVal", "posCcy", "quoteBal", "quoteBorrowed"),
    *("quoteInterest", "spotInUseAmt", "spotInUseCcy", "tradeId"),
)


def configuration(owner: Account) -> Json:
    may = ["read_only", "trade", *(["withdraw"] if owner.may_withdraw else [])]
    return {
        "acctLv": "2",
        "acctStpMode": "cancel_maker",
        "autoLoan": False,
        "ctIsoMode": "automatic",
        "enableSpotBorrow": False,
        "greeksType": "PA",
        "ip": "192.0.2.7" if owner.is_bound_to_address else "",
        "kycLv": "3",
        "label": "simulated",
        "level": "Lv1",
        "levelTmp": "",
        "liquidationGear": "-1",
        "mainUid": str(owner.uid),
        "mgnIsoMode": "automatic",
        "opAuth": "0",
        "perm": ",".join(may),
        "posMode": "long_short_mode" if owner.is_hedge_mode else "net_mode",
        "roleType": "0",
        "spotBorrowAutoRepay": False,
        "spotOffsetType": "",
        "spotRoleType": "0",
        "spotTraderInsts": [],
        "traderInsts": [],
        "type": "0",
        "uid": str(owner.uid),
    }


def balance(simulator: Simulator, owner: Account, now: datetime) -> Json:
    """Return all assets; only USDT margins contracts here, and counts as one dollar."""
    assets = sorted(owner.wallets[WALLETS[OKX]])
    details = [asset_row(simulator, owner, asset, now) for asset in assets]
    total = plain(sum((Decimal(row["eqUsd"]) for row in details), Decimal(0)))
    of_margin = next((row for row in details if row["ccy"] == MARGIN_ASSET), None)
    return {
        **dict.fromkeys(UNTOLD_OF_ACCOUNT, ""),
        "details": details,
        "imr": "" if of_margin is None else of_margin["imr"],
        "isoEq": "0" if of_margin is None else of_margin["isoEq"],
        "mmr": "" if of_margin is None else of_margin["mmr"],
        "totalEq": total,
        "uTime": str(milliseconds(now)),
        "upl": "" if of_margin is None else of_margin["upl"],
    }


def asset_row(simulator: Simulator, owner: Account, asset: str, now: datetime) -> Json:
    cash = owner.balance(WALLETS[OKX], asset)
    held = locked(simulator.ledger, simulator.market, owner, asset, venue=OKX)
    listing = simulator.listings_at(OKX).get(f"{asset}-{MARGIN_ASSET}")
    price = simulator.market.index(listing, now) if listing is not None else Decimal(0)
    row = {
        **dict.fromkeys(UNTOLD_OF_ASSET, ""),
        **dict.fromkeys(NOTHING_OF_ASSET, "0"),
        "availBal": plain(cash - held),
        "availEq": plain(cash - held),
        "cashBal": plain(cash),
        "ccy": asset,
        "coinUsdPrice": "1" if asset == MARGIN_ASSET else plain(price),
        "collateralEnabled": False,
        "collateralRestrict": False,
        "disEq": "0",
        "eq": plain(cash),
        "eqUsd": plain(cash * price),
        "frozenBal": plain(held),
        "imr": "0",
        "isoEq": "0",
        "isoUpl": "0",
        "mmr": "0",
        "ordFrozen": plain(held),
        "uTime": str(milliseconds(now)),
        "upl": "0",
    }
    return row | _margin(simulator, owner, now) if asset == MARGIN_ASSET else row


def _margin(simulator: Simulator, owner: Account, now: datetime) -> Json:
    ledger, market = simulator.ledger, simulator.market
    state = margin_state(ledger, market, owner, venue=OKX, now=now)
    apart, apart_pnl = isolated_part(ledger, market, owner, venue=OKX, now=now)
    equity = plain(state.equity + apart + apart_pnl)
    return {
        "availBal": plain(state.available),
        "availEq": plain(state.available),
        "disEq": equity,
        "eq": equity,
        "eqUsd": equity,
        "frozenBal": plain(state.initial_margin + state.order_margin + apart),
        "imr": plain(state.initial_margin + state.order_margin),
        "isoEq": plain(apart + apart_pnl),
        "isoUpl": plain(apart_pnl),
        "mmr": plain(state.maintenance_margin),
        "ordFrozen": plain(state.order_margin),
        "upl": plain(state.unrealised_pnl + apart_pnl),
    }


def position(simulator: Simulator, owner: Account, row: HoldingRow, now: datetime) -> Json:
    """Return one position; in net mode a short one has `pos` below zero."""
    listing = simulator.market.listings[(row.venue, row.symbol)]
    holding, mark = holding_of(row), simulator.market.mark(listing, now)
    notional, leverage = holding.notional(mark), owner.leverage(OKX, listing.symbol)
    profit = plain(holding.unrealised_pnl(mark))
    is_isolated = owner.is_isolated(OKX, listing.symbol)
    size = abs(holding.base_quantity) if owner.is_hedge_mode else holding.base_quantity
    entry = plain(round(holding.entry_price, 8)) if holding.entry_price else ""
    liquidation = liquidation_price(simulator.ledger, simulator.market, owner, row, now=now)
    return {
        **dict.fromkeys(UNTOLD_OF_POSITION, ""),
        "adl": "2",
        "availPos": contracts(listing, abs(size)) if owner.is_hedge_mode else "",
        "avgPx": entry,
        "bePx": entry,
        "cTime": str(milliseconds(row.updated_at)),
        "ccy": listing.settle,
        "fee": "0",
        "fundingFee": "0",
        "idxPx": plain(simulator.market.index(listing, now)),
        "imr": "" if is_isolated else plain(round(notional / leverage, 8)),
        "instId": listing.symbol,
        "instType": instrument_type(listing),
        "interest": "",
        "last": plain(mark),
        "lever": plain(leverage),
        "liqPenalty": "0",
        "liqPx": "" if liquidation is None else plain(liquidation),
        "margin": plain(isolated_margin(owner, row)) if is_isolated else "",
        "markPx": plain(mark),
        "mgnMode": "isolated" if is_isolated else "cross",
        "mgnRatio": "",
        "mmr": plain(maintenance_margin(notional, listing.tiers)),
        "notionalUsd": plain(notional),
        "pnl": "0",
        "pos": contracts(listing, size) if size else "0",
        "posId": f"{owner.uid}{sum(listing.symbol.encode())}",
        "posSide": _side(owner, holding),
        "realizedPnl": "0",
        "uTime": str(milliseconds(now)),
        "upl": profit,
        "uplLastPx": profit,
        "uplRatio": "0",
        "uplRatioLastPx": "0",
        "usdPx": "1",
    }


def _side(owner: Account, holding: Holding) -> str:
    if not owner.is_hedge_mode:
        return "net"
    return "short" if holding.base_quantity < 0 else "long"


def fees(listing: Listing, now: datetime) -> Json:
    """Return the fees of the one group; a rate that is paid is negative."""
    maker, taker = plain(-listing.maker_fee), plain(-listing.taker_fee)
    return {
        "category": "1",
        "delivery": "",
        "exercise": "",
        "feeGroup": [
            {"elpMaker": "", "groupId": fee_group(listing), "maker": maker, "taker": taker}
        ],
        "fiat": [],
        "instType": instrument_type(listing),
        "level": "Lv1",
        "maker": maker,
        "makerU": maker,
        "makerUSDC": "",
        "ruleType": "normal",
        "taker": taker,
        "takerU": taker,
        "takerUSDC": "",
        "ts": str(milliseconds(now)),
        "uly": "",
    }
