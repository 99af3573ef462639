"""Deribit over REST (`www.deribit.com/api/v2`): JSON-RPC by POST, its methods as paths by GET."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import orjson

from exchanges.domain import Side
from exchanges.simulator.accounts import Order
from exchanges.simulator.admission import Refusal
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces import deribit_account as payloads
from exchanges.simulator.faces import deribit_orders as orders
from exchanges.simulator.faces.deribit_calls import (
    Call,
    answer,
    authenticated,
    listing_named,
    method_of,
    parameters_of,
    refusal,
)
from exchanges.simulator.faces.deribit_market import MarketPages
from exchanges.simulator.listings import DERIBIT
from exchanges.simulator.wire import (
    Dialect,
    Json,
    VenueRefusal,
    WireRequest,
    WireResponse,
    milliseconds,
)

USUAL_ORDERS, USUAL_TRADES, USUAL_ENTRIES, MOST_ENTRIES = 20, 10, 100, 250
ADDRESS = "203.0.113.7"


class DeribitFace:
    """Deribit's linear perpetuals, margined in USDC."""

    dialect = Dialect(
        body=refusal,
        reject_status=400,
        too_many=(10028, "too_many_requests"),
    )
    key_header = "authorization"

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(DERIBIT)
        self._market = MarketPages(simulator).routes
        self._routes: dict[str, Callable[[Call], object]] = {
            "private/buy": lambda call: self._place(call, Side.BUY),
            "private/sell": lambda call: self._place(call, Side.SELL),
            "private/cancel_by_label": self._cancel,
            "private/get_order_state_by_label": self._shown,
            "private/get_open_orders_by_label": self._working,
            "private/get_open_orders_by_instrument": self._working,
            "private/get_open_orders_by_currency": self._working,
            "private/get_order_history_by_instrument": self._history,
            "private/get_user_trades_by_instrument_and_time": self._trades,
            "private/get_positions": self._positions,
            "private/get_account_summary": self._summary,
            "private/get_account_summaries": lambda call: {"summaries": [self._summary(call)]},
            "private/get_transaction_log": self._log,
            "private/list_api_keys": self._keys,
            **self._market,
        }

    def handle(self, request: WireRequest, *, now: datetime) -> WireResponse:
        method = method_of(request)
        try:
            handler = self._routes.get(method)
            if handler is None:
                raise VenueRefusal(-32601, "Method not found")
            is_public = method in self._market
            account = None if is_public else authenticated(self._simulator, request)
            told = handler(Call(parameters=parameters_of(request), now=now, account=account))
        except VenueRefusal as said:
            body = orjson.dumps(refusal(said.code, said.message))
            return WireResponse(status=said.status, body=body, outcome=str(said.code))
        return WireResponse(status=200, body=orjson.dumps(answer(told, now)), outcome="ok")

    def client_order_id(self, request: WireRequest) -> str:
        return str(parameters_of(request).get("label") or "")

    # --- Orders -------------------------------------------------------------------------------

    def _place(self, call: Call, side: Side) -> Json:
        listing = listing_named(self._listings, call.required("instrument_name"))
        intent = orders.intent_of(call, listing, side)
        result = self._simulator.place(call.owner, intent, now=call.now)
        if isinstance(result, Refusal):
            raise orders.refused(result)
        trades = [row for row in self._of_account(call) if row["order_id"] == result.venue_order_id]
        return {"order": orders.order_payload(result), "trades": trades}

    def _of_account(self, call: Call, symbol: str | None = None) -> list[Json]:
        ledger = self._simulator.ledger
        return [
            orders.trade_payload(row, ledger.orders[row.order_number])
            for row in ledger.account_trades(call.owner.api_key, DERIBIT, symbol)
            if ledger.orders[row.order_number].visible_at <= call.now
        ]

    def _named(self, call: Call) -> list[Order]:
        label = call.required("label")
        found = self._simulator.ledger.orders_named(call.owner.api_key, DERIBIT, label)
        return [row for row in found if row.visible_at <= call.now]

    def _cancel(self, call: Call) -> int:
        """Cancel all that works under a label, and tell how many that were."""
        engine = self._simulator.engine
        return sum(engine.cancel(call.owner, row, now=call.now) for row in self._named(call))

    def _shown(self, call: Call) -> list[Json]:
        rows = self._named(call)
        return [orders.order_payload(row) for row in rows if orders.is_recent(row, call.now)]

    def _working(self, call: Call) -> list[Json]:
        found = self._simulator.ledger.open_orders(
            api_key=call.owner.api_key, venue=DERIBIT, symbol=call.text("instrument_name") or None
        )
        label = call.text("label")
        return [
            orders.order_payload(row)
            for row in found
            if row.visible_at <= call.now and label in ("", row.client_order_id)
        ]

    def _history(self, call: Call) -> list[Json]:
        """Return ended orders, newest first: the recent ones, or those that are no more."""
        symbol, is_old = call.required("instrument_name"), call.flag("historical")
        kept = [
            row
            for row in self._simulator.ledger.account_orders(call.owner.api_key, DERIBIT, symbol)
            if row.is_final
            and row.visible_at <= call.now
            and orders.is_recent(row, call.now) is not is_old
            and (row.filled or call.flag("include_unfilled"))
        ]
        first, count = call.number("offset", 0), call.number("count", USUAL_ORDERS)
        return [orders.order_payload(row) for row in kept[::-1][first : first + count]]

    # --- The account --------------------------------------------------------------------------

    def _trades(self, call: Call) -> Json:
        symbol, is_old = call.required("instrument_name"), call.flag("historical")
        edge = milliseconds(call.now - orders.TRADES_RECENT)
        kept = [
            row
            for row in _between(call, self._of_account(call, symbol))
            if (row["timestamp"] < edge) is is_old
        ]
        if call.text("sorting") != "asc":
            kept.reverse()
        count = call.number("count", USUAL_TRADES)
        return {"trades": kept[:count], "has_more": len(kept) > count}

    def _positions(self, call: Call) -> list[Json]:
        owner, ledger = call.owner, self._simulator.ledger
        return [
            payloads.position(self._simulator, owner, row, call.now)
            for row in ledger.holdings(api_key=owner.api_key, venue=DERIBIT)
        ]

    def _summary(self, call: Call) -> Json:
        told = payloads.summary(self._simulator, call.owner, call.now)
        return told | {"id": call.owner.uid, "type": "main", "username": "trader"}

    def _log(self, call: Call) -> Json:
        rows = _between(call, payloads.account_log(self._simulator, call.owner))
        first = call.number("continuation", 0)
        count = min(call.number("count", USUAL_ENTRIES), MOST_ENTRIES)
        following = first + count
        token = following if following < len(rows) else None
        return {"logs": rows[first:following], "continuation": token}

    def _keys(self, call: Call) -> list[Json]:
        """Return the one key of an account; what it moves money with is one right."""
        owner = call.owner
        moves = "read_write" if owner.may_withdraw or owner.may_transfer else "read"
        return [
            {
                "id": 1,
                "client_id": owner.api_key,
                "client_secret": owner.secret,
                "max_scope": f"account:read block_trade:read trade:read_write wallet:{moves}",
                "ip_whitelist": [ADDRESS] if owner.is_bound_to_address else [],
                "enabled": True,
                "enabled_features": [],
                "name": "",
                "default": True,
            }
        ]


def _between(call: Call, rows: Sequence[Any]) -> list[Json]:
    since, until = call.number("start_timestamp", 0), call.number("end_timestamp", 1 << 53)
    return [row for row in rows if since <= row["timestamp"] <= until]
