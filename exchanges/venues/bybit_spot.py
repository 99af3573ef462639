"""Bybit v5 spot in a unified account: the calls of contracts with another category."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from exchanges.domain import SettlementKind
from exchanges.venues.profile import IntervalRule, VenueProfile
from exchanges.venues.rows import Rows

INVALID_SPOT_CODES = (
    *("170115", "170116", "170117", "170121", "170124", "170130", "170132", "170133", "170134"),
    *("170135", "170136", "170137", "170140", "170148", "170192", "170193", "170194"),
)
# 170034: more would be borrowed than is lent. 170036: spot margin is off. 170037: not lent at all.
REJECTED_SPOT_CODES = (
    *("170034", "170036", "170037", "170151", "170157", "170197", "170198", "170210"),
)
SPOT_MARGIN_CODES = "170033", "170131"
SPOT_NOT_FOUND_CODES = "170139", "170142", "170143", "170213"


def of_spot(contracts: VenueProfile) -> VenueProfile:
    """Return what is asked of spot: the same calls with another category, less what margins."""
    return replace(
        contracts,
        is_spot=True,
        settlement=SettlementKind.NONE,
        interval_rule=IntervalRule.NONE,
        dated_symbol="",
        book_tops=_spot(contracts.book_tops),
        quotes=replace(
            _spot(contracts.quotes), columns={"symbol": "symbol", "mark_price": "lastPrice"}
        ),
        activity=tuple(
            replace(_spot(rows), columns={"symbol": "symbol", "turnover": "turnover24h"})
            for rows in contracts.activity
        ),
        settled_funding=None,
        leverage_tiers=None,
        risk_tiers=None,
        largest_market_order=(),
        order_params={},
        find_order=tuple(_spot(rows) for rows in contracts.find_order),
        cancel_order=_spot(contracts.cancel_order),
        open_orders=_spot(contracts.open_orders),
        all_open_orders=_spot(contracts.open_orders),
        positions=None,
        fills=_spot(contracts.fills),
        funding_payments=None,
        borrow_params={"isLeverage": 1},
        fee_tier=_spot(contracts.fee_tier),
        fallback_maker=Decimal("0.001"),
        fallback_taker=Decimal("0.001"),
        settings=None,
        isolated_margin=None,
    )


def _spot(rows: Rows) -> Rows:
    return replace(rows, params={**rows.params, "category": "spot"})
