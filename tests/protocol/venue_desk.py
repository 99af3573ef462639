"""An account at a simulated venue, through the real adapter, no sockets; all requests are kept."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Credential, Surroundings
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.client_order_ids import client_order_id
from exchanges.domain import OrderReport, OrderRequest, OrderType, Side, Symbol
from exchanges.simulator.wire import Json, WireRequest
from exchanges.venues import PROFILES
from tests.simulation.transport import InProcessSession
from tests.simulator.nearby import Nearby, call
from tests.simulator.world import World

D = Decimal
OWN = client_order_id(UUID(int=9), 0, "open", 1)


class Listening(Nearby):
    """The other end of a wire that keeps what came over it."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.came: list[WireRequest] = []

    def disturbance(self, request: WireRequest) -> Any:
        self.came.append(request)
        return super().disturbance(request)

    def asked(self, ending: str) -> list[dict[str, str]]:
        return [one.query_parameters for one in self.came if one.path.endswith(ending)]

    @property
    def posted(self) -> list[Json]:
        return [one.json for one in self.came if one.method == "POST"]


class VenueDesk:
    """One account at the simulated venue, whose price is 60,000."""

    venue: ClassVar[str]
    symbol: ClassVar[Symbol]

    def __init__(self, folder: Path) -> None:
        self.world = World(folder, interval_minutes=60, watched=True)
        self.world.pin(self.venue, price="60000")
        self.far = Listening(self.world)
        self.owner = self.world.account(self.venue)
        self.client = VenueClient(
            Catalogue(PROFILES[self.venue]),
            credential=Credential(api_key=self.owner.api_key, secret=self.owner.secret),
            surroundings=Surroundings(
                now=lambda: self.world.at, session=lambda: InProcessSession(lambda: self.far)
            ),
        )
        self.trading, self.account = CcxtTrading(self.client), CcxtAccount(self.client)

    def submit(self, **terms: Any) -> OrderReport:
        request: dict[str, Any] = {
            "client_order_id": OWN,
            "symbol": self.symbol,
            "side": Side.BUY,
            "order_type": OrderType.LIMIT if "price" in terms else OrderType.MARKET,
            "base_quantity": D("0.01"),
        }
        return call(self.trading.submit(OrderRequest(**{**request, **terms})))

    def find(self) -> OrderReport:
        return call(self.trading.find_order(OWN, self.symbol))
