"""KuCoin futures over REST (`api-futures.kucoin.com`): orders, executions, funding, positions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from exchanges.simulator.accounts import Order, TradeRow
from exchanges.simulator.admission import Refusal
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces import kucoin_account as payloads
from exchanges.simulator.faces.kucoin_calls import (
    MOST_ROWS,
    Call,
    authenticated,
    encoded,
    envelope,
    listing_named,
    page,
    refusal,
    slide,
)
from exchanges.simulator.faces.kucoin_intents import intent_of, refused
from exchanges.simulator.faces.kucoin_market import API, MarketPages, bullet
from exchanges.simulator.faces.kucoin_orders import (
    fill_payload,
    kind_of,
    order_payload,
    payment_payload,
    transfer_payload,
)
from exchanges.simulator.faces.kucoin_settings import SettingPages
from exchanges.simulator.faces.kucoin_sockets import token_of
from exchanges.simulator.listings import KUCOIN, WALLETS
from exchanges.simulator.usage import kucoin_pause
from exchanges.simulator.wire import Dialect, Json, VenueRefusal, WireRequest, WireResponse

BY_NUMBER, BY_OWN_ID = f"{API}orders/", f"{API}orders/client-order/"
SHOWN_BY_OWN_ID, DAY, WEEK = timedelta(days=7), timedelta(days=1), timedelta(days=7)
# The list of executions that goes back for months is behind by so much.
LIST_LAGS = timedelta(seconds=5)
NOT_THERE = "error.getOrder.orderNotExist"


class KucoinFace:
    """KuCoin's perpetuals margined in USDT."""

    dialect = Dialect(
        body=refusal,
        reject_status=200,
        too_many=(429000, "Too Many Requests"),
        pause=kucoin_pause,
    )
    key_header = "kc-api-key"

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(KUCOIN)
        self._market = MarketPages(simulator).routes
        self._routes: dict[tuple[str, str], Callable[[Call], object]] = {
            ("POST", f"{API}orders"): self._place,
            ("GET", f"{API}orders"): self._orders,
            ("GET", f"{API}orders/byClientOid"): self._by_own_id,
            ("GET", f"{API}fills"): self._fills,
            ("GET", f"{API}recentFills"): self._recent_fills,
            ("GET", f"{API}positions"): self._positions,
            ("GET", f"{API}funding-history"): self._payments,
            ("GET", f"{API}transaction-history"): self._transfers,
            ("POST", f"{API}bullet-private"): lambda call: bullet(token_of(call.owner)),
            **SettingPages(simulator).routes,
        }

    def handle(self, request: WireRequest, *, now: datetime) -> WireResponse:
        try:
            data = self._handler(request)(self._call(request, now))
        except VenueRefusal as told:
            body = encoded(refusal(told.code, told.message))
            return WireResponse(status=told.status, body=body, outcome=str(told.code))
        return WireResponse(status=200, body=encoded(envelope(data)), outcome="ok")

    def client_order_id(self, request: WireRequest) -> str:
        return str(_parameters(request).get("clientOid") or "")

    def _handler(self, request: WireRequest) -> Callable[[Call], object]:
        key = request.method, request.path
        if found := self._market.get(key) or self._routes.get(key):
            return found
        if request.method == "DELETE" and request.path.startswith(BY_OWN_ID):
            return self._cancel
        if request.method == "GET" and request.path.startswith(BY_NUMBER):
            return self._by_number
        raise VenueRefusal(404000, "Url Not Found", status=404)

    def _call(self, request: WireRequest, now: datetime) -> Call:
        is_public = (request.method, request.path) in self._market
        account = None if is_public else authenticated(self._simulator, request, now)
        return Call(parameters=_parameters(request), now=now, account=account)

    # --- Orders -------------------------------------------------------------------------------

    def _place(self, call: Call) -> Json:
        intent = intent_of(call, listing_named(self._listings, call))
        result = self._simulator.place(call.owner, intent, now=call.now)
        if isinstance(result, Refusal):
            raise refused(result, intent.side)
        return {"orderId": result.venue_order_id, "clientOid": result.client_order_id}

    def _cancel(self, call: Call) -> Json:
        own_id = call.required("clientOid")
        listing_named(self._listings, call)
        found = self._visible(call, self._named(call, own_id))
        if not found or not self._simulator.engine.cancel(call.owner, found[-1], now=call.now):
            raise VenueRefusal(100004, "Order is in not cancelable state", status=200)
        return {"clientOid": own_id}

    def _by_own_id(self, call: Call) -> Json:
        orders = self._visible(call, self._named(call, call.required("clientOid")))
        shown = [row for row in orders if self._is_shown(row, call.now)]
        if not shown:
            raise VenueRefusal(100001, NOT_THERE, status=200)
        return self._told(call, shown[-1])

    def _by_number(self, call: Call) -> Json:
        orders = self._simulator.ledger.account_orders(call.owner.api_key, KUCOIN)
        found = [row for row in orders if row.venue_order_id == call.required("orderId")]
        if not self._visible(call, found):
            raise VenueRefusal(100001, NOT_THERE, status=200)
        return self._told(call, found[0])

    def _named(self, call: Call, own_id: str) -> list[Order]:
        return self._simulator.ledger.orders_named(call.owner.api_key, KUCOIN, own_id)

    @staticmethod
    def _visible(call: Call, orders: list[Order]) -> list[Order]:
        return [row for row in orders if row.visible_at <= call.now]

    @staticmethod
    def _is_shown(order: Order, now: datetime) -> bool:
        return not order.is_final or now - order.updated_at <= SHOWN_BY_OWN_ID

    def _told(self, call: Call, order: Order) -> Json:
        listing = self._simulator.market.listings[(KUCOIN, order.symbol)]
        return order_payload(order, call.owner, listing)

    def _orders(self, call: Call) -> Json:
        is_active = call.text("status") == "active"
        ledger, symbol = self._simulator.ledger, call.text("symbol") or None
        orders = ledger.account_orders(call.owner.api_key, KUCOIN, symbol)
        kept = [row for row in self._visible(call, orders) if row.is_final is not is_active]
        return page(
            call,
            kept[::-1],
            time_of=lambda row: row.created_at,
            build=lambda row: self._told(call, row),
            longest=None if is_active else WEEK,
        )

    # --- The account --------------------------------------------------------------------------

    def _trades(self, call: Call) -> list[TradeRow]:
        """Return executions, newest first."""
        ledger, symbol = self._simulator.ledger, call.text("symbol") or None
        return list(ledger.account_trades(call.owner.api_key, KUCOIN, symbol))[::-1]

    def _fill(self, call: Call, row: TradeRow) -> Json:
        order = self._simulator.ledger.orders[row.order_number]
        listing = self._simulator.market.listings[(KUCOIN, row.symbol)]
        return fill_payload(row, order, call.owner, listing)

    def _fills(self, call: Call) -> Json:
        number, until = call.text("orderId"), call.now - LIST_LAGS
        kept = [
            row
            for row in self._trades(call)
            if number in ("", row.venue_order_id) and row.filled_at <= until
        ]
        return page(
            call,
            kept,
            time_of=lambda row: row.filled_at,
            build=lambda row: self._fill(call, row),
            longest=WEEK,
        )

    def _recent_fills(self, call: Call) -> list[Json]:
        since = call.now - DAY
        recent = [row for row in self._trades(call) if row.filled_at >= since]
        return [self._fill(call, row) for row in recent[:MOST_ROWS]]

    def _payments(self, call: Call) -> Json:
        listing, owner = listing_named(self._listings, call), call.owner
        rows = self._simulator.ledger.account_funding(owner.api_key, KUCOIN, listing.symbol)
        return slide(
            call,
            list(rows)[::-1],
            usual=10,
            time_of=lambda row: row.settled_at,
            build=lambda row: payment_payload(row, owner, listing),
        )

    def _transfers(self, call: Call) -> Json:
        kind, coin = call.text("type"), call.text("currency")
        rows = list(self._simulator.ledger.account_transfers(call.owner.api_key, WALLETS[KUCOIN]))
        kept = [row for row in rows if kind in ("", kind_of(row)) and row.asset == coin]
        return slide(
            call,
            kept[::-1],
            usual=50,
            time_of=lambda row: row.moved_at,
            build=transfer_payload,
        )

    def _positions(self, call: Call) -> list[Json]:
        held = self._simulator.ledger.holdings(api_key=call.owner.api_key, venue=KUCOIN)
        return [payloads.position(self._simulator, call.owner, row, call.now) for row in held]


def _parameters(request: WireRequest) -> Mapping[str, Any]:
    """Return what a call is given: in its body, its query, or the last part of its path."""
    if request.method == "POST":
        return request.json
    last = request.path.rpartition("/")[2]
    if request.path.startswith(BY_OWN_ID):
        return {**request.query_parameters, "clientOid": last}
    if request.path.startswith(BY_NUMBER):
        return {"orderId": last, **request.query_parameters}
    return request.query_parameters
