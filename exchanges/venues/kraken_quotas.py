"""What Kraken lets one ask, by the lowest tier: docs.kraken.com/api, Spot REST Rate Limits.

Orders and cancels are counted by the engine, by pair and by how soon an order is cancelled; they
are counted here as if all were of one pair and cancelled at once. The rest fills a counter of 15
that loses a third a second.
"""

from __future__ import annotations

from datetime import timedelta

from exchanges.venues.kraken_codes import RATE_LIMITED
from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope

MINUTE = timedelta(minutes=1)
OF_ENGINE = {"POST AddOrder": 1, "POST CancelOrder": 8}

QUOTAS = Quotas(
    # About 150 in ten minutes, as its support says of Cloudflare before it.
    sockets=ConnectionQuota(limit=150, window=timedelta(minutes=10)),
    all=(
        # Ours: none is documented for an address, whatever it asks.
        Quota(
            name="kraken", scope=Scope.ADDRESS, limit=600, window=MINUTE, other=1, is_of_blocks=True
        ),
        Quota(
            name="kraken.public",
            scope=Scope.ADDRESS,
            limit=15,
            window=timedelta(seconds=15),
            group="public",
            other=1,
        ),
        # 15 at once and 20 a minute more.
        Quota(
            name="kraken.counter",
            scope=Scope.KEY,
            limit=34,
            window=MINUTE,
            group="private",
            weights={**dict.fromkeys(OF_ENGINE, 0), "POST TradesHistory": 2},
            other=1,
            at_once=0.35,
        ),
        # 60 at once and 60 a minute more.
        Quota(
            name="kraken.engine",
            scope=Scope.KEY,
            limit=120,
            window=MINUTE,
            group="private",
            weights=OF_ENGINE,
            at_once=0.4,
        ),
    ),
    key_codes=frozenset(RATE_LIMITED),
)
