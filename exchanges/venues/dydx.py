"""dYdX v4: USDC-margined perpetuals that settle every hour at the oracle price; read-only.

Calls and words: docs.dydx.xyz, Indexer. Everything is asked of the indexer, which is open to all;
one of its sockets hears 32 books.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain import SettlementKind
from exchanges.venues import flat
from exchanges.venues.profile import UNASKED, IntervalRule, VenueProfile
from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope
from exchanges.venues.rows import Paging

PROFILE = VenueProfile(
    name="dydx",
    title="dYdX",
    ccxt_class="dydx",
    options={},
    is_spot=False,
    read_only=(
        "dYdX is read-only here: an order there is a transaction of the chain whose outcome cannot "
        "be looked up by our own id as safely as elsewhere, so its market and funding are shown, "
        "no real order is sent there, and paper accounts trade it."
    ),
    # Its sockets tell of marks and rates what has changed.
    polled_every=timedelta(seconds=2),
    book_every=timedelta(seconds=0.25),
    settlement=SettlementKind.HOURLY,
    interval_rule=IntervalRule.HOURS_BY_SETTLEMENTS,
    depth_sizes=(100,),
    # Others are margined apart, each in a subaccount of its own.
    only_listed={"marketType": frozenset({"CROSS"})},
    initial_margin=("initialMarginFraction",),
    maintenance_margin=("maintenanceMarginFraction",),
    symbol_param="market",
    quotas=Quotas(
        # No figure is documented.
        sockets=ConnectionQuota(limit=10, window=timedelta(seconds=10)),
        all=(
            Quota(
                name="dydx",
                scope=Scope.ADDRESS,
                limit=100,
                window=timedelta(seconds=10),
                other=1,
            ),
        ),
    ),
    book_tops=UNASKED,
    quotes=flat.QUOTES,
    funding_rates=flat.RATES,
    settled_funding=flat.settlements(Paging.BACKWARD, 100),
    activity=flat.ACTIVITY,
    # The block that settles comes some seconds after the hour.
    settlement_slack=timedelta(seconds=15),
    fallback_maker=Decimal("0.0001"),
    fallback_taker=Decimal("0.0005"),
)
