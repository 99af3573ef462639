"""Payloads of a Bybit unified account: wallet, positions, key, fees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from exchanges.matching import Holding, maintenance_margin
from exchanges.simulator.accounts import ALL, Account, HoldingRow
from exchanges.simulator.core import Simulator
from exchanges.simulator.interest import coin_worth, owed
from exchanges.simulator.listings import BYBIT, BYBIT_SPOT, UNIFIED, Listing
from exchanges.simulator.margin import (
    isolated_margin,
    isolated_part,
    liquidation_price,
    locked,
    margin_state,
)
from exchanges.simulator.wire import Json, milliseconds, plain

COINS = ("USDT", "BTC", "ETH", "SOL")


def margin_mode(owner: Account) -> str:
    return "ISOLATED_MARGIN" if owner.is_isolated(BYBIT, ALL) else "REGULAR_MARGIN"


STAMP = "%Y-%m-%dT%H:%M:%SZ"


def account_info(owner: Account) -> Json:
    return {
        "marginMode": margin_mode(owner),
        "updatedTime": str(milliseconds(owner.created_at)),
        "unifiedMarginStatus": 5,
        "dcpStatus": "OFF",
        "timeWindow": 10,
        "smpGroup": 0,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
    }


def api_key(owner: Account) -> Json:
    wallet = ["AccountTransfer", "SubMemberTransfer"] if owner.may_transfer else []
    ends = owner.key_expires_at
    if owner.may_withdraw:
        wallet.append("Withdraw")
    return {
        "id": str(owner.uid),
        "note": "simulated",
        "apiKey": owner.api_key,
        "readOnly": 0,
        "secret": "",
        "permissions": {
            "ContractTrade": ["Order", "Position"],
            "Spot": ["SpotTrade"],
            "Wallet": wallet,
            "Options": [],
            "Derivatives": ["DerivativesTrade"],
            "CopyTrading": [],
            "BlockTrade": [],
            "Exchange": ["ExchangeHistory"],
            "NFT": [],
            "Affiliate": [],
            "Earn": [],
        },
        "userIDInt64": str(owner.uid),
        "inviterIDInt64": "0",
        "affiliateIDInt64": "0",
        "ips": ["192.0.2.7"] if owner.is_bound_to_address else ["*"],
        "type": 1,
        "deadlineDay": 90,
        "expiredAt": ends.strftime(STAMP) if ends else "1970-01-01T00:00:00Z",
        "createdAt": owner.created_at.strftime(STAMP),
        "unified": 0,
        "uta": 1,
        "userID": owner.uid,
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "",
        "isMaster": True,
        "parentUid": "0",
        "kycLevel": "LEVEL_1",
        "kycRegion": "",
    }


def coins() -> Json:
    rows = [
        {
            "name": name,
            "coin": name,
            "remainAmount": "1000000",
            "chains": [
                {
                    "chainType": "Simulated",
                    "confirmation": "1",
                    "withdrawFee": "1",
                    "depositMin": "0",
                    "withdrawMin": "10",
                    "chain": "SIM",
                    "chainDeposit": "1",
                    "chainWithdraw": "1",
                    "minAccuracy": "8",
                    "withdrawPercentageFee": "0",
                }
            ],
        }
        for name in COINS
    ]
    return {"rows": rows}


def fee_rates(listings: Sequence[Listing]) -> Json:
    rows = [
        {
            "symbol": listing.symbol,
            "takerFeeRate": plain(listing.taker_fee),
            "makerFeeRate": plain(listing.maker_fee),
            "baseCoin": "",
        }
        for listing in listings
    ]
    return {"list": rows}


def wallet_balance(simulator: Simulator, owner: Account, now: datetime) -> Json:
    """USDT counts as one dollar, coins as collateral at a part of their index price."""
    state = margin_state(simulator.ledger, simulator.market, owner, venue=BYBIT, now=now)
    apart, apart_pnl = isolated_part(
        simulator.ledger, simulator.market, owner, venue=BYBIT, now=now
    )
    used = state.initial_margin + state.order_margin + apart
    equity = state.equity + apart + apart_pnl
    unrealised = state.unrealised_pnl + apart_pnl
    rows = [_coin(simulator, owner, asset, now) for asset in sorted(owner.wallets[UNIFIED])]
    locked_usdt = locked(simulator.ledger, simulator.market, owner, "USDT", venue=BYBIT_SPOT)
    # Of the account's equity the coins are not in USDT.
    worth = coin_worth(simulator.market, owner, venue=BYBIT, now=now)
    for row in rows:
        if row["coin"] == "USDT":
            row |= {
                "equity": plain(equity - worth),
                "usdValue": plain(equity - worth),
                "totalOrderIM": plain(state.order_margin - locked_usdt),
                "totalPositionIM": plain(state.initial_margin + apart),
                "totalPositionMM": plain(state.maintenance_margin),
                "unrealisedPnl": plain(unrealised),
            }
    return {
        "list": [
            {
                "accountType": "UNIFIED",
                "accountLTV": "0",
                "accountIMRate": _rate(used, equity),
                "accountMMRate": _rate(state.maintenance_margin, equity),
                "totalEquity": plain(equity),
                "totalWalletBalance": plain(state.wallet_balance + apart),
                "totalMarginBalance": plain(equity),
                "totalAvailableBalance": plain(state.available),
                "totalPerpUPL": plain(unrealised),
                "totalInitialMargin": plain(used),
                "totalMaintenanceMargin": plain(state.maintenance_margin),
                "coin": rows,
            }
        ]
    }


def _rate(part: Decimal, whole: Decimal) -> str:
    return plain(round(part / whole, 8)) if whole > 0 else "0"


def _coin(simulator: Simulator, owner: Account, asset: str, now: datetime) -> Json:
    """Equity is what the wallet holds less what was borrowed and sold."""
    amount, borrowed = owner.balance(UNIFIED, asset), plain(owed(owner, asset))
    held = locked(simulator.ledger, simulator.market, owner, asset, venue=BYBIT_SPOT)
    listing = simulator.listings_at(BYBIT_SPOT).get(f"{asset}USDT")
    price = simulator.market.index(listing, now) if listing is not None else Decimal(0)
    return {
        "coin": asset,
        "equity": plain(amount),
        "usdValue": plain(amount * price),
        "walletBalance": plain(max(amount, Decimal(0))),
        "locked": plain(max(held, Decimal(0))),
        "availableToWithdraw": "",
        "availableToBorrow": "",
        "borrowAmount": borrowed,
        "accruedInterest": "0",
        "totalOrderIM": "0",
        "totalPositionIM": "0",
        "totalPositionMM": "0",
        "unrealisedPnl": "0",
        "cumRealisedPnl": "0",
        "bonus": "0",
        "spotBorrow": borrowed,
        "marginCollateral": asset == "USDT",
        "collateralSwitch": asset == "USDT",
    }


def positions(
    simulator: Simulator, owner: Account, listings: Sequence[Listing] | None, now: datetime
) -> list[Json]:
    """Return one row per asked listing, flat ones included; without a list only open ones."""
    held = simulator.ledger.holdings(api_key=owner.api_key, venue=BYBIT)
    if listings is None:
        listings = [simulator.market.listings[(row.venue, row.symbol)] for row in held]
    return [position(simulator, owner, listing, now) for listing in listings]


def position(simulator: Simulator, owner: Account, listing: Listing, now: datetime) -> Json:
    holding = simulator.ledger.holding(owner.api_key, listing.key)
    mark = simulator.market.mark(listing, now)
    notional, leverage = holding.notional(mark), owner.leverage(BYBIT, listing.symbol)
    initial = plain(notional / leverage)
    stamp = str(milliseconds(now))
    return {
        # In hedge mode a contract has a long side, 1, and a short side, 2.
        "positionIdx": (2 if holding.base_quantity < 0 else 1) if owner.is_hedge_mode else 0,
        "riskId": 1,
        "riskLimitValue": plain(listing.tiers[0].notional_cap),
        "symbol": listing.symbol,
        "side": _side(holding),
        "size": plain(abs(holding.base_quantity)),
        "avgPrice": plain(round(holding.entry_price, 8)) if holding.entry_price else "0",
        "positionValue": plain(abs(holding.cost)),
        "tradeMode": 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 2 if holding.base_quantity else 0,
        "leverage": plain(leverage),
        "positionBalance": _position_balance(owner, listing, holding),
        "markPrice": plain(mark),
        "liqPrice": _liquidation_price(simulator, owner, listing, holding, now),
        "bustPrice": "",
        "positionMM": plain(maintenance_margin(notional, listing.tiers)),
        "positionIM": initial,
        "tpslMode": "Full",
        "takeProfit": "",
        "stopLoss": "",
        "trailingStop": "0",
        "unrealisedPnl": plain(holding.unrealised_pnl(mark)),
        "curRealisedPnl": "0",
        "cumRealisedPnl": "0",
        "seq": len(simulator.ledger.trades),
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "createdTime": stamp,
        "updatedTime": stamp,
    }


def _side(holding: Holding) -> str:
    if not holding.base_quantity:
        return ""
    return "Buy" if holding.base_quantity > 0 else "Sell"


def _row(owner: Account, listing: Listing, holding: Holding, now: datetime) -> HoldingRow:
    return HoldingRow(
        api_key=owner.api_key,
        venue=BYBIT,
        symbol=listing.symbol,
        base_quantity=holding.base_quantity,
        cost=holding.cost,
        updated_at=now,
    )


def _position_balance(owner: Account, listing: Listing, holding: Holding) -> str:
    if not owner.is_isolated(BYBIT, listing.symbol):
        return "0"
    return plain(isolated_margin(owner, _row(owner, listing, holding, owner.created_at)))


def _liquidation_price(
    simulator: Simulator, owner: Account, listing: Listing, holding: Holding, now: datetime
) -> str:
    row = _row(owner, listing, holding, now)
    price = liquidation_price(simulator.ledger, simulator.market, owner, row, now=now)
    return "" if price is None else plain(price)
