"""What Kraken Futures lets one ask: docs.kraken.com, Derivatives Rate Limits.

Requests cost what is listed there; public ones cost nothing, their limit here is our own.
"""

from __future__ import annotations

from datetime import timedelta

from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope

TEN_SECONDS = timedelta(seconds=10)
COSTS = {
    "POST sendorder": 10,
    "POST cancelorder": 10,
    "POST orders/status": 1,
    # 2 for the last hundred.
    "GET fills": 25,
    "PUT leveragepreferences": 10,
}

QUOTAS = Quotas(
    # One socket does. Its requests may be 100 a second; openings are nowhere counted.
    sockets=ConnectionQuota(limit=10, window=timedelta(minutes=1)),
    all=(
        Quota(
            name="krakenfutures",
            scope=Scope.ADDRESS,
            limit=500,
            window=TEN_SECONDS,
            group="public",
            weights={"GET historicalfundingrates": 20},
            other=1,
        ),
        # Its refusal names the address as what is counted.
        Quota(
            name="krakenfutures.trading",
            scope=Scope.ADDRESS,
            limit=500,
            window=TEN_SECONDS,
            group="private",
            weights=COSTS,
            other=2,
        ),
        Quota(
            name="krakenfutures.history",
            scope=Scope.KEY,
            limit=100,
            window=timedelta(minutes=10),
            group="history",
            # The log by how many entries are asked for.
            weights={"GET account-log 25": 1, "GET account-log 1000": 3, "GET orders": 1},
            other=3,
        ),
        # Not documented.
        Quota(
            name="krakenfutures.rights",
            scope=Scope.KEY,
            limit=10,
            window=TEN_SECONDS,
            group="auth",
            other=1,
        ),
    ),
)
