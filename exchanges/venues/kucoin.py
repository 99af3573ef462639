"""KuCoin: linear perpetuals of a classic futures account, in contracts of `multiplier` coins.

Calls and fields: www.kucoin.com/docs-new/rest/futures-trading. The methods named here make flat
rows of its answers. It calls bitcoin XBT. Its sockets tell marks and book tops, the list alone the
rate to be paid.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain import FillCause, SettlementKind
from exchanges.venues import flat
from exchanges.venues.kucoin_access import HEDGE_MODE_ADVICE, KEY_RIGHTS, POSITION_MODE
from exchanges.venues.kucoin_codes import MESSAGE_VERDICTS, VERDICTS
from exchanges.venues.kucoin_quotas import QUOTAS
from exchanges.venues.profile import (
    IntervalRule,
    IsolatedMargin,
    SettingCalls,
    StatusCall,
    VenueProfile,
)
from exchanges.venues.rows import Paging, Rows

BY_TIME = ("startAt", "endAt")
OPEN_ORDERS = Rows(method="open_order_rows")
POSITIONS = Rows(
    method="position_rows",
    columns={
        "symbol": "symbol",
        "amount": "currentQty",
        "mode": "positionSide",
        "entry_price": "avgEntryPrice",
        "mark_price": "markPrice",
        "liquidation_price": "liquidationPrice",
        "leverage": "leverage",
        "unrealised_pnl": "unrealisedPnl",
        "margin": "margin",
    },
)

PROFILE = VenueProfile(
    name="kucoin",
    title="KuCoin",
    short_code="KUC",
    ccxt_class="kucoin",
    options={
        "fetchMarkets": {"types": ["swap"], "fetchTickersFees": False},
        # Time and books are those of the futures host.
        "defaultType": "swap",
        # How the spot side of an account is kept, which the library would ask with its key.
        "hf": False,
    },
    is_spot=False,
    polled_every=timedelta(seconds=2),
    settlement=SettlementKind.LUMP,
    interval_rule=IntervalRule.HOURS_WITH_THE_RATE,
    # What is signed is refused 5 s after its stamp: the venue's own rule, no parameter of ours.
    receive_window=timedelta(seconds=5),
    # Orders and positions count contracts: a size that has changed makes all of them wrong.
    relisted_every=timedelta(minutes=1),
    initial_margin=("initialMargin",),
    maintenance_margin=("maintainMargin",),
    depth_sizes=(20, 100),
    largest_market_order=("marketMaxOrderQty",),
    # Of isolated margin: what a cross account may hold and must keep is told by a formula to the
    # account alone, and is said to be more and less.
    risk_tiers=Rows(
        method="futuresPublicGetContractsRiskLimitSymbol",
        path=("data",),
        columns={
            "symbol": "symbol",
            "notional": "maxRiskLimit",
            "leverage": "maxLeverage",
            "maintenance": "maintainMargin",
        },
    ),
    quotas=QUOTAS,
    book_tops=flat.TOPS,
    quotes=flat.QUOTES,
    funding_rates=flat.RATES,
    settled_funding=flat.settlements(Paging.FORWARD, flat.WHOLE),
    funding_bounds=flat.BOUNDS,
    activity=flat.ACTIVITY,
    find_order=(Rows(method="order_rows"),),
    client_id_param="clientOid",
    cancel_order=Rows(method="cancel_rows"),
    open_orders=OPEN_ORDERS,
    all_open_orders=OPEN_ORDERS,
    balances=flat.BALANCES,
    positions=POSITIONS,
    fills=Rows(
        method="fill_rows",
        columns={
            "symbol": "symbol",
            "time": "time",
            "key": "tradeId",
            "kind": "tradeType",
            "order_id": "orderId",
            "client_order_id": "clientOid",
            "side": "side",
            "price": "price",
            "amount": "size",
            "fee": "fee",
            "fee_asset": "feeCurrency",
            "is_maker": "is_maker",
        },
        paging=Paging.FORWARD,
        page_size=flat.WHOLE,
        # Of more than seven days one part is answered, without a word.
        window=timedelta(days=6),
        span=BY_TIME,
        # The list that goes further back is not up to date.
        recent=("recent_fill_rows", timedelta(hours=23)),
    ),
    # No list of fills names our id.
    order_of_fill=Rows(
        method="order_of_fill_rows",
        columns={"order_id": "orderId", "client_order_id": "clientOid"},
    ),
    kind_causes={
        "liquid": FillCause.LIQUIDATION,
        "liquidation": FillCause.LIQUIDATION,
        "adl": FillCause.ADL,
        "ADL": FillCause.ADL,
        "settlement": FillCause.SETTLEMENT,
    },
    funding_payments=Rows(
        method="payment_rows",
        columns={
            "symbol": "symbol",
            "time": "timePoint",
            "key": "key",
            "payment": "funding",
            "asset": "settleCurrency",
            "funding_rate": "fundingRate",
        },
        paging=Paging.FORWARD,
        page_size=flat.WHOLE,
        window=timedelta(days=30),
        span=BY_TIME,
        names_param="symbols",
    ),
    transfers=Rows(
        method="transfer_rows",
        columns={
            "time": "time",
            "key": "key",
            "amount": "amount",
            "asset": "currency",
            "kind": "type",
        },
        paging=Paging.FORWARD,
        page_size=flat.WHOLE,
        window=timedelta(days=30),
        span=BY_TIME,
    ),
    transfers_out=frozenset({"TransferOut", "Withdrawal"}),
    # Settling goes on for some seconds after the instant that all payments are stamped with.
    settlement_slack=timedelta(seconds=30),
    fee_tier=Rows(
        method="fee_rows",
        columns={"symbol": "symbol", "maker": "makerFeeRate", "taker": "takerFeeRate"},
    ),
    fallback_maker=Decimal("0.0002"),
    fallback_taker=Decimal("0.0006"),
    key_rights=KEY_RIGHTS,
    status=StatusCall(
        call=Rows(method="status_rows", columns={"state": "status", "title": "title"}),
        live=frozenset({"close", "cancelonly"}),
    ),
    settings=SettingCalls(
        position_mode=POSITION_MODE,
        set_leverage=Rows(method="leverage_rows"),
        leverage_params=("leverage",),
        whole_leverage=True,
        hedge_mode_advice=HEDGE_MODE_ADVICE,
        set_margin_mode=Rows(method="cross_margin_rows"),
        margin_mode_takes_symbol=True,
        margin_mode=Rows(method="margin_mode_rows", columns={"mode": "marginMode"}),
        isolated_name="ISOLATED",
    ),
    isolated_margin=IsolatedMargin(
        position=POSITIONS, add=Rows(method="add_margin_rows"), amount_param="margin"
    ),
    no_dead_man=(
        "KuCoin describes no countdown of futures orders: only Carry itself cancels an entry order "
        "there."
    ),
    verdicts=VERDICTS,
    message_verdicts=MESSAGE_VERDICTS,
)
