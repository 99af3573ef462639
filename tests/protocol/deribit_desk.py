"""An account at the simulated Deribit, through the real adapter, no sockets."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Credential, Surroundings
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.client_order_ids import client_order_id
from exchanges.domain import OrderReport, OrderRequest, OrderType, Side, Symbol
from exchanges.simulator.listings import DERIBIT
from exchanges.simulator.wire import Json, WireRequest
from exchanges.venues import PROFILES
from tests.protocol.canned import CannedVenue
from tests.simulation.transport import InProcessSession
from tests.simulator.nearby import Nearby, call
from tests.simulator.world import World

D = Decimal
SYMBOL, NAME = Symbol("BTC/USDC:USDC"), "BTC_USDC-PERPETUAL"
OWN = client_order_id(UUID(int=9), 0, "open", 1)
ROOT = "/api/v2"


def answered(result: Any) -> Json:
    return {"jsonrpc": "2.0", "id": 1, "result": result, "usIn": 1, "usOut": 2, "usDiff": 1}


def refused(code: int, message: str, reason: str = "") -> Json:
    data = {"reason": reason} if reason else None
    return {"jsonrpc": "2.0", "error": {"code": code, "message": message, "data": data}}


def order(**changes: Any) -> Json:
    """Return an order of ours as the documents show one, working."""
    return {
        "order_id": "USDC-104819327443",
        "label": OWN,
        "instrument_name": NAME,
        "direction": "buy",
        "order_state": "open",
        "order_type": "limit",
        "time_in_force": "good_til_cancelled",
        "price": 59_000.0,
        "amount": 0.01,
        "filled_amount": 0.0,
        "average_price": 0.0,
        "reduce_only": False,
        "post_only": False,
        "creation_timestamp": 1767614400000,
        "last_update_timestamp": 1767614400000,
        "api": True,
    } | changes


def trade(**changes: Any) -> Json:
    """Return an execution of that order as the documents show one."""
    return {
        "trade_id": "USDC-1",
        "trade_seq": 1,
        "order_id": "USDC-104819327443",
        "label": OWN,
        "instrument_name": NAME,
        "timestamp": 1767614400000,
        "direction": "buy",
        "liquidity": "T",
        "order_type": "limit",
        "price": 60_000.0,
        "amount": 0.004,
        "fee": 0.12,
        "fee_currency": "USDC",
        "state": "open",
    } | changes


class Listening(Nearby):
    """The other end of a wire that keeps what came over it."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.came: list[WireRequest] = []

    def disturbance(self, request: WireRequest) -> Any:
        self.came.append(request)
        return super().disturbance(request)

    def asked(self, ending: str) -> list[Any]:
        return [one.query_parameters for one in self.came if one.path.endswith(ending)]

    @property
    def posted(self) -> list[Json]:
        return [one.json for one in self.came if one.method == "POST"]


class Desk:
    """One account at the simulated venue, whose price is 60,000."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder, interval_minutes=60, watched=True)
        self.world.pin(DERIBIT, price="60000")
        self.far = Listening(self.world)
        self.owner = self.world.account(DERIBIT)
        self.client = VenueClient(
            Catalogue(PROFILES[DERIBIT]),
            credential=Credential(api_key=self.owner.api_key, secret=self.owner.secret),
            surroundings=Surroundings(
                now=lambda: self.world.at, session=lambda: InProcessSession(lambda: self.far)
            ),
        )
        self.trading, self.account = CcxtTrading(self.client), CcxtAccount(self.client)

    def hear(self, payloads: Json) -> CannedVenue:
        """Let the venue say what a test wrote down from now on, by how a path ends."""
        call(self.client.ready())
        far = CannedVenue(DERIBIT, payloads)
        self.client.exchange.session = InProcessSession(lambda: far)
        return far

    def submit(self, **terms: Any) -> OrderReport:
        request: dict[str, Any] = {
            "client_order_id": OWN,
            "symbol": SYMBOL,
            "side": Side.BUY,
            "order_type": OrderType.LIMIT if "price" in terms else OrderType.MARKET,
            "base_quantity": D("0.01"),
        }
        return call(self.trading.submit(OrderRequest(**{**request, **terms})))

    def find(self) -> OrderReport:
        return call(self.trading.find_order(OWN, SYMBOL))
