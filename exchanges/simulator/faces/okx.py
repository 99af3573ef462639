"""OKX v5 over REST (`www.okx.com`): orders, executions, bills and positions of one account."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from exchanges.simulator.accounts import Account, Order, TradeRow
from exchanges.simulator.admission import Refusal
from exchanges.simulator.core import Simulator
from exchanges.simulator.countdowns import ALL, TAGGED, start_countdown
from exchanges.simulator.faces import okx_account as payloads
from exchanges.simulator.faces.okx_calls import (
    Call,
    authenticated,
    bad,
    encoded,
    envelope,
    listing_named,
    page,
    refusal,
    refused_row,
)
from exchanges.simulator.faces.okx_intents import NOTHING_TO_REDUCE, TAG, code_of, intent_of
from exchanges.simulator.faces.okx_market import MarketPages
from exchanges.simulator.faces.okx_orders import (
    bill_payload,
    bills,
    fill_number,
    fill_payload,
    instrument_type,
    order_payload,
)
from exchanges.simulator.faces.okx_settings import SettingPages
from exchanges.simulator.listings import OKX, Listing
from exchanges.simulator.wire import (
    Dialect,
    Json,
    VenueRefusal,
    WireRequest,
    WireResponse,
    milliseconds,
)

PUBLIC_PREFIXES = ("/api/v5/public/", "/api/v5/market/", "/api/v5/system/")
BATCH = "/api/v5/trade/batch-orders"
SHORTEST, LONGEST = 10, 120
RECENT_FILLS, RECENT_BILLS = timedelta(days=3), timedelta(days=7)
OTHER_MARGIN = (51010, "Request unsupported under current account mode")
TOO_LATE = (51400, "Cancellation failed as the order has been filled, canceled or does not exist.")

Rows = Sequence[Json]


class OkxFace:
    """OKX's v5 interface of one account: linear perpetuals, dated futures and spot."""

    dialect = Dialect(body=refusal, reject_status=200, too_many=(50011, "Too Many Requests"))
    key_header = "ok-access-key"

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(OKX)
        self._once_listed = simulator.once_listed_at(OKX)
        self._routes: dict[tuple[str, str], Callable[[Call], Rows]] = {
            ("POST", "/api/v5/trade/order"): lambda call: [self._place(call)],
            ("POST", "/api/v5/trade/cancel-order"): self._cancel,
            ("POST", "/api/v5/trade/cancel-all-after"): self._cancel_all_after,
            ("GET", "/api/v5/trade/order"): self._order,
            ("GET", "/api/v5/trade/orders-pending"): self._pending,
            ("GET", "/api/v5/trade/orders-history"): self._past,
            ("GET", "/api/v5/trade/fills"): lambda call: self._fills(call, RECENT_FILLS),
            ("GET", "/api/v5/trade/fills-history"): self._fills_of_type,
            ("GET", "/api/v5/account/bills"): lambda call: self._bills(call, RECENT_BILLS),
            ("GET", "/api/v5/account/bills-archive"): self._bills,
            ("GET", "/api/v5/account/balance"): self._balance,
            ("GET", "/api/v5/account/positions"): self._positions,
            **SettingPages(simulator).routes,
            **MarketPages(simulator).routes,
        }

    def handle(self, request: WireRequest, *, now: datetime) -> WireResponse:
        try:
            account = None
            if not request.path.startswith(PUBLIC_PREFIXES):
                account = authenticated(self._simulator, request, now)
            rows = self._rows(request, account, now)
        except VenueRefusal as refused:
            body = envelope([], code=str(refused.code), message=refused.message)
            return WireResponse(
                status=refused.status, body=encoded(body), outcome=str(refused.code)
            )
        failed = [row["sCode"] for row in rows if row.get("sCode", "0") != "0"]
        code = "0" if not failed else "1" if len(failed) == len(rows) else "2"
        message = "All operations failed" if code == "1" else ""
        return WireResponse(
            status=200,
            body=encoded(envelope(rows, code=code, message=message)),
            outcome=failed[0] if failed else "ok",
        )

    def client_order_id(self, request: WireRequest) -> str:
        found: Mapping[str, Any] = request.query_parameters
        if request.method == "POST":
            found = next(iter(_batch(request)), {}) if request.path == BATCH else request.json
        return str(found.get("clOrdId") or "")

    def _rows(self, request: WireRequest, account: Account | None, now: datetime) -> Rows:
        if (request.method, request.path) == ("POST", BATCH):
            calls = [Call(parameters=one, now=now, account=account) for one in _batch(request)]
            return [self._place(call) for call in calls]
        handler = self._routes.get((request.method, request.path))
        if handler is None:
            raise VenueRefusal(50005, f"Path {request.path} is unknown", status=404)
        parameters = request.json if request.method == "POST" else request.query_parameters
        return handler(Call(parameters=parameters, now=now, account=account))

    def _place(self, call: Call) -> Json:
        """Return the row of one order; a refused one has its code in it."""
        own_id, tag = call.text("clOrdId"), call.text("tag")
        try:
            listing = listing_named(self._listings, call)
            intent = intent_of(call, listing)
            self._agree_on_margin(call, listing, reduce_only=intent.reduce_only)
        except VenueRefusal as refused:
            return refused_row(refused.code, refused.message, client_order_id=own_id, tag=tag)
        result = self._simulator.place(call.owner, intent, now=call.now)
        if isinstance(result, Refusal):
            holding = self._simulator.ledger.holding(call.owner.api_key, listing.key)
            code, message = code_of(result, holding)
            return refused_row(code, message, client_order_id=own_id, tag=tag)
        return {
            "clOrdId": result.client_order_id,
            "ordId": result.venue_order_id,
            "tag": tag,
            "ts": str(milliseconds(call.now)),
            "sCode": "0",
            "sMsg": "Order placed",
        }

    def _agree_on_margin(self, call: Call, listing: Listing, *, reduce_only: bool) -> None:
        """Let a flat contract take the order's margin mode; a held one keeps its own.

        The venue would hold a second position then: a simplification of the simulator.
        """
        owner, key = call.owner, f"{OKX}:{listing.symbol}"
        wanted = call.text("tdMode") == "isolated"
        if not listing.is_contract or wanted == owner.is_isolated(OKX, listing.symbol):
            return
        if self._simulator.ledger.holding(owner.api_key, listing.key).base_quantity:
            code, message = NOTHING_TO_REDUCE if reduce_only else OTHER_MARGIN
            raise VenueRefusal(code, message, status=200)
        owner.isolated.pop(key, None)
        if wanted:
            owner.isolate(OKX, listing.symbol)
        self._simulator.ledger.put_account(owner)

    def _cancel(self, call: Call) -> Rows:
        found = self._named(call)
        own_id = call.text("clOrdId")
        if not found or not self._simulator.engine.cancel(call.owner, found[-1], now=call.now):
            return [refused_row(*TOO_LATE, client_order_id=own_id)]
        row = {"clOrdId": found[-1].client_order_id, "ordId": found[-1].venue_order_id}
        return [row | {"ts": str(milliseconds(call.now)), "sCode": "0", "sMsg": ""}]

    def _cancel_all_after(self, call: Call) -> Rows:
        seconds, tag = call.number("timeOut", -1), call.text("tag")
        if seconds != 0 and not SHORTEST <= seconds <= LONGEST:
            raise bad("timeOut")
        if tag and not TAG.fullmatch(tag):
            raise bad("tag")
        after, what = timedelta(seconds=seconds), TAGGED + tag if tag else ALL
        start_countdown(self._simulator.ledger, call.owner, OKX, what, after=after, now=call.now)
        at = str(milliseconds(call.now + after)) if seconds else "0"
        return [{"triggerTime": at, "tag": tag, "ts": str(milliseconds(call.now))}]

    def _named(self, call: Call) -> list[Order]:
        """Return the visible orders that ordId or clOrdId name; the venue's id wins."""
        ledger, owner = self._simulator.ledger, call.owner
        symbol, number = call.required("instId"), call.text("ordId")
        if number:
            orders = ledger.account_orders(owner.api_key, OKX, symbol)
            found = [row for row in orders if row.venue_order_id == number]
        else:
            found = ledger.orders_named(owner.api_key, OKX, call.required("clOrdId"))
        return [row for row in found if row.symbol == symbol and row.visible_at <= call.now]

    def _order(self, call: Call) -> Rows:
        found = self._named(call)
        if not found:
            raise VenueRefusal(51603, "Order does not exist", status=200)
        return [self._order_row(found[-1])]

    def _order_row(self, order: Order) -> Json:
        owner = self._simulator.ledger.accounts[order.api_key]
        return order_payload(order, self._once_listed[order.symbol], owner)

    def _pending(self, call: Call) -> Rows:
        return self._orders(call, self._simulator.ledger.open_orders(api_key=call.owner.api_key))

    def _past(self, call: Call) -> Rows:
        call.required("instType")
        orders = self._simulator.ledger.account_orders(call.owner.api_key, OKX)
        return self._orders(call, [row for row in orders if row.is_final])

    def _orders(self, call: Call, orders: list[Order]) -> Rows:
        asked = [row for row in orders if row.venue == OKX and row.visible_at <= call.now]
        kept = [row for row in reversed(asked) if self._is_of(call, row.symbol)]
        some = page(
            call, kept, number_of=lambda row: row.venue_order_id, time_of=lambda row: row.created_at
        )
        return [self._order_row(row) for row in some]

    def _is_of(self, call: Call, symbol: str) -> bool:
        kind = call.text("instType")
        of_kind = not kind or (
            symbol in self._once_listed and instrument_type(self._once_listed[symbol]) == kind
        )
        return of_kind and call.text("instId") in ("", symbol)

    def _fills_of_type(self, call: Call) -> Rows:
        call.required("instType")
        return self._fills(call)

    def _fills(self, call: Call, reach: timedelta | None = None) -> Rows:
        ledger, number = self._simulator.ledger, call.text("ordId")
        trades = list(ledger.account_trades(call.owner.api_key, OKX, None))
        kept = [
            row
            for row in reversed(trades)
            if self._is_of(call, row.symbol)
            and number in ("", row.venue_order_id)
            and (reach is None or call.now - row.filled_at <= reach)
        ]
        some: list[TradeRow] = page(
            call, kept, number_of=fill_number, time_of=lambda row: row.filled_at
        )
        return [
            fill_payload(row, ledger.orders[row.order_number], self._once_listed[row.symbol])
            for row in some
        ]

    def _bills(self, call: Call, reach: timedelta | None = None) -> Rows:
        kind, asset = call.text("type"), call.text("ccy")
        kept = [
            row
            for row in bills(self._simulator.ledger, call.owner)
            if kind in ("", row.kind)
            and asset in ("", row.asset)
            and self._is_of(call, row.symbol)
            and (reach is None or call.now - row.at <= reach)
        ]
        some = page(call, kept, number_of=lambda row: row.number, time_of=lambda row: row.at)
        return [bill_payload(row, self._once_listed.get(row.symbol)) for row in some]

    def _balance(self, call: Call) -> Rows:
        return [payloads.balance(self._simulator, call.owner, call.now)]

    def _positions(self, call: Call) -> Rows:
        held = self._simulator.ledger.holdings(api_key=call.owner.api_key, venue=OKX)
        return [
            payloads.position(self._simulator, call.owner, row, call.now)
            for row in held
            if self._is_of(call, row.symbol)
        ]


def _batch(request: WireRequest) -> list[Json]:
    """Return the orders of a batch; empty where the body is no list of objects."""
    try:
        found = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        return []
    rows = found if isinstance(found, list) else []
    return [row for row in rows if isinstance(row, dict)]
