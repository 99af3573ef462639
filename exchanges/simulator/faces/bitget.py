"""Bitget v2 over REST (`api.bitget.com`): orders, executions, bills and positions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from exchanges.matching import reducible
from exchanges.simulator.accounts import Order
from exchanges.simulator.admission import OrderIntent, Refusal
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces import bitget_account as payloads
from exchanges.simulator.faces.bitget_calls import (
    Call,
    authenticated,
    encoded,
    envelope,
    listing_named,
    page,
    refusal,
)
from exchanges.simulator.faces.bitget_intents import intent_of, refused
from exchanges.simulator.faces.bitget_market import MarketPages
from exchanges.simulator.faces.bitget_orders import (
    LIVE,
    STATES,
    bill_payload,
    bills,
    fill_payload,
    order_payload,
)
from exchanges.simulator.faces.bitget_settings import SettingPages
from exchanges.simulator.listings import BITGET, Listing
from exchanges.simulator.wire import Dialect, Json, VenueRefusal, WireRequest, WireResponse

PUBLIC_PREFIXES = ("/api/v2/public/", "/api/v2/mix/market/")
ORDER, POSITION = "/api/v2/mix/order/", "/api/v2/mix/position/"


class BitgetFace:
    """Bitget's perpetuals margined in USDT."""

    dialect = Dialect(body=refusal, reject_status=400, too_many=(429, "Too Many Requests"))
    key_header = "access-key"

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(BITGET)
        self._routes: dict[tuple[str, str], Callable[[Call], object]] = {
            ("POST", f"{ORDER}place-order"): self._place,
            ("POST", f"{ORDER}cancel-order"): self._cancel,
            ("GET", f"{ORDER}detail"): self._detail,
            ("GET", f"{ORDER}orders-pending"): self._pending,
            ("GET", f"{ORDER}orders-history"): self._past,
            ("GET", f"{ORDER}fills"): self._fills,
            ("GET", "/api/v2/mix/account/bill"): self._bills,
            ("GET", f"{POSITION}all-position"): self._positions,
            ("GET", f"{POSITION}single-position"): self._positions,
            **SettingPages(simulator).routes,
            **MarketPages(simulator).routes,
        }

    def handle(self, request: WireRequest, *, now: datetime) -> WireResponse:
        try:
            handler = self._routes.get((request.method, request.path))
            if handler is None:
                raise VenueRefusal(40404, "Request URL NOT FOUND", status=404)
            account = None
            if not request.path.startswith(PUBLIC_PREFIXES):
                account = authenticated(self._simulator, request, now)
            parameters = _parameters(request)
            data = handler(Call(parameters=parameters, now=now, account=account))
        except VenueRefusal as told:
            body = encoded(refusal(told.code, told.message))
            return WireResponse(status=told.status, body=body, outcome=str(told.code))
        return WireResponse(status=200, body=encoded(envelope(data, now)), outcome="ok")

    def client_order_id(self, request: WireRequest) -> str:
        return str(_parameters(request).get("clientOid") or "")

    # --- Orders -------------------------------------------------------------------------------

    def _place(self, call: Call) -> Json:
        listing = listing_named(self._listings, call)
        intent = intent_of(call, listing)
        self._agree_on_margin(call, listing)
        made_room = self._make_room(call, intent)
        result = self._simulator.place(call.owner, intent, now=call.now)
        if isinstance(result, Refusal):
            raise refused(result)
        number = None if made_room else result.venue_order_id
        return {"clientOid": result.client_order_id, "orderId": number}

    def _agree_on_margin(self, call: Call, listing: Listing) -> None:
        """Let a flat contract take the order's margin mode; a held one keeps its own."""
        owner, key = call.owner, f"{BITGET}:{listing.symbol}"
        wanted = call.text("marginMode") == "isolated"
        if wanted == owner.is_isolated(BITGET, listing.symbol):
            return
        if self._simulator.ledger.holding(owner.api_key, listing.key).base_quantity:
            message = "Currently holding positions or orders, the margin mode cannot be adjusted"
            raise VenueRefusal(45117, message)
        owner.isolated.pop(key, None)
        if wanted:
            owner.isolate(BITGET, listing.symbol)
        self._simulator.ledger.put_account(owner)

    def _make_room(self, call: Call, intent: OrderIntent) -> bool:
        """Cancel the oldest reduce-only orders that with this one would close more than is held.

        The venue answers such an order without its number then.
        """
        if not intent.reduce_only:
            return False
        key, listing, ledger = call.owner.api_key, intent.listing, self._simulator.ledger
        held = ledger.holding(key, listing.key)
        working = ledger.open_orders(api_key=key, venue=BITGET, symbol=listing.symbol)
        closing = [row for row in working if row.reduce_only and row.side is intent.side]
        room = reducible(held, side=intent.side, base_quantity=abs(held.base_quantity))
        room -= min(intent.base_quantity, room) + sum(row.remaining for row in closing)
        made = False
        for row in closing:
            if room >= 0:
                break
            room += row.remaining
            made = self._simulator.engine.cancel(call.owner, row, now=call.now)
        return made

    def _cancel(self, call: Call) -> Json:
        found = self._named(call)
        if not found or not self._simulator.engine.cancel(call.owner, found[-1], now=call.now):
            raise VenueRefusal(40768, "Order does not exist")
        return {"orderId": found[-1].venue_order_id, "clientOid": found[-1].client_order_id}

    def _named(self, call: Call) -> list[Order]:
        """Return the visible orders that orderId or clientOid name; the venue's id wins."""
        call.required("productType")
        ledger, owner, symbol = self._simulator.ledger, call.owner, call.required("symbol")
        if number := call.text("orderId"):
            orders = ledger.account_orders(owner.api_key, BITGET, symbol)
            found = [row for row in orders if row.venue_order_id == number]
        else:
            found = ledger.orders_named(owner.api_key, BITGET, call.required("clientOid"))
        return [row for row in found if row.symbol == symbol and row.visible_at <= call.now]

    def _detail(self, call: Call) -> Json:
        found = self._named(call)
        if not found:
            message = "The data of the order cannot be found, please confirm the order number"
            raise VenueRefusal(40109, message)
        return order_payload(found[-1], call.owner, status_key="state")

    def _pending(self, call: Call) -> Json:
        """Return what works in one state: by the documents untouched orders, unless it is named."""
        status = call.text("status") or LIVE
        working = self._simulator.ledger.open_orders(api_key=call.owner.api_key)
        return self._orders(call, [row for row in working if STATES[row.status] == status])

    def _past(self, call: Call) -> Json:
        orders = self._simulator.ledger.account_orders(call.owner.api_key, BITGET)
        return self._orders(call, [row for row in orders if row.is_final])

    def _orders(self, call: Call, orders: list[Order]) -> Json:
        asked = ("orderId", "venue_order_id"), ("clientOid", "client_order_id")
        kept = [
            row
            for row in reversed(orders)
            if row.venue == BITGET
            and row.visible_at <= call.now
            and self._is_of(call, row.symbol)
            and all(call.text(name) in ("", getattr(row, field)) for name, field in asked)
        ]
        return page(
            call,
            kept,
            "entrustedList",
            number_of=lambda row: row.venue_order_id,
            time_of=lambda row: row.created_at,
            build=lambda row: order_payload(row, call.owner),
        )

    @staticmethod
    def _is_of(call: Call, symbol: str) -> bool:
        return call.is_of_dollars and call.text("symbol") in ("", symbol)

    # --- The account --------------------------------------------------------------------------

    def _fills(self, call: Call) -> Json:
        ledger, number = self._simulator.ledger, call.text("orderId")
        trades = list(ledger.account_trades(call.owner.api_key, BITGET, None))
        kept = [
            row
            for row in reversed(trades)
            if self._is_of(call, row.symbol) and number in ("", row.venue_order_id)
        ]
        return page(
            call,
            kept,
            "fillList",
            number_of=lambda row: row.venue_trade_id,
            time_of=lambda row: row.filled_at,
            build=lambda row: fill_payload(row, ledger.orders[row.order_number], call.owner),
        )

    def _bills(self, call: Call) -> Json:
        kind = call.text("businessType")
        rows = bills(self._simulator.ledger, call.owner) if call.is_of_dollars else []
        return page(
            call,
            [row for row in rows if kind in ("", row.kind)],
            "bills",
            number_of=lambda row: row.number,
            time_of=lambda row: row.at,
            build=bill_payload,
        )

    def _positions(self, call: Call) -> list[Json]:
        held = self._simulator.ledger.holdings(api_key=call.owner.api_key, venue=BITGET)
        return [
            payloads.position(self._simulator, call.owner, row, call.now)
            for row in held
            if self._is_of(call, row.symbol)
        ]


def _parameters(request: WireRequest) -> Mapping[str, Any]:
    return request.json if request.method == "POST" else request.query_parameters
