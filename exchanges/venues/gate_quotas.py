"""What Gate lets one ask: public calls are counted by address, private ones by user.

Limits: www.gate.com/docs/developers/apiv4, Rate limit; each call has its own. Orders may be sent a
hundred times a second, which nobody here needs: they are counted as the rest is.
"""

from __future__ import annotations

from datetime import timedelta

from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope

TEN_SECONDS = timedelta(seconds=10)
ORDERS = "{settle}/orders"
OF_ORDERS = dict.fromkeys((f"POST {ORDERS}", f"DELETE {ORDERS}/{{order_id}}"), 1)
OF_LOOK_UPS = dict.fromkeys((f"GET {ORDERS}/{{order_id}}", f"GET {ORDERS}"), 1)
# In each answer, of the call that was made: orders have a hundred a second of their own.
LEFT, OF = "x-gate-ratelimit-requests-remain", "x-gate-ratelimit-limit"
# Each of these is counted by itself there, so that what is left out here hinders no order.
ELSEWHERE = dict.fromkeys((*OF_ORDERS, *OF_LOOK_UPS), 0)


def _of_key(name: str, weights: dict[str, int], *, other: int = 0) -> Quota:
    return Quota(
        name=f"gate.{name}",
        scope=Scope.KEY,
        limit=200,
        window=TEN_SECONDS,
        group="private",
        weights=weights,
        other=other,
        left_header=LEFT,
        of_header=OF,
    )


QUOTAS = Quotas(
    # At most 300 at a time, by apiv4, Rate limit: as if each stayed for five minutes.
    sockets=ConnectionQuota(limit=300, window=timedelta(minutes=5)),
    all=(
        # It names no limit of all calls together; by this one a block silences them all.
        Quota(
            name="gate",
            scope=Scope.ADDRESS,
            limit=2000,
            window=TEN_SECONDS,
            other=1,
            is_of_blocks=True,
        ),
        Quota(
            name="gate.public",
            scope=Scope.ADDRESS,
            limit=200,
            window=TEN_SECONDS,
            group="public",
            other=1,
            left_header=LEFT,
            of_header=OF,
        ),
        _of_key("orders", OF_ORDERS),
        _of_key("look_ups", OF_LOOK_UPS),
        _of_key("account", ELSEWHERE, other=1),
    ),
    key_codes=frozenset({"TOO_MANY_REQUESTS"}),
    # "The timestamp indicating when your request limit resets if you have exceeded it."
    resets_header="x-gate-ratelimit-reset-timestamp",
)
