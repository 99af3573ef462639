"""OKX v5, one trading account: spot, and linear contracts, counted in contracts of `ctVal` coins.

Codes and fields: www.okx.com/docs-v5/en. Fees and their rates are negative where they are paid.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from exchanges.domain import FillCause, InstrumentKind, SettlementKind
from exchanges.venues.okx_access import KEY_RIGHTS, STATUS
from exchanges.venues.okx_quotas import QUOTAS
from exchanges.venues.okx_spot import of_spot
from exchanges.venues.practice import Practice
from exchanges.venues.profile import (
    DeadMan,
    FamilyTiers,
    IntervalRule,
    IsolatedMargin,
    SettingCalls,
    VenueProfile,
)
from exchanges.venues.rows import Paging, Rows
from exchanges.venues.verdicts import Verdict

DATA = ("data",)
# Positions of margined spot and of options are none of ours and share the list.
CONTRACTS = ({"instType": "SWAP"}, {"instType": "FUTURES"})
TYPE_OF_KIND = {
    InstrumentKind.PERPETUAL: {"instType": "SWAP"},
    InstrumentKind.FUTURE: {"instType": "FUTURES"},
    InstrumentKind.SPOT: {"instType": "SPOT"},
}
BY_TIME = ("begin", "end")
LAST_MONTHS = timedelta(days=92)
SYMBOL = "instId"

# Sent to the matching engine or not, nobody can tell: 50001, 50004, 50026, 51054 and 51149.
NOT_PLACED_CODES = "50036", "51029", "51030"
# Signed too early or too late, and sent past its own deadline: by a clock that is behind.
CLOCK_CODES = "50102", "50037"
RATE_LIMIT_CODES = "50011", "50040", "50061", "51113", "51115"
CREDENTIAL_CODES = (
    *("50007", "50027", "50029", "50030", "50100", "50101", "50103", "50104", "50105", "50106"),
    *("50107", "50110", "50111", "50113", "50114", "50119", "50120", "50121"),
)
INVALID_ORDER_CODES = (
    *("50014", "50015", "50016", "50024", "51000", "51001", "51003", "51005", "51006", "51007"),
    *("51015", "51020", "51021", "51022", "51027", "51028", "51101", "51116", "51120", "51121"),
    *("51122", "51135", "51136", "51137", "51138", "51150", "51202", "51203", "51204"),
)
REJECTED_CODES = (
    *("50017", "50019", "50020", "50022", "50023", "51004", "51009", "51010", "51024", "51025"),
    *("51031", "51037", "51087", "51102", "51103", "51104", "51105", "51106", "51107"),
    *("51109", "51124", "51148", "51155", "51174", "51185", "51186", "51187", "51201", "51206"),
    *("51209", "51210", "51211", "51213"),
)
MARGIN_CODES = "51008", "51127", "51131"
NOTHING_TO_REDUCE_CODES = "51023", "51112", "51169", "51170", "51205"
NOT_FOUND_CODES = "51400", "51401", "51402", "51405", "51410", "51603"

LIQUIDATIONS = tuple(str(number) for number in range(100, 108))
KIND_CAUSES = {
    # The sub-type of a listed fill.
    **dict.fromkeys(LIQUIDATIONS, FillCause.LIQUIDATION),
    **dict.fromkeys(("125", "126", "127", "128"), FillCause.ADL),
    **dict.fromkeys(("112", "113"), FillCause.SETTLEMENT),
    # The category of a streamed order.
    "full_liquidation": FillCause.LIQUIDATION,
    "partial_liquidation": FillCause.LIQUIDATION,
    "adl": FillCause.ADL,
    "delivery": FillCause.SETTLEMENT,
}
PENDING = Rows(
    method="privateGetTradeOrdersPending",
    path=DATA,
    columns={"page": "ordId"},
    paging=Paging.OLDER_THAN_ID,
    page_size=100,
    of_kind=TYPE_OF_KIND,
)
POSITIONS = Rows(
    method="privateGetAccountPositions",
    path=DATA,
    columns={
        "symbol": SYMBOL,
        "amount": "pos",
        "mode": "posSide",
        "entry_price": "avgPx",
        "mark_price": "markPx",
        "liquidation_price": "liqPx",
        "leverage": "lever",
        "unrealised_pnl": "upl",
        "adl_rank": "adl",
        "margin": "margin",
    },
    of_kind=TYPE_OF_KIND,
)
BILLS = Rows(
    method="privateGetAccountBillsArchive",
    path=DATA,
    columns={"asset": "ccy", "time": "ts", "key": "billId", "page": "billId"},
    paging=Paging.OLDER_THAN_ID,
    page_size=100,
    window=LAST_MONTHS,
    span=BY_TIME,
    recent=("privateGetAccountBills", timedelta(days=6)),
)

LINEAR = VenueProfile(
    name="okx",
    title="OKX",
    ccxt_class="okx",
    options={
        "fetchMarkets": {"types": ["spot", "swap", "future"]},
        "defaultType": "swap",
        # One order a request: the batch answers for itself besides for its order.
        "createOrder": "privatePostTradeOrder",
    },
    is_spot=False,
    settlement=SettlementKind.LUMP,
    end_keys=("expTime",),
    interval_rule=IntervalRule.NEXT_TWO_SETTLEMENTS,
    receive_window=timedelta(seconds=5),
    # Orders and positions count contracts: a size that has changed makes all of them wrong.
    relisted_every=timedelta(minutes=1),
    deadline_header="expTime",
    depth_sizes=(5, 10, 20, 50, 100, 200, 400),
    # Contracts with other rules, such as futures that pay funding or are not yet open to all.
    only_listed={"ruleType": frozenset({"normal"}), "ctMult": frozenset({"1", ""})},
    symbol_param=SYMBOL,
    quotas=QUOTAS,
    dated_symbol="{base}-{quote}-%y%m%d",
    dated_like_perpetual=True,
    book_tops=Rows(
        method="publicGetMarketTickers",
        path=DATA,
        columns={
            "symbol": SYMBOL,
            "bid": "bidPx",
            "bid_quantity": "bidSz",
            "ask": "askPx",
            "ask_quantity": "askSz",
        },
        parts=CONTRACTS,
    ),
    quotes=Rows(
        method="publicGetPublicMarkPrice",
        path=DATA,
        columns={"symbol": SYMBOL, "mark_price": "markPx"},
        parts=CONTRACTS,
    ),
    index_prices=Rows(
        method="publicGetMarketIndexTickers",
        path=DATA,
        columns={"index": SYMBOL, "index_price": "idxPx"},
        parts=({"quoteCcy": "USDT"}, {"quoteCcy": "USDC"}),
    ),
    index_key="uly",
    activity=(
        Rows(
            method="publicGetPublicOpenInterest",
            params={"instType": "SWAP"},
            path=DATA,
            columns={"symbol": SYMBOL, "open_interest": "oi"},
        ),
        Rows(
            method="publicGetMarketTickers",
            params={"instType": "SWAP"},
            path=DATA,
            columns={"symbol": SYMBOL, "volume": "vol24h", "price": "last"},
        ),
    ),
    funding_rates=Rows(
        method="publicGetPublicFundingRate",
        params={"instId": "ANY"},
        path=DATA,
        columns={
            "symbol": SYMBOL,
            "funding_rate": "fundingRate",
            "next_funding_at": "fundingTime",
            "following_at": "nextFundingTime",
        },
    ),
    funding_bounds=("maxFundingRate", "minFundingRate"),
    settled_funding=Rows(
        method="publicGetPublicFundingRateHistory",
        path=DATA,
        columns={
            "symbol": SYMBOL,
            "funding_rate": "realizedRate",
            "time": "fundingTime",
            "key": "fundingTime",
        },
        paging=Paging.BACKWARD,
        page_size=100,
        # Both ends are excluded: one window, so that no settlement falls on a border.
        span=("before", "after"),
        window=timedelta(days=3650),
    ),
    family_tiers=FamilyTiers(
        call=Rows(
            method="publicGetPublicPositionTiers",
            params={"tdMode": "cross", "tier": "1"},
            path=DATA,
            columns={"family": "instFamily", "maintenance": "mmr"},
        ),
        kind_key="instType",
        family_key="instFamily",
        most=5,
        burst=8,
        burst_every=timedelta(seconds=2),
    ),
    # Of the whole position the rate of its tier counts: nothing is deducted.
    risk_tiers=Rows(
        method="publicGetPublicPositionTiers",
        params={"tdMode": "cross"},
        path=DATA,
        columns={"contracts": "maxSz", "leverage": "maxLever", "maintenance": "mmr"},
        of_listing={"instType": "instType", "instFamily": "instFamily"},
    ),
    # Of the lowest level; who is VIP pays the same and may borrow more.
    borrow_rates=Rows(
        method="publicGetPublicInterestRateLoanQuota",
        path=(*DATA, "0", "basic"),
        columns={"asset": "ccy", "daily_rate": "rate", "most": "quota"},
    ),
    largest_market_order=("maxMktSz",),
    order_params={"tdMode": "cross"},
    find_order=(Rows(method="privateGetTradeOrder", path=DATA),),
    client_id_param="clOrdId",
    cancel_order=Rows(method="privatePostTradeCancelOrder", path=DATA),
    open_orders=PENDING,
    all_open_orders=Rows(
        method="privateGetTradeOrdersPending",
        path=DATA,
        columns={"page": "ordId"},
        paging=Paging.OLDER_THAN_ID,
        page_size=100,
        parts=CONTRACTS,
    ),
    balances=Rows(
        method="privateGetAccountBalance",
        path=("data", "0", "details"),
        columns={
            "asset": "ccy",
            "total": "cashBal",
            "equity": "eq",
            "free": "availEq",
            "locked": "frozenBal",
            "borrowed": "liab",
            "interest": "interest",
        },
    ),
    positions=Rows(method=POSITIONS.method, path=DATA, columns=POSITIONS.columns, parts=CONTRACTS),
    fills=Rows(
        method="privateGetTradeFillsHistory",
        path=DATA,
        columns={
            "time": "fillTime",
            "key": "tradeId",
            "page": "billId",
            "kind": "subType",
            "order_id": "ordId",
            "client_order_id": "clOrdId",
            "side": "side",
            "price": "fillPx",
            "amount": "fillSz",
            "fee": "fee",
            "fee_asset": "feeCcy",
            "is_maker": "execType",
        },
        paging=Paging.OLDER_THAN_ID,
        page_size=100,
        window=LAST_MONTHS,
        span=BY_TIME,
        of_kind=TYPE_OF_KIND,
        recent=("privateGetTradeFills", timedelta(days=2)),
    ),
    kind_causes=KIND_CAUSES,
    fee_sign=-1,
    funding_payments=Rows(
        method=BILLS.method,
        params={"type": "8"},
        path=DATA,
        columns={**BILLS.columns, "symbol": "instId", "payment": "pnl"},
        paging=BILLS.paging,
        page_size=BILLS.page_size,
        window=BILLS.window,
        span=BILLS.span,
        recent=BILLS.recent,
    ),
    transfers=Rows(
        method=BILLS.method,
        params={"type": "1"},
        path=DATA,
        columns={**BILLS.columns, "amount": "balChg"},
        paging=BILLS.paging,
        page_size=BILLS.page_size,
        window=BILLS.window,
        span=BILLS.span,
        recent=BILLS.recent,
    ),
    # The bill is written once the balance has changed, some time after the instant itself.
    settlement_slack=timedelta(seconds=30),
    fee_tier=Rows(
        method="privateGetAccountTradeFee",
        path=("data", "0", "feeGroup"),
        columns={"symbol": "groupId", "maker": "maker", "taker": "taker"},
        of_kind=TYPE_OF_KIND,
        of_listing={"instFamily": "instFamily"},
    ),
    fee_group="groupId",
    fallback_maker=Decimal("0.0002"),
    fallback_taker=Decimal("0.0005"),
    # https://www.okx.com/docs-v5/en/#overview-demo-trading-services
    practice=Practice(
        addresses={
            "rest": "https://www.okx.com",
            "ws": "wss://wspap.okx.com:443/ws/v5",
        },
        headers={"x-simulated-trading": "1"},
    ),
    key_rights=KEY_RIGHTS,
    status=STATUS,
    settings=SettingCalls(
        position_mode=Rows(
            method="privateGetAccountConfig", path=DATA, columns={"mode": "posMode"}
        ),
        set_leverage=Rows(method="privatePostAccountSetLeverage", params={"mgnMode": "cross"}),
        leverage_params=("lever",),
        whole_leverage=False,
        hedge_mode_advice=(
            "this account is in hedge mode: in OKX's trading settings choose Position mode, "
            "One-way Mode, and try again"
        ),
    ),
    isolated_margin=IsolatedMargin(
        position=POSITIONS,
        add=Rows(
            method="privatePostAccountPositionMarginBalance",
            params={"posSide": "net", "type": "add"},
        ),
        amount_param="amt",
    ),
    dead_man=DeadMan(
        call=Rows(method="privatePostTradeCancelAllAfter"),
        countdown_param="timeOut",
        unit=timedelta(seconds=1),
        shortest=timedelta(seconds=10),
        tag_param="tag",
    ),
    verdicts={
        **dict.fromkeys(INVALID_ORDER_CODES, Verdict.INVALID_ORDER),
        **dict.fromkeys(REJECTED_CODES, Verdict.REJECTED),
        **dict.fromkeys(MARGIN_CODES, Verdict.INSUFFICIENT_MARGIN),
        **dict.fromkeys(NOTHING_TO_REDUCE_CODES, Verdict.NOTHING_TO_REDUCE),
        **dict.fromkeys(CREDENTIAL_CODES, Verdict.CREDENTIAL),
        **dict.fromkeys(NOT_FOUND_CODES, Verdict.NOT_FOUND),
        **dict.fromkeys(NOT_PLACED_CODES, Verdict.NOT_PLACED),
        **dict.fromkeys(CLOCK_CODES, Verdict.CLOCK),
        **dict.fromkeys(RATE_LIMIT_CODES, Verdict.RATE_LIMITED),
        "50071": Verdict.DUPLICATE,
        "51016": Verdict.DUPLICATE,
    },
)

PROFILE = replace(LINEAR, spot=of_spot(LINEAR))
