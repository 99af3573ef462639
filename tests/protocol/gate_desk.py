"""An account at Gate that answers as a test says: payloads after its documentation (APIv4)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Credential, Surroundings
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.domain import ClientOrderId, Symbol
from exchanges.venues import PROFILES
from tests.conformance.bench import Bench
from tests.conformance.cards import SUBJECTS
from tests.protocol.canned import CannedVenue
from tests.protocol.test_gate import CONTRACT
from tests.simulation.transport import InProcessSession
from tests.simulator.nearby import call
from tests.simulator.world import World

D = Decimal
PROFILE = PROFILES["gate"]
[SUBJECT] = [subject for subject in SUBJECTS if subject.venue == "gate"]
BITCOIN = Symbol("BTC/USDT:USDT")
OWN_ID = ClientOrderId("t-0123456789abcdef0123456789ab")
KEY = Credential(api_key="0123456789abcdef", secret="secret")
ORDER = {
    "id": 15675394,
    "user": 1,
    "contract": "BTC_USDT",
    "create_time": 1772367000.123,
    "finish_time": 1772367001.5,
    "finish_as": "cancelled",
    "status": "finished",
    "size": "-200",
    "left": "-100",
    "price": "60000",
    "fill_price": "60010.5",
    "is_reduce_only": False,
    "tif": "gtc",
    "text": OWN_ID,
}
FILL = {
    "trade_id": "121234231",
    "contract": "BTC_USDT",
    "create_time": 1772367000.123,
    "order_id": "15675394",
    "size": "-100",
    "price": "60010.5",
    "role": "taker",
    "text": OWN_ID,
    "fee": "0.3",
    "point_fee": "0",
}
POSITION = {
    "contract": "BTC_USDT",
    "size": "-9440",
    "leverage": "0",
    "cross_leverage_limit": "10",
    "entry_price": "60010.5",
    "liq_price": "99999",
    "mark_price": "60000",
    "unrealised_pnl": "9.9",
    "margin": "4.4",
    "mode": "single",
    "adl_ranking": 1,
    "pos_margin_mode": "cross",
}
WALLET = {
    "user": 1666,
    "currency": "USDT",
    "total": "9707.8",
    "unrealised_pnl": "-7.8",
    "available": "9500",
    "in_dual_mode": False,
    "position_mode": "single",
    "enable_credit": False,
    "margin_mode": 0,
}
# To make a client of the library takes a third of a second: all tests share one.
CANNED = CannedVenue("gate", {})
UNSHOWN = {"label": "ORDER_NOT_FOUND", "message": "Order not found"}


def opened(tmp_path: Path) -> Iterator[Bench]:
    """Yield the simulated venue with one account."""
    opened = Bench.at(World(tmp_path, interval_minutes=60, watched=True), SUBJECT)
    yield opened
    opened.close()


@cache
def canned_client() -> VenueClient:
    surroundings = Surroundings(
        now=lambda: CANNED.now, session=lambda: InProcessSession(lambda: CANNED)
    )
    return VenueClient(Catalogue(PROFILE), credential=KEY, surroundings=surroundings)


def closed() -> Iterator[None]:
    """Close the client once all tests that ask it have run."""
    yield
    call(canned_client().close())
    canned_client.cache_clear()


class Asked:
    """An account at a venue that answers each path with one payload."""

    def __init__(self, **payloads: Any) -> None:
        named = {f"/usdt/{name.replace('__', '/')}": told for name, told in payloads.items()}
        self.venue, self.client = CANNED, canned_client()
        self.venue.payloads = {"/futures/usdt/contracts": [CONTRACT]} | named
        self.venue.asked.clear()

    def look_up(self) -> Any:
        return call(CcxtTrading(self.client).find_order(OWN_ID, BITCOIN))
