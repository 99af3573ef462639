"""Kraken Futures: multi-collateral linear perpetuals in USD, counted in coins.

Calls and fields: docs.kraken.com/api, Futures. The methods named here make flat rows of its
answers. Funding is owed all along and paid at each change of a position and at each hour's end.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain import FillCause, SettlementKind
from exchanges.venues import flat
from exchanges.venues.kraken_schedule import status_of
from exchanges.venues.krakenfutures_access import KEY_RIGHTS
from exchanges.venues.krakenfutures_codes import VERDICTS
from exchanges.venues.krakenfutures_quotas import QUOTAS
from exchanges.venues.practice import Practice
from exchanges.venues.profile import IntervalRule, SettingCalls, VenueProfile
from exchanges.venues.rows import Paging, Rows

OPEN_ORDERS = Rows(method="open_order_rows")
DEMO = "https://demo-futures.kraken.com"


PROFILE = VenueProfile(
    name="krakenfutures",
    title="Kraken Futures",
    short_code="KRF",
    company="kraken",
    ccxt_class="krakenfutures",
    options={},
    is_spot=False,
    settlement=SettlementKind.ACCRUED,
    rate_stands=True,
    interval_rule=IntervalRule.HOURS_BY_SETTLEMENTS,
    receive_window=timedelta(seconds=5),
    # Each look for one that is not found takes of the few questions that the history allows.
    look_up_every=timedelta(seconds=2),
    only_listed={"type": frozenset({"flexible_futures"})},
    initial_margin=("marginLevels", "0", "initialMargin"),
    maintenance_margin=("marginLevels", "0", "maintenanceMargin"),
    depth_sizes=(100,),
    quotas=QUOTAS,
    book_tops=flat.TOPS,
    quotes=flat.QUOTES,
    funding_rates=flat.RATES,
    settled_funding=flat.settlements(Paging.FORWARD, flat.WHOLE),
    funding_bounds=flat.BOUNDS,
    activity=flat.ACTIVITY,
    risk_tiers=flat.TIERS,
    find_order=(Rows(method="order_rows"),),
    client_id_param="cliOrdId",
    cancel_order=Rows(method="cancel_rows"),
    open_orders=OPEN_ORDERS,
    all_open_orders=OPEN_ORDERS,
    balances=flat.BALANCES,
    positions=flat.POSITIONS,
    fills=flat.FILLS,
    kind_causes={
        "liquidation": FillCause.LIQUIDATION,
        "partialLiquidation": FillCause.LIQUIDATION,
        "assignor": FillCause.LIQUIDATION,
        "unwindBankrupt": FillCause.LIQUIDATION,
        "unwindCounterparty": FillCause.ADL,
    },
    funding_payments=flat.PAYMENTS,
    transfers=flat.TRANSFERS,
    # The log may be written some seconds after the instant.
    settlement_slack=timedelta(seconds=5),
    fee_tier=Rows(
        method="fee_rows", columns={"symbol": "symbol", "maker": "maker", "taker": "taker"}
    ),
    fallback_maker=Decimal("0.0002"),
    fallback_taker=Decimal("0.0005"),
    key_rights=KEY_RIGHTS,
    status=status_of("futures"),
    settings=SettingCalls(
        # One position a contract is all there is.
        position_mode=None,
        set_leverage=Rows(method="leverage_rows"),
        leverage_params=("leverage",),
        whole_leverage=False,
        set_margin_mode=Rows(method="cross_margin_rows"),
        margin_mode_takes_symbol=True,
        margin_mode=Rows(method="preference_rows", columns={"mode": "mode"}),
        isolated_name="isolated",
    ),
    practice=Practice(
        addresses={
            "public": f"{DEMO}/derivatives/api/",
            "private": f"{DEMO}/derivatives/api/",
            "history": f"{DEMO}/api/history/",
            "ws": "wss://demo-futures.kraken.com/ws/v1",
        },
        # Its keys are made for the demo alone, and what they may do is not documented there.
        tells_rights=False,
    ),
    no_dead_man=(
        "Kraken Futures counts down every order of the account, closing and foreign ones too: it "
        "cannot be armed for one entry order."
    ),
    verdicts=VERDICTS,
)
