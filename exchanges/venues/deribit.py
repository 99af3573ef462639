"""Deribit: USDC-margined perpetuals, counted in coins, in an account of standard margin.

Calls and fields: docs.deribit.com. The methods named here make flat rows of its answers. Funding is
owed all along, and paid at each trade and once a day; histories count hours, parts are asked for.
"""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal

from exchanges.domain import FillCause, SettlementKind
from exchanges.venues import flat
from exchanges.venues.deribit_access import KEY_RIGHTS
from exchanges.venues.deribit_codes import MESSAGE_VERDICTS, VERDICTS
from exchanges.venues.deribit_quotas import QUOTAS
from exchanges.venues.practice import Practice
from exchanges.venues.profile import UNASKED, IntervalRule, SettingCalls, VenueProfile
from exchanges.venues.rows import Paging, Rows

OPEN_ORDERS = Rows(method="open_order_rows")
PRACTICE_HOST = "test.deribit.com"


PROFILE = VenueProfile(
    name="deribit",
    title="Deribit",
    short_code="DER",
    ccxt_class="deribit",
    options={},
    is_spot=False,
    book_every=timedelta(seconds=0.25),
    settlement=SettlementKind.ACCRUED,
    accrued_rate=flat.ACCRUED,
    pays_daily_at=time(8),
    interval_rule=IntervalRule.HOURS_BY_SETTLEMENTS,
    receive_window=timedelta(seconds=5),
    # A look for one that is not found takes six questions of twenty a second.
    look_up_every=timedelta(seconds=1),
    # Nothing lists it. By the specification (support.deribit.com, Linear Perpetual) a position of
    # no size needs 2 % and 1 % of bitcoin, on the testnet of October 2026 2 % and 1.334 %.
    maintenance_part=Decimal("0.67"),
    symbol_param="instrument_name",
    depth_sizes=(5, 20, 100),
    # Of market orders what finds nobody rests at the edge of the band, 1.5 % around the mark: a
    # limit stands in, which may end at once.
    market_slippage=Decimal("0.01"),
    quotas=QUOTAS,
    book_tops=UNASKED,
    quotes=flat.QUOTES,
    funding_rates=flat.RATES,
    # A month of hours fits into an answer.
    settled_funding=flat.settlements(Paging.FORWARD, flat.WHOLE, timedelta(days=30)),
    activity=flat.ACTIVITY,
    find_order=(Rows(method="order_rows"),),
    client_id_param="label",
    cancel_order=Rows(method="cancel_rows"),
    open_orders=OPEN_ORDERS,
    all_open_orders=OPEN_ORDERS,
    balances=flat.BALANCES,
    positions=flat.POSITIONS,
    fills=flat.FILLS,
    kind_causes={"liquidation": FillCause.LIQUIDATION},
    funding_payments=flat.PAYMENTS,
    transfers=flat.TRANSFERS,
    # The day's settlement takes several seconds.
    settlement_slack=timedelta(seconds=30),
    fee_tier=Rows(
        method="fee_rows", columns={"symbol": "index", "maker": "maker", "taker": "taker"}
    ),
    fee_group="price_index",
    fallback_maker=Decimal("0"),
    fallback_taker=Decimal("0.0005"),
    key_rights=KEY_RIGHTS,
    settings=SettingCalls(
        # One position a contract is all there is, and the account's margin is no contract's.
        position_mode=None,
        set_leverage=Rows(method="leverage_rows"),
        leverage_params=("leverage",),
        whole_leverage=False,
    ),
    practice=Practice(
        addresses={
            "rest": f"https://{PRACTICE_HOST}",
            "ws": f"wss://{PRACTICE_HOST}/ws/api/v2",
        },
    ),
    no_dead_man=(
        "Deribit cancels orders when a connection is lost, all of that connection or of the "
        "account, and has no countdown: it cannot be armed for one entry order."
    ),
    verdicts=VERDICTS,
    message_verdicts=MESSAGE_VERDICTS,
)
