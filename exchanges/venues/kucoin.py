"""KuCoin: linear perpetuals, counted in contracts of `multiplier` coins; read-only.

Calls, fields and weights: www.kucoin.com/docs-new/rest/futures-trading. It calls bitcoin XBT. Its
sockets tell marks and book tops, the list alone the rate to be paid.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain import SettlementKind
from exchanges.venues import flat
from exchanges.venues.profile import IntervalRule, Paging, VenueProfile
from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope

PROFILE = VenueProfile(
    name="kucoin",
    title="KuCoin",
    short_code="KUC",
    ccxt_class="kucoin",
    options={"fetchMarkets": {"types": ["swap"], "fetchTickersFees": False}},
    is_spot=False,
    read_only=(
        "KuCoin is read-only here: its market and funding are shown, but how its orders are "
        "looked up by our own id is not described, so no real order is sent there; paper "
        "accounts trade it."
    ),
    polled_every=timedelta(seconds=2),
    settlement=SettlementKind.LUMP,
    interval_rule=IntervalRule.HOURS_WITH_THE_RATE,
    relisted_every=timedelta(minutes=1),
    initial_margin=("initialMargin",),
    maintenance_margin=("maintainMargin",),
    depth_sizes=(20, 100),
    quotas=Quotas(
        # And 800 at a time at most; www.kucoin.com/docs-new/rate-limit.
        sockets=ConnectionQuota(limit=30, window=timedelta(minutes=1)),
        all=(
            Quota(
                name="kucoin",
                scope=Scope.ADDRESS,
                limit=2000,
                window=timedelta(seconds=30),
                weights={
                    "GET contracts/active": 3,
                    "GET level2/depth20": 5,
                    "GET level2/depth100": 10,
                    "POST bullet-public": 10,
                },
                other=5,
            ),
        ),
    ),
    book_tops=flat.TOPS,
    quotes=flat.QUOTES,
    funding_rates=flat.RATES,
    settled_funding=flat.settlements(Paging.FORWARD, flat.WHOLE),
    funding_bounds=flat.BOUNDS,
    activity=flat.ACTIVITY,
    fallback_maker=Decimal("0.0002"),
    fallback_taker=Decimal("0.0006"),
)
