"""An account at Kraken: fills of many pages, fees in money, what earns by itself, a key's rights.

Payloads that the simulator does not make are written after its documentation (Spot REST).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.access import KeyFacts
from exchanges.ccxt_adapter.calls import kraken_rows as rows
from exchanges.ccxt_adapter.faults import Answer
from exchanges.errors import CredentialRefused, UnexpectedPayload
from tests.conformance.bench import Bench
from tests.protocol.conftest import assert_exact
from tests.protocol.kraken_told import (
    A_SHARE,
    DOLLAR,
    ORDER,
    OWN_ID,
    RIGHTS,
    SUBJECT,
    TRADE,
    Asked,
    told,
)
from tests.simulator.nearby import call
from tests.simulator.world import START, World

pytestmark = pytest.mark.protocol

D = Decimal


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opened = Bench.at(World(tmp_path, interval_minutes=60, watched=True), SUBJECT)
    yield opened
    opened.close()


def test_fills_come_one_by_one_from_all_pages_of_the_pair_that_is_asked_for() -> None:
    at = Asked()
    trades = {f"T{number:03}": TRADE for number in range(120)}
    trades["T119"] = TRADE | {"pair": "XBTUSDT"}
    trades["T118"] = TRADE | {"pair": A_SHARE}
    at.venue.payloads["/private/TradesHistory"] = lambda _: page(at, trades)

    fills = at.of(at.account.fills(DOLLAR, since=datetime(2023, 7, 6, tzinfo=UTC)))

    assert len(fills) == 118
    asked = at.sent("TradesHistory")
    assert [one["ofs"] for one in asked] == ["0", "50", "100"]
    # The second before is left out by the venue.
    assert {one["start"] for one in asked} == {str(int(START_OF_JULY_6) - 1)}
    assert {one["consolidate_taker"] for one in asked} == {"false"}
    fill = fills[0]
    assert (fill.fee, fill.fee_asset, fill.is_maker) == (D("1.5005"), "USD", True)
    assert fill.filled_at == datetime(2023, 7, 6, 18, 23, 16, 880_000, tzinfo=UTC)
    assert fill.client_order_id is None
    assert_exact(fill)


START_OF_JULY_6 = datetime(2023, 7, 6, tzinfo=UTC).timestamp()


def page(at: Asked, trades: Mapping[str, Any]) -> dict[str, Any]:
    first = int(at.venue.asked[-1].parameters["ofs"])
    return told({"trades": dict(list(trades.items())[first : first + 50])})


def test_a_fill_is_traced_to_our_id_by_the_number_of_its_order() -> None:
    history = told({"trades": {"T1": TRADE}})
    at = Asked(TradesHistory=history, QueryOrders=told({"OQCLML-BW3P3-BUCMWZ": ORDER}))

    async def story() -> Any:
        [fill] = await at.account.fills(DOLLAR, since=datetime(2023, 7, 6, tzinfo=UTC))
        return await at.account.trace(fill)

    assert at.of(story()).client_order_id == OWN_ID
    assert at.sent("QueryOrders")[0]["txid"] == "OQCLML-BW3P3-BUCMWZ"


def test_a_purchase_is_charged_in_money_and_leaves_its_coins_whole(bench: Bench) -> None:
    bench.submit(bench.order("0.02"))

    balances = {one.asset: one for one in call(bench.account.balances())}
    [fill] = call(bench.account.fills(SUBJECT.symbol, since=START))

    assert balances["BTC"].total == D("0.02")
    # 0.4 % of what it cost.
    assert (fill.fee, fill.fee_asset) == (fill.price * D("0.02") * D("0.004"), "USDT")
    assert balances["USDT"].total == 100_000 - fill.price * D("0.02") - fill.fee


def test_balances_count_what_earns_by_itself_and_what_is_held_for_orders() -> None:
    at = Asked(
        BalanceEx=told(
            {
                "ZUSD": {"balance": "25435.21", "hold_trade": "8249.76"},
                "XXBT": {"balance": "1.2435", "hold_trade": "0.8423"},
                "XBT.F": {"balance": "0.5", "hold_trade": "0"},
                "XBT.M": {"balance": "2", "hold_trade": "0"},
                "USDT": {
                    **{"balance": "100", "hold_trade": "10"},
                    **{"credit": "50", "credit_used": "20"},
                },
            }
        )
    )

    found = {one.asset: (one.total, one.free) for one in at.of(at.account.balances())}

    assert found == {
        "USD": (D("25435.21"), D("17185.45")),
        "BTC": (D("1.7435"), D("0.9012")),
        "BTC.M": (D(2), D(2)),
        "USDT": (D(100), D(120)),
    }


def test_fees_are_told_in_percent() -> None:
    told_fees = {
        "fees": {"XXBTZUSD": {"fee": "0.2600"}},
        "fees_maker": {"XXBTZUSD": {"fee": "0.16"}},
    }
    at = Asked(TradeVolume=told(told_fees))

    tier = at.of(at.account.fee_tier(DOLLAR))

    assert (tier.maker, tier.taker, tier.is_fallback) == (D("0.0016"), D("0.0026"), False)


# --- The key ----------------------------------------------------------------------------------


def check(**changes: Any) -> KeyFacts:
    at = Asked(GetApiKeyInfo=told(RIGHTS | changes))
    facts: KeyFacts = at.of(at.account.check_key())
    return facts


def test_a_good_key_tells_its_account_its_end_and_where_it_may_be_used() -> None:
    assert check() == KeyFacts(
        venue_uid="AA88 N84G WOAK NMOI", expires_at=None, is_bound_to_address=False
    )
    bound = check(validUntil="1900000000", ipAllowlist=["203.0.113.7"])
    assert bound.expires_at == datetime(2030, 3, 17, 17, 46, 40, tzinfo=UTC)
    assert bound.is_bound_to_address is True


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"nonceWindow": 0}, "set Custom nonce window to 10000000"),
        ({"nonceWindow": 9_999_999}, "set Custom nonce window to 10000000"),
        ({"queryFrom": "1700000000"}, "an order could be missed"),
        ({"queryTo": "1700000000"}, "an order could be missed"),
        *(
            ({"permissions": [*RIGHTS["permissions"], right]}, words)
            for right, words in (
                ("withdraw-funds", "this key may withdraw"),
                ("add-withdraw-address", "this key may add withdrawal addresses"),
                ("update-withdraw-address", "this key may change withdrawal addresses"),
                ("earn-funds", "this key may move money"),
            )
        ),
        *(
            (
                {"permissions": [one for one in RIGHTS["permissions"] if one != right]},
                "this key may not",
            )
            for right in RIGHTS["permissions"]
        ),
    ],
)
def test_a_key_with_a_right_too_many_or_too_few_is_refused(
    changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(CredentialRefused, match=words):
        check(**changes)


@pytest.mark.parametrize("name", ["permissions", "nonceWindow", "queryFrom", "queryTo"])
def test_what_is_not_told_of_a_key_is_not_taken_for_good(name: str) -> None:
    at = Asked(GetApiKeyInfo=told({key: value for key, value in RIGHTS.items() if key != name}))

    with pytest.raises(UnexpectedPayload):
        at.of(at.account.check_key())


# --- Refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        (["EOrder:Insufficient funds"], "EOrder:Insufficient funds"),
        (["EGeneral:Invalid arguments:volume"], "EGeneral:Invalid arguments"),
        (["EService: Throttled: 1700000000"], "EService: Throttled"),
        # Which of them is meant nobody can tell.
        (["EOrder:Insufficient funds", "EService:Unavailable"], ""),
    ],
)
def test_a_code_is_the_first_words_of_one_error(errors: list[str], code: str) -> None:
    answer = Answer.read(200, {}, {"error": errors}, secrets=(), now=START)

    assert (answer.code, answer.message) == (code, "; ".join(errors))


def test_rows_of_another_shape_are_none() -> None:
    for shape in ((), "text", None):
        with pytest.raises(TypeError):
            rows.named(shape)
    assert rows.own_id("short-text") == "short-text"
