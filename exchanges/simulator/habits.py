"""How the venues' matching and bookkeeping differ, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from exchanges.simulator.accounts import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What one venue does where others do something else."""

    # Takes a client id again once the earlier order under it is final.
    takes_ids_again: bool
    # Takes a client id at any time: by it the latest order is shown, or all of them.
    takes_ids_always: bool = False
    # Accepts a post-only order that would take and cancels it, with this reason; else refuses it.
    cancels_crossing: str = ""
    # Numbers orders and executions by UUIDs, not by counting.
    long_ids: bool = False
    # What an order without a client id is called: `{number}` is its own number.
    unnamed: str = ""
    # How it names the orders that it makes itself; others tell it by the kind of the execution.
    own_orders: Mapping[Origin, str] = field(default_factory=lambda: MappingProxyType({}))
    # What the id of a funding payment is made of: its number, its moment, its instrument, or the
    # number of its entry in the account's log.
    payment_id: str = "{number}"
    # Settles at the index, which it calls oracle, not at the mark.
    settles_at_index: bool = False
    # Settles every hour where others wait for longer.
    settles_hourly: bool = False
    # Funding is owed all along: paid at each change of a position, the rest at the settlement.
    accrues: bool = False
    # What accrues is paid once a day instead, and its periods are hours.
    pays_daily: bool = False
    margin_asset: str = "USDT"
    # What it calls an order and an execution, by a number.
    order_id: str = "{number}"
    trade_id: str = "{number}"
    # Takes the fee of spot in money; others take it off what is received.
    fees_in_quote: bool = False


BINANCE_HABITS = Habits(
    takes_ids_again=True,
    unnamed="web_{number}",
    own_orders=MappingProxyType(
        {
            Origin.LIQUIDATION: "autoclose-{number}",
            Origin.ADL: "adl_autoclose",
            Origin.SETTLEMENT: "settlement_autoclose-{number}",
            Origin.DELIVERY: "settlement_autoclose-{number}",
        }
    ),
)
BYBIT_HABITS = Habits(
    takes_ids_again=False,
    cancels_crossing="EC_PostOnlyWillTakeLiquidity",
    long_ids=True,
    payment_id="funding-{number}",
)
BITGET_HABITS = Habits(takes_ids_again=False, cancels_crossing="normal_cancel")
GATE_HABITS = Habits(
    takes_ids_again=True,
    takes_ids_always=True,
    unnamed="api",
    payment_id="{stamp}-{symbol}-{number}",
    own_orders=MappingProxyType(
        {
            Origin.LIQUIDATION: "liq-{number}",
            Origin.ADL: "auto_deleveraging",
            Origin.SETTLEMENT: "clear",
            Origin.DELIVERY: "clear",
        }
    ),
)
KUCOIN_HABITS = Habits(
    takes_ids_again=False, cancels_crossing="post_only", payment_id="{symbol}-{number}"
)
HYPERLIQUID_HABITS = Habits(
    takes_ids_again=False,
    payment_id="{stamp}-{symbol}",
    settles_at_index=True,
    settles_hourly=True,
    margin_asset="USDC",
)
KRAKEN_HABITS = Habits(
    takes_ids_again=True,
    order_id="OSIMUL-VENUE-{number}",
    trade_id="TSIMUL-VENUE-{number}",
    fees_in_quote=True,
)
KRAKEN_FUTURES_HABITS = Habits(
    takes_ids_again=False,
    long_ids=True,
    payment_id="{entry}",
    settles_at_index=True,
    settles_hourly=True,
    accrues=True,
    margin_asset="USD",
)
DERIBIT_HABITS = Habits(
    takes_ids_again=True,
    takes_ids_always=True,
    payment_id="{entry}",
    settles_at_index=True,
    settles_hourly=True,
    accrues=True,
    pays_daily=True,
    margin_asset="USDC",
    order_id="USDC-{number}",
    trade_id="USDC-{number}",
)
OKX_HABITS = Habits(takes_ids_again=False, cancels_crossing="31")
