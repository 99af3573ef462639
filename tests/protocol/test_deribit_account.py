"""A Deribit account through the real adapter: what only it has.

Payloads are written after docs.deribit.com, summaries are recorded ones: nobody here has asked the
venue. The rest is asked of the simulated venue.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exchanges.ccxt_adapter.calls import deribit_wallet as wallet
from exchanges.ccxt_adapter.numbers import exact
from exchanges.domain import FillCause, Side
from exchanges.errors import CredentialRefused, UnexpectedPayload
from exchanges.simulator.accounts import Origin
from exchanges.simulator.listings import DERIBIT
from tests.protocol.deribit_desk import NAME, SYMBOL, Desk, answered, trade
from tests.protocol.test_recorded_payloads import ADAPTERS, recorded
from tests.protocol.venue_desk import OWN, D
from tests.simulator.nearby import call
from tests.simulator.world import START

pytestmark = pytest.mark.protocol

SUMMARY = {
    "id": 10,
    "currency": "USDC",
    "balance": 1000.0,
    "equity": 1014.5,
    "margin_balance": 1014.5,
    "available_funds": 600.25,
    "maintenance_margin": 60.0,
    "margin_model": "cross_sm",
    "portfolio_margining_enabled": False,
    "fees": [],
}
POSITION = {
    "instrument_name": NAME,
    "kind": "future",
    "direction": "sell",
    "size": -6000.0,
    "size_currency": -0.1,
    "average_price": 60_100.0,
    "mark_price": 60_000.0,
    "maintenance_margin": 60.0,
    "realized_funding": 2.5,
}
FLAT = POSITION | {"instrument_name": "ETH_USDC-PERPETUAL", "direction": "zero", "size": 0}
FLAT["size_currency"] = 0
# Nothing of it is ours, so that what it wins is explained by nothing.
DATED = POSITION | {"instrument_name": "BTC_USDC-27MAR26"}


@pytest.fixture
def desk(tmp_path: Path) -> Generator[Desk]:
    opened = Desk(tmp_path)
    yield opened
    call(opened.client.close())


def logged(**entry: Any) -> dict[str, Any]:
    """Return an entry of the log in the shape of the documents' example."""
    return {
        "id": 61_311,
        "user_seq": 6008,
        "type": "settlement",
        "timestamp": 1613659544153,
        "instrument_name": NAME,
        "currency": "USDC",
        "side": "long",
        "interest_pl": 0.00000993,
        "total_interest_pl": 0.00001243,
        "change": 0.00215706,
        "cashflow": 0.00215706,
        "commission": None,
    } | entry


# --- What it is worth ----------------------------------------------------------------------------


def test_what_open_positions_have_won_is_in_the_equity_and_not_in_the_total(desk: Desk) -> None:
    """The venue's cash of 1,000 lacks what this day has realised: 2 by a trade that is closed."""
    other = SUMMARY | {"currency": "BTC", "balance": 0.5, "equity": 0.75, "available_funds": 0.75}
    desk.hear(
        {
            "/get_account_summaries": answered({"summaries": [SUMMARY, other]}),
            "/get_positions": answered([POSITION, DATED, FLAT]),
        }
    )

    dollars, bitcoin = call(desk.account.balances())

    # Short 0.1 from 60,100 at 60,000 is 10, and 2.5 of funding.
    assert (dollars.total, dollars.equity, dollars.free) == (D(1002), D("1014.5"), D("600.25"))
    assert (bitcoin.asset, bitcoin.total, bitcoin.free) == ("BTC", D("0.75"), 0)


def test_an_account_that_does_not_tell_of_its_dollars_is_not_empty(desk: Desk) -> None:
    desk.hear(
        {
            "/get_account_summaries": answered({"summaries": []}),
            "/get_positions": answered([]),
        }
    )

    with pytest.raises(UnexpectedPayload):
        call(desk.account.balances())


@pytest.mark.skipif(not ADAPTERS.exists(), reason="the recorded payloads are not here")
def test_recorded_summaries_are_understood() -> None:
    plain = recorded("deribit/http_get_account_summaries.json")["result"]["summaries"]
    cross = recorded("deribit/http_get_account_summaries_cross_margin.json")["result"]["summaries"]

    assert [wallet.is_standard(row) for row in plain] == [True, True]
    assert not any(wallet.is_standard(row) for row in cross)
    [fees] = wallet.fees(plain[0])
    assert (fees["index"], exact(fees["taker"])) == ("btc_usd", D("0.00035"))
    assert [wallet.balance(row, [])["asset"] for row in cross][:2] == ["BTC", "USDT"]


@pytest.mark.parametrize("told", [{}, {"estimated_liquidation_price": 0}])
def test_a_position_is_liquidated_where_the_account_would_be_worth_its_margin(
    desk: Desk, told: Any
) -> None:
    desk.hear(
        {
            "/get_account_summary": answered(SUMMARY),
            "/get_positions": answered([POSITION | told]),
        }
    )

    [held] = call(desk.account.positions())

    assert (held.base_quantity, held.entry_price, held.mark_price) == (D("-0.1"), 60_100, 60_000)
    # 954.5 are left; a short of 0.1 loses 0.1 a dollar, and its margin of 1 % grows by 0.001.
    assert held.liquidation_price is not None
    assert abs(held.liquidation_price - (60_000 + D("954.5") / D("0.101"))) < D("1e-9")


def test_a_size_in_dollars_is_never_taken_for_one_in_coins(desk: Desk) -> None:
    """On the testnet `size` was seen in dollars: 8.4 of them were 0.0001 bitcoin."""
    told = {name: value for name, value in POSITION.items() if name != "size_currency"}
    desk.hear(
        {
            "/get_account_summary": answered(SUMMARY),
            "/get_positions": answered([told]),
        }
    )

    with pytest.raises(UnexpectedPayload):
        call(desk.account.positions())


def test_what_is_held_of_dated_contracts_hides_nothing_of_ours(desk: Desk) -> None:
    desk.hear(
        {
            "/get_account_summary": answered(SUMMARY),
            "/get_positions": answered([DATED, POSITION, FLAT]),
        }
    )

    [held] = call(desk.account.positions())

    assert (held.symbol, held.base_quantity) == (SYMBOL, D("-0.1"))


def test_a_perpetual_that_nobody_lists_is_no_stranger_s(desk: Desk) -> None:
    unknown = POSITION | {"instrument_name": "NEW_USDC-PERPETUAL"}
    desk.hear(
        {
            "/get_account_summary": answered(SUMMARY),
            "/get_positions": answered([POSITION, unknown]),
        }
    )

    with pytest.raises(UnexpectedPayload, match="which is not listed"):
        call(desk.account.positions())


def test_where_the_venue_tells_it_that_is_believed(desk: Desk) -> None:
    desk.hear(
        {
            "/get_account_summary": answered(SUMMARY),
            "/get_positions": answered([POSITION | {"estimated_liquidation_price": 68_000.5}]),
        }
    )

    [held] = call(desk.account.positions())

    assert held.liquidation_price == D("68000.5")


# --- Executions ----------------------------------------------------------------------------------


def test_executions_older_than_a_day_are_read_from_the_other_list_too(desk: Desk) -> None:
    desk.submit()
    desk.world.wait(hours=30)
    desk.world.place(DERIBIT, Side.SELL, "0.02")

    fills = call(desk.account.fills(SYMBOL, since=START))
    lately = call(desk.account.fills(SYMBOL, since=desk.world.at - timedelta(hours=1)))

    assert [(one.side, one.base_quantity) for one in fills] == [
        (Side.BUY, D("0.01")),
        (Side.SELL, D("0.02")),
    ]
    assert [one.base_quantity for one in lately] == [D("0.02")]
    assert fills[0].client_order_id == OWN
    lists = [
        one.get("historical", "false")
        for one in desk.far.asked("/get_user_trades_by_instrument_and_time")
    ]
    assert lists == ["false", "true", "false"]


def test_more_executions_than_a_list_tells_at_once_are_all_read(desk: Desk) -> None:
    told = [
        trade(trade_id=f"USDC-{number}", timestamp=1_767_614_400_000 + number // 2)
        for number in range(1500)
    ]

    def page(query: Any) -> Any:
        begins = int(query["start_timestamp"])
        kept = [] if "historical" in query else [one for one in told if one["timestamp"] >= begins]
        return answered({"trades": kept[:1000], "has_more": len(kept) > 1000})

    desk.hear({"/get_user_trades_by_instrument_and_time": page})

    fills = call(desk.account.fills(SYMBOL, since=START - timedelta(hours=1)))

    assert len({one.venue_trade_id for one in fills}) == len(fills) == 1500


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"liquidity": "T", "liquidation": "T"}, FillCause.LIQUIDATION),
        ({"liquidity": "M", "liquidation": "MT"}, FillCause.LIQUIDATION),
        ({"order_type": "liquidation"}, FillCause.LIQUIDATION),
        # Somebody else was liquidated against our order.
        ({"liquidity": "M", "liquidation": "T"}, FillCause.ORDER),
        ({"liquidity": None}, FillCause.ORDER),
    ],
)
def test_an_execution_is_forced_where_our_side_of_it_was(
    desk: Desk, change: Any, cause: FillCause
) -> None:
    told = {"trades": [trade(fee=-0.0005, label=None, **change)]}
    desk.hear({"/get_user_trades_by_instrument_and_time": answered(told)})

    [fill] = call(desk.account.fills(SYMBOL, since=desk.world.at - timedelta(hours=1)))

    assert (fill.cause, fill.client_order_id, fill.fee) == (cause, None, D("-0.0005"))
    assert fill.is_maker is (change.get("liquidity", "T") == "M")


def test_what_the_venue_closes_is_told_as_such(desk: Desk) -> None:
    desk.submit()
    listing = desk.world.listing(DERIBIT)
    desk.world.simulator.engine.close_by_venue(
        desk.owner, listing, Origin.LIQUIDATION, now=desk.world.at
    )

    *_, last = call(desk.account.fills(SYMBOL, since=START))

    assert (last.cause, last.side) == (FillCause.LIQUIDATION, Side.SELL)


# --- The log -------------------------------------------------------------------------------------


def test_funding_is_what_trades_and_settlements_realised_and_nothing_else(desk: Desk) -> None:
    moved_at = int(desk.world.at.timestamp() * 1000)
    entries = [
        logged(),
        logged(id=61_310, type="trade", interest_pl=-0.5, side="close sell", change=-0.12),
        logged(id=61_309, type="trade", interest_pl=0.0, side="open buy"),
        logged(id=61_308, type="transfer", interest_pl=None, instrument_name=None, change=-2.5)
        | {"timestamp": moved_at},
        logged(id=61_307, type="correction", interest_pl=None, instrument_name=None, change=0.25),
    ]
    desk.hear({"/get_transaction_log": answered({"logs": entries, "continuation": None})})

    payments = call(desk.account.funding_payments({NAME: SYMBOL}, since=START))
    moved = call(desk.account.transfers(since=START))

    assert {(one.venue_payment_id, one.payment, one.asset) for one in payments} == {
        ("61311", D("0.00000993"), "USDC"),
        ("61310", D("-0.5"), "USDC"),
    }
    # What was corrected names no contract and moved no money: it stays unexplained.
    assert [(one.venue_transfer_id, one.amount) for one in moved] == [("61308", D("-2.5"))]


def test_the_log_is_read_page_by_page_until_it_ends(desk: Desk) -> None:
    def page(query: Any) -> Any:
        token = query.get("continuation")
        row = logged(id=2 if token else 1, interest_pl=3 if token else 4)
        return answered({"logs": [row], "continuation": None if token else "next"})

    far = desk.hear({"/get_transaction_log": page})

    payments = call(desk.account.funding_payments({NAME: SYMBOL}, since=START))

    assert sorted(one.payment for one in payments) == [3, 4]
    assert [query.get("continuation") for query in far.requests("/get_transaction_log")] == [
        None,
        "next",
    ]


def test_pages_that_do_not_end_are_a_failure(desk: Desk) -> None:
    desk.hear({"/get_transaction_log": answered({"logs": [logged()], "continuation": "same"})})

    with pytest.raises(UnexpectedPayload):
        call(desk.account.funding_payments({NAME: SYMBOL}, since=START))


def test_transfers_are_read_once_and_then_the_last_hour_of_them(desk: Desk) -> None:
    ledger = desk.world.simulator.ledger
    ledger.move(desk.owner, "margin", "USDC", D(50), now=desk.world.at)
    desk.world.wait(hours=5)
    ledger.move(desk.owner, "margin", "USDC", D(-20), now=desk.world.at)
    desk.world.wait(seconds=30)

    both = call(desk.account.transfers(since=START))
    again = call(desk.account.transfers(since=START))

    assert [one.amount for one in both] == [one.amount for one in again] == [50, -20]
    first, second = desk.far.asked("/get_transaction_log")
    assert int(second["start_timestamp"]) > int(first["start_timestamp"])


# --- The key -------------------------------------------------------------------------------------


def key_of(desk: Desk, scope: str, summary: Any = SUMMARY, **more: Any) -> Any:
    own = {"client_id": desk.owner.api_key, "client_secret": "never-shown", "max_scope": scope}
    stranger = {"client_id": "another", "client_secret": "hidden", "max_scope": "wallet:read_write"}
    desk.hear(
        {
            "/list_api_keys": answered([stranger, {**own, "ip_whitelist": [], **more}]),
            "/get_account_summary": answered(summary),
        }
    )
    return call(desk.account.check_key())


@pytest.mark.parametrize(
    ("scope", "advice"),
    [
        ("trade:read_write account:read wallet:read_write", "withdraw and move money"),
        ("trade:read_write account:read_write", "change the account and its keys"),
        ("trade:read_write account:read block_trade:read_write", "beside the book"),
        ("trade:read_write account:read custody:read_write", "do more than trade"),
        ("trade:read account:read", "may not trade"),
        ("trade:read_write", "may not read the account"),
    ],
)
def test_each_right_too_many_or_too_few_is_refused_with_what_to_do(
    desk: Desk, scope: str, advice: str
) -> None:
    with pytest.raises(CredentialRefused, match=f"{advice}.*and try again"):
        key_of(desk, scope)


def test_a_key_that_trades_and_reads_is_taken_and_nothing_else_of_the_list_is_kept(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    found = key_of(desk, "account:read block_trade:read trade:read_write wallet:none")

    assert (found.venue_uid, found.is_bound_to_address) == ("10", False)
    kept = vars(desk.client.exchange).values()
    assert not any("never-shown" in str(one) or "hidden" in str(one) for one in kept)
    assert "never-shown" not in caplog.text


def test_an_account_on_portfolio_margin_is_refused(desk: Desk) -> None:
    with pytest.raises(CredentialRefused, match="to Standard Margin, and try again"):
        key_of(desk, "trade:read_write account:read", SUMMARY | {"margin_model": "cross_pm"})


def test_a_key_that_the_list_leaves_out_is_not_understood(desk: Desk) -> None:
    with pytest.raises(UnexpectedPayload):
        key_of(desk, "trade:read_write account:read", client_id="a third")
