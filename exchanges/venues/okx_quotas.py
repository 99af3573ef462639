"""What OKX lets one ask. It counts each call by itself; calls of one limit share a quota here."""

from __future__ import annotations

from datetime import timedelta

from exchanges.venues.quotas import Quota, Quotas, Scope

TWO_SECONDS = timedelta(seconds=2)
# Counted together they are asked for less than each may be.
OF_ORDERS = {"POST trade/order": 1, "POST trade/cancel-order": 1}
OF_LOOK_UPS = {"GET trade/order": 1, "GET trade/orders-pending": 1, "GET trade/fills": 1}
OF_COUNTDOWN = {"POST trade/cancel-all-after": 1}
ELSEWHERE = dict.fromkeys((*OF_ORDERS, *OF_LOOK_UPS, *OF_COUNTDOWN), 0)

QUOTAS = Quotas(
    all=(
        Quota(
            name="okx",
            scope=Scope.ADDRESS,
            limit=20,
            window=TWO_SECONDS,
            group="public",
            weights={"GET public/instruments": 1, "GET market/tickers": 1, "GET market/books": 1},
            # 10 in two seconds is what most of the others may be asked.
            other=2,
            at_once=0.4,
        ),
        Quota(
            name="okx.orders",
            scope=Scope.KEY,
            limit=60,
            window=TWO_SECONDS,
            group="private",
            weights=OF_ORDERS,
        ),
        Quota(
            name="okx.look_ups",
            scope=Scope.KEY,
            limit=60,
            window=TWO_SECONDS,
            group="private",
            weights=OF_LOOK_UPS,
        ),
        Quota(
            name="okx.account",
            scope=Scope.KEY,
            limit=10,
            window=TWO_SECONDS,
            group="private",
            # Rights and fees may be asked for 5 times in two seconds.
            weights=ELSEWHERE | {"GET account/config": 2, "GET account/trade-fee": 2},
            other=1,
            at_once=0.5,
        ),
        Quota(
            name="okx.countdown",
            scope=Scope.KEY,
            limit=4,
            window=timedelta(seconds=4),
            group="private",
            weights=OF_COUNTDOWN,
            at_once=0.25,
        ),
    ),
    # 50011 is of the user or of the address, 50061 of the sub-account's orders.
    key_codes=frozenset({"50061"}),
)
