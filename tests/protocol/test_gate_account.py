"""What only Gate has of an account: two lists of fills, its book, its keys, its private channels.

Payloads that the simulator does not make are written after its documentation (APIv4, Futures).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exchanges.access import KeyFacts
from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.calls import gate_rows as rows
from exchanges.ccxt_adapter.numbers import as_written
from exchanges.domain import (
    FillCause,
    Side,
    Symbol,
    VenueOrderStatus,
)
from exchanges.errors import (
    CredentialRefused,
    SettingRefused,
    UnexpectedPayload,
)
from tests.conformance.bench import Bench
from tests.protocol import gate_desk
from tests.protocol.gate_desk import (
    BITCOIN,
    FILL,
    OWN_ID,
    POSITION,
    PROFILE,
    WALLET,
    Asked,
    D,
)
from tests.simulator.nearby import call

pytestmark = pytest.mark.protocol


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield from gate_desk.opened(tmp_path)


@pytest.fixture(scope="module", autouse=True)
def closed() -> Iterator[None]:
    yield from gate_desk.closed()


# --- Rows -------------------------------------------------------------------------------------


def test_both_lists_of_fills_and_the_socket_tell_one_execution_alike() -> None:
    latest = {name: told for name, told in FILL.items() if name != "trade_id"} | {"id": 121234231}
    written = b'{"id": "121234231", "create_time": 1772367000, "create_time_ms": 1772367000123, '
    written += b'"contract": "BTC_USDT", "order_id": "15675394", "size": "-100", "price": "60010.5"'
    written += b', "role": "taker", "text": "%b", "fee": 0.3, "point_fee": 0}' % OWN_ID.encode()

    by_time = rows.fill(FILL)

    assert rows.fill(latest) == by_time
    assert rows.fill(as_written(written)) == by_time | {"fee": D("0.3")}


def test_fills_that_the_list_by_time_lacks_yet_are_read_from_the_latest() -> None:
    latest = {name: told for name, told in FILL.items() if name != "trade_id"}
    fresh, old = latest | {"id": 2}, latest | {"id": 1, "create_time": 1672367000.0}
    asked = Asked(my_trades_timerange=[FILL], my_trades=[fresh, latest | {"id": 121234231}, old])
    since = asked.venue.now - timedelta(days=1)

    fills = call(CcxtAccount(asked.client).fills(BITCOIN, since=since))

    assert sorted(fill.venue_trade_id for fill in fills) == ["121234231", "2"]
    assert {(fill.fee, fill.fee_asset, fill.side) for fill in fills} == {
        (D("0.3"), "USDT", Side.SELL)
    }
    [query] = asked.venue.requests("/my_trades_timerange")
    # No end is told as late as now: by the venue's clock it may be to come.
    assert (int(query["from"]), "to" in query) == (int(since.timestamp()), False)


def test_weeks_are_asked_for_window_by_window() -> None:
    asked = Asked(account_book=[])
    since = asked.venue.now - timedelta(days=40)

    call(CcxtAccount(asked.client).transfers(since=since))

    spans = [(query["from"], query.get("to")) for query in asked.venue.requests("/account_book")]
    border = str(int((since + timedelta(days=30)).timestamp()))
    assert spans == [(str(int(since.timestamp())), border), (border, None)]


def test_fee_is_paid_in_points_where_it_costs_no_dollars() -> None:
    in_points = rows.fill(FILL | {"fee": "0", "point_fee": "0.31"})

    assert (in_points["fee"], in_points["fee_asset"]) == (D("0.31"), "POINT")
    # A maker is paid.
    rebate = rows.fill(FILL | {"fee": "-0.12", "role": "maker"})
    assert (rebate["fee"], rebate["fee_asset"], rebate["is_maker"]) == ("-0.12", "USDT", True)


def test_long_list_is_read_page_by_page() -> None:
    def page(query: Mapping[str, str]) -> list[dict[str, Any]]:
        first = int(query["offset"])
        return [FILL | {"trade_id": str(n + 1)} for n in range(first, min(first + 100, 250))]

    asked = Asked(my_trades_timerange=page, my_trades=[])

    since = asked.venue.now - timedelta(days=1)
    fills = call(CcxtAccount(asked.client).fills(BITCOIN, since=since))

    assert len({fill.venue_trade_id for fill in fills}) == 250


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (OWN_ID, FillCause.ORDER),
        ("web", FillCause.ORDER),
        ("api", FillCause.ORDER),
        ("liquidation", FillCause.LIQUIDATION),
        ("liq-15675394", FillCause.LIQUIDATION),
        ("hedge-liq-15675394", FillCause.LIQUIDATION),
        ("scm_liquidate", FillCause.LIQUIDATION),
        ("auto_deleveraging", FillCause.ADL),
        ("clear", FillCause.SETTLEMENT),
    ],
)
def test_closing_by_the_venue_is_told_by_its_text(text: str, cause: FillCause) -> None:
    assert PROFILE.cause(own_id=text) is cause


def test_cross_position_tells_its_leverage_and_how_soon_it_is_deleveraged() -> None:
    row = rows.position(POSITION)

    assert (row["amount"], row["leverage"], row["margin"]) == (D("-9440"), 10, "")
    assert rows.position(POSITION | {"lever": "3"})["leverage"] == 3
    assert rows.position(POSITION | {"cross_leverage_limit": "0"})["leverage"] is None
    # Gate's first is ours of five lights.
    assert row["adl_rank"] == 5
    assert rows.position(POSITION | {"adl_ranking": 5})["adl_rank"] == 1
    assert rows.position(POSITION | {"adl_ranking": 6})["adl_rank"] is None
    assert rows.position(POSITION | {"liq_price": "0"})["liquidation_price"] is None


@pytest.mark.parametrize("told", [{"pos_margin_mode": "isolated"}, {"pos_margin_mode": ""}])
def test_isolated_position_tells_its_own_leverage_and_margin(told: dict[str, str]) -> None:
    row = rows.position(POSITION | {"leverage": "7"} | told)

    assert (row["leverage"], row["margin"]) == (7, "4.4")


def test_equity_counts_what_is_open_and_free_is_the_least_that_is_told() -> None:
    new = {"enable_evolved_classic": True, "cross_available": "9400"}

    assert rows.balance(WALLET) == {
        "asset": "USDT",
        "total": D("9707.8"),
        "equity": D(9700),
        "free": D(9500),
    }
    assert rows.balance(WALLET | new)["free"] == 9400
    # Where nothing is told of cross margin a zero is no answer; the flag itself is deprecated.
    assert rows.balance(WALLET | {"cross_available": "0"})["free"] == 9500
    assert rows.balance(WALLET | {"cross_available": "9400"})["free"] == 9400
    bound = {"cross_available": "0", "cross_initial_margin": "9700"}
    assert rows.balance(WALLET | bound)["free"] == 0
    assert rows.balance(WALLET | {"available": "-3"})["free"] == 0


def test_payments_of_two_contracts_under_one_number_are_two() -> None:
    row = {"time": 1772366401.5, "change": "-3", "type": "fund", "id": "7", "text": ""}
    told = [row | {"contract": f"{coin}_USDT"} for coin in ("BTC", "ETH")]
    asked = Asked(account_book=[*told, row | {"contract": "BTC_USDT", "id": "8", "type": "fee"}])
    since = asked.venue.now - timedelta(days=1)
    contracts = {"BTC_USDT": BITCOIN, "ETH_USDT": Symbol("ETH/USDT:USDT")}

    paid = call(CcxtAccount(asked.client).funding_payments(contracts, since=since))

    assert [(one.venue_payment_id, one.payment, one.asset) for one in paid] == [
        ("1772366401500-BTC_USDT-7", -3, "USDT"),
        ("1772366401500-ETH_USDT-7", -3, "USDT"),
    ]
    assert {query["type"] for query in asked.venue.requests("/account_book")} == {"fund"}


@pytest.mark.parametrize("number", ["", "0", None])
def test_payment_without_a_number_is_not_understood(number: Any) -> None:
    row = {"time": 1772366401.5, "change": "-3", "type": "fund", "id": number}
    asked = Asked(account_book=[row | {"contract": "BTC_USDT"}])
    since = asked.venue.now - timedelta(days=1)

    with pytest.raises(UnexpectedPayload):
        call(CcxtAccount(asked.client).funding_payments({"BTC_USDT": BITCOIN}, since=since))


@pytest.mark.parametrize("contract", [{}, {"contract": ""}, {"contract": None}])
def test_funding_of_no_contract_is_not_understood(contract: dict[str, Any]) -> None:
    row = {"time": 1772366401.5, "change": "-3", "type": "fund", "id": "7", "text": ""}
    asked = Asked(account_book=[row | contract])
    since = asked.venue.now - timedelta(days=1)

    with pytest.raises(UnexpectedPayload):
        call(CcxtAccount(asked.client).funding_payments({"BTC_USDT": BITCOIN}, since=since))


def test_money_that_left_is_negative() -> None:
    row = {"time": 1772366401.5, "type": "dnw", "text": ""}
    told = [row | {"id": "1", "change": "-5"}, row | {"id": "2", "change": "5"}]
    asked = Asked(account_book=told)

    since = asked.venue.now - timedelta(days=1)
    moved = call(CcxtAccount(asked.client).transfers(since=since))

    assert sorted(one.amount for one in moved) == [-5, 5]


# --- Keys and settings ------------------------------------------------------------------------


def permission(name: str, *, reads: bool = False) -> dict[str, Any]:
    return {"name": name, "read_only": reads}


def listed(*perms: dict[str, Any], shown: str = "0123456789ab*****", mode: int = 1) -> Any:
    return {
        "state": 1,
        "mode": mode,
        "user_id": 7,
        "perms": list(perms),
        "ip_whitelist": [],
        "key": shown,
    }


TRADING = permission("futures"), permission("account", reads=True)


def check_key(*keys: Any, **account: Any) -> KeyFacts:
    asked = Asked(accounts=WALLET | account)
    asked.venue.payloads["/account/main_keys"] = list(keys)
    return call(CcxtAccount(asked.client).check_key())


@pytest.mark.parametrize(
    ("key", "account", "advice"),
    [
        (listed(*TRADING, permission("withdraw")), {}, "may withdraw.*clear Withdraw"),
        (listed(*TRADING, permission("withdrawal")), {}, "may withdraw"),
        (listed(*TRADING, permission("wallet")), {}, r"may move money \(transfer\).*clear Wallet"),
        (listed(*TRADING, permission("spot")), {}, "may do more than trade perpetual futures"),
        (listed(*TRADING, permission("unheard_of")), {}, "may do more than trade"),
        (listed(permission("futures", reads=True)), {}, "may not trade contracts.*Read and write"),
        (listed(permission("account")), {}, "may not trade contracts"),
        (listed(*TRADING, mode=2), {}, "unified account"),
        (listed(*TRADING), {"margin_mode": 3}, "unified account"),
        (listed(*TRADING), {"enable_credit": True}, "unified account"),
        (listed(*TRADING), {"position_mode": "dual"}, "One-way Mode"),
        (listed(*TRADING), {"position_mode": "split"}, "One-way Mode"),
        (listed(*TRADING), {"position_mode": "", "in_dual_mode": True}, "One-way Mode"),
    ],
)
def test_key_is_refused_with_what_to_do(key: Any, account: dict[str, Any], advice: str) -> None:
    with pytest.raises(CredentialRefused, match=advice):
        check_key(key, **account)


def test_key_that_suits_is_found_among_others_by_what_is_shown_of_it() -> None:
    others = listed(permission("withdraw"), shown="ffff456789ab*****"), listed(shown="0123*****")
    may_read = permission("wallet", reads=True)

    facts = check_key(*others, listed(*TRADING, may_read))

    assert (facts.venue_uid, facts.is_bound_to_address) == ("7", False)


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [listed(*TRADING, shown="ffffffffffff*****")],
        # Four letters may be those of another key, and two keys may not both be ours.
        [listed(*TRADING, shown="0123*****")],
        [listed(*TRADING), listed(*TRADING)],
        [listed(*TRADING) | {"key": {"mode": 1}}],
        [listed({"name": "futures"})],
    ],
)
def test_rights_of_a_key_that_is_not_found_for_sure_are_not_told(keys: list[Any]) -> None:
    with pytest.raises(UnexpectedPayload):
        check_key(*keys)


def test_contract_on_isolated_margin_is_set_to_cross(bench: Bench) -> None:
    bench.owner.isolate("gate", "BTC_USDT")

    call(bench.trading.prepare(BITCOIN, leverage=D(5)))

    assert not bench.owner.is_isolated("gate", "BTC_USDT")
    assert bench.owner.leverage("gate", "BTC_USDT") == 5


def test_countdown_cancels_what_rests_unless_it_is_ended(bench: Bench) -> None:
    request = bench.order(price=59_000)
    bench.submit(request)
    call(bench.trading.arm_dead_man(BITCOIN, after=timedelta(seconds=5)))
    call(bench.trading.arm_dead_man(BITCOIN, after=timedelta(0)))
    bench.world.wait(seconds=6)
    assert bench.find(request).status is VenueOrderStatus.OPEN

    call(bench.trading.arm_dead_man(BITCOIN, after=timedelta(seconds=5)))
    bench.world.wait(seconds=6)

    assert bench.find(request).status is VenueOrderStatus.CANCELED
    with pytest.raises(SettingRefused, match="5 s and more, not 4 s"):
        call(bench.trading.arm_dead_man(BITCOIN, after=timedelta(seconds=4)))
