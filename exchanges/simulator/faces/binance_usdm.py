"""Binance USD-M futures over REST (`fapi.binance.com`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from exchanges.matching import notional_limit
from exchanges.simulator.accounts import Account
from exchanges.simulator.admission import RefusalReason
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces import binance_usdm_account as account_payloads
from exchanges.simulator.faces import binance_usdm_margin as margin
from exchanges.simulator.faces import binance_usdm_market as market_payloads
from exchanges.simulator.faces.binance import (
    BinanceFace,
    Call,
    Route,
    Security,
    intent_of,
    placed,
)
from exchanges.simulator.faces.binance_questions import (
    cancelled,
    listing_of,
    listings_asked,
    order_found,
    orders_asked,
    page,
    told_of_each,
    trades_asked,
    working,
)
from exchanges.simulator.faces.binance_usdm_orders import order_payload, trade_payload
from exchanges.simulator.listings import USDM, Listing
from exchanges.simulator.wire import Json, VenueRefusal, milliseconds, plain

CODES = {
    RefusalReason.QUANTITY_STEP: (
        -1111,
        "Precision is over the maximum defined for this asset.",
    ),
    RefusalReason.PRICE_STEP: (-1111, "Precision is over the maximum defined for this asset."),
    RefusalReason.BELOW_MIN_QUANTITY: (-4003, "Quantity less than or equal to zero."),
    RefusalReason.ABOVE_MAX_QUANTITY: (-4005, "Quantity greater than max quantity."),
    RefusalReason.BELOW_MIN_NOTIONAL: (
        -4164,
        "Order's notional must be no smaller than the minimum (unless you choose reduce only).",
    ),
    RefusalReason.DUPLICATE_ID: (-4116, "ClientOrderId is duplicated."),
    RefusalReason.REDUCE_ONLY: (-2022, "ReduceOnly Order is rejected."),
    RefusalReason.PRICE_BAND: (-4016, "Limit price is beyond the allowed band."),
    RefusalReason.WOULD_TAKE: (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected.",
    ),
    RefusalReason.INSUFFICIENT_MARGIN: (-2019, "Margin is insufficient."),
    RefusalReason.POSITION_LIMIT: (
        -2027,
        "Exceeded the maximum allowable position at current leverage.",
    ),
}
WEEK = timedelta(days=7)


def listen_key_of(account: Account) -> str:
    """Return the account's user-stream key: derived, so that it survives a restart."""
    return uuid5(NAMESPACE_URL, f"listen:{account.api_key}").hex * 2


class BinanceUsdmFace(BinanceFace):
    """Binance USD-M: market data, orders, account."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(simulator)
        self._listings = simulator.listings_at(USDM)
        self._once_listed = simulator.once_listed_at(USDM)
        none, key, signed = Security.NONE, Security.KEY, Security.SIGNED
        market: dict[tuple[str, str], Route] = {
            ("GET", "/fapi/v1/ping"): (none, lambda call: {}),
            ("GET", "/fapi/v1/time"): (none, self._time),
            ("GET", "/fapi/v1/exchangeInfo"): (none, self._exchange_info),
            ("GET", "/fapi/v1/premiumIndex"): (none, self._premium_index),
            ("GET", "/fapi/v1/fundingInfo"): (none, self._funding_info),
            ("GET", "/fapi/v1/fundingRate"): (none, self._funding_rate),
            ("GET", "/fapi/v1/ticker/bookTicker"): (none, self._book_ticker),
            ("GET", "/fapi/v1/ticker/24hr"): (none, self._ticker),
            ("GET", "/fapi/v1/depth"): (none, self._depth),
            ("GET", "/fapi/v1/openInterest"): (none, self._open_interest),
        }
        orders: dict[tuple[str, str], Route] = {
            ("POST", "/fapi/v1/order"): (signed, self._place),
            ("GET", "/fapi/v1/order"): (signed, self._order),
            ("DELETE", "/fapi/v1/order"): (signed, self._cancel),
            ("GET", "/fapi/v1/openOrders"): (signed, self._open_orders),
            ("GET", "/fapi/v1/allOrders"): (signed, self._all_orders),
            ("DELETE", "/fapi/v1/allOpenOrders"): (signed, self._cancel_all),
            ("POST", "/fapi/v1/countdownCancelAll"): (signed, self._count_down),
            ("GET", "/fapi/v1/userTrades"): (signed, self._user_trades),
            ("GET", "/fapi/v1/income"): (signed, self._income),
        }
        account: dict[tuple[str, str], Route] = {
            ("GET", "/fapi/v3/account"): (signed, self._account),
            ("GET", "/fapi/v2/account"): (signed, self._account),
            ("GET", "/fapi/v3/balance"): (signed, self._balance),
            ("GET", "/fapi/v2/balance"): (signed, self._balance),
            ("GET", "/fapi/v3/positionRisk"): (signed, self._position_risk),
            ("GET", "/fapi/v2/positionRisk"): (signed, self._position_risk),
            ("POST", "/fapi/v1/leverage"): (signed, self._set_leverage),
            ("POST", "/fapi/v1/marginType"): (signed, self._set_margin_type),
            ("POST", "/fapi/v1/positionMargin"): (signed, self._add_margin),
            ("GET", "/fapi/v1/positionSide/dual"): (signed, self._position_side),
            ("POST", "/fapi/v1/positionSide/dual"): (signed, self._set_position_side),
            ("GET", "/fapi/v1/commissionRate"): (signed, self._commission_rate),
            ("GET", "/fapi/v1/leverageBracket"): (signed, self._leverage_bracket),
            ("GET", "/fapi/v1/symbolConfig"): (signed, self._symbol_config),
            ("GET", "/fapi/v1/accountConfig"): (signed, self._account_config),
            ("GET", "/fapi/v1/multiAssetsMargin"): (signed, self._multi_assets),
            ("POST", "/fapi/v1/listenKey"): (key, self._listen_key),
            ("PUT", "/fapi/v1/listenKey"): (key, self._listen_key),
            ("DELETE", "/fapi/v1/listenKey"): (key, lambda call: {}),
        }
        self._routes = market | orders | account

    def _exchange_info(self, call: Call) -> Json:
        return market_payloads.exchange_info(self._simulator, self._listings.values(), call.now)

    def _premium_index(self, call: Call) -> Any:
        return told_of_each(self._simulator, call, self._listings, market_payloads.premium_index)

    def _funding_info(self, call: Call) -> list[Json]:
        return market_payloads.funding_info(self._simulator, self._listings.values())

    def _funding_rate(self, call: Call) -> list[Json]:
        asked, _ = listings_asked(call, self._listings)
        rows = [
            (listing, settled)
            for listing in asked
            if listing.is_perpetual
            for settled in self._simulator.settled(listing, now=call.now, since=self._since(call))
        ]
        rows.sort(key=lambda row: row[1].at)
        kept = page(rows, call, time_of=lambda row: row[1].at, default=100)
        return [market_payloads.funding_rate(listing, settled) for listing, settled in kept]

    def _since(self, call: Call) -> datetime | None:
        start = call.number("startTime")
        return None if start is None else datetime.fromtimestamp(max(0, start) / 1000, UTC)

    def _book_ticker(self, call: Call) -> Any:
        return told_of_each(self._simulator, call, self._listings, market_payloads.book_ticker)

    def _ticker(self, call: Call) -> Any:
        return told_of_each(self._simulator, call, self._listings, market_payloads.ticker)

    def _depth(self, call: Call) -> Json:
        listing = listing_of(call, self._listings)
        limit = call.number("limit") or 500
        return market_payloads.depth(self._simulator, listing, call.now, limit)

    def _open_interest(self, call: Call) -> Json:
        listing = listing_of(call, self._listings)
        interest = plain(self._simulator.market.open_interest(listing))
        return {
            "openInterest": interest,
            "symbol": listing.symbol,
            "time": milliseconds(call.now),
        }

    def _place(self, call: Call) -> Json:
        listing = listing_of(call, self._listings)
        side = call.parameters.get("positionSide", "BOTH")
        if (side != "BOTH") != call.owner.is_hedge_mode:
            raise VenueRefusal(-4061, "Order's position side does not match user's setting.")
        intent = intent_of(call, listing)
        return order_payload(placed(self._simulator, call, intent, CODES))

    def _order(self, call: Call) -> Json:
        listing = listing_of(call, self._once_listed)
        return order_payload(order_found(self._simulator, call, listing))

    def _cancel(self, call: Call) -> Json:
        listing = listing_of(call, self._listings)
        return order_payload(cancelled(self._simulator, call, listing))

    def _open_orders(self, call: Call) -> list[Json]:
        return [order_payload(row) for row in working(self._simulator, call, USDM)]

    def _all_orders(self, call: Call) -> list[Json]:
        listing = listing_of(call, self._once_listed)
        return [order_payload(row) for row in orders_asked(self._simulator, call, listing, WEEK)]

    def _cancel_all(self, call: Call) -> Json:
        listing = listing_of(call, self._listings)
        for order in self._simulator.ledger.open_orders(
            api_key=call.owner.api_key, venue=USDM, symbol=listing.symbol
        ):
            self._simulator.engine.cancel(call.owner, order, now=call.now)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def _user_trades(self, call: Call) -> list[Json]:
        listing = listing_of(call, self._once_listed)
        return [trade_payload(row) for row in trades_asked(self._simulator, call, listing, WEEK)]

    def _income(self, call: Call) -> list[Json]:
        symbol, kind = call.parameters.get("symbol"), call.parameters.get("incomeType")
        rows = account_payloads.incomes(self._simulator.ledger, call.owner, symbol, kind)
        if "startTime" not in call.parameters:
            rows = [row for row in rows if row.at >= call.now - WEEK]
        kept = page(rows, call, time_of=lambda row: row.at, default=100)
        return [row.payload for row in kept]

    def _account(self, call: Call) -> Json:
        return account_payloads.account(self._simulator, call.owner, call.now)

    def _balance(self, call: Call) -> list[Json]:
        return account_payloads.balance(self._simulator, call.owner, call.now)

    def _position_risk(self, call: Call) -> list[Json]:
        symbol = call.parameters.get("symbol")
        return account_payloads.position_risks(self._simulator, call.owner, symbol, call.now)

    def _set_leverage(self, call: Call) -> Json:
        listing = listing_of(call, self._listings)
        leverage = call.decimal("leverage")
        if not 1 <= leverage <= listing.max_leverage or leverage != int(leverage):
            raise VenueRefusal(-4028, f"Leverage {leverage} is not valid")
        call.owner.leverages[f"{USDM}:{listing.symbol}"] = leverage
        self._simulator.ledger.put_account(call.owner)
        limit = notional_limit(leverage, listing.tiers)
        return {
            "leverage": int(leverage),
            "maxNotionalValue": plain(limit),
            "symbol": listing.symbol,
        }

    def _set_margin_type(self, call: Call) -> Json:
        return margin.set_margin_type(self._simulator, call, listing_of(call, self._listings))

    def _add_margin(self, call: Call) -> Json:
        return margin.add_position_margin(self._simulator, call, listing_of(call, self._listings))

    def _count_down(self, call: Call) -> Json:
        return margin.count_down(self._simulator, call, listing_of(call, self._listings))

    def _position_side(self, call: Call) -> Json:
        return {"dualSidePosition": call.owner.is_hedge_mode}

    def _set_position_side(self, call: Call) -> Json:
        wanted = call.required("dualSidePosition").lower() == "true"
        if wanted == call.owner.is_hedge_mode:
            raise VenueRefusal(-4059, "No need to change position side.")
        if self._simulator.ledger.holdings(api_key=call.owner.api_key, venue=USDM):
            message = "Position side cannot be changed if there exists position."
            raise VenueRefusal(-4068, message)
        call.owner.is_hedge_mode = wanted
        self._simulator.ledger.put_account(call.owner)
        return {"code": 200, "msg": "success"}

    def _commission_rate(self, call: Call) -> Json:
        listing = listing_of(call, self._listings)
        return {
            "symbol": listing.symbol,
            "makerCommissionRate": plain(listing.maker_fee),
            "takerCommissionRate": plain(listing.taker_fee),
        }

    def _leverage_bracket(self, call: Call) -> Any:
        asked, _ = listings_asked(call, self._listings)
        return [market_payloads.leverage_bracket(row) for row in asked]

    def _symbol_config(self, call: Call) -> list[Json]:
        asked, _ = listings_asked(call, self._listings)
        return [_symbol_config_row(call.owner, row) for row in asked]

    def _account_config(self, call: Call) -> Json:
        return {
            "feeTier": 0,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": call.owner.may_withdraw,
            "dualSidePosition": call.owner.is_hedge_mode,
            "multiAssetsMargin": False,
            "updateTime": 0,
        }

    def _multi_assets(self, call: Call) -> Json:
        return {"multiAssetsMargin": False}

    def _listen_key(self, call: Call) -> Json:
        return {"listenKey": listen_key_of(call.owner)}


def _symbol_config_row(account: Account, listing: Listing) -> Json:
    leverage: Decimal = account.leverage(USDM, listing.symbol)
    return {
        "symbol": listing.symbol,
        "marginType": "ISOLATED" if account.is_isolated(USDM, listing.symbol) else "CROSSED",
        "isAutoAddMargin": "false",
        "leverage": int(leverage),
        "maxNotionalValue": plain(notional_limit(leverage, listing.tiers)),
    }
