"""Kraken futures: multi-collateral linear perpetuals in USD, counted in coins; read-only.

Calls and fields: docs.kraken.com/api, Futures. Funding is owed all along, by the hour.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain import SettlementKind
from exchanges.venues import flat
from exchanges.venues.profile import IntervalRule, Paging, VenueProfile
from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope

PROFILE = VenueProfile(
    name="krakenfutures",
    title="Kraken Futures",
    short_code="KRF",
    ccxt_class="krakenfutures",
    options={},
    is_spot=False,
    read_only=(
        "Kraken Futures is read-only here: its market and funding are shown, but how its "
        "orders are looked up by our own id is not described, so no order is sent there."
    ),
    no_paper=(
        "Kraken Futures is read-only here, on paper too: its funding is owed all along and "
        "paid at each change of a position while its history tells whole hours alone, so what "
        "is due to one held for a part of an hour is not known."
    ),
    settlement=SettlementKind.ACCRUED,
    interval_rule=IntervalRule.HOURS_BY_SETTLEMENTS,
    only_listed={"type": frozenset({"flexible_futures"})},
    initial_margin=("marginLevels", "0", "initialMargin"),
    maintenance_margin=("marginLevels", "0", "maintenanceMargin"),
    depth_sizes=(100,),
    quotas=Quotas(
        # One socket does. Its requests may be 100 a second; openings are nowhere counted.
        sockets=ConnectionQuota(limit=10, window=timedelta(minutes=1)),
        all=(
            Quota(
                name="krakenfutures",
                scope=Scope.ADDRESS,
                limit=500,
                window=timedelta(seconds=10),
                weights={"GET historicalfundingrates": 50},
                other=1,
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
    fallback_taker=Decimal("0.0005"),
)
