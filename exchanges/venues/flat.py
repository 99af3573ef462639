"""Rows that an adapter's own calls make of a venue's answers, with our names for what they tell.

Rates and prices are per listed unit, amounts in the venue's own unit, instants in milliseconds;
what a venue does not tell is left out of a row.
"""

from __future__ import annotations

from datetime import timedelta

from exchanges.venues.rows import Paging, Rows


def _named(*columns: str) -> dict[str, str]:
    return {name: name for name in columns}


RATES = Rows(
    method="rate_rows",
    columns=_named(
        *("symbol", "funding_rate", "next_funding_at", "hours"),
        *("mark_price", "index_price", "cap", "floor"),
    ),
)
BOUNDS = ("cap", "floor")
QUOTES = Rows(method="rate_rows", columns=_named("symbol", "mark_price", "index_price"))
TOPS = Rows(
    method="top_rows",
    columns=_named("symbol", "bid", "bid_quantity", "ask", "ask_quantity"),
)
# Of spot markets, which have no mark: the last price.
SPOT_TOPS = Rows(method="spot_top_rows", columns=TOPS.columns)
SPOT_QUOTES = Rows(method="spot_top_rows", columns=_named("symbol", "mark_price"))
_ACTIVITY = _named("symbol", "open_interest", "turnover", "volume", "price")
ACTIVITY = (Rows(method="rate_rows", columns=_ACTIVITY),)
ACTIVITY_BESIDE_TOPS = (Rows(method="top_rows", columns=_ACTIVITY),)
TIER_COLUMNS = _named("symbol", "notional", "leverage", "maintenance", "deduction")
# Of one span, as one row.
ACCRUED = Rows(method="accrued_rows", columns=_named("funding_rate"), span=("since", "until"))
TIERS = Rows(method="tier_rows", columns=TIER_COLUMNS, lists_all=True)
BALANCES = Rows(method="balance_rows", columns=_named("asset", "total", "equity", "free"))
POSITIONS = Rows(
    method="position_rows",
    columns=_named(
        *("symbol", "amount", "mode", "entry_price", "mark_price"),
        *("liquidation_price", "leverage", "unrealised_pnl"),
    ),
)
# Of a history that comes whole, however long it is.
WHOLE = 1_000_000_000


def since(method: str, *columns: str) -> Rows:
    """Return a list that comes whole for a span in milliseconds."""
    return Rows(
        method=method,
        columns=_named(*columns),
        paging=Paging.FORWARD,
        page_size=WHOLE,
        window=timedelta(days=3650),
        span=("since", "until"),
    )


FILLS = since(
    "fill_rows",
    *("symbol", "time", "key", "kind", "order_id", "client_order_id", "side"),
    *("price", "amount", "fee", "fee_asset", "is_maker"),
)
PAYMENTS = since("payment_rows", "symbol", "time", "key", "payment", "asset")
TRANSFERS = since("transfer_rows", "time", "key", "amount", "asset")


def settlements(paging: Paging, page_size: int, window: timedelta = timedelta(days=3650)) -> Rows:
    """Return how past settlements are read: a call takes `since` and `until` in milliseconds."""
    return Rows(
        method="settlement_rows",
        columns={
            **_named("symbol", "funding_rate", "time", "settlement_price"),
            "key": "time",
        },
        paging=paging,
        page_size=page_size,
        window=window,
        span=("since", "until"),
    )
