"""Kraken spot over REST (`api.kraken.com`): orders, executions, balances, rights of a key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from exchanges.simulator.accounts import Account, Order
from exchanges.simulator.admission import Refusal
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.kraken_calls import (
    NONCE_WINDOW,
    Call,
    Gate,
    asset_name,
    encoded,
    error_body,
    listing_named,
    refused,
)
from exchanges.simulator.faces.kraken_intents import intent_of, refusal_of
from exchanges.simulator.faces.kraken_market import PERCENT, PUBLIC, MarketPages
from exchanges.simulator.faces.kraken_orders import description, order_payload, trade_payload
from exchanges.simulator.listings import KRAKEN, WALLETS
from exchanges.simulator.margin import locked
from exchanges.simulator.wire import (
    Dialect,
    Json,
    VenueRefusal,
    WireRequest,
    WireResponse,
    plain,
)

PRIVATE = "/0/private/"
PAGE = 50
RIGHTS = (
    *("query-funds", "query-open-trades", "query-closed-trades", "modify-trades"),
    "create-ws-token",
)
TOKEN_LASTS = 900


class KrakenFace:
    """Kraken's spot markets, bought and sold in cash."""

    dialect = Dialect(
        body=lambda code, message: error_body(message),
        reject_status=200,
        too_many=(0, "EAPI:Rate limit exceeded"),
    )
    key_header = "api-key"

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(KRAKEN)
        self._gate = Gate(simulator)
        self._public = MarketPages(simulator).routes
        self._private: dict[str, Callable[[Call], Any]] = {
            f"{PRIVATE}AddOrder": self._place,
            f"{PRIVATE}CancelOrder": self._cancel,
            f"{PRIVATE}OpenOrders": self._open,
            f"{PRIVATE}ClosedOrders": self._closed,
            f"{PRIVATE}QueryOrders": self._by_number,
            f"{PRIVATE}TradesHistory": self._trades,
            f"{PRIVATE}TradeVolume": self._fees,
            f"{PRIVATE}BalanceEx": self._balances,
            f"{PRIVATE}GetApiKeyInfo": self._key,
            f"{PRIVATE}GetWebSocketsToken": lambda call: {
                "token": token_of(call.owner),
                "expires": TOKEN_LASTS,
            },
        }

    def handle(self, request: WireRequest, *, now: datetime) -> WireResponse:
        try:
            result = self._answer(request, now)
        except VenueRefusal as told:
            body = encoded(error_body(told.message))
            return WireResponse(status=told.status, body=body, outcome=told.message)
        body = encoded({"error": [], "result": result})
        return WireResponse(status=200, body=body, outcome="ok")

    def _answer(self, request: WireRequest, now: datetime) -> Any:
        call = Call(parameters=request.parameters, now=now)
        if request.method == "GET" and request.path in self._public:
            return self._public[request.path](call)
        handler = self._private.get(request.path)
        if handler is None or request.method != "POST" or request.path.startswith(PUBLIC):
            raise refused("EGeneral:Unknown method")
        account = self._gate.authenticated(request)
        return handler(Call(parameters=request.parameters, now=now, account=account))

    def client_order_id(self, request: WireRequest) -> str:
        return request.parameters.get("cl_ord_id", "").replace("-", "")

    # --- Orders -------------------------------------------------------------------------------

    def _place(self, call: Call) -> Json:
        intent = intent_of(call, listing_named(self._listings, call))
        result = self._simulator.place(call.owner, intent, now=call.now)
        if isinstance(result, Refusal):
            raise refusal_of(result)
        return {"descr": {"order": description(result)}, "txid": [result.venue_order_id]}

    def _cancel(self, call: Call) -> Json:
        working = [row for row in self._orders(call) if not row.is_final]
        if not working:
            raise refused("EOrder:Unknown order")
        for order in working:
            self._simulator.engine.cancel(call.owner, order, now=call.now)
        return {"count": len(working)}

    def _orders(self, call: Call) -> list[Order]:
        """Return the visible orders, newest first, of one client id where that is given."""
        own_id = call.text("cl_ord_id").replace("-", "")
        orders = self._simulator.ledger.account_orders(call.owner.api_key, KRAKEN)
        return [
            row
            for row in reversed(orders)
            if row.visible_at <= call.now and own_id in ("", row.client_order_id)
        ]

    def _open(self, call: Call) -> Json:
        return {"open": by_number(row for row in self._orders(call) if not row.is_final)}

    def _closed(self, call: Call) -> Json:
        ended = [row for row in self._orders(call) if row.is_final]
        first = call.number("ofs", 0)
        return {"closed": by_number(ended[first : first + PAGE]), "count": len(ended)}

    def _by_number(self, call: Call) -> Json:
        numbers = {number.strip() for number in call.required("txid").split(",")}
        found = by_number(row for row in self._orders(call) if row.venue_order_id in numbers)
        if not found:
            raise refused("EOrder:Invalid order")
        return found

    # --- The account --------------------------------------------------------------------------

    def _trades(self, call: Call) -> Json:
        ledger, start, first = (
            self._simulator.ledger,
            call.number("start", 0),
            call.number("ofs", 0),
        )
        if call.text("consolidate_taker") != "false":
            raise refused("EGeneral:Invalid arguments:consolidate_taker")
        rows = [
            row
            for row in ledger.account_trades(call.owner.api_key, KRAKEN, None)
            if row.filled_at.timestamp() > start
        ][::-1]
        told = rows[first : first + PAGE]
        return {
            "trades": {
                row.venue_trade_id: trade_payload(row, ledger.orders[row.order_number])
                for row in told
            }
        }

    def _fees(self, call: Call) -> Json:
        listing = listing_named(self._listings, call)
        rates = {"fees": listing.taker_fee, "fees_maker": listing.maker_fee}
        told = {
            name: {listing.symbol: {"fee": format(rate * PERCENT, ".4f"), "nextfee": None}}
            for name, rate in rates.items()
        }
        return {"currency": "ZUSD", "volume": "0.0000", **told}

    def _balances(self, call: Call) -> Json:
        market, ledger = self._simulator.market, self._simulator.ledger
        return {
            asset_name(asset): {
                "balance": plain(amount),
                "hold_trade": plain(locked(ledger, market, call.owner, asset, venue=KRAKEN)),
            }
            for asset, amount in sorted(call.owner.wallets.get(WALLETS[KRAKEN], {}).items())
        }

    def _key(self, call: Call) -> Json:
        owner, ends = call.owner, call.owner.key_expires_at
        rights = [*RIGHTS]
        rights += ["withdraw-funds"] if owner.may_withdraw else []
        rights += ["earn-funds"] if owner.may_transfer else []
        return {
            "apiKeyName": "carry",
            "apiKey": owner.api_key,
            "nonce": call.text("nonce"),
            "nonceWindow": NONCE_WINDOW,
            "permissions": rights,
            "iban": str(owner.uid),
            "validUntil": str(int(ends.timestamp())) if ends else "0",
            "queryFrom": "0",
            "queryTo": "0",
            "createdTime": str(int(owner.created_at.timestamp())),
            "modifiedTime": str(int(owner.created_at.timestamp())),
            "ipAllowlist": ["203.0.113.7"] if owner.is_bound_to_address else [],
            "lastUsed": str(int(call.now.timestamp())),
        }


def by_number(orders: Iterable[Order]) -> Json:
    return {row.venue_order_id: order_payload(row) for row in orders}


def token_of(owner: Account) -> str:
    """Return what opens the private socket for the owner of a key."""
    return hashlib.sha256(f"socket:{owner.api_key}:{owner.secret}".encode()).hexdigest()
