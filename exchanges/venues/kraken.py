"""Kraken: spot markets; read-only.

Calls and fields: docs.kraken.com/api, Spot REST, market data; Spot WebSocket v2.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain import SettlementKind
from exchanges.venues import flat
from exchanges.venues.profile import IntervalRule, VenueProfile
from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope

PROFILE = VenueProfile(
    name="kraken",
    title="Kraken",
    short_code="KRS",
    ccxt_class="kraken",
    options={},
    is_spot=True,
    read_only=(
        "Kraken is read-only here: its market is shown, but how its orders are looked up by "
        "our own id is not described, so no real order is sent there; paper accounts trade it."
    ),
    settlement=SettlementKind.NONE,
    interval_rule=IntervalRule.NONE,
    depth_sizes=(10, 100, 500),
    quotas=Quotas(
        # About 150 in ten minutes, as its support says of Cloudflare before it.
        sockets=ConnectionQuota(limit=150, window=timedelta(minutes=10)),
        all=(
            Quota(
                name="kraken",
                scope=Scope.ADDRESS,
                limit=15,
                window=timedelta(seconds=15),
                other=1,
            ),
        ),
    ),
    book_tops=flat.SPOT_TOPS,
    quotes=flat.SPOT_QUOTES,
    settled_funding=None,
    fees_in_quote=True,
    fallback_maker=Decimal("0.0025"),
    fallback_taker=Decimal("0.004"),
)
