"""Binance spot over REST (`api.binance.com`), and the account-wide `sapi` routes."""

from __future__ import annotations

from typing import Any

from exchanges.simulator.admission import RefusalReason
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces import binance_spot_payloads as payloads
from exchanges.simulator.faces.binance import (
    BinanceFace,
    Call,
    Route,
    Security,
    intent_of,
    placed,
)
from exchanges.simulator.faces.binance_questions import (
    DAY,
    cancelled,
    listing_of,
    listings_asked,
    order_found,
    orders_asked,
    told_of_each,
    trades_asked,
    working,
)
from exchanges.simulator.listings import SPOT
from exchanges.simulator.wire import Json, VenueRefusal, plain

CODES = {
    RefusalReason.QUANTITY_STEP: (-1013, "Filter failure: LOT_SIZE"),
    RefusalReason.PRICE_STEP: (-1013, "Filter failure: PRICE_FILTER"),
    RefusalReason.BELOW_MIN_QUANTITY: (-1013, "Filter failure: LOT_SIZE"),
    RefusalReason.ABOVE_MAX_QUANTITY: (-1013, "Filter failure: LOT_SIZE"),
    RefusalReason.BELOW_MIN_NOTIONAL: (-1013, "Filter failure: NOTIONAL"),
    RefusalReason.DUPLICATE_ID: (-2010, "Duplicate order sent."),
    RefusalReason.PRICE_BAND: (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    RefusalReason.WOULD_TAKE: (-2010, "Order would immediately match and take."),
    RefusalReason.INSUFFICIENT_MARGIN: (
        -2010,
        "Account has insufficient balance for requested action.",
    ),
}
MOST_PLACES = -8


class BinanceSpotFace(BinanceFace):
    """Binance spot: market data, orders, balances, key permissions."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(simulator)
        self._listings = simulator.listings_at(SPOT)
        none, signed = Security.NONE, Security.SIGNED
        market: dict[tuple[str, str], Route] = {
            ("GET", "/api/v3/ping"): (none, lambda call: {}),
            ("GET", "/api/v3/time"): (none, self._time),
            ("GET", "/api/v3/exchangeInfo"): (none, self._exchange_info),
            ("GET", "/api/v3/ticker/bookTicker"): (none, self._book_ticker),
            ("GET", "/api/v3/ticker/24hr"): (none, self._ticker),
            ("GET", "/api/v3/ticker/price"): (none, self._last_price),
            ("GET", "/api/v3/depth"): (none, self._depth),
        }
        orders: dict[tuple[str, str], Route] = {
            ("POST", "/api/v3/order"): (signed, self._place),
            ("GET", "/api/v3/order"): (signed, self._order),
            ("DELETE", "/api/v3/order"): (signed, self._cancel),
            ("GET", "/api/v3/openOrders"): (signed, self._open_orders),
            ("DELETE", "/api/v3/openOrders"): (signed, self._cancel_all),
            ("GET", "/api/v3/allOrders"): (signed, self._all_orders),
            ("GET", "/api/v3/myTrades"): (signed, self._my_trades),
            ("GET", "/api/v3/account"): (signed, self._account),
        }
        wide: dict[tuple[str, str], Route] = {
            ("GET", "/sapi/v1/account/apiRestrictions"): (signed, self._restrictions),
            ("GET", "/sapi/v1/system/status"): (none, self._status),
            ("GET", "/sapi/v1/asset/tradeFee"): (signed, self._trade_fee),
            ("GET", "/sapi/v1/capital/config/getall"): (signed, self._coins),
            ("GET", "/sapi/v1/margin/allPairs"): (signed, lambda call: []),
            ("GET", "/sapi/v1/margin/isolated/allPairs"): (signed, lambda call: []),
        }
        self._routes = market | orders | wide

    def _status(self, call: Call) -> Json:
        """Tell only whether there is maintenance now: of what is to come Binance says nothing."""
        windows = self._simulator.announcements.maintenance(SPOT)
        goes_on = any(window.state(call.now) == "ongoing" for window in windows)
        return {"status": int(goes_on), "msg": "system maintenance" if goes_on else "normal"}

    def _exchange_info(self, call: Call) -> Json:
        return payloads.exchange_info(self._listings.values(), call.now)

    def _book_ticker(self, call: Call) -> Any:
        return told_of_each(self._simulator, call, self._listings, payloads.book_ticker)

    def _ticker(self, call: Call) -> Any:
        return told_of_each(self._simulator, call, self._listings, payloads.ticker)

    def _last_price(self, call: Call) -> Any:
        return told_of_each(self._simulator, call, self._listings, payloads.last_price)

    def _depth(self, call: Call) -> Json:
        listing = listing_of(call, self._listings)
        limit = call.number("limit") or 100
        return payloads.depth(self._simulator, listing, call.now, limit)

    def _place(self, call: Call) -> Json:
        listing = listing_of(call, self._listings)
        intent = intent_of(call, listing, post_only_type="LIMIT_MAKER")
        for name, value in (("quantity", intent.base_quantity), ("price", intent.price)):
            exponent = value.as_tuple().exponent if value is not None else 0
            if isinstance(exponent, int) and exponent < MOST_PLACES:
                raise VenueRefusal(-1111, f"Parameter '{name}' has too much precision.")
        order = placed(self._simulator, call, intent, CODES)
        ledger = self._simulator.ledger
        trades = ledger.account_trades(call.owner.api_key, SPOT, listing.symbol)
        fills = [row for row in trades if row.order_number == order.number]
        return payloads.new_order(order, fills)

    def _order(self, call: Call) -> Json:
        listing = listing_of(call, self._listings)
        return payloads.order(order_found(self._simulator, call, listing))

    def _cancel(self, call: Call) -> Json:
        order = cancelled(self._simulator, call, listing_of(call, self._listings))
        return payloads.canceled(order, call.now)

    def _open_orders(self, call: Call) -> list[Json]:
        return [payloads.order(row) for row in working(self._simulator, call, SPOT)]

    def _cancel_all(self, call: Call) -> list[Json]:
        listing_of(call, self._listings)
        orders = working(self._simulator, call, SPOT)
        if not orders:
            raise VenueRefusal(-2011, "Unknown order sent.")
        for order in orders:
            self._simulator.engine.cancel(call.owner, order, now=call.now)
        return [payloads.canceled(order, call.now) for order in orders]

    def _all_orders(self, call: Call) -> list[Json]:
        listing = listing_of(call, self._listings)
        return [payloads.order(row) for row in orders_asked(self._simulator, call, listing, DAY)]

    def _my_trades(self, call: Call) -> list[Json]:
        listing = listing_of(call, self._listings)
        return [payloads.trade(row) for row in trades_asked(self._simulator, call, listing, DAY)]

    def _account(self, call: Call) -> Json:
        return payloads.account(self._simulator, call.owner, call.now)

    def _restrictions(self, call: Call) -> Json:
        return payloads.restrictions(call.owner)

    def _trade_fee(self, call: Call) -> list[Json]:
        asked, _ = listings_asked(call, self._listings)
        return [
            {
                "symbol": listing.symbol,
                "makerCommission": plain(listing.maker_fee),
                "takerCommission": plain(listing.taker_fee),
            }
            for listing in asked
        ]

    def _coins(self, call: Call) -> list[Json]:
        return payloads.coins(call.owner)
