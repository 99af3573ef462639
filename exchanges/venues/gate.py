"""Gate: USDT-margined perpetuals, counted in contracts of `quanto_multiplier` coins; read-only.

Calls and fields: www.gate.com/docs/developers/apiv4, Futures; its sockets tell the whole market.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain import SettlementKind
from exchanges.venues import flat
from exchanges.venues.profile import IntervalRule, Paging, VenueProfile
from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope

PROFILE = VenueProfile(
    name="gate",
    title="Gate",
    short_code="GAT",
    ccxt_class="gate",
    options={
        "fetchMarkets": {"types": ["swap"]},
        "swap": {"fetchMarkets": {"settlementCurrencies": ["usdt"]}},
    },
    is_spot=False,
    read_only=(
        "Gate is read-only here: its market and funding are shown, but how its orders are "
        "looked up by our own id is not described, so no real order is sent there; paper "
        "accounts trade it."
    ),
    settlement=SettlementKind.LUMP,
    interval_rule=IntervalRule.HOURS_WITH_THE_RATE,
    relisted_every=timedelta(minutes=1),
    # Contracts of what is not issued yet are priced by themselves.
    only_listed={"is_pre_market": frozenset({False, None})},
    maintenance_margin=("maintenance_rate",),
    symbol_param="contract",
    depth_sizes=(10, 50, 300),
    quotas=Quotas(
        # At most 300 at a time, by apiv4, Rate limit: as if each stayed for five minutes.
        sockets=ConnectionQuota(limit=300, window=timedelta(minutes=5)),
        all=(
            Quota(
                name="gate",
                scope=Scope.ADDRESS,
                limit=200,
                window=timedelta(seconds=10),
                other=1,
            ),
        ),
    ),
    book_tops=flat.TOPS,
    quotes=flat.QUOTES,
    funding_rates=flat.RATES,
    # Forty days of hourly settlements fit into an answer.
    settled_funding=flat.settlements(Paging.BACKWARD, 1000, timedelta(days=40)),
    funding_bounds=flat.BOUNDS,
    activity=flat.ACTIVITY_BESIDE_TOPS,
    fallback_maker=Decimal("0.0002"),
    fallback_taker=Decimal("0.0005"),
)
