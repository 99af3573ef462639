"""What Binance's two interfaces share: routing, keys, signatures, clock, error bodies."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import orjson

from exchanges.domain import OrderType, Side, TimeInForce
from exchanges.simulator.accounts import Account, Order
from exchanges.simulator.admission import OrderIntent, Refusal, RefusalReason
from exchanges.simulator.core import Simulator
from exchanges.simulator.listings import Listing
from exchanges.simulator.wire import (
    Dialect,
    Json,
    VenueRefusal,
    WireRequest,
    WireResponse,
    decimal_of,
    milliseconds,
)

DEFAULT_RECV_WINDOW = 5000
MAX_AHEAD = 1000


class Security(Enum):
    """What a route asks of its caller."""

    NONE = "none"
    KEY = "key"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One authenticated request, read."""

    parameters: Mapping[str, str]
    now: datetime
    account: Account | None = None

    @property
    def owner(self) -> Account:
        if self.account is None:
            raise VenueRefusal(-2014, "API-key format invalid.", status=401)
        return self.account

    def required(self, name: str) -> str:
        value = self.parameters.get(name, "")
        if not value:
            message = f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
            raise VenueRefusal(-1102, message)
        return value

    def number(self, name: str) -> int | None:
        value = self.parameters.get(name)
        if value is None:
            return None
        if not value.lstrip("-").isdigit():
            raise VenueRefusal(-1100, f"Illegal characters found in parameter '{name}'.")
        return int(value)

    def decimal(self, name: str) -> Decimal:
        value = decimal_of(self.required(name))
        if value is None:
            raise VenueRefusal(-1100, f"Illegal characters found in parameter '{name}'.")
        return value


Handler = Callable[[Call], Any]
Route = tuple[Security, Handler]


def signature(secret: str, payload: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def check_clock(parameters: Mapping[str, str], now: datetime) -> None:
    """Refuse a request whose timestamp lies outside its recvWindow, as Binance does."""
    stamp = decimal_of(parameters.get("timestamp"))
    if stamp is None:
        message = "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed."
        raise VenueRefusal(-1102, message)
    window = decimal_of(parameters.get("recvWindow", DEFAULT_RECV_WINDOW))
    if window is None or window > 60000:
        raise VenueRefusal(-1131, "recvWindow must be less than 60000.")
    age = milliseconds(now) - stamp
    if age < -MAX_AHEAD:
        message = "Timestamp for this request was 1000ms ahead of the server's time."
        raise VenueRefusal(-1021, message)
    if age > window:
        raise VenueRefusal(-1021, "Timestamp for this request is outside of the recvWindow.")


def account_of(simulator: Simulator, api_key: str) -> Account:
    account = simulator.ledger.accounts.get(api_key)
    if account is None or account.venue != "binance":
        message = "Invalid API-key, IP, or permissions for action."
        raise VenueRefusal(-2015, message, status=401)
    return account


def authenticated(
    simulator: Simulator, request: WireRequest, security: Security, now: datetime
) -> Call:
    """Check key, clock and signature in Binance's order and return the call."""
    parameters = request.parameters
    if security is Security.NONE:
        return Call(parameters=parameters, now=now)
    account = account_of(simulator, request.headers.get("x-mbx-apikey", ""))
    if security is Security.SIGNED:
        check_clock(parameters, now)
        raw_query, _, query_signature = request.query.partition("&signature=")
        raw_body, _, body_signature = request.body.decode().partition("&signature=")
        sent = query_signature or body_signature
        if not hmac.compare_digest(signature(account.secret, raw_query + raw_body), sent):
            raise VenueRefusal(-1022, "Signature for this request is not valid.")
    return Call(parameters=parameters, now=now, account=account)


class BinanceFace:
    """Routes requests and writes answers; the two interfaces bring their routes and codes."""

    dialect = Dialect(
        body=lambda code, message: {"code": code, "msg": message},
        reject_status=400,
        too_many=(-1003, "Too many requests."),
    )
    key_header = "x-mbx-apikey"

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._routes: dict[tuple[str, str], Route] = {}

    def handle(self, request: WireRequest, *, now: datetime) -> WireResponse:
        try:
            route = self._routes.get((request.method, request.path))
            if route is None:
                message = f"Path {request.path}, Method {request.method} is invalid"
                raise VenueRefusal(-5000, message, status=404)
            security, handler = route
            call = authenticated(self._simulator, request, security, now)
            payload = handler(call)
        except VenueRefusal as refusal:
            body = orjson.dumps({"code": refusal.code, "msg": refusal.message})
            return WireResponse(status=refusal.status, body=body, outcome=str(refusal.code))
        return WireResponse(status=200, body=orjson.dumps(payload), outcome="ok")

    def _time(self, call: Call) -> Json:
        return {"serverTime": milliseconds(call.now)}

    def client_order_id(self, request: WireRequest) -> str:
        parameters = request.parameters
        return parameters.get("newClientOrderId") or parameters.get("origClientOrderId", "")


def intent_of(call: Call, listing: Listing, *, post_only_type: str = "") -> OrderIntent:
    """Read an order from its parameters; both interfaces share all but their post-only word."""
    side, kind = call.required("side"), call.required("type")
    if side not in ("BUY", "SELL"):
        raise VenueRefusal(-1117, "Invalid side.")
    if kind not in ("LIMIT", "MARKET", post_only_type):
        raise VenueRefusal(-1116, "Invalid orderType.")
    is_market = kind == "MARKET"
    forces = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "GTX": TimeInForce.POST_ONLY}
    force = TimeInForce.GTC
    if kind == post_only_type:
        force = TimeInForce.POST_ONLY
    elif not is_market:
        word = call.required("timeInForce")
        if word not in forces or (word == "GTX" and post_only_type):
            raise VenueRefusal(-1115, "Invalid timeInForce.")
        force = forces[word]
    return OrderIntent(
        listing=listing,
        client_order_id=call.parameters.get("newClientOrderId", ""),
        side=Side(side.lower()),
        order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
        time_in_force=force,
        base_quantity=call.decimal("quantity"),
        price=None if is_market else call.decimal("price"),
        reduce_only=call.parameters.get("reduceOnly", "false").lower() == "true",
    )


def placed(
    simulator: Simulator,
    call: Call,
    intent: OrderIntent,
    codes: Mapping[RefusalReason, tuple[int, str]],
) -> Order:
    """Place an order or raise the interface's own error for the refusal."""
    result = simulator.place(call.owner, intent, now=call.now)
    if isinstance(result, Refusal):
        code, message = codes[result.reason]
        raise VenueRefusal(code, message)
    return result
