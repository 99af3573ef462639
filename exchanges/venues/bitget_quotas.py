"""What Bitget lets one ask: each call is counted by itself; calls of one limit share a quota here.

Limits: www.bitget.com/api-doc/common/quick-start and each call's page; private ones are of a UID.
"""

from __future__ import annotations

from datetime import timedelta

from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope

# Its limits are for one second; over ten of them the steady part is the same.
TEN_SECONDS = timedelta(seconds=10)
ORDER, ACCOUNT = "v2/mix/order", "v2/mix/account"
OF_ORDERS = {f"POST {ORDER}/place-order": 1, f"POST {ORDER}/cancel-order": 1}
OF_LOOK_UPS = dict.fromkeys(
    (f"GET {ORDER}/{name}" for name in ("detail", "orders-history", "orders-pending", "fills")), 1
)
OF_RIGHTS = {"GET v2/spot/account/info": 1}
ELSEWHERE = dict.fromkeys((*OF_ORDERS, *OF_LOOK_UPS, *OF_RIGHTS), 0)
# Five a second where the rest has ten.
SLOW = dict.fromkeys(
    (
        "GET v2/mix/position/all-position",
        f"POST {ACCOUNT}/set-leverage",
        f"POST {ACCOUNT}/set-margin-mode",
        f"POST {ACCOUNT}/set-margin",
    ),
    2,
)


# What is left of a call in this second: of public ones and of orders it is known of how many.
LEFT, PUBLIC_A_SECOND, PRIVATE_A_SECOND = "x-mbx-used-remain-limit", 20, 10


def _of_key(
    name: str,
    limit: int,
    weights: dict[str, int],
    *,
    other: int = 0,
    at_once: float = 0.2,
    left_of: int = 0,
) -> Quota:
    return Quota(
        name=f"bitget.{name}",
        scope=Scope.KEY,
        limit=limit,
        window=TEN_SECONDS,
        group="private",
        weights=weights,
        other=other,
        at_once=at_once,
        left_header=LEFT if left_of else "",
        left_of=left_of,
    )


QUOTAS = Quotas(
    sockets=ConnectionQuota(limit=300, window=timedelta(minutes=5)),
    all=(
        Quota(
            name="bitget",
            scope=Scope.ADDRESS,
            limit=6000,
            window=timedelta(minutes=1),
            other=1,
            at_once=0.1,
        ),
        Quota(
            name="bitget.public",
            scope=Scope.ADDRESS,
            limit=PUBLIC_A_SECOND,
            window=timedelta(seconds=1),
            group="public",
            other=1,
            left_header=LEFT,
        ),
        _of_key("orders", 100, OF_ORDERS, left_of=PRIVATE_A_SECOND),
        _of_key("look_ups", 100, OF_LOOK_UPS, left_of=PRIVATE_A_SECOND),
        _of_key("account", 100, ELSEWHERE | SLOW, other=1),
        _of_key("rights", 10, OF_RIGHTS, at_once=0.3),
    ),
    key_codes=frozenset({"429"}),
    # What goes beyond all calls of an address is served again after five minutes.
    ban=timedelta(minutes=5),
)
