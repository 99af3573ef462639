"""An account at the simulated Kraken Futures, through the real adapter, no sockets."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Credential, Surroundings
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.client_order_ids import client_order_id
from exchanges.domain import (
    OrderReport,
    OrderRequest,
    OrderType,
    Side,
    Symbol,
)
from exchanges.simulator.listings import KRAKEN_FUTURES
from exchanges.simulator.wire import WireRequest
from exchanges.venues import PROFILES
from tests.simulation.transport import InProcessSession
from tests.simulator.nearby import Nearby, call
from tests.simulator.world import World

D = Decimal
SYMBOL, PF = Symbol("BTC/USD:USD"), "PF_XBTUSD"
OWN = client_order_id(UUID(int=9), 0, "open", 1)
NUMBER = "179f9af8-e45e-469d-b3e9-2fd4675cb7d0"


class Listening(Nearby):
    """The other end of a wire that keeps what came over it."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.came: list[WireRequest] = []

    def disturbance(self, request: WireRequest) -> Any:
        self.came.append(request)
        return super().disturbance(request)

    def asked(self, ending: str) -> list[dict[str, str]]:
        return [dict(parse_qsl(one.query)) for one in self.came if one.path.endswith(ending)]


class Desk:
    """One account at the simulated venue, whose price is 60,000."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder, interval_minutes=60, watched=True)
        self.world.pin(KRAKEN_FUTURES, price="60000")
        self.far = Listening(self.world)
        owner = self.world.account(KRAKEN_FUTURES)
        self.client = VenueClient(
            Catalogue(PROFILES[KRAKEN_FUTURES]),
            credential=Credential(api_key=owner.api_key, secret=owner.secret),
            surroundings=Surroundings(
                now=lambda: self.world.at, session=lambda: InProcessSession(lambda: self.far)
            ),
        )
        self.trading, self.account = CcxtTrading(self.client), CcxtAccount(self.client)

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
