"""Payloads of Binance spot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from exchanges.domain import OrderType, Side, TimeInForce
from exchanges.simulator.accounts import Account, Order, TradeRow
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.binance_questions import rolling_day
from exchanges.simulator.faces.binance_usdm_orders import STATUSES
from exchanges.simulator.listings import SPOT, Listing
from exchanges.simulator.margin import locked
from exchanges.simulator.wire import Json, milliseconds, plain

ZERO = Decimal(0)


def exchange_info(listings: Iterable[Listing], now: datetime) -> Json:
    return {
        "timezone": "UTC",
        "serverTime": milliseconds(now),
        "rateLimits": [
            {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": 6000,
            }
        ],
        "exchangeFilters": [],
        "symbols": [_symbol(listing) for listing in listings],
        "sors": [],
    }


def _symbol(listing: Listing) -> Json:
    lot = plain(listing.lot)
    return {
        "symbol": listing.symbol,
        "status": "TRADING",
        "baseAsset": listing.base,
        "baseAssetPrecision": 8,
        "quoteAsset": listing.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": False,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": False,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": plain(listing.tick),
                "maxPrice": "1000000",
                "tickSize": plain(listing.tick),
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": lot,
                "maxQty": plain(listing.max_quantity),
                "stepSize": lot,
            },
            {
                "filterType": "NOTIONAL",
                "minNotional": plain(listing.min_notional),
                "applyMinToMarket": True,
                "maxNotional": "9000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_MAKER"],
    }


def book_ticker(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    book = simulator.book(listing, now)
    return {
        "symbol": listing.symbol,
        "bidPrice": plain(book.bid.price),
        "bidQty": plain(book.bid.base_quantity),
        "askPrice": plain(book.ask.price),
        "askQty": plain(book.ask.base_quantity),
    }


def depth(simulator: Simulator, listing: Listing, now: datetime, limit: int) -> Json:
    book = simulator.book(listing, now)
    return {
        "lastUpdateId": book.update_id,
        "bids": [[plain(row.price), plain(row.base_quantity)] for row in book.bids[:limit]],
        "asks": [[plain(row.price), plain(row.base_quantity)] for row in book.asks[:limit]],
    }


def ticker(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    book = simulator.book(listing, now)
    day = rolling_day(simulator, listing, listing.max_quantity / 100, now)
    return day | {
        "prevClosePrice": day["openPrice"],
        "bidPrice": plain(book.bid.price),
        "bidQty": plain(book.bid.base_quantity),
        "askPrice": plain(book.ask.price),
        "askQty": plain(book.ask.base_quantity),
    }


def last_price(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    return {"symbol": listing.symbol, "price": plain(simulator.market.mark(listing, now))}


def kind_of(order: Order) -> str:
    if order.order_type is OrderType.MARKET:
        return "MARKET"
    return "LIMIT_MAKER" if order.time_in_force is TimeInForce.POST_ONLY else "LIMIT"


def force_of(order: Order) -> str:
    return "IOC" if order.time_in_force is TimeInForce.IOC else "GTC"


def order(row: Order) -> Json:
    return {
        "symbol": row.symbol,
        "orderId": int(row.venue_order_id),
        "orderListId": -1,
        "clientOrderId": row.client_order_id,
        "price": plain(row.price or ZERO),
        "origQty": plain(row.base_quantity),
        "executedQty": plain(row.filled),
        "cummulativeQuoteQty": plain(row.filled_quote),
        "status": STATUSES[row.status],
        "timeInForce": force_of(row),
        "type": kind_of(row),
        "side": row.side.value.upper(),
        "stopPrice": "0",
        "icebergQty": "0",
        "time": milliseconds(row.created_at),
        "updateTime": milliseconds(row.updated_at),
        "isWorking": True,
        "workingTime": milliseconds(row.created_at),
        "origQuoteOrderQty": "0",
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def new_order(row: Order, fills: Sequence[TradeRow]) -> Json:
    payload = order(row)
    for name in ("stopPrice", "icebergQty", "time", "updateTime", "isWorking"):
        del payload[name]
    return payload | {
        "transactTime": milliseconds(row.created_at),
        "fills": [
            {
                "price": plain(fill.price),
                "qty": plain(fill.base_quantity),
                "commission": plain(fill.fee),
                "commissionAsset": fill.fee_asset,
                "tradeId": int(fill.venue_trade_id),
            }
            for fill in fills
        ],
    }


def canceled(row: Order, now: datetime) -> Json:
    payload = order(row)
    for name in ("stopPrice", "icebergQty", "time", "updateTime", "isWorking", "workingTime"):
        del payload[name]
    return payload | {
        "origClientOrderId": row.client_order_id,
        "clientOrderId": f"cancel-{row.number}",
        "transactTime": milliseconds(now),
    }


def trade(row: TradeRow) -> Json:
    return {
        "symbol": row.symbol,
        "id": int(row.venue_trade_id),
        "orderId": int(row.venue_order_id),
        "orderListId": -1,
        "price": plain(row.price),
        "qty": plain(row.base_quantity),
        "quoteQty": plain(row.base_quantity * row.price),
        "commission": plain(row.fee),
        "commissionAsset": row.fee_asset,
        "time": milliseconds(row.filled_at),
        "isBuyer": row.side is Side.BUY,
        "isMaker": row.is_maker,
        "isBestMatch": True,
    }


def balances(simulator: Simulator, owner: Account) -> list[tuple[str, Decimal, Decimal]]:
    """Return (asset, free, locked) of the spot wallet."""
    rows = []
    for asset, amount in sorted(owner.wallets.get("spot", {}).items()):
        held = locked(simulator.ledger, simulator.market, owner, asset, venue=SPOT)
        rows.append((asset, amount - held, held))
    return rows


def account(simulator: Simulator, owner: Account, now: datetime) -> Json:
    return {
        "makerCommission": 10,
        "takerCommission": 10,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": "0.001",
            "taker": "0.001",
            "buyer": "0.00000000",
            "seller": "0.00000000",
        },
        "canTrade": True,
        "canWithdraw": owner.may_withdraw,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": milliseconds(now),
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": plain(free), "locked": plain(held)}
            for asset, free, held in balances(simulator, owner)
        ],
        "permissions": ["SPOT"],
        "uid": owner.uid,
    }


def restrictions(owner: Account) -> Json:
    ends = owner.key_expires_at
    until = {"tradingAuthorityExpirationTime": milliseconds(ends)} if ends else {}
    return until | {
        "ipRestrict": owner.is_bound_to_address,
        "createTime": milliseconds(owner.created_at),
        "enableReading": True,
        "enableWithdrawals": owner.may_withdraw,
        "enableInternalTransfer": owner.may_transfer,
        "permitsUniversalTransfer": owner.may_transfer,
        "enableMargin": False,
        "enableFutures": True,
        "enableVanillaOptions": False,
        "enableSpotAndMarginTrading": True,
        "enablePortfolioMarginTrading": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": True,
    }


def coins(owner: Account) -> list[Json]:
    return [
        {
            "coin": asset,
            "depositAllEnable": True,
            "withdrawAllEnable": True,
            "name": asset,
            "free": plain(amount),
            "locked": "0",
            "freeze": "0",
            "trading": True,
            "isLegalMoney": False,
            "networkList": [],
        }
        for asset, amount in sorted(owner.wallets.get("spot", {}).items())
    ]
