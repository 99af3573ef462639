"""What KuCoin lets one ask: pools of weight for 30 s each, and what its gate lets through.

Pools and weights: www.kucoin.com/docs-new/rate-limit and each call's page, for the lowest VIP
level; private pools are of a UID. The gate counts requests of an address: 500 in ten seconds.
"""

from __future__ import annotations

from datetime import timedelta

from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope

POOL, POOL_LASTS = 2000, timedelta(seconds=30)
# In each answer, of the pool that the request was counted in; the pool's size by the VIP level.
LEFT, OF = "gw-ratelimit-remaining", "gw-ratelimit-limit"
OF_MARKET = {
    "GET contracts/active": 3,
    "GET timestamp": 2,
    "GET level2/depth20": 5,
    "GET level2/depth100": 10,
    "POST bullet-public": 10,
}
OF_ACCOUNT = {
    "POST orders": 2,
    "DELETE orders/client-order/{clientOid}": 1,
    "GET orders": 2,
    "GET recentFills": 3,
    "GET positions": 2,
    "GET position/getPositionMode": 2,
    "GET position/getMarginMode": 2,
    "POST position/changeMarginMode": 2,
    "POST changeCrossUserLeverage": 2,
    "POST position/margin/deposit-margin": 4,
    "GET transaction-history": 2,
    "POST bullet-private": 10,
}

QUOTAS = Quotas(
    # And 800 at a time at most.
    sockets=ConnectionQuota(limit=30, window=timedelta(minutes=1)),
    all=(
        Quota(
            name="kucoin",
            scope=Scope.ADDRESS,
            limit=500,
            window=timedelta(seconds=10),
            other=1,
            is_of_blocks=True,
        ),
        Quota(
            name="kucoin.public",
            scope=Scope.ADDRESS,
            limit=POOL,
            window=POOL_LASTS,
            group="futuresPublic",
            weights=OF_MARKET,
            other=5,
            left_header=LEFT,
            of_header=OF,
        ),
        Quota(
            name="kucoin.futures",
            scope=Scope.KEY,
            limit=POOL,
            window=POOL_LASTS,
            group="futuresPrivate",
            weights=OF_ACCOUNT,
            other=5,
            left_header=LEFT,
            of_header=OF,
        ),
        Quota(
            name="kucoin.management",
            scope=Scope.KEY,
            limit=POOL,
            window=POOL_LASTS,
            group="private",
            other=20,
        ),
        # The kind of an account is asked for beside the rights of its key.
        Quota(
            name="kucoin.mode",
            scope=Scope.KEY,
            limit=POOL,
            window=POOL_LASTS,
            group="utaPrivate",
            other=30,
        ),
    ),
    # Told for the pool of one UID.
    key_codes=frozenset({"200002", "429000"}),
    # The countdown of the pool in which the request was counted.
    waits_header="gw-ratelimit-reset",
    # What goes beyond all calls of an address is served again after half a minute.
    ban=timedelta(seconds=30),
)
