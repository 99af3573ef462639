"""Bitfinex: spot markets; read-only.

Calls and places: docs.bitfinex.com, public. Sizes in tickers are of 25 levels, not of the touch.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain import SettlementKind
from exchanges.venues import flat
from exchanges.venues.profile import UNASKED, IntervalRule, VenueProfile
from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope

PROFILE = VenueProfile(
    name="bitfinex",
    title="Bitfinex",
    short_code="BFX",
    ccxt_class="bitfinex",
    options={"fetchOrderBook": {"precision": "P0"}},
    is_spot=True,
    read_only=(
        "Bitfinex is read-only here: its market is shown, but the requests of a key count there "
        "only one after the other, and Carry's processes would have each other's orders refused, "
        "so no real order is sent there; paper accounts trade it."
    ),
    book_every=timedelta(seconds=1.5),
    settlement=SettlementKind.NONE,
    interval_rule=IntervalRule.NONE,
    price_digits=5,
    depth_sizes=(1, 25, 100),
    quotas=Quotas(
        # Each hears 25 books.
        sockets=ConnectionQuota(limit=20, window=timedelta(minutes=1)),
        all=(
            Quota(
                name="bitfinex",
                scope=Scope.ADDRESS,
                limit=90,
                window=timedelta(seconds=60),
                other=1,
            ),
        ),
    ),
    book_tops=UNASKED,
    quotes=flat.SPOT_QUOTES,
    settled_funding=None,
    fallback_maker=Decimal("0.001"),
    fallback_taker=Decimal("0.002"),
)
