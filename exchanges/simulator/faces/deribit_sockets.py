"""Deribit's WebSocket (`/ws/api/v2`): JSON-RPC, tickers for everybody, an account's after login."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any

from exchanges.simulator.accounts import Account, Order
from exchanges.simulator.books import beat
from exchanges.simulator.core import Simulator
from exchanges.simulator.events import AccountEvent
from exchanges.simulator.faces import deribit_account as payloads
from exchanges.simulator.faces import deribit_orders as orders
from exchanges.simulator.faces.deribit_calls import TEST_HOST, account_of, refusal, signature
from exchanges.simulator.faces.deribit_market import ticker
from exchanges.simulator.faces.sockets import Outgoing, read_message
from exchanges.simulator.listings import DERIBIT
from exchanges.simulator.wire import Json, VenueRefusal

REPLY_TOPIC = "reply"
CHANGES = "user.changes.any.USDC.raw"
BEATS_A_SECOND = 4
TOKEN_LASTS = 900


class Socket:
    """One connection; its private channels are those of the account that was logged in."""

    venue = DERIBIT

    def __init__(self, simulator: Simulator, host: str) -> None:
        self._simulator = simulator
        self._host = host
        self._listings = simulator.listings_at(DERIBIT)
        self._tickers: dict[str, int] = {}
        self._private: list[str] = []
        self._account: Account | None = None
        self._heart: tuple[int, int] | None = None

    @property
    def topics(self) -> list[str]:
        return [*(_channel(name) for name in self._tickers), *self._private]

    def receive(self, text: str, *, now: datetime) -> list[Outgoing]:
        message = read_message(text)
        asked = message.get("params")
        params: Json = asked if isinstance(asked, dict) else {}
        try:
            told, following = self._answer(str(message.get("method")), params, now)
        except VenueRefusal as said:
            error = refusal(said.code, said.message)
            return [Outgoing.of(REPLY_TOPIC, error | {"id": message.get("id")})]
        reply = {"jsonrpc": "2.0", "id": message.get("id"), "result": told}
        return [Outgoing.of(REPLY_TOPIC, reply), *following]

    def beat(self, *, now: datetime) -> list[Outgoing]:
        stamp = beat(now)
        due = [name for name, last in self._tickers.items() if last != stamp]
        found = [self._ticker(name, now) for name in due if name in self._listings]
        if self._heart is not None and stamp - self._heart[1] >= self._heart[0]:
            self._heart = self._heart[0], stamp
            found.append(_sent(REPLY_TOPIC, "heartbeat", {"type": "test_request"}))
        return found

    def happened(self, event: AccountEvent) -> list[Outgoing]:
        owner = self._account
        if owner is None or event.account is not owner or event.venue != DERIBIT:
            return []
        if event.order is None or CHANGES not in self._private:
            return []
        return [_told(CHANGES, self._change(owner, event, event.order))]

    def _answer(self, method: str, params: Json, now: datetime) -> tuple[object, list[Outgoing]]:
        """Return the answer to one call, and what is told behind it."""
        match method:
            case "public/set_heartbeat":
                self._heart = int(params.get("interval", 30)) * BEATS_A_SECOND, beat(now)
                return "ok", []
            case "public/test":
                return {"version": "1.2.26"}, []
            case "public/auth":
                return self._login(params), []
            case "public/subscribe":
                names = [_contract(one) for one in _channels(params)]
                known = [name for name in names if name in self._listings]
                told = [self._ticker(name, now) for name in known]
                return [_channel(name) for name in known], told
            case "private/subscribe":
                return self._listen(_channels(params)), []
        raise VenueRefusal(-32601, "Method not found")

    def _login(self, params: Json) -> Json:
        key, is_test = str(params.get("client_id")), self._host == TEST_HOST
        account = account_of(self._simulator, key, is_test=is_test)
        text = f"{params.get('timestamp')}\n{params.get('nonce')}\n{params.get('data', '')}"
        made, given = signature(account.secret, text), str(params.get("signature"))
        if not hmac.compare_digest(made, given):
            raise VenueRefusal(13004, "invalid_credentials")
        self._account = account
        token = {"access_token": "simulated", "refresh_token": "simulated", "token_type": "bearer"}
        scope = "account:read connection mainaccount trade:read_write wallet:read"
        return token | {"expires_in": TOKEN_LASTS, "scope": scope}

    def _listen(self, asked: list[str]) -> list[str]:
        if self._account is None:
            raise VenueRefusal(13009, "unauthorized")
        self._private = [channel for channel in asked if channel == CHANGES]
        return self._private

    def _change(self, owner: Account, event: AccountEvent, order: Order) -> Json:
        """Return an order as it is now, with the execution and the position that changed it."""
        told: Json = {"instrument_name": order.symbol, "orders": [orders.order_payload(order)]}
        if event.trade is None:
            return told | {"trades": [], "positions": []}
        row = self._simulator.ledger.holding_row(owner.api_key, (DERIBIT, order.symbol))
        held = payloads.closed(order.symbol)
        if row is not None and row.base_quantity:
            held = payloads.position(self._simulator, owner, row, event.at)
        return told | {"trades": [orders.trade_payload(event.trade, order)], "positions": [held]}

    def _ticker(self, name: str, now: datetime) -> Outgoing:
        self._tickers[name] = beat(now)
        return _told(_channel(name), ticker(self._simulator, self._listings[name], now))


def _channels(params: Json) -> list[str]:
    asked = params.get("channels")
    return [str(one) for one in asked] if isinstance(asked, list) else []


def _channel(name: str) -> str:
    return f"ticker.{name}.100ms"


def _contract(channel: str) -> str:
    return channel.removeprefix("ticker.").removesuffix(".100ms")


def _told(channel: str, data: Json) -> Outgoing:
    return _sent(channel, "subscription", {"channel": channel, "data": data})


def _sent(topic: str, method: str, params: Any) -> Outgoing:
    return Outgoing.of(topic, {"jsonrpc": "2.0", "method": method, "params": params})
