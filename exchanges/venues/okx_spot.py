"""OKX v5 spot in the same account: counted in coins, paid in cash, without a mark of its own."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from exchanges.domain import SettlementKind
from exchanges.venues.profile import IntervalRule, VenueProfile

SPOT = ({"instType": "SPOT"},)


def of_spot(contracts: VenueProfile) -> VenueProfile:
    """Return what is asked of spot: the same calls with another type, less what margins."""
    tickers = replace(contracts.book_tops, parts=SPOT)
    return replace(
        contracts,
        is_spot=True,
        settlement=SettlementKind.NONE,
        interval_rule=IntervalRule.NONE,
        dated_symbol="",
        book_tops=tickers,
        quotes=replace(tickers, columns={"symbol": "instId", "mark_price": "last"}),
        activity=(
            replace(tickers, columns={"symbol": "instId", "volume": "vol24h", "price": "last"}),
        ),
        index_prices=None,
        funding_rates=None,
        settled_funding=None,
        family_tiers=None,
        risk_tiers=None,
        # That of a market order is told in dollars.
        largest_market_order=(),
        order_params={"tdMode": "cash"},
        all_open_orders=replace(contracts.all_open_orders, parts=SPOT),
        positions=None,
        funding_payments=None,
        fee_tier=replace(contracts.fee_tier, of_listing={"instId": "instId"}),
        fallback_maker=Decimal("0.0008"),
        fallback_taker=Decimal("0.001"),
        settings=None,
        isolated_margin=None,
        lends_on_paper=True,
    )
