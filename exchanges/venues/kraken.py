"""Kraken: spot markets, bought and sold in cash, fees always in money.

Calls and fields: docs.kraken.com/api, Spot REST; Spot WebSocket v2. The methods named here make
flat rows of its answers.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain import SettlementKind
from exchanges.venues import flat
from exchanges.venues.kraken_access import KEY_RIGHTS
from exchanges.venues.kraken_codes import MESSAGE_VERDICTS, VERDICTS
from exchanges.venues.kraken_quotas import QUOTAS
from exchanges.venues.kraken_schedule import status_of
from exchanges.venues.limits_only import LimitsOnly
from exchanges.venues.profile import IntervalRule, VenueProfile
from exchanges.venues.rows import Paging, Rows

# It cannot be asked for the working orders of one pair.
OPEN_ORDERS = Rows(method="open_order_rows", lists_all=True)

PROFILE = VenueProfile(
    name="kraken",
    title="Kraken",
    short_code="KRS",
    company="kraken",
    ccxt_class="kraken",
    options={},
    is_spot=True,
    settlement=SettlementKind.NONE,
    interval_rule=IntervalRule.NONE,
    receive_window=timedelta(seconds=5),
    look_up_every=timedelta(seconds=5),
    depth_sizes=(10, 100, 500),
    # In `post_only`, `cancel_only` and `reduce_only` no order of ours would trade.
    limits_only=LimitsOnly(key="status", value="limit_only", slippage=Decimal("0.01")),
    symbol_param="pair",
    quotas=QUOTAS,
    book_tops=flat.SPOT_TOPS,
    quotes=flat.SPOT_QUOTES,
    activity=(
        Rows(
            method=flat.SPOT_TOPS.method,
            columns={"symbol": "symbol", "volume": "volume", "price": "mark_price"},
        ),
    ),
    settled_funding=None,
    client_id_bytes=16,
    find_order=(Rows(method="order_rows"),),
    client_id_param="cl_ord_id",
    cancel_order=Rows(method="cancel_rows"),
    open_orders=OPEN_ORDERS,
    all_open_orders=OPEN_ORDERS,
    balances=Rows(
        method="balance_rows", columns={"asset": "asset", "total": "total", "free": "free"}
    ),
    positions=None,
    fills=Rows(
        method="fill_rows",
        columns={
            "time": "time",
            "key": "id",
            "order_id": "ordertxid",
            "side": "type",
            "price": "price",
            "amount": "vol",
            "fee": "fee",
            # Not told: a fee is money here.
            "fee_asset": "fee_asset",
            "is_maker": "maker",
        },
        paging=Paging.FORWARD,
        page_size=flat.WHOLE,
        window=timedelta(days=3650),
        span=("since", "until"),
    ),
    # Neither the list of fills nor the answer to an order names our id.
    order_of_fill=Rows(
        method="order_of_fill_rows",
        columns={"order_id": "txid", "client_order_id": "cl_ord_id"},
    ),
    fee_tier=Rows(
        method="fee_rows", columns={"symbol": "symbol", "maker": "maker", "taker": "taker"}
    ),
    fallback_maker=Decimal("0.0025"),
    fallback_taker=Decimal("0.004"),
    fees_in_quote=True,
    key_rights=KEY_RIGHTS,
    status=status_of("spot"),
    no_dead_man=(
        "Kraken's countdown cancels every order of the account, closing and foreign ones too: it "
        "cannot be armed for one entry order."
    ),
    verdicts=VERDICTS,
    message_verdicts=MESSAGE_VERDICTS,
)
