"""What a day trades: two venues, and the strategy that holds its legs there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

import orjson

from exchanges.simulator.listings import (
    BITGET,
    BYBIT,
    GATE,
    KUCOIN,
    OKX,
    OWNERS,
    SPOT,
    USDM,
    WALLETS,
)
from exchanges.simulator.wire import WireRequest

BASES = ("BTC", "ETH")
KUCOIN_NAMES = {"BTC": "XBT"}
# A contract this far above spot pays for all four fees of a cash and carry.
BASIS = Decimal("1.015")
CREATE = {
    USDM: "/fapi/v1/order",
    BYBIT: "/v5/order/create",
    SPOT: "/api/v3/order",
    OKX: "/api/v5/trade/order",
    BITGET: "/api/v2/mix/order/place-order",
    GATE: "/api/v4/futures/usdt/orders",
    KUCOIN: "/api/v1/orders",
}
KEY_HEADERS = (
    *("x-mbx-apikey", "x-bapi-api-key", "ok-access-key"),
    *("access-key", "key", "kc-api-key"),
)
OWN_ID_FIELDS = ("newClientOrderId", "orderLinkId", "clOrdId", "clientOid", "text")


@dataclass(frozen=True, slots=True)
class Market:
    """`venues` in the order in which actions name them; spot, where there is any, first."""

    venues: tuple[str, str]
    strategy: str = "funding_spread"

    @property
    def buys_spot(self) -> bool:
        return self.venues[0] == SPOT

    def other(self, venue: str) -> str:
        return self.venues[1 - self.venues.index(venue)]

    def contracts(self, venue: str) -> str:
        """Return the venue itself, or the one of its contracts where it lists spot only."""
        return self.venues[1] if venue == SPOT else venue


PERPETUALS = Market((USDM, BYBIT))
MARKETS = {
    "perpetuals": PERPETUALS,
    "cash and carry": Market((SPOT, USDM), "cash_and_carry"),
    "cash and carry apart": Market((SPOT, BYBIT), "cash_and_carry"),
    "contracts by number": Market((USDM, OKX)),
    "contracts at Bitget": Market((BITGET, OKX)),
    "contracts at Gate": Market((USDM, GATE)),
    "contracts at KuCoin": Market((BYBIT, KUCOIN)),
    "Gate against KuCoin": Market((GATE, KUCOIN)),
}
ALL_VENUES = (USDM, BYBIT, SPOT, OKX, BITGET, GATE, KUCOIN)
WITH_PASSPHRASE = frozenset({OKX, BITGET, KUCOIN})


def api_key(user: str, venue: str) -> str:
    """Return a user's key, a canary too: spot and contracts of Binance share one."""
    return f"{user}-{USDM if OWNERS[venue] == SPOT else venue}-key-canary"


def secret_of(key: str) -> str:
    """Return the secret of an API key: a canary that must turn up nowhere."""
    return f"secret-canary-of-{key}"


def wallets(venue: str) -> tuple[str, ...]:
    """Return the wallets that a venue's own account has."""
    shared = (SPOT,) if venue == USDM else ()
    return tuple(WALLETS[each] for each in (venue, *shared))


def listed_symbol(venue: str, base: str) -> str:
    if venue == KUCOIN:
        return f"{KUCOIN_NAMES.get(base, base)}USDTM"
    return {OKX: f"{base}-USDT-SWAP", GATE: f"{base}_USDT"}.get(venue, f"{base}USDT")


def base_of(symbol: str) -> str:
    """Return the asset of a venue's own symbol."""
    name = re.split("[-_]", symbol)[0].removesuffix("M").removesuffix("USDT")
    return next((base for base, known in KUCOIN_NAMES.items() if known == name), name)


def own_id_of(request: WireRequest) -> str:
    """Return the id that a create request carries, of whichever venue."""
    if request.body.startswith((b"{", b"[")):
        found = orjson.loads(request.body)
        fields = found[0] if isinstance(found, list) else found
    else:
        fields = request.parameters
    return next((str(fields[name]) for name in OWN_ID_FIELDS if fields.get(name)), "")


def key_of(request: WireRequest) -> str:
    """Return the API key that signed a request, empty where none did."""
    return next((request.headers[name] for name in KEY_HEADERS if name in request.headers), "")
