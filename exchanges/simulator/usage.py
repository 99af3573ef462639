"""What venues tell of their limits in the headers of answers: what is used, how long a pause lasts.

Every request counts one. Nothing is refused for its number: a fault rule does that.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from math import ceil

from exchanges.simulator.listings import BITGET, BYBIT, GATE, KUCOIN, SPOT, USDM
from exchanges.simulator.wire import WireRequest

Headers = dict[str, str]
MINUTE = 60
BYBIT_CHANGES, BYBIT_READS = 10, 50
BITGET_PUBLIC, BITGET_PRIVATE = 20, 10
GATE_CALLS, GATE_ORDERS = (200, 10), (100, 1)
KUCOIN_POOL, KUCOIN_LASTS = 2000, 30


class Meter:
    """Counts requests by what they count in, in the windows of the clock."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, ...], tuple[int, int]] = {}

    def count(self, *scope: str, window: int, now: datetime, weight: int = 1) -> int:
        """Add to what is used in the window that goes on, of so many seconds; return it all."""
        number = int(now.timestamp()) // window
        before, used = self._counts.get(scope, (number, 0))
        used = weight + (used if before == number else 0)
        self._counts[scope] = (number, used)
        return used


def usage_headers(
    meter: Meter, venue: str, request: WireRequest, key: str, now: datetime
) -> Headers:
    """Return what a venue's answer tells of the limit in which a request counted.

    `key` is the one that it was signed with, empty of public ones.
    """
    tell = TOLD_AT.get(venue)
    return tell(meter, request, key, now) if tell else {}


def _binance(venue: str) -> Callable[[Meter, WireRequest, str, datetime], Headers]:
    def told(meter: Meter, request: WireRequest, key: str, now: datetime) -> Headers:
        told = {"X-MBX-USED-WEIGHT-1M": str(meter.count(venue, window=MINUTE, now=now))}
        if request.method == "POST" and request.path.endswith("/order"):
            for name, window in (("10S", 10), ("1M", MINUTE)):
                used = meter.count(venue, "orders", name, key, window=window, now=now)
                told[f"X-MBX-ORDER-COUNT-{name}"] = str(used)
        return told

    return told


def _bybit(meter: Meter, request: WireRequest, key: str, now: datetime) -> Headers:
    if not key:
        return {}
    limit = BYBIT_CHANGES if request.method == "POST" else BYBIT_READS
    used = meter.count(BYBIT, request.path, key, window=1, now=now)
    return {
        "X-Bapi-Limit": str(limit),
        "X-Bapi-Limit-Status": str(max(0, limit - used)),
        "X-Bapi-Limit-Reset-Timestamp": str(ceil(now.timestamp() * 1000)),
    }


def _gate(meter: Meter, request: WireRequest, key: str, now: datetime) -> Headers:
    is_order = request.method != "GET" and "/orders" in request.path
    limit, window = GATE_ORDERS if is_order else GATE_CALLS
    # An order's own number is no part of the call's name.
    call = request.path.partition("/orders/")[0]
    used = meter.count(GATE, request.method, call, key, window=window, now=now)
    return {
        "X-Gate-RateLimit-Limit": str(limit),
        "X-Gate-RateLimit-Requests-Remain": str(max(0, limit - used)),
        "X-Gate-RateLimit-Reset-Timestamp": str(int(now.timestamp())),
    }


def _bitget(meter: Meter, request: WireRequest, key: str, now: datetime) -> Headers:
    limit = BITGET_PRIVATE if key else BITGET_PUBLIC
    used = meter.count(BITGET, request.path, key, window=1, now=now)
    return {"x-mbx-used-remain-limit": str(max(0, limit - used))}


def _kucoin(meter: Meter, request: WireRequest, key: str, now: datetime) -> Headers:
    used = meter.count(KUCOIN, request.host, key, window=KUCOIN_LASTS, now=now)
    return {
        "gw-ratelimit-limit": str(KUCOIN_POOL),
        "gw-ratelimit-remaining": str(max(0, KUCOIN_POOL - used)),
        "gw-ratelimit-reset": str(ceil((KUCOIN_LASTS - now.timestamp() % KUCOIN_LASTS) * 1000)),
    }


TOLD_AT = {
    SPOT: _binance(SPOT),
    USDM: _binance(USDM),
    BYBIT: _bybit,
    GATE: _gate,
    BITGET: _bitget,
    KUCOIN: _kucoin,
}


def bybit_pause(seconds: float, now: datetime) -> Headers:
    return {
        "X-Bapi-Limit-Status": "0",
        "X-Bapi-Limit-Reset-Timestamp": str(ceil((now.timestamp() + seconds) * 1000)),
    }


def gate_pause(seconds: float, now: datetime) -> Headers:
    return {
        "X-Gate-RateLimit-Requests-Remain": "0",
        "X-Gate-RateLimit-Reset-Timestamp": str(ceil(now.timestamp() + seconds)),
    }


def kucoin_pause(seconds: float, now: datetime) -> Headers:
    return {"gw-ratelimit-remaining": "0", "gw-ratelimit-reset": str(ceil(seconds * 1000))}
