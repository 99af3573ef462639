"""What OKX lets one ask. It counts each call by itself; calls of one limit share a quota here."""

from __future__ import annotations

from datetime import timedelta

from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope

# Its limits are for two seconds and one; over ten of them the steady part is the same.
TEN_SECONDS = timedelta(seconds=10)
# Counted together they are asked for less than each may be.
OF_LISTS = {"GET public/instruments": 1, "GET market/tickers": 1, "GET market/books": 1}
OF_ORDERS = {"POST trade/order": 1, "POST trade/cancel-order": 1}
OF_LOOK_UPS = {"GET trade/order": 1, "GET trade/orders-pending": 1, "GET trade/fills": 1}
OF_RIGHTS = {"GET account/config": 1, "GET account/trade-fee": 1}
OF_COUNTDOWN = {"POST trade/cancel-all-after": 1}
ELSEWHERE = dict.fromkeys((*OF_ORDERS, *OF_LOOK_UPS, *OF_RIGHTS, *OF_COUNTDOWN), 0)


def _of_key(
    name: str, limit: int, weights: dict[str, int], *, other: int = 0, at_once: float = 0.2
) -> Quota:
    return Quota(
        name=f"okx.{name}",
        scope=Scope.KEY,
        limit=limit,
        window=TEN_SECONDS,
        group="private",
        weights=weights,
        other=other,
        at_once=at_once,
    )


def _of_address(
    name: str,
    limit: int,
    weights: dict[str, int],
    *,
    group: str = "public",
    other: int = 0,
    is_of_blocks: bool = False,
) -> Quota:
    return Quota(
        name=name,
        scope=Scope.ADDRESS,
        limit=limit,
        window=TEN_SECONDS,
        group=group,
        weights=weights,
        other=other,
        at_once=0.2,
        is_of_blocks=is_of_blocks,
    )


QUOTAS = Quotas(
    sockets=ConnectionQuota(limit=3, window=timedelta(seconds=1)),
    all=(
        # It names none for all calls of an address; what it blocks an address for stops them all.
        _of_address("okx", 1000, {}, group="", other=1, is_of_blocks=True),
        _of_address("okx.lists", 100, OF_LISTS),
        _of_address("okx.public", 50, dict.fromkeys(OF_LISTS, 0), other=1),
        _of_key("orders", 300, OF_ORDERS),
        _of_key("look_ups", 300, OF_LOOK_UPS),
        _of_key("account", 50, ELSEWHERE, other=1),
        _of_key("rights", 25, OF_RIGHTS, at_once=0.35),
        # One a second for each tag, which is for each symbol.
        _of_key("countdown", 10, OF_COUNTDOWN, at_once=0.4),
    ),
    # 50011 is of the user where a private call hears it, 50061 of the sub-account's orders.
    key_codes=frozenset({"50011", "50061"}),
)
