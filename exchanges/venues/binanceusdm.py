"""Binance USD-M futures. Codes: developers.binance.com, usds-margined-futures, error-code."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain import FillCause, PremiumTerms, SettlementKind
from exchanges.venues import flat
from exchanges.venues.binance import (
    ACCOUNT_CALLS,
    ACCOUNT_VERDICTS,
    BOOK_TOP_COLUMNS,
    DEPTH_SIZES,
    KEY_CALL,
    NO_TRANSFERS,
    OPTIONS,
    ORDERS,
    SOCKETS,
    SPOT_CALLS,
    STATUS,
    TRADE_COLUMNS,
    UID_CALL,
)
from exchanges.venues.practice import Practice
from exchanges.venues.profile import (
    DeadMan,
    IntervalRule,
    IsolatedMargin,
    KeyRights,
    KeyRule,
    SettingCalls,
    VenueProfile,
)
from exchanges.venues.quotas import Quota, Quotas, Scope
from exchanges.venues.rows import Paging, Rows
from exchanges.venues.verdicts import Verdict

PREMIUM_COLUMNS = {
    "symbol": "symbol",
    "mark_price": "markPrice",
    "index_price": "indexPrice",
    "funding_rate": "lastFundingRate",
    "next_funding_at": "nextFundingTime",
}
INVALID_ORDER_CODES = (
    *("-4001", "-4002", "-4003", "-4004", "-4005", "-4013", "-4014", "-4015", "-4016"),
    *("-4023", "-4024", "-4164"),
)
REJECTED_CODES = "-2020", "-2021", "-2025", "-4061", "-4108", "-4131", "-4140", "-5021"
MARGIN_CODES = ("-2018", "-2019", "-2027", "-2028")

QUOTAS = Quotas(
    sockets=SOCKETS,
    all=(
        Quota(
            name="binance.fapi",
            scope=Scope.ADDRESS,
            limit=2400,
            window=timedelta(minutes=1),
            group="fapi",
            weights={
                "POST order": 0,
                "GET account": 5,
                "GET accountConfig": 5,
                "GET commissionRate": 20,
                "GET depth 100": 5,
                "GET depth 500": 10,
                "GET depth 1000": 20,
                "GET depth": 2,
                "GET fundingInfo": 0,
                "GET fundingRate": 0,
                "GET income": 30,
                "GET openOrders *": 40,
                "GET positionRisk": 5,
                "GET premiumIndex *": 10,
                "GET ticker/24hr *": 40,
                "GET ticker/bookTicker": 2,
                "GET ticker/bookTicker *": 5,
                "GET userTrades": 5,
                "POST countdownCancelAll": 10,
            },
            other=1,
            used_header="x-mbx-used-weight-1m",
        ),
        Quota(
            name="binance.fapi.funding",
            scope=Scope.ADDRESS,
            limit=500,
            window=timedelta(minutes=5),
            group="fapiPublic",
            weights={"GET fundingInfo": 1, "GET fundingRate": 1},
            # Each settlement asks once for every contract, and then nobody asks for an hour.
            at_once=0.6,
        ),
        Quota(
            name="binance.fapi.orders.10s",
            scope=Scope.KEY,
            limit=300,
            window=timedelta(seconds=10),
            group="fapiPrivate",
            weights=ORDERS,
            used_header="x-mbx-order-count-10s",
        ),
        Quota(
            name="binance.fapi.orders.1m",
            scope=Scope.KEY,
            limit=1200,
            window=timedelta(minutes=1),
            group="fapiPrivate",
            weights=ORDERS,
            used_header="x-mbx-order-count-1m",
        ),
        ACCOUNT_CALLS,
        # Asked once a day for whose account it is.
        SPOT_CALLS,
    ),
    key_codes=frozenset({"-1015"}),
)

# The call named after it weighs six times as much, and each entry asks.
POSITION_MODE = Rows(method="fapiPrivateGetAccountConfig", columns={"mode": "dualSidePosition"})

PRACTICE = Practice(
    addresses={
        "fapiPublic": "https://demo-fapi.binance.com/fapi/v1",
        "fapiPrivate": "https://demo-fapi.binance.com/fapi/v1",
        "fapiPrivateV2": "https://demo-fapi.binance.com/fapi/v2",
        "fapiPrivateV3": "https://demo-fapi.binance.com/fapi/v3",
        "ws": {"linear": "wss://fstream.binancefuture.com/ws"},
    },
    tells_rights=False,
)

PROFILE = VenueProfile(
    name="binanceusdm",
    title="Binance USD-M",
    company="binance",
    ccxt_class="binanceusdm",
    options={**OPTIONS, "fetchMarkets": {"types": ["linear"]}},
    is_spot=False,
    settlement=SettlementKind.LUMP,
    end_keys=("deliveryDate",),
    interval_rule=IntervalRule.ADJUSTED_HOURS_OR_SPACING,
    receive_window=timedelta(seconds=5),
    depth_sizes=DEPTH_SIZES,
    dated_symbol="{base}{quote}_%y%m%d",
    quotas=QUOTAS,
    book_tops=Rows(method="fapiPublicGetTickerBookTicker", columns=BOOK_TOP_COLUMNS),
    quotes=Rows(method="fapiPublicGetPremiumIndex", columns=PREMIUM_COLUMNS),
    activity=(
        Rows(
            method="fapiPublicGetTicker24hr",
            columns={"symbol": "symbol", "turnover": "quoteVolume"},
        ),
    ),
    open_interest=Rows(
        method="fapiPublicGetOpenInterest",
        columns={"symbol": "symbol", "open_interest": "openInterest"},
    ),
    settled_funding=Rows(
        method="fapiPublicGetFundingRate",
        columns={
            "symbol": "symbol",
            "funding_rate": "fundingRate",
            "time": "fundingTime",
            "key": "fundingTime",
            "settlement_price": "markPrice",
        },
        paging=Paging.FORWARD,
        page_size=1000,
        window=timedelta(days=90),
    ),
    # Source: "Introduction to Binance Futures Funding Rates": the rate is divided by 8 / N.
    premium=PremiumTerms(),
    adjusted_intervals=Rows(
        method="fapiPublicGetFundingInfo",
        columns={"symbol": "symbol", "hours": "fundingIntervalHours"},
    ),
    funding_bounds=("adjustedFundingRateCap", "adjustedFundingRateFloor"),
    own_risk_tiers=Rows(method="own_tier_rows", columns=flat.TIER_COLUMNS, lists_all=True),
    find_order=(Rows(method="fapiPrivateGetOrder"),),
    client_id_param="origClientOrderId",
    cancel_order=Rows(method="fapiPrivateDeleteOrder"),
    open_orders=Rows(method="fapiPrivateGetOpenOrders"),
    all_open_orders=Rows(method="fapiPrivateGetOpenOrders"),
    most_asked_singly=40,
    balances=Rows(
        method="fapiPrivateV3GetAccount",
        path=("assets",),
        columns={
            "asset": "asset",
            "total": "walletBalance",
            "equity": "marginBalance",
            "free": "availableBalance",
        },
    ),
    positions=Rows(
        method="fapiPrivateV3GetPositionRisk",
        columns={
            "symbol": "symbol",
            "amount": "positionAmt",
            "mode": "positionSide",
            "entry_price": "entryPrice",
            "mark_price": "markPrice",
            "liquidation_price": "liquidationPrice",
            "leverage": "leverage",
            "unrealised_pnl": "unRealizedProfit",
            "adl_rank": "adl",
        },
    ),
    adl_rank_offset=1,
    fills=Rows(
        method="fapiPrivateGetUserTrades",
        columns={**TRADE_COLUMNS, "side": "side", "is_maker": "maker"},
        paging=Paging.FORWARD,
        page_size=1000,
    ),
    own_id_causes={
        "autoclose-": FillCause.LIQUIDATION,
        "adl_autoclose": FillCause.ADL,
        "settlement_autoclose-": FillCause.SETTLEMENT,
    },
    order_of_fill=Rows(
        method="fapiPrivateGetOrder",
        columns={"order_id": "orderId", "client_order_id": "clientOrderId"},
    ),
    funding_payments=Rows(
        method="fapiPrivateGetIncome",
        params={"incomeType": "FUNDING_FEE"},
        columns={
            "symbol": "symbol",
            "payment": "income",
            "asset": "asset",
            "time": "time",
            "key": "tranId",
        },
        paging=Paging.FORWARD,
        page_size=1000,
    ),
    transfers=Rows(
        method="fapiPrivateGetIncome",
        params={"incomeType": "TRANSFER"},
        columns={"amount": "income", "asset": "asset", "time": "time", "key": "tranId"},
        paging=Paging.FORWARD,
        page_size=1000,
    ),
    settlement_slack=timedelta(seconds=15),
    fee_tier=Rows(
        method="fapiPrivateGetCommissionRate",
        columns={
            "symbol": "symbol",
            "maker": "makerCommissionRate",
            "taker": "takerCommissionRate",
        },
    ),
    fallback_maker=Decimal("0.0002"),
    fallback_taker=Decimal("0.0005"),
    practice=PRACTICE,
    key_rights=KeyRights(
        call=KEY_CALL,
        uid=(("uid",),),
        uid_call=UID_CALL,
        expires_at=("tradingAuthorityExpirationTime",),
        addresses=("ipRestrict",),
        unbound=(False,),
        position_mode=POSITION_MODE,
        rules=(
            *NO_TRANSFERS,
            KeyRule(
                path=("enableFutures",),
                refused=False,
                advice="this key may not trade futures: switch Enable Futures on in API Management",
            ),
        ),
    ),
    status=STATUS,
    settings=SettingCalls(
        position_mode=POSITION_MODE,
        set_leverage=Rows(method="fapiPrivatePostLeverage"),
        leverage_params=("leverage",),
        whole_leverage=True,
        hedge_mode_advice=(
            "this account is in hedge mode: in Binance Futures choose Preferences, "
            "Position Mode, One-way Mode, and try again"
        ),
        set_margin_mode=Rows(method="fapiPrivatePostMarginType", params={"marginType": "CROSSED"}),
        margin_mode_takes_symbol=True,
    ),
    isolated_margin=IsolatedMargin(
        position=Rows(
            method="fapiPrivateV3GetPositionRisk",
            columns={"symbol": "symbol", "margin": "isolatedWallet"},
        ),
        add=Rows(method="fapiPrivatePostPositionMargin", params={"type": 1}),
        amount_param="amount",
    ),
    dead_man=DeadMan(
        call=Rows(method="fapiPrivatePostCountdownCancelAll"), countdown_param="countdownTime"
    ),
    verdicts={
        **ACCOUNT_VERDICTS,
        **dict.fromkeys(INVALID_ORDER_CODES, Verdict.INVALID_ORDER),
        **dict.fromkeys(REJECTED_CODES, Verdict.REJECTED),
        **dict.fromkeys(MARGIN_CODES, Verdict.INSUFFICIENT_MARGIN),
        "-2022": Verdict.NOTHING_TO_REDUCE,
        "-4046": Verdict.UNCHANGED,
        "-4116": Verdict.DUPLICATE,
        "-5022": Verdict.WOULD_TAKE,
        "-5028": Verdict.NOT_PLACED,
    },
)
