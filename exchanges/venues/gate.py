"""Gate: USDT-margined perpetuals, counted in contracts of so many coins, in a classic account.

Calls and fields: www.gate.com/docs/developers/apiv4, Futures; its sockets tell the whole market.
The methods named here make flat rows of its answers.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain import FillCause, SettlementKind
from exchanges.venues import flat
from exchanges.venues.gate_access import HEDGE_MODE_ADVICE, KEY_RIGHTS
from exchanges.venues.gate_codes import VERDICTS
from exchanges.venues.gate_quotas import QUOTAS
from exchanges.venues.practice import Practice
from exchanges.venues.profile import (
    DeadMan,
    IntervalRule,
    IsolatedMargin,
    SettingCalls,
    VenueProfile,
)
from exchanges.venues.rows import Paging, Rows

BY_TIME = ("since", "until")
# What the venue closes by itself it names in the place of our id.
LIQUIDATIONS = (
    *("liquidation", "liq-", "hedge-liq-", "pm_liquidate", "comb_margin_liquidate"),
    *("scm_liquidate", "insurance"),
)
OWN_ID_CAUSES = {
    **dict.fromkeys(LIQUIDATIONS, FillCause.LIQUIDATION),
    "auto_deleverag": FillCause.ADL,
    "clear": FillCause.SETTLEMENT,
}
OPEN_ORDERS = Rows(method="open_order_rows")
POSITIONS = Rows(
    method="position_rows",
    columns={
        "symbol": "contract",
        "amount": "amount",
        "mode": "mode",
        "entry_price": "entry_price",
        "mark_price": "mark_price",
        "liquidation_price": "liquidation_price",
        "leverage": "leverage",
        "unrealised_pnl": "unrealised_pnl",
        "adl_rank": "adl_rank",
        "margin": "margin",
    },
)
CHANGE = {"time": "time", "key": "key", "asset": "asset"}
TESTNET = "https://api-testnet.gateapi.io/api/v4"

PROFILE = VenueProfile(
    name="gate",
    title="Gate",
    short_code="GAT",
    ccxt_class="gate",
    options={
        "fetchMarkets": {"types": ["swap"]},
        "swap": {"fetchMarkets": {"settlementCurrencies": ["usdt"]}},
    },
    is_spot=False,
    settlement=SettlementKind.LUMP,
    interval_rule=IntervalRule.HOURS_WITH_THE_RATE,
    receive_window=timedelta(seconds=5),
    deadline_header="x-gate-exptime",
    key_names=("apiKey", "secret"),
    # Orders and positions count contracts: a size that has changed makes all of them wrong.
    relisted_every=timedelta(minutes=1),
    # Contracts of what is not issued yet are priced by themselves.
    only_listed={"is_pre_market": frozenset({False, None})},
    maintenance_margin=("maintenance_rate",),
    end_keys=("delisting_time", "delisted_time"),
    end_unit=timedelta(seconds=1),
    symbol_param="contract",
    depth_sizes=(10, 50, 300),
    quotas=QUOTAS,
    book_tops=flat.TOPS,
    quotes=flat.QUOTES,
    funding_rates=flat.RATES,
    # Forty days of hourly settlements fit into an answer.
    settled_funding=flat.settlements(Paging.BACKWARD, 1000, timedelta(days=40)),
    funding_bounds=flat.BOUNDS,
    activity=flat.ACTIVITY_BESIDE_TOPS,
    risk_tiers=Rows(
        method="publicFuturesGetSettleRiskLimitTiers",
        params={"settle": "usdt"},
        columns={
            "notional": "risk_limit",
            "leverage": "leverage_max",
            "maintenance": "maintenance_rate",
            "deduction": "deduction",
        },
    ),
    largest_market_order=("market_order_size_max",),
    # `t-` and at most 28 letters: 112 bits in hex.
    client_id_bytes=14,
    client_id_prefix="t-",
    find_order=(Rows(method="order_rows"),),
    client_id_param="text",
    cancel_order=Rows(method="cancel_rows"),
    open_orders=OPEN_ORDERS,
    all_open_orders=OPEN_ORDERS,
    balances=flat.BALANCES,
    positions=POSITIONS,
    fills=Rows(
        method="fill_rows",
        columns={
            "symbol": "contract",
            "time": "time",
            "key": "key",
            "order_id": "order_id",
            "client_order_id": "text",
            "side": "side",
            "price": "price",
            "amount": "amount",
            "fee": "fee",
            "fee_asset": "fee_asset",
            "is_maker": "is_maker",
        },
        paging=Paging.FORWARD,
        page_size=flat.WHOLE,
        window=timedelta(days=30),
        span=BY_TIME,
    ),
    own_id_causes=OWN_ID_CAUSES,
    funding_payments=Rows(
        method="payment_rows",
        columns={**CHANGE, "symbol": "contract", "payment": "change"},
        paging=Paging.FORWARD,
        page_size=flat.WHOLE,
        window=timedelta(days=30),
        span=BY_TIME,
    ),
    transfers=Rows(
        method="transfer_rows",
        columns={**CHANGE, "amount": "change"},
        paging=Paging.FORWARD,
        page_size=flat.WHOLE,
        window=timedelta(days=30),
        span=BY_TIME,
    ),
    # Its settlements are stamped a second late, its book of changes when it was written.
    settlement_slack=timedelta(seconds=30),
    fee_tier=Rows(
        method="fee_rows", columns={"symbol": "contract", "maker": "maker", "taker": "taker"}
    ),
    fallback_maker=Decimal("0.0002"),
    fallback_taker=Decimal("0.0005"),
    key_rights=KEY_RIGHTS,
    settings=SettingCalls(
        position_mode=Rows(method="account_rows", columns={"mode": "mode"}),
        # It sets the contract to cross margin as well.
        set_leverage=Rows(method="leverage_rows"),
        leverage_params=("leverage",),
        whole_leverage=True,
        hedge_mode_advice=HEDGE_MODE_ADVICE,
    ),
    isolated_margin=IsolatedMargin(
        position=POSITIONS, add=Rows(method="add_margin_rows"), amount_param="change"
    ),
    dead_man=DeadMan(
        call=Rows(method="countdown_rows"),
        countdown_param="timeout",
        unit=timedelta(seconds=1),
        shortest=timedelta(seconds=5),
    ),
    practice=Practice(
        addresses={
            "public": {"futures": TESTNET, "spot": TESTNET},
            "private": {"futures": TESTNET},
            "swap": {"usdt": "wss://ws-testnet.gate.com/v4/ws/futures/usdt"},
        },
        # What a key may do is told of accounts, which the testnet has not.
        tells_rights=False,
    ),
    verdicts=VERDICTS,
)
