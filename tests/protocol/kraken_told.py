"""An account at a Kraken that answers as its documentation shows (Spot REST)."""

from __future__ import annotations

import atexit
from collections.abc import Coroutine, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Credential, Surroundings
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.domain import (
    ClientOrderId,
    OrderReport,
    OrderRequest,
    OrderType,
    Side,
    Symbol,
    TimeInForce,
)
from exchanges.venues import PROFILES
from tests.conformance.cards import SUBJECTS
from tests.protocol.canned import CannedVenue
from tests.simulation.transport import InProcessSession
from tests.simulator.nearby import call

T = TypeVar("T")

[SUBJECT] = [subject for subject in SUBJECTS if subject.venue == "kraken"]
DOLLAR = Symbol("BTC/USD")
OWN_ID = ClientOrderId("da8e4ad59b78481c93e589746b0cf91f")
WITH_DASHES = "da8e4ad5-9b78-481c-93e5-89746b0cf91f"
KEY = Credential(api_key="key", secret="c2VjcmV0")
PAIR = {
    "altname": "XBTUSDT",
    "wsname": "XBT/USDT",
    "base": "XXBT",
    "quote": "USDT",
    "pair_decimals": 1,
    "lot_decimals": 8,
    "leverage_buy": [2, 3],
    "fees": [[0, 0.4]],
    "fees_maker": [[0, 0.25]],
    "ordermin": "0.00005",
    "costmin": "0.5",
    "status": "online",
}
OF_DOLLARS = PAIR | {"altname": "XBTUSD", "wsname": "XBT/USD", "quote": "ZUSD"}
PAIRS = {"XBTUSDT": PAIR, "XXBTZUSD": OF_DOLLARS}
ORDER = {
    "refid": None,
    "userref": 0,
    "cl_ord_id": WITH_DASHES,
    "status": "closed",
    "opentm": 1688665496.7808,
    "closetm": 1688665499.1922,
    "descr": {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "27500.0"},
    "vol": "1.25000000",
    "vol_exec": "1.25000000",
    "cost": "27526.2",
    "fee": "26.2",
    "price": "27500.0",
    "oflags": "fciq",
}
TRADE = {
    "ordertxid": "OQCLML-BW3P3-BUCMWZ",
    "pair": "XXBTZUSD",
    "time": 1688667796.8802,
    "type": "buy",
    "ordertype": "limit",
    "price": "30010.00000",
    "cost": "600.20000",
    "fee": "1.50050",
    "vol": "0.02000000",
    "misc": "",
    "trade_id": 40274859,
    "maker": True,
}
RIGHTS: dict[str, Any] = {
    "apiKeyName": "my-api-key",
    "nonceWindow": 10_000_000,
    "permissions": [
        *("query-funds", "query-open-trades", "query-closed-trades", "modify-trades"),
        "create-ws-token",
    ],
    "iban": "AA88 N84G WOAK NMOI",
    "validUntil": "0",
    "queryFrom": "0",
    "queryTo": "0",
    "ipAllowlist": [],
}


# Stocks are traded there too, and are not listed among the pairs of currencies.
A_SHARE = "TSLAxUSD"


def order(price: str = "27500.1", force: TimeInForce = TimeInForce.GTC) -> OrderRequest:
    return OrderRequest(
        client_order_id=OWN_ID,
        symbol=DOLLAR,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        base_quantity=Decimal("0.01"),
        price=Decimal(price),
        time_in_force=force,
    )


def told(result: Any) -> dict[str, Any]:
    return {"error": [], "result": result}


class Asked:
    """An account at a venue that answers each call with one payload.

    There is one client for all tests: to make one takes longer than most of them.
    """

    _now: CannedVenue
    _client: VenueClient | None = None

    def __init__(self, **payloads: Any) -> None:
        named = {f"/private/{name}": payload for name, payload in payloads.items()}
        self.venue = CannedVenue("kraken", {"/public/AssetPairs": told(PAIRS)} | named)
        Asked._now = self.venue
        if Asked._client is None:
            Asked._client = _client()
            atexit.register(lambda: call(self.client.close()))
        self.client = Asked._client
        self.client.exchange.secret = KEY.secret
        self.client.exchange.options["timeDifference"] = 0
        self.account, self.trading = CcxtAccount(self.client), CcxtTrading(self.client)

    def of(self, question: Coroutine[Any, Any, T]) -> T:
        return call(question)

    def look_up(self) -> OrderReport:
        return self.of(self.trading.find_order(OWN_ID, DOLLAR))

    def sent(self, name: str) -> list[Mapping[str, str]]:
        return [one.parameters for one in self.venue.asked if one.path.endswith(f"/{name}")]


def _client() -> VenueClient:
    surroundings = Surroundings(
        now=lambda: Asked._now.now, session=lambda: InProcessSession(lambda: Asked._now)
    )
    profile = PROFILES["kraken"]
    return VenueClient(Catalogue(profile), credential=KEY, surroundings=surroundings)
