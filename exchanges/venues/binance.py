"""Binance spot. Codes: developers.binance.com, binance-spot-api-docs, errors."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain import SettlementKind
from exchanges.venues.practice import Practice
from exchanges.venues.profile import IntervalRule, KeyRights, KeyRule, StatusCall, VenueProfile
from exchanges.venues.quotas import ConnectionQuota, Quota, Quotas, Scope
from exchanges.venues.rows import Paging, Rows
from exchanges.venues.verdicts import Verdict

# Shared by spot and USD-M: both speak the same dialect.
ACCOUNT_VERDICTS = {
    "-1002": Verdict.CREDENTIAL,
    "-1003": Verdict.RATE_LIMITED,
    "-1015": Verdict.RATE_LIMITED,
    "-1021": Verdict.CLOCK,
    "-1022": Verdict.CREDENTIAL,
    "-2014": Verdict.CREDENTIAL,
    "-2015": Verdict.CREDENTIAL,
    "-1013": Verdict.INVALID_ORDER,
    "-1100": Verdict.INVALID_ORDER,
    "-1102": Verdict.INVALID_ORDER,
    "-1106": Verdict.INVALID_ORDER,
    "-1111": Verdict.INVALID_ORDER,
    "-1115": Verdict.INVALID_ORDER,
    "-1116": Verdict.INVALID_ORDER,
    "-1117": Verdict.INVALID_ORDER,
    "-1121": Verdict.INVALID_ORDER,
    "-1130": Verdict.INVALID_ORDER,
    "-2010": Verdict.REJECTED,
    "-2011": Verdict.NOT_FOUND,
    "-2013": Verdict.NOT_FOUND,
}
REJECTION_MESSAGES = {
    ("-2010", "insufficient balance"): Verdict.INSUFFICIENT_MARGIN,
    ("-2010", "duplicate order"): Verdict.DUPLICATE,
    ("-2010", "immediately match"): Verdict.WOULD_TAKE,
}
BOOK_TOP_COLUMNS = {
    "symbol": "symbol",
    "bid": "bidPrice",
    "bid_quantity": "bidQty",
    "ask": "askPrice",
    "ask_quantity": "askQty",
}
TRADE_COLUMNS = {
    "time": "time",
    "key": "id",
    "order_id": "orderId",
    "price": "price",
    "amount": "qty",
    "fee": "commission",
    "fee_asset": "commissionAsset",
}
# Fills are listed without the own id of their order, which its order tells.
ORDER_OF_FILL = Rows(
    method="privateGetOrder",
    columns={"order_id": "orderId", "client_order_id": "clientOrderId"},
)
DEPTH_SIZES = (5, 10, 20, 50, 100, 500, 1000)
# One answer tells of the key whatever it trades, at the host of the spot venue.
KEY_CALL = Rows(method="sapiGetAccountApiRestrictions")
# The account that holds the spot wallet is behind the contracts too.
UID_CALL = Rows(method="privateGetAccount", params={"omitZeroBalances": "true"})
STATUS = StatusCall(
    call=Rows(method="sapiGetSystemStatus", columns={"state": "status", "title": "msg"}),
    live=frozenset({"1"}),
)
_EDIT = "at Binance open API Management, edit the key's restrictions, "
NO_TRANSFERS = tuple(
    KeyRule(
        path=(right,),
        refused=True,
        advice=f"this key {may}: {_EDIT}clear {name}, save, and try again",
    )
    for right, may, name in (
        ("enableWithdrawals", "may withdraw", "Enable Withdrawals"),
        ("enableInternalTransfer", "may move money", "Enable Internal Transfer"),
        ("permitsUniversalTransfer", "may move money", "Permits Universal Transfer"),
    )
)
# Weights: developers.binance.com, "IP weight" of each endpoint. Key calls count for all venues.
ACCOUNT_CALLS = Quota(
    name="binance.sapi",
    scope=Scope.ADDRESS,
    limit=12_000,
    window=timedelta(minutes=1),
    group="sapi",
    other=1,
)
ORDERS = {"POST order": 1}
SOCKETS = ConnectionQuota(limit=300, window=timedelta(minutes=5))
SPOT_CALLS = Quota(
    name="binance.api",
    scope=Scope.ADDRESS,
    limit=6000,
    window=timedelta(minutes=1),
    group="p",
    weights={
        "GET account": 20,
        "GET depth 500": 25,
        "GET depth 1000": 50,
        "GET depth": 5,
        "GET exchangeInfo": 20,
        "GET myTrades": 20,
        "GET openOrders": 6,
        "GET openOrders *": 80,
        "GET order": 4,
        "GET ticker/24hr": 80,
        "GET ticker/bookTicker": 4,
        "GET ticker/price": 4,
    },
    other=1,
    used_header="x-mbx-used-weight-1m",
)
QUOTAS = Quotas(
    sockets=SOCKETS,
    all=(
        SPOT_CALLS,
        Quota(
            name="binance.api.orders",
            scope=Scope.KEY,
            limit=100,
            window=timedelta(seconds=10),
            group="private",
            weights=ORDERS,
            used_header="x-mbx-order-count-10s",
        ),
        ACCOUNT_CALLS,
    ),
    key_codes=frozenset({"-1015"}),
)
OPTIONS: dict[str, object] = {
    "fetchMargins": False,
    "recvWindow": 5000,
    "warnOnFetchOpenOrdersWithoutSymbol": False,
}

# https://developers.binance.com/docs/binance-spot-api-docs/demo-mode
PRACTICE = Practice(
    addresses={
        "public": "https://demo-api.binance.com/api/v3",
        "private": "https://demo-api.binance.com/api/v3",
        "ws": {"ws-api": {"spot": "wss://demo-ws-api.binance.com/ws-api/v3"}},
    },
    tells_rights=False,
)

PROFILE = VenueProfile(
    name="binance",
    title="Binance Spot",
    company="binance",
    ccxt_class="binance",
    options={**OPTIONS, "fetchMarkets": {"types": ["spot"]}, "defaultType": "spot"},
    is_spot=True,
    lends_on_paper=True,
    settlement=SettlementKind.NONE,
    interval_rule=IntervalRule.NONE,
    receive_window=timedelta(seconds=5),
    depth_sizes=DEPTH_SIZES,
    quotas=QUOTAS,
    book_tops=Rows(method="publicGetTickerBookTicker", columns=BOOK_TOP_COLUMNS),
    quotes=Rows(method="publicGetTickerPrice", columns={"symbol": "symbol", "mark_price": "price"}),
    activity=(
        Rows(
            method="publicGetTicker24hr",
            params={"type": "MINI"},
            columns={"symbol": "symbol", "turnover": "quoteVolume"},
        ),
    ),
    settled_funding=None,
    find_order=(Rows(method="privateGetOrder"),),
    client_id_param="origClientOrderId",
    cancel_order=Rows(method="privateDeleteOrder"),
    open_orders=Rows(method="privateGetOpenOrders"),
    all_open_orders=Rows(method="privateGetOpenOrders"),
    most_asked_singly=13,
    balances=Rows(
        method="privateGetAccount",
        path=("balances",),
        columns={"asset": "asset", "free": "free", "used": "locked"},
    ),
    positions=None,
    fills=Rows(
        method="privateGetMyTrades",
        columns={**TRADE_COLUMNS, "is_buyer": "isBuyer", "is_maker": "isMaker"},
        paging=Paging.FORWARD,
        page_size=1000,
        window=timedelta(hours=24),
    ),
    order_of_fill=ORDER_OF_FILL,
    funding_payments=None,
    fee_tier=Rows(
        method="sapiGetAssetTradeFee",
        columns={"symbol": "symbol", "maker": "makerCommission", "taker": "takerCommission"},
    ),
    fallback_maker=Decimal("0.001"),
    fallback_taker=Decimal("0.001"),
    key_rights=KeyRights(
        call=KEY_CALL,
        uid=(("uid",),),
        uid_call=UID_CALL,
        expires_at=("tradingAuthorityExpirationTime",),
        addresses=("ipRestrict",),
        unbound=(False,),
        rules=(
            *NO_TRANSFERS,
            KeyRule(
                path=("enableSpotAndMarginTrading",),
                refused=False,
                advice="this key may not trade: switch Enable Spot Trading on in API Management",
            ),
        ),
    ),
    practice=PRACTICE,
    status=STATUS,
    no_dead_man="Binance spot has no countdown: only Carry itself cancels an entry order there.",
    verdicts=ACCOUNT_VERDICTS,
    message_verdicts=REJECTION_MESSAGES,
)
