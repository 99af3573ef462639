"""Bitget: perpetuals margined in USDT and USDC, counted in coins; read-only.

Calls and fields: www.bitget.com/api-doc/contract, v2 mix market; its sockets tell the whole market.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain import SettlementKind
from exchanges.venues import flat
from exchanges.venues.profile import IntervalRule, Paging, VenueProfile
from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope

PROFILE = VenueProfile(
    name="bitget",
    title="Bitget",
    short_code="BTG",
    ccxt_class="bitget",
    options={"fetchMarkets": {"types": ["swap"]}},
    is_spot=False,
    read_only=(
        "Bitget is read-only here: its market and funding are shown, but how its orders are "
        "looked up by our own id is not described, so no real order is sent there; paper "
        "accounts trade it."
    ),
    settlement=SettlementKind.LUMP,
    interval_rule=IntervalRule.HOURS_WITH_THE_RATE,
    depth_sizes=(5, 15, 50, 100),
    quotas=Quotas(
        # And 100 at a time at most; www.bitget.com/api-doc/common/websocket-intro.
        sockets=ConnectionQuota(limit=300, window=timedelta(minutes=5)),
        all=(
            Quota(
                name="bitget",
                scope=Scope.ADDRESS,
                limit=20,
                window=timedelta(seconds=1),
                other=1,
            ),
        ),
    ),
    book_tops=flat.TOPS,
    quotes=flat.QUOTES,
    funding_rates=flat.RATES,
    settled_funding=flat.settlements(Paging.FORWARD, flat.WHOLE),
    funding_bounds=flat.BOUNDS,
    activity=flat.ACTIVITY_BESIDE_TOPS,
    # 0.4 % at 125x, 0.5 % at 100x. A list of tiers is told of one contract at a time only.
    maintenance_part=Decimal("0.5"),
    fallback_maker=Decimal("0.0002"),
    fallback_taker=Decimal("0.0006"),
)
