"""What only KuCoin has of accounts: rows by contract, executions told without their fees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from exchanges.access import KeyFacts
from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.calls import kucoin_rows as rows
from exchanges.domain import (
    Side,
    Symbol,
)
from exchanges.errors import (
    CredentialRefused,
    SettingRefused,
    UnexpectedPayload,
)
from exchanges.simulator.wire import milliseconds
from tests.conformance.bench import Bench
from tests.conformance.cards import SUBJECTS
from tests.protocol.canned import NOW
from tests.protocol.conftest import assert_exact
from tests.protocol.kucoin_samples import (
    POSITION,
    Asked,
)
from tests.protocol.test_kucoin import BITCOIN, answered
from tests.simulator.nearby import call
from tests.simulator.world import World

pytestmark = pytest.mark.protocol

[SUBJECT] = [subject for subject in SUBJECTS if subject.venue == "kucoin"]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opened = Bench.at(World(tmp_path, interval_minutes=60, watched=True), SUBJECT)
    yield opened
    opened.close()


# --- The account ------------------------------------------------------------------------------


def test_funding_is_asked_of_each_contract_and_numbered_within_it(bench: Bench) -> None:
    ether = Symbol("ETH/USDT:USDT")
    bench.world.pin("kucoin", "ETHUSDTM", price="3000", funding_rate="-0.001")
    bench.pin(funding_rate="0.001")
    bench.world.place("kucoin", Side.SELL, "0.1")
    bench.world.place("kucoin", Side.SELL, "2", symbol="ETHUSDTM")
    bench.world.wait(hours=1)

    contracts = {"XBTUSDTM": BITCOIN, "ETHUSDTM": ether}
    since = bench.world.at - timedelta(hours=2)
    paid = call(bench.account.funding_payments(contracts, since=since))

    # 0.1 of 60,000 received, 2 of 3,000 paid.
    assert {(one.symbol, one.payment) for one in paid} == {(BITCOIN, 6), (ether, -6)}
    assert all(one.venue_payment_id.startswith(("XBTUSDTM-", "ETHUSDTM-")) for one in paid)
    assert {one.paid_at.minute for one in paid} == {0}


def test_more_funding_than_one_answer_holds_is_read_in_halves() -> None:
    hours = [NOW.replace(minute=0) - timedelta(hours=back) for back in range(700)]

    def slid(query: Mapping[str, str]) -> Any:
        """Answer with twenty rows at most, whatever was asked for."""
        span = range(int(query["startAt"]), int(query["endAt"]) + 1)
        found = [at for at in map(milliseconds, hours) if at in span]
        told = [
            {
                "id": at,
                "symbol": "XBTUSDTM",
                "timePoint": at,
                "fundingRate": 0.0001,
                "funding": -0.5,
                "settleCurrency": "USDT",
            }
            for at in found[:20]
        ]
        return answered({"dataList": told, "hasMore": len(found) > 20})

    asked = Asked(**{"funding-history": slid})
    since = NOW - timedelta(days=28)
    paid = asked.of(CcxtAccount(asked.client).funding_payments({"XBTUSDTM": BITCOIN}, since=since))

    assert len(paid) == 28 * 24
    assert {one.payment for one in paid} == {Decimal("-0.5")}


def test_list_that_heeds_no_bounds_is_not_understood() -> None:
    old = milliseconds(NOW - timedelta(days=9))
    row = {"symbol": "XBTUSDTM", "timePoint": old, "funding": -0.5, "settleCurrency": "USDT"}
    latest = [row | {"id": number} for number in range(10)]
    asked = Asked(**{"funding-history": answered({"dataList": latest, "hasMore": True})})
    account, contracts = CcxtAccount(asked.client), {"XBTUSDTM": BITCOIN}

    with pytest.raises(UnexpectedPayload):
        asked.of(account.funding_payments(contracts, since=NOW - timedelta(days=1)))

    assert len(asked.venue.requests("/funding-history")) == 1


def test_money_that_left_is_negative_and_what_is_on_its_way_is_not_there() -> None:
    def ledger(query: Mapping[str, str]) -> Any:
        row = {
            "time": milliseconds(NOW) - 1000,
            "type": query["type"],
            "amount": 5,
            "status": "Completed",
            "offset": 7,
            "currency": "USDT",
        }
        known = {"TransferIn": [row], "TransferOut": [row | {"offset": 8, "amount": -5}]}
        pending = [row | {"status": "Pending"}]
        told = known.get(query["type"], pending) if query["currency"] == "USDT" else []
        return answered({"dataList": told, "hasMore": False})

    asked = Asked(**{"transaction-history": ledger})
    moved = asked.of(CcxtAccount(asked.client).transfers(since=NOW - timedelta(days=1)))

    assert {(one.venue_transfer_id, one.amount) for one in moved} == {("USDT-7", 5), ("USDT-8", -5)}


def test_position_is_signed_in_contracts_and_has_no_margin_of_its_own_on_cross() -> None:
    isolated = POSITION | {"symbol": "XBTUSDTM", "marginMode": "ISOLATED"}
    asked = Asked(positions=answered([POSITION]))

    [held] = asked.of(CcxtAccount(asked.client).positions())

    assert (held.base_quantity, held.is_hedge_mode) == (Decimal("-0.02"), False)
    assert (held.entry_price, held.liquidation_price) == (Decimal("60000.5"), None)
    assert_exact(held)
    assert rows.position(isolated)["margin"] == 240.002
    assert rows.position(POSITION)["margin"] == ""
    hedged = Asked(positions=answered([POSITION | {"positionSide": "SHORT"}]))
    assert hedged.of(CcxtAccount(hedged.client).positions())[0].is_hedge_mode


def test_position_that_does_not_tell_its_side_is_not_understood() -> None:
    silent = {key: value for key, value in POSITION.items() if key != "positionSide"}
    asked = Asked(positions=answered([silent]))

    with pytest.raises(UnexpectedPayload):
        asked.of(CcxtAccount(asked.client).positions())


def check_key(permission: str = "General, Futures", **changes: Any) -> KeyFacts:
    told = {"uid": 7, "permission": permission, "isMaster": True} | changes
    asked = Asked(
        position__getPositionMode=answered({"positionMode": told.pop("positionMode", 0)}),
        account__mode=answered({"selfAccountMode": told.pop("accountMode", "CLASSIC")}),
        **{"user/api-key": answered(told)},
    )
    return cast(KeyFacts, asked.of(CcxtAccount(asked.client).check_key()))


@pytest.mark.parametrize(
    ("permission", "advice"),
    [
        ("General,Futures,Transfer", "may withdraw.*clear Withdrawal"),
        ("General,Futures,Withdrawal", "may withdraw.*clear Withdrawal"),
        ("General,Futures,InnerTransfer", r"may move money \(transfer\).*clear FlexTransfers"),
        ("General,Futures,FlexTransfers", r"may move money \(transfer\).*clear FlexTransfers"),
        ("General,Futures,Earn", "may do more than trade.*clear all but"),
        ("General,Futures,Unheard", "may do more than trade.*clear all but"),
        ("General,Spot", "may not trade futures.*give it Futures"),
        ("", "may not trade futures"),
    ],
)
def test_key_is_refused_with_what_to_do(permission: str, advice: str) -> None:
    with pytest.raises(CredentialRefused, match=advice):
        check_key(permission)


def test_account_in_hedge_mode_is_refused_at_the_key() -> None:
    with pytest.raises(CredentialRefused, match="One-way Mode"):
        check_key(positionMode=1)


def test_unified_account_is_refused_at_the_key() -> None:
    with pytest.raises(CredentialRefused, match="unified account"):
        check_key(accountMode="UNIFIED")


def test_key_that_suits_tells_its_account_and_that_it_is_bound_to_no_address() -> None:
    assert check_key() == KeyFacts(venue_uid="7", expires_at=None, is_bound_to_address=False)
    assert check_key(ipWhitelist="203.0.113.7").is_bound_to_address is True


def test_contract_on_isolated_margin_is_set_to_cross_unless_it_is_held(bench: Bench) -> None:
    bench.owner.isolate("kucoin", "XBTUSDTM")

    call(bench.trading.prepare(BITCOIN, leverage=Decimal(5)))

    assert not bench.owner.is_isolated("kucoin", "XBTUSDTM")
    assert bench.owner.leverage("kucoin", "XBTUSDTM") == 5
    bench.submit(bench.order("0.01"))
    bench.owner.isolate("kucoin", "XBTUSDTM")
    with pytest.raises(SettingRefused, match="margin mode cannot be switched"):
        call(bench.trading.prepare(BITCOIN, leverage=Decimal(5)))
