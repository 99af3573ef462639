"""Coinbase: spot markets; read-only.

Calls and fields: docs.cdp.coinbase.com, Advanced Trade, public.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain import SettlementKind
from exchanges.venues import flat
from exchanges.venues.profile import UNASKED, IntervalRule, VenueProfile
from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope

PROFILE = VenueProfile(
    name="coinbase",
    title="Coinbase",
    short_code="COI",
    ccxt_class="coinbase",
    options={},
    is_spot=True,
    read_only=(
        "Coinbase is read-only here: its market is shown, but an order whose answer was lost "
        "could be found by our own id only by sending it again, so no real order is sent there; "
        "paper accounts trade it."
    ),
    # Of markets where nobody trades: its socket tells a touch at each trade.
    book_every=timedelta(seconds=0.25),
    settlement=SettlementKind.NONE,
    interval_rule=IntervalRule.NONE,
    depth_sizes=(1, 25, 100),
    quotas=Quotas(
        sockets=ConnectionQuota(limit=8, window=timedelta(seconds=1)),
        all=(
            Quota(
                name="coinbase",
                scope=Scope.ADDRESS,
                limit=10,
                window=timedelta(seconds=1),
                other=1,
            ),
        ),
    ),
    book_tops=UNASKED,
    quotes=flat.SPOT_QUOTES,
    settled_funding=None,
    fees_in_quote=True,
    fallback_maker=Decimal("0.004"),
    fallback_taker=Decimal("0.006"),
)
