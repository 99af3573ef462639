"""What only KuCoin has of accounts: rows by contract, executions told without their fees."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from exchanges.access import KeyFacts
from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.calls import kucoin_rows as rows
from exchanges.ccxt_adapter.feeds.kucoin_account import MOST_LOOKS, account_feed
from exchanges.ccxt_adapter.sockets import Feed
from exchanges.domain import (
    Fill,
    OrderReport,
    Side,
    Symbol,
    VenueOrderStatus,
    VenuePosition,
)
from exchanges.errors import (
    CredentialRefused,
    SettingRefused,
    UnexpectedPayload,
    VenueError,
)
from exchanges.simulator.wire import milliseconds
from tests.conformance.bench import Bench
from tests.conformance.cards import SUBJECTS
from tests.protocol.canned import NOW
from tests.protocol.conftest import assert_exact
from tests.protocol.kucoin_samples import (
    FILL,
    OWN_ID,
    POSITION,
    Asked,
    refusal,
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


# --- The private socket -----------------------------------------------------------------------


class Heard:
    """A private feed that is told messages by hand, over an account whose fills are canned."""

    def __init__(self, fills: Any) -> None:
        self.asked = Asked(recentFills=fills)
        self.facts: list[Any] = []
        self.sent: list[Any] = []
        listings = call(self.asked.client.ready())
        self.feed: Feed = account_feed(self.asked.client, listings, self.facts.append)

    def tell(self, subject: str, row: Mapping[str, Any]) -> None:
        assert self.feed.handle({"type": "message", "subject": subject, "data": dict(row)})

    def keep_up(self) -> None:
        async def send(message: Any) -> None:
            self.sent.append(message)

        async def upkeep() -> None:
            assert self.feed.upkeep is not None
            await self.feed.upkeep(send)

        call(upkeep())

    def fills(self) -> list[Fill]:
        return [fact for fact in self.facts if isinstance(fact, Fill)]

    def looks(self) -> int:
        return len(self.asked.venue.requests("/recentFills"))


@pytest.fixture
def heard() -> Iterator[Heard]:
    made = Heard(lambda query: answered([FILL]))
    yield made
    call(made.asked.client.close())


MATCH = {
    "symbol": "XBTUSDTM",
    "orderType": "market",
    "side": "buy",
    "canceledSize": "0",
    "orderId": "236317213710184449",
    "liquidity": "taker",
    "marginMode": "CROSS",
    "type": "match",
    "feeType": "takerFee",
    "orderTime": 1772367599000000000,
    "size": "1",
    "filledSize": "1",
    "matchPrice": "67430.9",
    "matchSize": "1",
    "remainSize": "0",
    "price": "",
    "tradeId": "1784277229880",
    "clientOid": OWN_ID,
    "status": "match",
    "ts": 1772367599000000000,
    "tradeType": "trade",
}


def test_execution_is_told_at_once_as_an_order_and_with_its_fee_when_it_is_read(
    heard: Heard,
) -> None:
    heard.tell("symbolOrderChange", MATCH)

    [report] = heard.facts
    assert isinstance(report, OrderReport)
    assert (report.client_order_id, report.filled_base_quantity) == (OWN_ID, Decimal("0.001"))
    heard.keep_up()
    [fill] = heard.fills()
    assert (fill.client_order_id, fill.fee) == (OWN_ID, Decimal("0.04045854"))
    heard.keep_up()
    assert (len(heard.fills()), heard.looks()) == (1, 1)


def test_end_of_an_order_follows_its_last_execution(heard: Heard) -> None:
    heard.tell("symbolOrderChange", MATCH | {"type": "filled", "status": "done"})
    heard.tell("symbolOrderChange", MATCH | {"type": "canceled", "status": "done", "size": "3"})

    assert [fact.status for fact in heard.facts] == [
        VenueOrderStatus.FILLED,
        VenueOrderStatus.CANCELED,
    ]
    heard.keep_up()
    assert heard.looks() == 0


def test_execution_that_is_never_listed_is_looked_for_a_while() -> None:
    heard = Heard(answered([]))
    heard.tell("orderChange", MATCH)

    for _ in range(MOST_LOOKS + 5):
        heard.keep_up()

    assert (heard.fills(), heard.looks()) == ([], MOST_LOOKS)
    call(heard.asked.client.close())


@pytest.mark.parametrize(
    "answer",
    [
        refusal("429000", "Too Many Requests"),
        answered(None),
        answered([FILL | {"tradeTime": None}]),
        answered([{"symbol": "XBTUSDTM"}]),
        answered([FILL | {"fee": "much"}]),
    ],
)
def test_list_that_is_not_understood_is_a_failure_that_the_socket_outlives(answer: Any) -> None:
    heard = Heard(answer)
    heard.tell("symbolOrderChange", MATCH)

    with pytest.raises(VenueError):
        heard.keep_up()
    assert heard.fills() == []
    # The next look finds it.
    heard.asked.venue.payloads["/recentFills"] = answered([FILL])
    heard.keep_up()
    assert len(heard.fills()) == 1
    call(heard.asked.client.close())


def test_position_is_told_when_its_quantity_is(heard: Heard) -> None:
    heard.tell("position.change", {"symbol": "XBTUSDTM", "markPrice": Decimal("60010")})
    heard.tell("position.settlement", {"fundingFee": Decimal("-0.1"), "qty": -20})
    heard.tell("position.change", POSITION | {"currentQty": 0})

    [held] = heard.facts
    assert isinstance(held, VenuePosition)
    assert held.base_quantity == 0


@pytest.mark.parametrize("mode", ["CROSS", "ISOLATED"])
def test_position_that_is_closed_is_told_without_its_margin(heard: Heard, mode: str) -> None:
    closed = {"symbol": "XBTUSDTM", "currentQty": 0, "isOpen": False, "liquidationPrice": 0}
    closed |= {"avgEntryPrice": Decimal("115549.8"), "leverage": 3, "marginMode": mode}

    heard.tell("position.change", closed | {"positionSide": "BOTH"})

    assert [held.base_quantity for held in heard.facts] == [0]


def test_refused_topic_closes_the_socket(heard: Heard) -> None:
    with pytest.raises(UnexpectedPayload, match="subscription refused"):
        heard.feed.handle({"id": "0", "type": "error", "code": 403, "data": "login is required"})


def test_feed_subscribes_to_all_before_it_counts_as_open(heard: Heard) -> None:
    said: list[Any] = [{"type": "welcome"}]
    early = {"type": "message", "subject": "symbolOrderChange", "data": MATCH}

    async def greeted() -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)
            # What is asked for first speaks before the next is acknowledged.
            said.extend([early] if len(sent) == 2 else [])
            said.append({"id": message["id"], "type": "ack"})

        async def receive() -> Any:
            return said.pop(0)

        await heard.feed.greet(send, receive)
        return sent

    sent = asyncio.run(greeted())

    assert [message["topic"] for message in sent] == [
        "/contractMarket/tradeOrders",
        "/contract/positionAll",
        "/contractAccount/wallet",
    ]
    assert all(message["privateChannel"] and message["response"] for message in sent)
    assert len(heard.facts) == 1
