"""Gate's APIv4 over REST (`api.gateio.ws`): orders, executions, positions and the wallet's book."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from exchanges.simulator.accounts import Order
from exchanges.simulator.admission import Refusal
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces import gate_account as payloads
from exchanges.simulator.faces.gate_calls import (
    PREFIX,
    Call,
    authenticated,
    bad,
    listing_named,
    page,
    refusal,
    unknown_order,
)
from exchanges.simulator.faces.gate_intents import intent_of, refused
from exchanges.simulator.faces.gate_market import MarketPages
from exchanges.simulator.faces.gate_orders import (
    change_payload,
    changes,
    fill_payload,
    order_payload,
)
from exchanges.simulator.faces.gate_settings import SettingPages
from exchanges.simulator.listings import GATE
from exchanges.simulator.usage import gate_pause
from exchanges.simulator.wire import Dialect, Json, VenueRefusal, WireRequest, WireResponse

# What a path names: an order by number or by our id, or a contract.
NAMED = re.compile(rf"({PREFIX}(?:orders|positions)/)([^/]+)(/\w+)?")
# Settings that are changed are named in the query.
IN_QUERY = f"{PREFIX}positions/"
OWN_ID = "t-"
SHOWN_BY_OWN_ID = timedelta(seconds=60)
UNFILLED_SHOWN = timedelta(minutes=10)
CREATED = 201


class GateFace:
    """Gate's perpetuals margined in USDT, in a classic account."""

    dialect = Dialect(
        body=refusal,
        reject_status=400,
        too_many=("TOO_MANY_REQUESTS", "Request Rate limit Exceeded"),
        pause=gate_pause,
    )
    key_header = "key"

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(GATE)
        self._market = MarketPages(simulator).routes
        self._routes: dict[tuple[str, str], Callable[[Call], object]] = {
            ("POST", f"{PREFIX}orders"): self._place,
            ("GET", f"{PREFIX}orders"): self._orders,
            ("GET", f"{PREFIX}orders/*"): self._one,
            ("DELETE", f"{PREFIX}orders/*"): self._cancel,
            ("GET", f"{PREFIX}my_trades"): lambda call: self._fills(call, "id"),
            ("GET", f"{PREFIX}my_trades_timerange"): lambda call: self._fills(call, "trade_id"),
            ("GET", f"{PREFIX}account_book"): self._changes,
            ("GET", f"{PREFIX}positions"): self._positions,
            **SettingPages(simulator).routes,
            **self._market,
        }

    def handle(self, request: WireRequest, *, now: datetime) -> WireResponse:
        name, named = _route(request)
        try:
            handler = self._routes.get((request.method, name))
            if handler is None:
                raise VenueRefusal("NOT_FOUND", "Request URL not exists", status=404)
            is_public = (request.method, name) in self._market
            account = None if is_public else authenticated(self._simulator, request, now)
            told = handler(
                Call(
                    parameters=_parameters(request),
                    now=now,
                    account=account,
                    named=named,
                    has_parts=request.headers.get("x-gate-size-decimal") == "1",
                )
            )
        except VenueRefusal as said:
            body = orjson.dumps(refusal(said.code, said.message))
            return WireResponse(status=said.status, body=body, outcome=str(said.code))
        is_order = (request.method, name) == ("POST", f"{PREFIX}orders")
        status = CREATED if is_order else 200
        return WireResponse(status=status, body=orjson.dumps(told), outcome="ok")

    def client_order_id(self, request: WireRequest) -> str:
        named = _route(request)[1]
        return named if named.startswith(OWN_ID) else str(_parameters(request).get("text") or "")

    # --- Orders -------------------------------------------------------------------------------

    def _place(self, call: Call) -> Json:
        listing = listing_named(self._listings, call.required("contract"))
        result = self._simulator.place(call.owner, intent_of(call, listing), now=call.now)
        if isinstance(result, Refusal):
            raise refused(result)
        return self._told(call, result)

    def _told(self, call: Call, order: Order) -> Json:
        listing = self._simulator.market.listings[(GATE, order.symbol)]
        return order_payload(order, listing, call.owner, has_parts=call.has_parts)

    def _one(self, call: Call) -> Json:
        return self._told(call, self._named(call))

    def _cancel(self, call: Call) -> Json:
        order = self._named(call)
        if not self._simulator.engine.cancel(call.owner, order, now=call.now):
            raise VenueRefusal("ORDER_FINISHED", "Order already finished")
        return self._told(call, order)

    def _named(self, call: Call) -> Order:
        """Return an order by its number, or the latest by our id, for a minute after its end."""
        ledger, owner = self._simulator.ledger, call.owner
        if call.named.startswith(OWN_ID):
            found = ledger.orders_named(owner.api_key, GATE, call.named)
            lately = call.now - SHOWN_BY_OWN_ID
            found = [row for row in found if not row.is_final or row.updated_at >= lately]
        else:
            orders = ledger.account_orders(owner.api_key, GATE)
            found = [row for row in orders if row.venue_order_id == call.named]
        shown = [row for row in found if _is_shown(row, call)]
        if not shown:
            raise unknown_order()
        return shown[-1]

    def _orders(self, call: Call) -> list[Json]:
        status = call.required("status")
        if status not in ("open", "finished"):
            raise bad("status")
        symbol = call.text("contract") or None
        orders = self._simulator.ledger.account_orders(call.owner.api_key, GATE, symbol)
        kept = [
            row
            for row in reversed(orders)
            if row.is_final is (status == "finished") and _is_shown(row, call)
        ]
        return [self._told(call, row) for row in page(call, kept, lambda row: row.created_at)]

    # --- The account --------------------------------------------------------------------------

    def _fills(self, call: Call, id_name: str) -> list[Json]:
        symbol, listings = call.text("contract") or None, self._simulator.market.listings
        trades = list(self._simulator.ledger.account_trades(call.owner.api_key, GATE, symbol))
        return [
            fill_payload(
                row, listings[(GATE, row.symbol)], id_name=id_name, has_parts=call.has_parts
            )
            for row in page(call, trades[::-1], lambda row: row.filled_at)
        ]

    def _changes(self, call: Call) -> list[Json]:
        kind, rows = call.text("type"), changes(self._simulator.ledger, call.owner)
        kept = [row for row in rows if kind in ("", row.kind)]
        return [change_payload(row) for row in page(call, kept, lambda row: row.at)]

    def _positions(self, call: Call) -> list[Json]:
        ledger, owner = self._simulator.ledger, call.owner
        held = ledger.holdings_ever(owner.api_key, GATE)
        if call.text("holding") == "true":
            held = [row for row in held if row.base_quantity]
        return [
            payloads.position(self._simulator, owner, row, call.now)
            for row in page(call, held, lambda row: row.updated_at)
        ]


def _is_shown(order: Order, call: Call) -> bool:
    """Tell whether an order is shown yet, and still: unfilled ones are for some minutes."""
    is_forgotten = order.is_final and not order.filled
    return order.visible_at <= call.now and not (
        is_forgotten and order.updated_at < call.now - UNFILLED_SHOWN
    )


def _route(request: WireRequest) -> tuple[str, str]:
    """Return a path with `*` for what it names, and that."""
    found = NAMED.fullmatch(request.path)
    if found is None:
        return request.path, ""
    return f"{found[1]}*{found[3] or ''}", found[2]


def _parameters(request: WireRequest) -> Mapping[str, Any]:
    is_in_body = request.method == "POST" and not request.path.startswith(IN_QUERY)
    return request.json if is_in_body else request.query_parameters
