"""Bybit v5, one unified account: linear contracts and spot, which names its markets alike.

Codes: bybit-exchange.github.io/docs/v5/error.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from exchanges.domain import FillCause, PremiumTerms, SettlementKind
from exchanges.venues.bybit_access import KEY_RIGHTS, STATUS
from exchanges.venues.bybit_spot import (
    INVALID_SPOT_CODES,
    REJECTED_SPOT_CODES,
    SPOT_MARGIN_CODES,
    SPOT_NOT_FOUND_CODES,
    of_spot,
)
from exchanges.venues.practice import Practice
from exchanges.venues.profile import IntervalRule, IsolatedMargin, SettingCalls, VenueProfile
from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope
from exchanges.venues.rows import Paging, Rows
from exchanges.venues.verdicts import Verdict

LINEAR = {"category": "linear"}
LIST = ("result", "list")
SETTLE_PARTS = ({"settleCoin": "USDT"}, {"settleCoin": "USDC"})
INVALID_ORDER_CODES = "10001", "110003", "110074", "110094", "110095", "110096"
REJECTED_CODES = (
    *("110009", "110011", "110013", "110020", "110021", "110030", "110032"),
    *("110049", "110090", "110092", "110093"),
    # Positions may only be reduced, and nothing is traded now.
    *("110023", "110066"),
)
MARGIN_CODES = "110004", "110006", "110007", "110012", "110044", "110045", "110052", "110053"
NOT_FOUND_CODES = "110001", "110008", "110010", "110019"
CREDENTIAL_CODES = ("10003", "10004", "10005", "10007", "10009", "10010", "10024", "33004")
UNCHANGED_CODES = ("110025", "110026", "110043")

TICKER_COLUMNS = {
    "symbol": "symbol",
    "bid": "bid1Price",
    "bid_quantity": "bid1Size",
    "ask": "ask1Price",
    "ask_quantity": "ask1Size",
    "mark_price": "markPrice",
    "index_price": "indexPrice",
    "funding_rate": "fundingRate",
    "next_funding_at": "nextFundingTime",
    "hours": "fundingIntervalHour",
}
RISK_LIMITS = Rows(
    method="publicGetV5MarketRiskLimit",
    params=LINEAR,
    path=LIST,
    columns={
        "symbol": "symbol",
        "is_lowest": "isLowestRisk",
        "notional": "riskLimitValue",
        "leverage": "maxLeverage",
        "maintenance": "maintenanceMargin",
        "deduction": "mmDeduction",
    },
    paging=Paging.CURSOR,
)
TICKERS = Rows(method="publicGetV5MarketTickers", params=LINEAR, path=LIST, columns=TICKER_COLUMNS)
POSITION_COLUMNS = {
    "symbol": "symbol",
    "amount": "size",
    "side": "side",
    "mode": "positionIdx",
    "entry_price": "avgPrice",
    "mark_price": "markPrice",
    "liquidation_price": "liqPrice",
    "leverage": "leverage",
    "unrealised_pnl": "unrealisedPnl",
    "adl_rank": "adlRankIndicator",
}
EXECUTIONS = "privateGetV5ExecutionList"

# bybit-exchange.github.io/docs/v5/rate-limit. Each endpoint has a limit of its own there; what is
# not listed there alone shares the lowest one.
CHANGES = {
    "POST v5/order/create": 1,
    "POST v5/order/cancel": 1,
    "POST v5/position/add-margin": 1,
    "POST v5/position/set-leverage": 1,
    "POST v5/account/set-margin-mode": 1,
}
QUOTAS = Quotas(
    sockets=ConnectionQuota(limit=500, window=timedelta(minutes=5)),
    all=(
        Quota(
            name="bybit",
            scope=Scope.ADDRESS,
            limit=600,
            window=timedelta(seconds=5),
            other=1,
        ),
        Quota(
            name="bybit.changes",
            scope=Scope.KEY,
            limit=10,
            window=timedelta(seconds=1),
            group="private",
            weights=CHANGES,
            left_header="x-bapi-limit-status",
        ),
        Quota(
            name="bybit.reads",
            scope=Scope.KEY,
            limit=50,
            window=timedelta(seconds=1),
            group="private",
            weights=dict.fromkeys(CHANGES, 0) | {"GET v5/account/fee-rate": 5},
            other=1,
        ),
    ),
    key_codes=frozenset({"10006"}),
    # "403, access too frequent": the address is let in again after ten minutes.
    ban_statuses=frozenset({403, 418}),
    resets_header="x-bapi-limit-reset-timestamp",
)

CONTRACTS = VenueProfile(
    name="bybit",
    title="Bybit",
    ccxt_class="bybit",
    options={
        "fetchMarkets": {"types": ["spot", "linear"]},
        "defaultType": "swap",
        "defaultSubType": "linear",
        "recvWindow": 5000,
        # Known from `check_key`; otherwise the first order pays for two more requests.
        "enableUnifiedMargin": False,
        "enableUnifiedAccount": True,
    },
    is_spot=False,
    settlement=SettlementKind.LUMP,
    end_keys=("deliveryTime",),
    interval_rule=IntervalRule.LISTED_MINUTES,
    receive_window=timedelta(seconds=5),
    depth_sizes=(1, 25, 50, 100, 200, 500),
    dated_symbol="{base}{quote}-%d%b%y",
    quotas=QUOTAS,
    book_tops=TICKERS,
    quotes=TICKERS,
    activity=(
        Rows(
            method=TICKERS.method,
            params=LINEAR,
            path=LIST,
            columns={
                "symbol": "symbol",
                "open_interest": "openInterest",
                "turnover": "turnover24h",
            },
        ),
    ),
    settled_funding=Rows(
        method="publicGetV5MarketFundingHistory",
        params=LINEAR,
        path=LIST,
        columns={
            "symbol": "symbol",
            "funding_rate": "fundingRate",
            "time": "fundingRateTimestamp",
            "key": "fundingRateTimestamp",
        },
        paging=Paging.BACKWARD,
        page_size=200,
        window=timedelta(days=90),
    ),
    # Source: "Introduction to Funding Rate": the interest is 0.03 % / (24 / interval).
    premium=PremiumTerms(is_per_8h=False),
    funding_bounds=("upperFundingRate", "lowerFundingRate"),
    leverage_tiers=RISK_LIMITS,
    risk_tiers=RISK_LIMITS,
    largest_market_order=("lotSizeFilter", "maxMktOrderQty"),
    order_params={"positionIdx": 0},
    find_order=(
        Rows(method="privateGetV5OrderRealtime", params=LINEAR, path=LIST),
        Rows(method="privateGetV5OrderHistory", params=LINEAR, path=LIST),
    ),
    client_id_param="orderLinkId",
    cancel_order=Rows(method="privatePostV5OrderCancel", params=LINEAR),
    open_orders=Rows(
        method="privateGetV5OrderRealtime",
        params=LINEAR,
        path=LIST,
        paging=Paging.CURSOR,
        page_size=50,
    ),
    all_open_orders=Rows(
        method="privateGetV5OrderRealtime",
        params=LINEAR,
        path=LIST,
        paging=Paging.CURSOR,
        page_size=50,
        parts=SETTLE_PARTS,
    ),
    balances=Rows(
        method="privateGetV5AccountWalletBalance",
        params={"accountType": "UNIFIED"},
        path=("result", "list", "0", "coin"),
        columns={
            "asset": "coin",
            "total": "walletBalance",
            "equity": "equity",
            "free": "availableToWithdraw",
            "order_margin": "totalOrderIM",
            "position_margin": "totalPositionIM",
            "locked": "locked",
            "debt": "spotBorrow",
            "borrowed": "borrowAmount",
            "interest": "accruedInterest",
            "value": "usdValue",
        },
    ),
    positions=Rows(
        method="privateGetV5PositionList",
        params=LINEAR,
        path=LIST,
        columns=POSITION_COLUMNS,
        paging=Paging.CURSOR,
        page_size=200,
        parts=SETTLE_PARTS,
    ),
    fills=Rows(
        method=EXECUTIONS,
        params=LINEAR,
        path=LIST,
        columns={
            "time": "execTime",
            "key": "execId",
            "kind": "execType",
            "order_id": "orderId",
            "client_order_id": "orderLinkId",
            "side": "side",
            "price": "execPrice",
            "amount": "execQty",
            "fee": "execFee",
            "fee_asset": "feeCurrency",
            "is_maker": "isMaker",
        },
        paging=Paging.CURSOR,
        page_size=100,
    ),
    # A session settlement books the profit of a position and leaves the position as it is.
    not_fills=frozenset({"Funding", "SessionSettlePnL"}),
    kind_causes={
        "BustTrade": FillCause.LIQUIDATION,
        "AdlTrade": FillCause.ADL,
        "Settle": FillCause.SETTLEMENT,
        "Delivery": FillCause.SETTLEMENT,
    },
    funding_payments=Rows(
        method=EXECUTIONS,
        params={**LINEAR, "execType": "Funding"},
        path=LIST,
        columns={
            "symbol": "symbol",
            "payment": "execFee",
            "asset": "feeCurrency",
            "time": "execTime",
            "key": "execId",
            "funding_rate": "feeRate",
        },
        paging=Paging.CURSOR,
        page_size=100,
    ),
    borrow_rates=Rows(
        method="publicGetV5SpotMarginTradeData",
        # The library writes public queries as they are: the space must come encoded.
        params={"vipLevel": "No%20VIP"},
        path=("result", "vipCoinList", "0", "list"),
        columns={
            "asset": "currency",
            "is_lent": "borrowable",
            "hourly_rate": "hourlyBorrowRate",
            "most": "maxBorrowingAmount",
        },
    ),
    borrow_interest=Rows(
        method="privateGetV5AccountTransactionLog",
        params={"accountType": "UNIFIED", "type": "INTEREST"},
        path=LIST,
        columns={
            "change": "change",
            "asset": "currency",
            "time": "transactionTime",
            "key": "id",
        },
        paging=Paging.CURSOR,
        page_size=50,
    ),
    transfers=Rows(
        method="privateGetV5AccountTransactionLog",
        params={"accountType": "UNIFIED"},
        path=LIST,
        columns={
            "kind": "type",
            "amount": "change",
            "asset": "currency",
            "time": "transactionTime",
            "key": "id",
        },
        paging=Paging.CURSOR,
        page_size=50,
        parts=({"type": "TRANSFER_IN"}, {"type": "TRANSFER_OUT"}),
    ),
    transfers_out=frozenset({"TRANSFER_OUT"}),
    settlement_slack=timedelta(seconds=5),
    funding_sign=-1,
    fee_tier=Rows(
        method="privateGetV5AccountFeeRate",
        params=LINEAR,
        path=LIST,
        columns={"symbol": "symbol", "maker": "makerFeeRate", "taker": "takerFeeRate"},
    ),
    fallback_maker=Decimal("0.0002"),
    fallback_taker=Decimal("0.00055"),
    # https://bybit-exchange.github.io/docs/v5/demo; its public market is the real one.
    practice=Practice(
        addresses={
            "public": "https://api-demo.bybit.com",
            "private": "https://api-demo.bybit.com",
            "ws": {"private": {"contract": "wss://stream-demo.bybit.com/v5/private"}},
        },
    ),
    key_rights=KEY_RIGHTS,
    status=STATUS,
    settings=SettingCalls(
        position_mode=Rows(
            method="privateGetV5PositionList",
            params=LINEAR,
            path=LIST,
            columns={"mode": "positionIdx"},
        ),
        set_leverage=Rows(method="privatePostV5PositionSetLeverage", params=LINEAR),
        leverage_params=("buyLeverage", "sellLeverage"),
        whole_leverage=False,
        hedge_mode_advice=(
            "this contract is in hedge mode: in Bybit's order panel open Settings, "
            "Position Mode, choose One-Way Mode, and try again"
        ),
        margin_mode=Rows(
            method="privateGetV5AccountInfo", path=("result",), columns={"mode": "marginMode"}
        ),
        isolated_name="ISOLATED_MARGIN",
        set_margin_mode=Rows(
            method="privatePostV5AccountSetMarginMode",
            params={"setMarginMode": "REGULAR_MARGIN"},
        ),
        margin_mode_takes_symbol=False,
    ),
    isolated_margin=IsolatedMargin(
        position=Rows(
            method="privateGetV5PositionList",
            params=LINEAR,
            path=LIST,
            columns={"symbol": "symbol", "margin": "positionBalance"},
        ),
        add=Rows(method="privatePostV5PositionAddMargin", params={**LINEAR, "positionIdx": 0}),
        amount_param="margin",
        mode_is_the_accounts=True,
    ),
    no_dead_man=(
        "Bybit's disconnect protection hangs on a private socket and cancels the orders of a whole "
        "product, closing and foreign ones too: it cannot be armed for one entry order."
    ),
    verdicts={
        **dict.fromkeys((*INVALID_ORDER_CODES, *INVALID_SPOT_CODES), Verdict.INVALID_ORDER),
        **dict.fromkeys((*REJECTED_CODES, *REJECTED_SPOT_CODES), Verdict.REJECTED),
        **dict.fromkeys((*MARGIN_CODES, *SPOT_MARGIN_CODES), Verdict.INSUFFICIENT_MARGIN),
        **dict.fromkeys(CREDENTIAL_CODES, Verdict.CREDENTIAL),
        **dict.fromkeys((*NOT_FOUND_CODES, *SPOT_NOT_FOUND_CODES), Verdict.NOT_FOUND),
        **dict.fromkeys(UNCHANGED_CODES, Verdict.UNCHANGED),
        "10002": Verdict.CLOCK,
        "10006": Verdict.RATE_LIMITED,
        "10018": Verdict.RATE_LIMITED,
        "10429": Verdict.RATE_LIMITED,
        "110017": Verdict.NOTHING_TO_REDUCE,
        "110072": Verdict.DUPLICATE,
        "170141": Verdict.DUPLICATE,
        "170218": Verdict.WOULD_TAKE,
    },
)

PROFILE = replace(CONTRACTS, spot=of_spot(CONTRACTS))
