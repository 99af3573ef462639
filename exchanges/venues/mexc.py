"""MEXC: linear perpetuals, counted in contracts of `contractSize` coins; read-only.

Calls and fields: www.mexc.com/api-docs/futures, market endpoints.
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
    name="mexc",
    title="MEXC",
    short_code="MEX",
    ccxt_class="mexc",
    options={},
    is_spot=False,
    read_only=(
        "MEXC is read-only here: its market and funding are shown, but no documented call tells "
        "what a key there may do, withdrawing included, so no real order is sent there; paper "
        "accounts trade it."
    ),
    # Rates alone: no socket tells those of all contracts.
    polled_every=timedelta(seconds=3),
    book_every=timedelta(seconds=0.4),
    settlement=SettlementKind.LUMP,
    interval_rule=IntervalRule.HOURS_WITH_THE_RATE,
    relisted_every=timedelta(minutes=1),
    initial_margin=("initialMarginRate",),
    maintenance_margin=("maintenanceMarginRate",),
    depth_sizes=(5, 20, 100),
    quotas=Quotas(
        # Nowhere documented for contracts: few, of which each tells thirty books.
        sockets=ConnectionQuota(limit=10, window=timedelta(seconds=10)),
        all=(
            Quota(
                name="mexc",
                scope=Scope.ADDRESS,
                limit=20,
                window=timedelta(seconds=2),
                other=1,
            ),
        ),
    ),
    book_tops=UNASKED,
    quotes=flat.QUOTES,
    funding_rates=flat.RATES,
    settled_funding=flat.settlements(Paging.FORWARD, flat.WHOLE),
    funding_bounds=flat.BOUNDS,
    activity=flat.ACTIVITY,
    # What orders by API pay since June 2026, more than those by hand.
    fallback_maker=Decimal("0.0006"),
    fallback_taker=Decimal("0.0008"),
)
