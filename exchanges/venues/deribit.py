"""Deribit: USDC-margined perpetuals, counted in coins; read-only.

Calls and fields: docs.deribit.com, market data. Funding is paid all along; histories count hours.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain import SettlementKind
from exchanges.venues import flat
from exchanges.venues.profile import UNASKED, IntervalRule, Paging, VenueProfile
from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope

PROFILE = VenueProfile(
    name="deribit",
    title="Deribit",
    short_code="DER",
    ccxt_class="deribit",
    options={},
    is_spot=False,
    read_only=(
        "Deribit is read-only here: its market and funding are shown; its orders could be looked "
        "up by our own id, but that is not built yet, so no order is sent there."
    ),
    no_paper=(
        "Deribit is read-only here, on paper too: its funding is paid all along while its "
        "history tells whole hours alone, so what is due to a position held for a part of one "
        "is not known."
    ),
    book_every=timedelta(seconds=0.25),
    settlement=SettlementKind.ACCRUED,
    interval_rule=IntervalRule.HOURS_BY_SETTLEMENTS,
    symbol_param="instrument_name",
    depth_sizes=(5, 20, 100),
    quotas=Quotas(
        # One socket does, of 32 connections at once that an address may have, reads included.
        sockets=ConnectionQuota(limit=10, window=timedelta(minutes=1)),
        all=(
            Quota(
                name="deribit",
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
    # A month of hours fits into an answer.
    settled_funding=flat.settlements(Paging.FORWARD, flat.WHOLE, timedelta(days=30)),
    activity=flat.ACTIVITY,
    fallback_maker=Decimal("0"),
    fallback_taker=Decimal("0.0005"),
)
