"""What Deribit lets one ask, in its lowest tier: docs.deribit.com, Rate Limits.

A question takes 500 of 50,000 credits, of which 10,000 a second come back; what reaches the engine
is counted apart, twenty at once and five a second; the log once a second.
"""

from __future__ import annotations

from datetime import timedelta

from exchanges.venues.deribit_codes import RATE_LIMITED
from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope

TEN_SECONDS = timedelta(seconds=10)
OF_ENGINE = dict.fromkeys(("POST buy", "POST sell", "POST cancel_by_label"), 1)
LOG = "GET get_transaction_log"

QUOTAS = Quotas(
    # One socket does, of 32 connections at once that an address may have, reads included.
    sockets=ConnectionQuota(limit=10, window=timedelta(minutes=1)),
    all=(
        # Who names no key is counted by address: how much of it is not documented.
        Quota(
            name="deribit",
            scope=Scope.ADDRESS,
            limit=100,
            window=TEN_SECONDS,
            group="public",
            other=1,
        ),
        # By this one a block silences them all.
        Quota(name="deribit.all", scope=Scope.ADDRESS, limit=2000, window=TEN_SECONDS, other=1),
        Quota(
            name="deribit.engine",
            scope=Scope.KEY,
            limit=50,
            window=TEN_SECONDS,
            group="private",
            weights=OF_ENGINE,
        ),
        Quota(
            name="deribit.account",
            scope=Scope.KEY,
            limit=200,
            window=TEN_SECONDS,
            group="private",
            weights={**dict.fromkeys(OF_ENGINE, 0), LOG: 0},
            other=1,
        ),
        Quota(
            name="deribit.log",
            scope=Scope.KEY,
            limit=30,
            window=timedelta(seconds=30),
            group="private",
            weights={LOG: 1},
        ),
    ),
    key_codes=frozenset(RATE_LIMITED),
)
