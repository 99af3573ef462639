"""What venues close by themselves carries its cause, from streams and from lists."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchanges.ccxt_adapter import parse_account
from exchanges.ccxt_adapter.feeds import binance_account as binance_account_feeds
from exchanges.ccxt_adapter.feeds import bybit as bybit_feeds
from exchanges.ccxt_adapter.feeds import okx as okx_feeds
from exchanges.domain import Fill, FillCause
from exchanges.venues.binanceusdm import PROFILE as USDM_PROFILE
from exchanges.venues.bybit import PROFILE as BYBIT_PROFILE
from exchanges.venues.okx import PROFILE as OKX_PROFILE
from tests.protocol.test_streams_payloads import BYBIT, USDM

pytestmark = pytest.mark.protocol

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STAMP = 1772366400000


def order_update(own_id: str, kind: str) -> dict[str, Any]:
    order = {
        "s": "BTCUSDT", "c": own_id, "S": "SELL", "q": "0.5", "ap": "60000", "x": kind,
        "X": "FILLED", "i": 7, "l": "0.5", "z": "0.5", "L": "60000", "N": "USDT", "n": "15",
        "T": STAMP, "t": 9, "m": False, "R": True,
    }  # fmt: skip
    return {"e": "ORDER_TRADE_UPDATE", "o": order}


def execution(kind: str, fee: str = "16.5") -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "orderId": "o1", "orderLinkId": "", "side": "Buy", "execFee": fee,
        "execId": "e1", "execPrice": "60000", "execQty": "0.5", "execType": kind,
        "execTime": str(STAMP), "feeCurrency": "USDT", "isMaker": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("own_id", "kind", "cause"),
    [
        ("autoclose-1596107620040000020", "CALCULATED", FillCause.LIQUIDATION),
        ("autoclose-1596107620040000020", "TRADE", FillCause.LIQUIDATION),
        ("adl_autoclose", "CALCULATED", FillCause.ADL),
        ("settlement_autoclose-1", "TRADE", FillCause.SETTLEMENT),
        ("web_abc", "TRADE", FillCause.ORDER),
    ],
)
def test_binance_executions_tell_their_cause(own_id: str, kind: str, cause: FillCause) -> None:
    found = binance_account_feeds.usdm_account_facts(
        order_update(own_id, kind), {"BTCUSDT": USDM}, NOW
    )

    [fill] = [fact for fact in found if isinstance(fact, Fill)]
    assert (fill.cause, fill.base_quantity) == (cause, Decimal("0.5"))


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("Trade", FillCause.ORDER),
        ("BustTrade", FillCause.LIQUIDATION),
        ("AdlTrade", FillCause.ADL),
        ("Settle", FillCause.SETTLEMENT),
        ("Delivery", FillCause.SETTLEMENT),
    ],
)
def test_bybit_executions_tell_their_cause(kind: str, cause: FillCause) -> None:
    [streamed] = bybit_feeds.account_facts("execution", execution(kind), BYBIT, NOW)
    columns = BYBIT_PROFILE.fills.columns
    listed = parse_account.fill(execution(kind), columns, BYBIT, BYBIT_PROFILE)

    assert isinstance(streamed, Fill)
    assert streamed.cause is listed.cause is cause


@pytest.mark.parametrize(
    ("sub_type", "category", "cause"),
    [
        ("1", "normal", FillCause.ORDER),
        ("102", "partial_liquidation", FillCause.LIQUIDATION),
        ("107", "full_liquidation", FillCause.LIQUIDATION),
        ("128", "adl", FillCause.ADL),
        ("112", "delivery", FillCause.SETTLEMENT),
    ],
)
def test_okx_executions_tell_their_cause(sub_type: str, category: str, cause: FillCause) -> None:
    row = {
        "tradeId": "-5", "ordId": "7", "clOrdId": "", "side": "sell", "fillPx": "60000",
        "fillSz": "0.5", "fillTime": str(STAMP), "execType": "", "subType": sub_type,
        "category": category, "fee": "-16.5", "feeCcy": "USDT", "fillFee": "-16.5",
        "fillFeeCcy": "USDT",
    }  # fmt: skip
    listed = parse_account.fill(row, OKX_PROFILE.fills.columns, BYBIT, OKX_PROFILE)
    streamed = parse_account.fill(row, okx_feeds.FILL_COLUMNS, BYBIT, OKX_PROFILE)

    assert streamed == listed
    assert (listed.cause, listed.fee) == (cause, Decimal("16.5"))


@pytest.mark.parametrize("kind", ["Funding", "SessionSettlePnL"])
def test_rows_that_move_no_position_are_no_fills(kind: str) -> None:
    assert list(bybit_feeds.account_facts("execution", execution(kind), BYBIT, NOW)) == []


def test_only_a_closing_of_the_venue_may_come_without_a_fee() -> None:
    columns = BYBIT_PROFILE.fills.columns

    settled = parse_account.fill(execution("Settle", fee=""), columns, BYBIT, BYBIT_PROFILE)
    assert settled.fee == 0
    with pytest.raises(ValueError, match="without its fee"):
        parse_account.fill(execution("Trade", fee=""), columns, BYBIT, BYBIT_PROFILE)


def test_the_cause_is_read_from_how_the_id_begins() -> None:
    assert USDM_PROFILE.cause(own_id="adl_autoclose") is FillCause.ADL
    assert USDM_PROFILE.cause(own_id="my-autoclose-1") is FillCause.ORDER
