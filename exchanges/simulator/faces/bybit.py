"""Bybit v5 over REST (`api.bybit.com`): routing, signatures, orders, settings."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from exchanges.domain import OrderType, Side, TimeInForce
from exchanges.simulator.accounts import Account, Order
from exchanges.simulator.admission import OrderIntent, Refusal, RefusalReason
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces import bybit_account as account_payloads
from exchanges.simulator.faces import bybit_market as market_payloads
from exchanges.simulator.faces.bybit_orders import execution_payloads, order_payload
from exchanges.simulator.listings import BYBIT, Listing
from exchanges.simulator.wire import (
    Json,
    VenueRefusal,
    WireRequest,
    WireResponse,
    decimal_of,
    milliseconds,
)

CODES = {
    RefusalReason.QUANTITY_STEP: (10001, "Qty invalid"),
    RefusalReason.PRICE_STEP: (10001, "Price invalid"),
    RefusalReason.BELOW_MIN_QUANTITY: (10001, "The number of contracts is below the minimum"),
    RefusalReason.ABOVE_MAX_QUANTITY: (10001, "The number of contracts exceeds maximum limit"),
    RefusalReason.BELOW_MIN_NOTIONAL: (110094, "Order does not meet minimum order value 5USDT"),
    RefusalReason.DUPLICATE_ID: (110072, "OrderLinkedID is duplicate"),
    RefusalReason.REDUCE_ONLY: (
        110017,
        "current position is zero, cannot fix reduce-only order qty",
    ),
    RefusalReason.PRICE_BAND: (110003, "Order price exceeds the allowable range."),
    RefusalReason.INSUFFICIENT_MARGIN: (110007, "ab not enough for new order"),
    RefusalReason.POSITION_LIMIT: (110090, "Order would exceed the position limit at leverage"),
}
MAX_AHEAD = 1000
DEFAULT_RECV_WINDOW = 5000
REACH = timedelta(days=7)
PUBLIC_PREFIX = "/v5/market/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One authenticated request, read: query of a GET, JSON body of a POST."""

    parameters: Mapping[str, Any]
    now: datetime
    account: Account | None = None

    @property
    def owner(self) -> Account:
        if self.account is None:
            raise VenueRefusal(10003, "API key is invalid.", status=200)
        return self.account

    def text(self, name: str) -> str:
        return str(self.parameters.get(name) or "")

    def number(self, name: str, default: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not value.isdigit():
            raise invalid(f"{name} invalid")
        return int(value)

    def moment(self, name: str) -> int | None:
        return self.number(name, 0) or None

    def decimal(self, name: str) -> Decimal:
        value = decimal_of(self.parameters.get(name))
        if value is None:
            raise invalid(f"{name} invalid")
        return value


Handler = Callable[[Call], Json]


def invalid(message: str) -> VenueRefusal:
    return VenueRefusal(10001, f"params error: {message}", status=200)


def signature(secret: str, payload: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def envelope(result: Json, now: datetime, *, code: int = 0, message: str = "OK") -> bytes:
    return orjson.dumps(
        {
            "retCode": code,
            "retMsg": message,
            "result": result,
            "retExtInfo": {},
            "time": milliseconds(now),
        }
    )


def account_of(simulator: Simulator, api_key: str) -> Account:
    account = simulator.ledger.accounts.get(api_key)
    if account is None or account.venue != BYBIT:
        raise VenueRefusal(10003, "API key is invalid.", status=200)
    return account


def authenticated(simulator: Simulator, request: WireRequest, now: datetime) -> Account:
    """Check key, clock and signature of a private request."""
    headers = request.headers
    key, stamp = headers.get("x-bapi-api-key", ""), headers.get("x-bapi-timestamp", "")
    window = headers.get("x-bapi-recv-window", str(DEFAULT_RECV_WINDOW))
    account = account_of(simulator, key)
    sent_at, width = decimal_of(stamp), decimal_of(window)
    server_at = milliseconds(now)
    if (
        sent_at is None
        or width is None
        or not (server_at - width <= sent_at < server_at + MAX_AHEAD)
    ):
        message = (
            "invalid request, please check your server timestamp or recv_window param. "
            f"req_timestamp[{stamp}],server_timestamp[{server_at}],recv_window[{window}]"
        )
        raise VenueRefusal(10002, message, status=200)
    signed = request.body.decode() if request.method == "POST" else request.query
    expected = signature(account.secret, f"{stamp}{key}{window}{signed}")
    if not hmac.compare_digest(expected, headers.get("x-bapi-sign", "")):
        message = "error sign! please check your signature generation algorithm."
        raise VenueRefusal(10004, message, status=200)
    return account


class BybitFace:
    """Bybit's v5 interface of one unified account: linear contracts trade, inverse is shown."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(BYBIT)
        market = market_payloads.MarketPages(simulator, self._listings)
        self._routes: dict[tuple[str, str], Handler] = {
            ("GET", "/v5/order/realtime"): self._orders_now,
            ("GET", "/v5/order/history"): self._orders_past,
            ("POST", "/v5/order/create"): self._create,
            ("POST", "/v5/order/cancel"): self._cancel,
            ("POST", "/v5/order/cancel-all"): self._cancel_all,
            ("GET", "/v5/execution/list"): self._executions,
            ("GET", "/v5/position/list"): self._positions,
            ("POST", "/v5/position/set-leverage"): self._set_leverage,
            ("POST", "/v5/position/switch-mode"): self._switch_mode,
            ("POST", "/v5/account/set-margin-mode"): self._set_margin_mode,
            ("GET", "/v5/account/wallet-balance"): self._wallet_balance,
            ("GET", "/v5/account/fee-rate"): self._fee_rate,
            ("GET", "/v5/account/info"): lambda call: account_payloads.account_info(call.owner),
            ("GET", "/v5/user/query-api"): lambda call: account_payloads.api_key(call.owner),
            ("GET", "/v5/asset/coin/query-info"): lambda call: account_payloads.coins(),
        } | market.routes

    def handle(self, request: WireRequest, *, now: datetime) -> WireResponse:
        try:
            handler = self._routes.get((request.method, request.path))
            if handler is None:
                raise VenueRefusal(10001, f"Request path {request.path} is unknown", status=404)
            account = None
            if not request.path.startswith(PUBLIC_PREFIX):
                account = authenticated(self._simulator, request, now)
            parameters = request.json if request.method == "POST" else request.query_parameters
            result = handler(Call(parameters=parameters, now=now, account=account))
        except VenueRefusal as refusal:
            body = envelope({}, now, code=refusal.code, message=refusal.message)
            return WireResponse(status=refusal.status, body=body, outcome=str(refusal.code))
        return WireResponse(status=200, body=envelope(result, now), outcome="ok")

    def client_order_id(self, request: WireRequest) -> str:
        found = request.json if request.method == "POST" else request.query_parameters
        return str(found.get("orderLinkId") or "")

    def create(self, call: Call) -> Json:
        """Place an order for REST or the trade socket; return its ids."""
        return self._create(call)

    def cancel(self, call: Call) -> Json:
        return self._cancel(call)

    def _listing(self, call: Call) -> Listing:
        listing = self._listings.get(call.text("symbol"))
        if call.text("category") != "linear" or listing is None or listing.is_inverse:
            raise invalid(f"symbol invalid {call.text('symbol')}")
        return listing

    def _create(self, call: Call) -> Json:
        intent = _intent(call, self._listing(call))
        if call.number("positionIdx", 0) and not call.owner.is_hedge_mode:
            raise invalid("position idx not match position mode")
        result = self._simulator.place(call.owner, intent, now=call.now)
        if isinstance(result, Refusal):
            code, message = CODES[result.reason]
            raise VenueRefusal(code, message, status=200)
        return {"orderId": result.venue_order_id, "orderLinkId": result.client_order_id}

    def _cancel(self, call: Call) -> Json:
        self._listing(call)
        found = self._named(call)
        if not found or not self._simulator.engine.cancel(call.owner, found[-1], now=call.now):
            message = "order not exists or too late to cancel"
            raise VenueRefusal(110001, message, status=200)
        return {"orderId": found[-1].venue_order_id, "orderLinkId": found[-1].client_order_id}

    def _cancel_all(self, call: Call) -> Json:
        symbol = call.text("symbol") or None
        canceled = []
        for order in self._simulator.ledger.open_orders(
            api_key=call.owner.api_key, venue=BYBIT, symbol=symbol
        ):
            self._simulator.engine.cancel(call.owner, order, now=call.now)
            ids = {"orderId": order.venue_order_id, "orderLinkId": order.client_order_id}
            canceled.append(ids)
        return {"list": canceled, "success": "1"}

    def _named(self, call: Call) -> list[Order]:
        """Return the visible orders that orderId or orderLinkId name; client id wins."""
        ledger, owner = self._simulator.ledger, call.owner
        link = call.text("orderLinkId")
        if link:
            found = ledger.orders_named(owner.api_key, BYBIT, link)
        else:
            orders = ledger.account_orders(owner.api_key, BYBIT)
            found = [row for row in orders if row.venue_order_id == call.text("orderId")]
        return [row for row in found if row.visible_at <= call.now]

    def _orders_now(self, call: Call) -> Json:
        if call.text("category") != "linear":
            return _listed(call, [])
        if call.text("orderId") or call.text("orderLinkId"):
            rows = self._named(call)
        else:
            symbol = call.text("symbol") or None
            rows = [
                row
                for row in self._simulator.ledger.open_orders(
                    api_key=call.owner.api_key, venue=BYBIT, symbol=symbol
                )
                if row.visible_at <= call.now
            ]
        rows = sorted(rows, key=lambda row: row.number, reverse=True)
        return _listed(call, [order_payload(row) for row in rows])

    def _orders_past(self, call: Call) -> Json:
        if call.text("category") != "linear":
            return _listed(call, [])
        if call.text("orderId") or call.text("orderLinkId"):
            rows = self._named(call)
        else:
            symbol = call.text("symbol") or None
            orders = self._simulator.ledger.account_orders(call.owner.api_key, BYBIT, symbol)
            rows = [row for row in orders if row.visible_at <= call.now]
        final = [row for row in reversed(rows) if row.is_final]
        kept = within(final, call, lambda row: row.created_at)
        return _listed(call, [order_payload(row) for row in kept])

    def _executions(self, call: Call) -> Json:
        if call.text("category") != "linear":
            return _listed(call, [])
        rows = execution_payloads(self._simulator, call.owner, call.text("symbol") or None)
        kind, number, link = call.text("execType"), call.text("orderId"), call.text("orderLinkId")
        kept = [
            row
            for row in rows
            if kind in ("", row.payload["execType"])
            and number in ("", row.payload["orderId"])
            and link in ("", row.payload["orderLinkId"])
        ]
        inside = within(list(reversed(kept)), call, lambda row: row.at)
        return _listed(call, [row.payload for row in inside])

    def _positions(self, call: Call) -> Json:
        if call.text("category") != "linear":
            return _listed(call, [])
        symbol = call.text("symbol")
        if not symbol and not call.text("settleCoin"):
            raise invalid("symbol or settleCoin is required")
        listings = [self._listing(call)] if symbol else None
        rows = account_payloads.positions(self._simulator, call.owner, listings, call.now)
        return _listed(call, rows)

    def _set_leverage(self, call: Call) -> Json:
        listing = self._listing(call)
        leverage = call.decimal("buyLeverage")
        if not 1 <= leverage <= listing.max_leverage:
            raise VenueRefusal(110013, "cannot set leverage due to risk limit", status=200)
        if leverage == call.owner.leverage(BYBIT, listing.symbol):
            raise VenueRefusal(110043, "leverage not modified", status=200)
        call.owner.leverages[f"{BYBIT}:{listing.symbol}"] = leverage
        self._simulator.ledger.put_account(call.owner)
        return {}

    def _switch_mode(self, call: Call) -> Json:
        wanted = call.number("mode", 0) == 3
        if wanted == call.owner.is_hedge_mode:
            raise VenueRefusal(110025, "Position mode is not modified", status=200)
        if self._simulator.ledger.holdings(api_key=call.owner.api_key):
            message = "You have an existing position, so position mode cannot be switched"
            raise VenueRefusal(110024, message, status=200)
        call.owner.is_hedge_mode = wanted
        self._simulator.ledger.put_account(call.owner)
        return {}

    def _set_margin_mode(self, call: Call) -> Json:
        if call.text("setMarginMode") != "REGULAR_MARGIN":
            raise VenueRefusal(3400045, "Set margin mode failed", status=200)
        return {"reasons": []}

    def _wallet_balance(self, call: Call) -> Json:
        return account_payloads.wallet_balance(self._simulator, call.owner, call.now)

    def _fee_rate(self, call: Call) -> Json:
        symbol = call.text("symbol")
        listings = [self._listing(call)] if symbol else list(self._listings.values())
        return account_payloads.fee_rates(listings)


def _intent(call: Call, listing: Listing) -> OrderIntent:
    sides = {"Buy": Side.BUY, "Sell": Side.SELL}
    side, kind = sides.get(call.text("side")), call.text("orderType")
    if side is None:
        raise invalid("side invalid")
    if kind not in ("Limit", "Market"):
        raise invalid("orderType invalid")
    forces = {
        "GTC": TimeInForce.GTC,
        "IOC": TimeInForce.IOC,
        "PostOnly": TimeInForce.POST_ONLY,
    }
    is_market = kind == "Market"
    force = forces.get(call.text("timeInForce") or "GTC")
    if force is None:
        raise invalid("timeInForce invalid")
    return OrderIntent(
        listing=listing,
        client_order_id=call.text("orderLinkId"),
        side=side,
        order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
        time_in_force=TimeInForce.IOC if is_market else force,
        base_quantity=call.decimal("qty"),
        price=None if is_market else call.decimal("price"),
        reduce_only=call.parameters.get("reduceOnly") in (True, "true"),
    )


def within(rows: list[Any], call: Call, time_of: Callable[[Any], datetime]) -> list[Any]:
    """Return rows inside startTime and endTime; without them, of the last seven days."""
    start, end = call.moment("startTime"), call.moment("endTime")
    reach = int(REACH.total_seconds() * 1000)
    if start is None:
        start = (end or milliseconds(call.now)) - reach
    if end is None:
        end = start + reach
    if end - start > reach:
        raise invalid("The time range between startTime and endTime cannot exceed 7 days")
    return [row for row in rows if start <= milliseconds(time_of(row)) <= end]


def _listed(call: Call, rows: list[Json]) -> Json:
    """Return one page, newest first; the cursor is the offset of the next one."""
    offset = call.number("cursor", 0)
    limit = min(call.number("limit", 50), 200)
    has_more = offset + limit < len(rows)
    return {
        "category": call.text("category"),
        "list": rows[offset : offset + limit],
        "nextPageCursor": str(offset + limit) if has_more else "",
    }
