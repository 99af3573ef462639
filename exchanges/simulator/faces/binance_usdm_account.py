"""Payloads of a Binance USD-M account: margin, balances, positions, income."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from exchanges.matching import Holding, cross_liquidation_price, maintenance_margin
from exchanges.simulator.accounts import Account, HoldingRow
from exchanges.simulator.core import Simulator
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import USDM, WALLETS
from exchanges.simulator.margin import holding_of, isolated_part, margin_state, state_behind
from exchanges.simulator.wire import Json, milliseconds, plain

FIRST_TRANSFER_ID = 8_000_000_000


def account(simulator: Simulator, owner: Account, now: datetime) -> Json:
    state = margin_state(simulator.ledger, simulator.market, owner, venue=USDM, now=now)
    apart, apart_pnl = isolated_part(simulator.ledger, simulator.market, owner, venue=USDM, now=now)
    used = plain(state.initial_margin + state.order_margin + apart)
    equity, available = plain(state.equity + apart + apart_pnl), plain(state.available)
    wallet = plain(state.wallet_balance + apart)
    unrealised = plain(state.unrealised_pnl + apart_pnl)
    cross_wallet, cross_pnl = plain(state.wallet_balance), plain(state.unrealised_pnl)
    maintenance = plain(state.maintenance_margin)
    positions = [
        _position(simulator, owner, row, now)
        for row in simulator.ledger.holdings(api_key=owner.api_key, venue=USDM)
    ]
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": owner.may_withdraw,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
        "totalInitialMargin": used,
        "totalMaintMargin": maintenance,
        "totalWalletBalance": wallet,
        "totalUnrealizedProfit": unrealised,
        "totalMarginBalance": equity,
        "totalPositionInitialMargin": plain(state.initial_margin),
        "totalOpenOrderInitialMargin": plain(state.order_margin),
        "totalCrossWalletBalance": cross_wallet,
        "totalCrossUnPnl": cross_pnl,
        "availableBalance": available,
        "maxWithdrawAmount": available,
        "assets": [
            {
                "asset": "USDT",
                "walletBalance": wallet,
                "unrealizedProfit": unrealised,
                "marginBalance": equity,
                "maintMargin": maintenance,
                "initialMargin": used,
                "positionInitialMargin": plain(state.initial_margin),
                "openOrderInitialMargin": plain(state.order_margin),
                "crossWalletBalance": cross_wallet,
                "crossUnPnl": cross_pnl,
                "availableBalance": available,
                "maxWithdrawAmount": available,
                "marginAvailable": True,
                "updateTime": milliseconds(now),
            }
        ],
        "positions": positions,
    }


def _position(simulator: Simulator, owner: Account, row: HoldingRow, now: datetime) -> Json:
    risk = position_risk(simulator, owner, row, now)
    return {
        "symbol": row.symbol,
        "initialMargin": risk["initialMargin"],
        "maintMargin": risk["maintMargin"],
        "unrealizedProfit": risk["unRealizedProfit"],
        "positionInitialMargin": risk["positionInitialMargin"],
        "openOrderInitialMargin": "0",
        "leverage": risk["leverage"],
        "isolated": risk["marginType"] == "isolated",
        "entryPrice": risk["entryPrice"],
        "maxNotional": risk["maxNotionalValue"],
        "bidNotional": "0",
        "askNotional": "0",
        "positionSide": risk["positionSide"],
        "positionAmt": risk["positionAmt"],
        "updateTime": risk["updateTime"],
        "notional": risk["notional"],
        "isolatedWallet": risk["isolatedWallet"],
    }


def balance(simulator: Simulator, owner: Account, now: datetime) -> list[Json]:
    state = margin_state(simulator.ledger, simulator.market, owner, venue=USDM, now=now)
    wallet, available = plain(state.wallet_balance), plain(state.available)
    return [
        {
            "accountAlias": f"sim{owner.uid}",
            "asset": "USDT",
            "balance": wallet,
            "crossWalletBalance": wallet,
            "crossUnPnl": plain(state.unrealised_pnl),
            "availableBalance": available,
            "maxWithdrawAmount": available,
            "marginAvailable": True,
            "updateTime": milliseconds(now),
        }
    ]


def position_risks(
    simulator: Simulator, owner: Account, symbol: str | None, now: datetime
) -> list[Json]:
    return [
        position_risk(simulator, owner, row, now)
        for row in simulator.ledger.holdings(api_key=owner.api_key, venue=USDM)
        if symbol in (None, row.symbol)
    ]


def position_risk(simulator: Simulator, owner: Account, row: HoldingRow, now: datetime) -> Json:
    """Return the fields of both versions 2 and 3 of the endpoint."""
    listing = simulator.market.listings[(USDM, row.symbol)]
    holding, mark = holding_of(row), simulator.market.mark(listing, now)
    state = state_behind(simulator.ledger, simulator.market, owner, row, now=now)
    alone = owner.is_isolated(USDM, row.symbol)
    liquidation = cross_liquidation_price(
        holding, state=state, mark_price=mark, tiers=listing.tiers
    )
    notional = holding.notional(mark)
    leverage = owner.leverage(USDM, row.symbol)
    initial = plain(notional / leverage)
    entry = plain(round(holding.cost / holding.base_quantity, 8))
    return {
        "symbol": row.symbol,
        "positionSide": position_side(owner, holding),
        "positionAmt": plain(row.base_quantity),
        "entryPrice": entry,
        "breakEvenPrice": entry,
        "markPrice": plain(mark),
        "unRealizedProfit": plain(holding.unrealised_pnl(mark)),
        "liquidationPrice": plain(round(liquidation, 8)) if liquidation else "0",
        "isolatedMargin": plain(state.equity) if alone else "0",
        "notional": plain(holding.base_quantity * mark),
        "marginAsset": listing.settle,
        "isolatedWallet": plain(state.wallet_balance) if alone else "0",
        "initialMargin": initial,
        "maintMargin": plain(maintenance_margin(notional, listing.tiers)),
        "positionInitialMargin": initial,
        "openOrderInitialMargin": "0",
        "adl": 1,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": milliseconds(row.updated_at),
        "leverage": plain(leverage),
        "maxNotionalValue": plain(listing.tiers[-1].notional_cap),
        "marginType": "isolated" if alone else "cross",
        "isAutoAddMargin": "false",
    }


def position_side(owner: Account, holding: Holding) -> str:
    """Return BOTH in one-way mode; in hedge mode a contract has a long and a short side."""
    if not owner.is_hedge_mode:
        return "BOTH"
    return "SHORT" if holding.base_quantity < 0 else "LONG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Income:
    at: datetime
    payload: Json


def incomes(ledger: Ledger, owner: Account, symbol: str | None, kind: str | None) -> list[Income]:
    """Return funding, transfers, realised P&L and fees, oldest first; > 0 was received."""
    rows: list[Income] = []
    if kind in (None, "FUNDING_FEE"):
        for paid in ledger.account_funding(owner.api_key, USDM, symbol):
            rows.append(
                Income(
                    at=paid.settled_at,
                    payload={
                        "symbol": paid.symbol,
                        "incomeType": "FUNDING_FEE",
                        "income": plain(paid.payment),
                        "asset": paid.asset,
                        "time": milliseconds(paid.settled_at),
                        "info": "FUNDING_FEE",
                        "tranId": int(paid.venue_payment_id),
                        "tradeId": "",
                    },
                )
            )
    for moved in ledger.account_transfers(owner.api_key, WALLETS[USDM]):
        if kind in (None, "TRANSFER") and symbol is None:
            payload = {
                "symbol": "",
                "incomeType": "TRANSFER",
                "income": plain(moved.amount),
                "asset": moved.asset,
                "time": milliseconds(moved.moved_at),
                "info": "TRANSFER",
                "tranId": FIRST_TRANSFER_ID + moved.number,
                "tradeId": "",
            }
            rows.append(Income(at=moved.moved_at, payload=payload))
    for trade in ledger.account_trades(owner.api_key, USDM, symbol):
        for name, amount in (("COMMISSION", -trade.fee), ("REALIZED_PNL", trade.realised_pnl)):
            if kind not in (None, name) or not amount:
                continue
            payload = {
                "symbol": trade.symbol,
                "incomeType": name,
                "income": plain(amount),
                "asset": trade.fee_asset,
                "time": milliseconds(trade.filled_at),
                "info": trade.venue_trade_id,
                "tranId": int(trade.venue_trade_id),
                "tradeId": trade.venue_trade_id,
            }
            rows.append(Income(at=trade.filled_at, payload=payload))
    return sorted(rows, key=lambda row: row.at)
