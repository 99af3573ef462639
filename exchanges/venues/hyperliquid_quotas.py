"""What Hyperliquid lets one ask: a weight per address, and actions by what a wallet has traded."""

from __future__ import annotations

from datetime import timedelta

from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope

MINUTE = timedelta(minutes=1)
LIGHT = dict.fromkeys(
    (
        *("l2Book", "allMids", "clearinghouseState", "orderStatus", "spotClearinghouseState"),
        "exchangeStatus",
    ),
    2,
)
# Lists weigh one more for each twenty rows: of two hundred.
LONG = dict.fromkeys(("userFillsByTime", "userFunding", "fundingHistory"), 30)
QUOTAS = Quotas(
    sockets=ConnectionQuota(limit=30, window=MINUTE),
    all=(
        Quota(
            name="hyperliquid",
            scope=Scope.ADDRESS,
            limit=1200,
            window=MINUTE,
            weights={
                "POST exchange": 1,
                "POST info userRole": 60,
                **{f"POST info {name}": weight for name, weight in (LIGHT | LONG).items()},
            },
            other=20,
            # Single questions are heavy: with a part as large as elsewhere two polls were all.
            at_once=0.5,
        ),
        # One action for each dollar a wallet has ever traded, over a first 10,000.
        Quota(
            name="hyperliquid.actions",
            scope=Scope.KEY,
            limit=120,
            window=MINUTE,
            group="private",
            other=1,
        ),
    ),
    key_codes=frozenset({"err"}),
    # A wallet beyond its actions has one every ten seconds.
    pause=timedelta(seconds=10),
)
