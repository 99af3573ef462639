"""Bitget: perpetuals margined in USDT and USDC, counted in coins, in a classic futures account.

Calls and fields: www.bitget.com/api-doc/contract, v2 mix. The methods named here make flat rows of
its answers; `coin` names what margins a contract, and by that the product it belongs to. Its
sockets tell the whole market.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain import FillCause, SettlementKind
from exchanges.venues import flat
from exchanges.venues.bitget_access import HEDGE_MODE_ADVICE, KEY_RIGHTS
from exchanges.venues.bitget_codes import VERDICTS
from exchanges.venues.bitget_quotas import QUOTAS
from exchanges.venues.practice import Practice
from exchanges.venues.profile import IntervalRule, IsolatedMargin, SettingCalls, VenueProfile
from exchanges.venues.rows import Paging, Rows

OF_CONTRACT = {"symbol": "venue_symbol", "coin": "quote"}
TRADE_SIDES = {
    FillCause.LIQUIDATION: (
        *("reduce_buy_single", "reduce_sell_single", "burst_buy_single", "burst_sell_single"),
        *("reduce_close_long", "reduce_close_short", "burst_close_long", "burst_close_short"),
        *("offset_close_long", "offset_close_short"),
    ),
    FillCause.ADL: (
        *("dte_sys_adl_buy_in_single_side_mode", "dte_sys_adl_sell_in_single_side_mode"),
        *("dte_sys_adl_close_long", "dte_sys_adl_close_short"),
    ),
    FillCause.SETTLEMENT: (
        *("delivery_buy_single", "delivery_sell_single"),
        *("delivery_close_long", "delivery_close_short"),
    ),
}
TRANSFERS_OUT = frozenset(
    f"trans_to_{place}" for place in ("exchange", "contract", "otc", "cross", "isolated")
)
ACCOUNT = Rows(method="account_rows", columns={"mode": "posMode"}, of_instrument=OF_CONTRACT)
OPEN_ORDERS = Rows(method="open_order_rows", of_instrument=OF_CONTRACT)
POSITIONS = Rows(
    method="position_rows",
    columns={
        "symbol": "symbol",
        "amount": "amount",
        "mode": "posMode",
        "entry_price": "openPriceAvg",
        "mark_price": "markPrice",
        "liquidation_price": "liquidation_price",
        "leverage": "leverage",
        "unrealised_pnl": "unrealizedPL",
        "margin": "margin",
    },
    of_instrument=OF_CONTRACT,
)

PROFILE = VenueProfile(
    name="bitget",
    title="Bitget",
    short_code="BTG",
    ccxt_class="bitget",
    options={"fetchMarkets": {"types": ["swap"]}},
    is_spot=False,
    settlement=SettlementKind.LUMP,
    interval_rule=IntervalRule.HOURS_WITH_THE_RATE,
    receive_window=timedelta(seconds=5),
    depth_sizes=(5, 15, 50, 100),
    end_keys=("limitOpenTime", "offTime"),
    only_listed={"symbolType": frozenset({"perpetual"})},
    quotas=QUOTAS,
    book_tops=flat.TOPS,
    quotes=flat.QUOTES,
    funding_rates=flat.RATES,
    settled_funding=flat.settlements(Paging.FORWARD, flat.WHOLE),
    funding_bounds=flat.BOUNDS,
    activity=flat.ACTIVITY_BESIDE_TOPS,
    # 0.4 % at 125x, 0.5 % at 100x. A list of tiers is told of one contract at a time only.
    maintenance_part=Decimal("0.5"),
    # "Maintenance margin = position value x MMR": of the whole position, nothing is deducted.
    risk_tiers=Rows(
        method="tier_rows",
        columns={
            "symbol": "symbol",
            "notional": "endUnit",
            "leverage": "leverage",
            "maintenance": "keepMarginRate",
        },
        of_instrument=OF_CONTRACT,
    ),
    largest_market_order=("maxMarketOrderQty",),
    find_order=(Rows(method="order_rows", of_instrument=OF_CONTRACT),),
    client_id_param="clientOid",
    cancel_order=Rows(method="cancel_rows", of_instrument=OF_CONTRACT),
    open_orders=OPEN_ORDERS,
    all_open_orders=OPEN_ORDERS,
    # Two requests tell all, of USDT and of USDC.
    most_asked_singly=2,
    balances=flat.BALANCES,
    positions=POSITIONS,
    fills=Rows(
        method="fill_rows",
        columns={
            "symbol": "symbol",
            "time": "cTime",
            "key": "tradeId",
            "kind": "tradeSide",
            "order_id": "orderId",
            "client_order_id": "clientOid",
            "side": "side",
            "price": "price",
            "amount": "baseVolume",
            "fee": "fee",
            "fee_asset": "fee_asset",
            "is_maker": "is_maker",
        },
        paging=Paging.FORWARD,
        page_size=flat.WHOLE,
        window=timedelta(days=30),
        of_instrument=OF_CONTRACT,
    ),
    # The list of fills does not name our id, the socket does.
    order_of_fill=Rows(
        method="order_of_fill_rows",
        columns={"order_id": "orderId", "client_order_id": "clientOid"},
        of_instrument=OF_CONTRACT,
    ),
    kind_causes={word: cause for cause, words in TRADE_SIDES.items() for word in words},
    funding_payments=Rows(
        method="payment_rows",
        columns={
            "symbol": "symbol",
            "time": "cTime",
            "key": "billId",
            "payment": "amount",
            "asset": "coin",
        },
        paging=Paging.FORWARD,
        page_size=flat.WHOLE,
        window=timedelta(days=30),
    ),
    transfers=Rows(
        method="transfer_rows",
        columns={
            "time": "cTime",
            "key": "billId",
            "amount": "amount",
            "asset": "coin",
            "kind": "businessType",
        },
        paging=Paging.FORWARD,
        page_size=flat.WHOLE,
        window=timedelta(days=30),
    ),
    transfers_out=TRANSFERS_OUT,
    # Bills are written after the instant, some seconds long where many are due.
    settlement_slack=timedelta(seconds=30),
    fee_tier=Rows(
        method="fee_rows", columns={"symbol": "symbol", "maker": "maker", "taker": "taker"}
    ),
    fallback_maker=Decimal("0.0002"),
    fallback_taker=Decimal("0.0006"),
    key_rights=KEY_RIGHTS,
    settings=SettingCalls(
        position_mode=ACCOUNT,
        set_leverage=Rows(method="leverage_rows", of_instrument=OF_CONTRACT),
        leverage_params=("leverage",),
        whole_leverage=True,
        hedge_mode_advice=HEDGE_MODE_ADVICE,
        set_margin_mode=Rows(method="cross_margin_rows", of_instrument=OF_CONTRACT),
        margin_mode_takes_symbol=True,
        margin_mode=Rows(
            method="account_rows", columns={"mode": "marginMode"}, of_instrument=OF_CONTRACT
        ),
        isolated_name="isolated",
    ),
    isolated_margin=IsolatedMargin(
        position=POSITIONS,
        add=Rows(method="add_margin_rows", of_instrument=OF_CONTRACT),
        amount_param="amount",
    ),
    # https://www.bitget.com/api-doc/common/demotrading/restapi
    practice=Practice(
        addresses={
            **dict.fromkeys(("mix", "common", "spot"), "https://api.bitget.com"),
            "ws": {
                "public": "wss://wspap.bitget.com/v2/ws/public",
                "private": "wss://wspap.bitget.com/v2/ws/private",
            },
        },
        headers={"paptrading": "1"},
        # Its keys are made for the demo alone, and what they may do is not documented there.
        tells_rights=False,
    ),
    no_dead_man=(
        "Bitget counts down orders of unified accounts alone, and then every order of the "
        "account, closing and foreign ones too: it cannot be armed for one entry order."
    ),
    verdicts=VERDICTS,
)
