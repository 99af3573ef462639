"""Hyperliquid: USDC-margined perpetuals that settle every hour at the oracle price.

Calls and words: hyperliquid.gitbook.io, API. A key is a wallet's address and the private key of an
agent of it, which can trade and cannot withdraw. What the methods named here make of the venue's
answers is in the adapter: every call is one of two addresses and names what it wants in its body.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain import FillCause, SettlementKind
from exchanges.venues import flat
from exchanges.venues.hyperliquid_quotas import QUOTAS
from exchanges.venues.practice import Practice
from exchanges.venues.profile import (
    IntervalRule,
    IsolatedMargin,
    KeyRights,
    KeyRule,
    SettingCalls,
    VenueProfile,
)
from exchanges.venues.rows import Paging, Rows
from exchanges.venues.verdicts import Verdict

COIN = "coin"
REFUSED = "err"
OF_ASSET = {"asset": "baseId"}
API_PAGE = "app.hyperliquid.xyz under More, API"
ALL_TIME = timedelta(days=3650)

# No answer has a code: the words tell.
INVALID_WORDS = (
    "divisible by tick size",
    "minimum value of",
    "invalid size",
    "invalid price",
    "has zero size",
    "from the reference price",
    "too far from oracle",
)
REJECTED_WORDS = (
    "immediately match against any resting",
    "no liquidity available",
    "margin tier limit",
    "open interest",
    "only post-only orders allowed",
    "trading is halted",
)
MARGIN_WORDS = "insufficient margin", "insufficient spot balance"
KEY_WORDS = "user or api wallet", "must deposit before", "not an agent", "agent expired"
NOT_PLACED_WORDS = "invalid nonce", "duplicate nonce", "nonce too low"
VERDICTS_BY_WORDS = {
    **dict.fromkeys(INVALID_WORDS, Verdict.INVALID_ORDER),
    **dict.fromkeys(REJECTED_WORDS, Verdict.REJECTED),
    **dict.fromkeys(MARGIN_WORDS, Verdict.INSUFFICIENT_MARGIN),
    **dict.fromkeys(KEY_WORDS, Verdict.CREDENTIAL),
    **dict.fromkeys(NOT_PLACED_WORDS, Verdict.NOT_PLACED),
    # Signed with a clock that is behind, an action has passed its end before it arrives.
    "expiresafter": Verdict.CLOCK,
    "post only order would have": Verdict.WOULD_TAKE,
    "reduce only order would increase": Verdict.NOTHING_TO_REDUCE,
    "duplicate cloid": Verdict.DUPLICATE,
    "never placed, already canceled, or filled": Verdict.NOT_FOUND,
    "too many cumulative requests": Verdict.RATE_LIMITED,
}
POSITIONS = Rows(
    method="position_rows",
    columns={
        "symbol": COIN,
        "amount": "szi",
        "mode": "mode",
        "entry_price": "entryPx",
        "mark_price": "markPx",
        "liquidation_price": "liquidationPx",
        "leverage": "leverage",
        "unrealised_pnl": "unrealizedPnl",
        "margin": "margin",
    },
)
CONTEXTS = Rows(
    method="rate_rows",
    columns={
        "symbol": COIN,
        "mark_price": "markPx",
        "index_price": "oraclePx",
        "funding_rate": "funding",
        "next_funding_at": "nextFundingTime",
        "hours": "hours",
    },
)
OPEN_ORDERS = Rows(method="open_order_rows")

PROFILE = VenueProfile(
    name="hyperliquid",
    title="Hyperliquid",
    ccxt_class="hyperliquid",
    # Builder fees and referrals are refused where actions are signed.
    options={
        "fetchMarkets": {"types": ["swap"]},
        # What the library would share between clients besides is only of markets left out here.
        "marketHelperProps": [],
        "builderFee": False,
        "refSet": True,
    },
    key_names=("walletAddress", "privateKey"),
    is_spot=False,
    settlement=SettlementKind.HOURLY,
    interval_rule=IntervalRule.HOURS_WITH_THE_RATE,
    receive_window=timedelta(seconds=5),
    depth_sizes=(20,),
    name_key="baseName",
    ticker_key="baseName",
    symbol_param=COIN,
    quotas=QUOTAS,
    # Books are told one by one; of all at once, at what average some thousand dollars trade.
    # The list takes 20 of the 1,200 that may be asked in a minute, and tells impact prices; books
    # that matter are taken over sooner, where they are read whole.
    book_rests=timedelta(seconds=15),
    book_tops=Rows(
        method="context_rows",
        columns={
            "symbol": COIN,
            "bid": "bidPx",
            "bid_quantity": "bidSz",
            "ask": "askPx",
            "ask_quantity": "askSz",
        },
    ),
    quotes=Rows(
        method="context_rows",
        columns={"symbol": COIN, "mark_price": "markPx", "index_price": "oraclePx"},
    ),
    activity=(
        Rows(
            method="context_rows",
            columns={"symbol": COIN, "open_interest": "openInterest", "turnover": "dayNtlVlm"},
        ),
    ),
    funding_rates=CONTEXTS,
    settled_funding=Rows(
        method="settlement_rows",
        columns={
            "symbol": COIN,
            "funding_rate": "fundingRate",
            "time": "time",
            "key": "time",
        },
        paging=Paging.FORWARD,
        page_size=500,
        window=ALL_TIME,
    ),
    maintenance_part=Decimal("0.5"),
    risk_tiers=flat.TIERS,
    market_slippage=Decimal("0.03"),
    price_digits=5,
    client_id_bytes=16,
    client_id_prefix="0x",
    find_order=(Rows(method="order_rows"),),
    client_id_param="cloid",
    cancel_order=Rows(method="cancel_rows", of_listing=OF_ASSET),
    open_orders=OPEN_ORDERS,
    all_open_orders=OPEN_ORDERS,
    balances=flat.BALANCES,
    positions=POSITIONS,
    fills=Rows(
        method="fill_rows",
        columns={
            "symbol": COIN,
            "time": "time",
            "key": "tid",
            "kind": "kind",
            "order_id": "oid",
            "client_order_id": "cloid",
            "side": "side",
            "price": "px",
            "amount": "sz",
            "fee": "fee",
            "fee_asset": "feeToken",
            "is_maker": "is_maker",
        },
        paging=Paging.FORWARD,
        page_size=2000,
        window=ALL_TIME,
        lists_all=True,
    ),
    # Else the direction of an execution, which says what the venue did by itself.
    kind_causes={
        "liquidation": FillCause.LIQUIDATION,
        "Auto-Deleveraging": FillCause.ADL,
        "Settlement": FillCause.SETTLEMENT,
    },
    funding_payments=Rows(
        method="payment_rows",
        columns={
            "symbol": COIN,
            "time": "time",
            "key": "key",
            "payment": "usdc",
            "asset": "asset",
            "funding_rate": "fundingRate",
        },
        paging=Paging.FORWARD,
        page_size=500,
        window=ALL_TIME,
    ),
    transfers=Rows(
        method="transfer_rows",
        columns={"time": "time", "key": "key", "amount": "amount", "asset": "asset"},
        paging=Paging.FORWARD,
        page_size=500,
        window=ALL_TIME,
    ),
    # Payments are written by the block that settles, some seconds after the hour.
    settlement_slack=timedelta(seconds=15),
    fee_tier=Rows(method="fee_rows", columns={"symbol": COIN, "maker": "maker", "taker": "taker"}),
    fallback_maker=Decimal("0.00015"),
    fallback_taker=Decimal("0.00045"),
    key_rights=KeyRights(
        call=Rows(method="key_rows"),
        uid=(("wallet",),),
        rules=(
            KeyRule(
                path=("role",),
                refused="user",
                advice=(
                    "this is the key of a wallet itself, which may withdraw: at "
                    f"{API_PAGE} generate and authorise an API wallet, and enter your wallet's "
                    "address with the API wallet's private key"
                ),
            ),
            KeyRule(
                path=("role",),
                refused="agent",
                is_needed=True,
                advice=(
                    "Hyperliquid knows no API wallet with this key, or no longer: at "
                    f"{API_PAGE} authorise it, or make another, and enter its private key"
                ),
            ),
            KeyRule(
                path=("acts_for_this_wallet",),
                refused=True,
                is_needed=True,
                advice=(
                    "this API wallet acts for another wallet: enter the address of the wallet "
                    f"that authorised it at {API_PAGE}"
                ),
            ),
            *(
                KeyRule(
                    path=("abstraction",),
                    refused=mode,
                    advice=(
                        "this account margins contracts with its spot balances, which is not "
                        "supported: in Hyperliquid's settings switch the unified account off"
                    ),
                )
                for mode in ("unifiedAccount", "portfolioMargin")
            ),
        ),
    ),
    settings=SettingCalls(
        position_mode=None,
        set_leverage=Rows(method="leverage_rows", of_listing=OF_ASSET),
        leverage_params=("leverage",),
        whole_leverage=True,
    ),
    isolated_margin=IsolatedMargin(
        position=POSITIONS,
        add=Rows(method="margin_rows", of_listing=OF_ASSET),
        amount_param="usdc",
    ),
    # https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api, Signing
    practice=Practice(
        addresses={
            "public": "https://api.hyperliquid-testnet.xyz",
            "private": "https://api.hyperliquid-testnet.xyz",
            "ws": {"public": "wss://api.hyperliquid-testnet.xyz/ws"},
        },
        signs_as="b",
    ),
    no_dead_man=(
        "Hyperliquid's scheduled cancel takes every order of the wallet, closing and foreign ones "
        "too, and only from 1,000,000 USD traded: it cannot be armed for one entry order."
    ),
    verdicts={"unknownOid": Verdict.NOT_FOUND},
    message_verdicts={(REFUSED, words): verdict for words, verdict in VERDICTS_BY_WORDS.items()},
)
