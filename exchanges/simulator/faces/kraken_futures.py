"""Kraken Futures over REST (`futures.kraken.com`): orders, fills, the account and its history."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from typing import Any

from exchanges.simulator.accounts import Order
from exchanges.simulator.admission import Refusal
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces import kraken_futures_account as payloads
from exchanges.simulator.faces import kraken_futures_orders as orders
from exchanges.simulator.faces.kraken_futures_calls import (
    Call,
    Refused,
    authenticated,
    encoded,
    instant,
    iso,
    listing_named,
    parameters_of,
    refusal,
    told,
)
from exchanges.simulator.faces.kraken_futures_log import account_log
from exchanges.simulator.faces.kraken_futures_market import HISTORY_PATH, MarketPages
from exchanges.simulator.faces.kraken_futures_settings import SettingPages
from exchanges.simulator.listings import KRAKEN_FUTURES
from exchanges.simulator.wire import (
    Dialect,
    Json,
    WireRequest,
    WireResponse,
    milliseconds,
)

TRADING, HISTORY = "/derivatives/api/v3/", "/api/history/v3/"
PUBLIC = (HISTORY_PATH, *(f"{TRADING}{name}" for name in ("instruments", "tickers", "orderbook")))
MOST_FILLS, USUAL_EVENTS, USUAL_ENTRIES = 100, 100, 500


class KrakenFuturesFace:
    """Kraken's multi-collateral perpetuals."""

    dialect = Dialect(
        body=lambda code, message: {"result": "error", "error": message},
        reject_status=200,
        too_many=(429, "apiLimitExceeded"),
    )
    key_header = "apikey"

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(KRAKEN_FUTURES)
        self._routes: dict[tuple[str, str], Callable[[Call], Json]] = {
            ("POST", f"{TRADING}sendorder"): self._send,
            ("POST", f"{TRADING}cancelorder"): self._cancel,
            ("POST", f"{TRADING}orders/status"): self._status,
            ("GET", f"{TRADING}openorders"): self._working,
            ("GET", f"{TRADING}fills"): self._fills,
            ("GET", f"{TRADING}openpositions"): self._positions,
            ("GET", f"{TRADING}accounts"): self._accounts,
            ("GET", f"{HISTORY}orders"): self._past,
            ("GET", f"{HISTORY}account-log"): self._log,
            **SettingPages(simulator).routes,
            **MarketPages(simulator).routes,
        }

    def handle(self, request: WireRequest, *, now: datetime) -> WireResponse:
        try:
            handler = self._routes.get((request.method, request.path))
            if handler is None:
                raise Refused("notFound", status=404)
            account = None
            if not request.path.startswith(PUBLIC):
                account = authenticated(self._simulator, request)
            call = Call(parameters=parameters_of(request), now=now, account=account)
            payload = handler(call)
        except Refused as refused:
            body = encoded(refusal(refused.name, now))
            return WireResponse(status=refused.status, body=body, outcome=refused.name)
        is_bare = request.path.startswith("/api/")
        body = encoded(payload if is_bare else told(now, **payload))
        return WireResponse(status=200, body=body, outcome=_outcome(payload))

    def client_order_id(self, request: WireRequest) -> str:
        asked = parameters_of(request)
        return asked.get("cliOrdId") or asked.get("cliOrdIds", "")

    # --- Orders -------------------------------------------------------------------------------

    def _send(self, call: Call) -> Json:
        listing = listing_named(self._listings, call.required("symbol"))
        intent, own = orders.intent_of(call, listing), call.text("cliOrdId")
        if call.is_late:
            return _sent("wouldProcessAfterSpecifiedTime", own, call.now)
        result = self._simulator.place(call.owner, intent, now=call.now)
        if isinstance(result, Refusal):
            return _sent(orders.STATUSES[result.reason], own, call.now)
        named = {"order_id": result.venue_order_id}
        if result.is_final and not result.filled:
            events = [orders.rejection(result)]
            return _sent("iocWouldNotExecute", own, call.now, **named, orderEvents=events)
        trades = [
            row
            for row in self._simulator.ledger.account_trades(
                call.owner.api_key, KRAKEN_FUTURES, listing.symbol
            )
            if row.order_number == result.number
        ]
        events = orders.send_events(result, trades)
        return _sent("placed", own, call.now, **named, orderEvents=events)

    def _cancel(self, call: Call) -> Json:
        found = self._named(call.owner.api_key, call.text("cliOrdId"), call.now)
        status = {"receivedTime": iso(call.now), "cliOrdId": call.text("cliOrdId") or None}
        if call.is_late:
            status |= {"status": "wouldProcessAfterSpecifiedTime"}
        elif not found or not self._simulator.engine.cancel(call.owner, found[-1], now=call.now):
            was_filled = bool(found) and not found[-1].remaining
            status |= {"status": "filled" if was_filled else "notFound"}
        else:
            order = orders.event_order(found[-1], found[-1].filled)
            event = {"type": "CANCEL", "uid": order["orderId"], "order": order}
            named = {"order_id": order["orderId"], "orderEvents": [event]}
            status |= {"status": "cancelled"} | named
        return {"cancelStatus": status}

    def _named(self, api_key: str, own_id: str, now: datetime) -> list[Order]:
        found = self._simulator.ledger.orders_named(api_key, KRAKEN_FUTURES, own_id)
        return [row for row in found if own_id and row.visible_at <= now]

    def _status(self, call: Call) -> Json:
        found = self._named(call.owner.api_key, call.required("cliOrdIds"), call.now)
        shown = [row for row in found if orders.is_told(row, call.now)]
        return {"orders": [orders.looked_up(row) for row in shown]}

    def _working(self, call: Call) -> Json:
        found = self._simulator.ledger.open_orders(api_key=call.owner.api_key, venue=KRAKEN_FUTURES)
        return {"openOrders": [orders.working(row) for row in found if row.visible_at <= call.now]}

    # --- The account --------------------------------------------------------------------------

    def _fills(self, call: Call) -> Json:
        """Return the newest hundred, or those before a moment."""
        before = call.text("lastFillTime")
        until = instant(before) if before else None
        ledger = self._simulator.ledger
        trades = reversed(list(ledger.account_trades(call.owner.api_key, KRAKEN_FUTURES, None)))
        kept = [
            (row, ledger.orders[row.order_number])
            for row in trades
            if until is None or row.filled_at < until
        ]
        shown = [(row, order) for row, order in kept if order.visible_at <= call.now]
        return {"fills": [payloads.fill(*pair) for pair in shown[:MOST_FILLS]]}

    def _positions(self, call: Call) -> Json:
        held = self._simulator.ledger.holdings(api_key=call.owner.api_key, venue=KRAKEN_FUTURES)
        rows = [payloads.position(self._simulator, row, call.now) for row in held]
        return {"openPositions": rows}

    def _accounts(self, call: Call) -> Json:
        found = payloads.wallet(self._simulator, call.owner, call.now)
        return {"accounts": payloads.balances(found)}

    # --- The history --------------------------------------------------------------------------

    def _past(self, call: Call) -> Json:
        """Return events of orders, newest first, page by page."""
        owner, symbol = call.owner, call.text("tradeable").upper()
        since, before = call.number("since", 0), call.number("before", milliseconds(call.now) + 1)
        events = [
            event
            for order in self._simulator.ledger.account_orders(owner.api_key, KRAKEN_FUTURES)
            if symbol in ("", order.symbol) and order.visible_at <= call.now
            for event in orders.past_events(order)
            if since <= event["timestamp"] < before
        ]
        events.sort(key=lambda event: int(event["timestamp"]))
        events.reverse()
        first = _first(call.text("continuation_token"))
        page = events[first : first + call.number("count", USUAL_EVENTS)]
        following = first + len(page)
        answer: Json = {
            "accountUid": payloads.account_uid(owner),
            "len": len(page),
            "elements": page,
        }
        if following < len(events):
            answer["continuationToken"] = base64.b64encode(str(following).encode()).decode()
        return answer

    def _log(self, call: Call) -> Json:
        since, before = call.number("since", 0), call.number("before", 1 << 53)
        rows = [
            row
            for row in account_log(self._simulator, call.owner)
            if since <= milliseconds(instant(row["date"])) < before
        ]
        if call.text("sort") != "asc":
            rows.reverse()
        count = call.number("count", USUAL_ENTRIES)
        return {"accountUid": payloads.account_uid(call.owner), "logs": rows[:count]}


def _sent(status: str, own_id: str, now: datetime, **more: Any) -> Json:
    named = {"cliOrdId": own_id} if own_id else {}
    return {"sendStatus": {"status": status, "receivedTime": iso(now), **named, **more}}


def _outcome(payload: Json) -> str:
    for name in ("sendStatus", "cancelStatus"):
        if name in payload and payload[name]["status"] not in ("placed", "cancelled"):
            return str(payload[name]["status"])
    return "ok"


def _first(token: str) -> int:
    try:
        return int(base64.b64decode(token)) if token else 0
    except ValueError:
        raise Refused("invalidArgument") from None
