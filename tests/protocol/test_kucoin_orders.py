"""What only KuCoin has of orders: whole contracts, words beside codes, two lists of executions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.calls import kucoin_rows as rows
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.client_order_ids import client_order_id
from exchanges.domain import (
    FillCause,
    VenueOrderStatus,
)
from exchanges.errors import (
    OrderNotFound,
    OrderOutcomeUnknown,
    UnexpectedPayload,
    VenueError,
)
from exchanges.simulator.wire import WireRequest, milliseconds
from tests.conformance.bench import Bench
from tests.conformance.cards import SUBJECTS
from tests.protocol.canned import NOW
from tests.protocol.conftest import assert_exact
from tests.protocol.kucoin_samples import (
    FILL,
    NOT_THERE,
    ORDER,
    OWN_ID,
    PROFILE,
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


# --- Signing ----------------------------------------------------------------------------------


def signed(bench: Bench, own_id: str = "a1") -> WireRequest:
    """Return an order that is signed and not yet sent."""
    call(bench.client.ready())
    order = {
        "clientOid": own_id,
        "symbol": "XBTUSDTM",
        "side": "buy",
        "type": "market",
        "size": 10,
        "leverage": 1,
        "marginMode": "CROSS",
    }
    made = bench.client.exchange.sign("orders", ["futuresPrivate"], "POST", order)
    return WireRequest(
        host="api-futures.kucoin.com",
        method="POST",
        path=made["url"].removeprefix("https://api-futures.kucoin.com"),
        body=made["body"].encode(),
        headers={key.lower(): value for key, value in made["headers"].items()},
    )


def code_of(bench: Bench, request: WireRequest) -> str:
    response = bench.world.venues.answer(request).response
    assert response is not None
    return str(orjson.loads(response.body)["code"])


def test_order_is_refused_by_the_venue_five_seconds_after_its_stamp(bench: Bench) -> None:
    in_time, late = signed(bench, "a1"), signed(bench, "a2")
    assert int(late.headers["kc-api-timestamp"]) == milliseconds(bench.world.at)

    bench.world.at += timedelta(seconds=5)
    assert code_of(bench, in_time) == "200000"
    bench.world.at += timedelta(seconds=1)
    assert code_of(bench, late) == "400002"
    assert bench.placed() == 1


def test_key_is_of_the_version_of_today_and_nothing_names_a_partner(bench: Bench) -> None:
    headers = signed(bench).headers

    assert headers["kc-api-key-version"] == "3"
    assert not [name for name in headers if "partner" in name]


def test_a_key_is_asked_for_nothing_of_spot_when_contracts_are_listed(bench: Bench) -> None:
    call(bench.client.refresh())

    seen = bench.world.simulator.ledger.accesses(after=0, limit=100)
    assert [entry["path"] for entry in seen] == ["/api/v1/contracts/active"]


def test_own_id_is_of_letters_and_digits_that_the_venue_takes() -> None:
    own_id = client_order_id(UUID(int=2**128 - 1), 35, "close", 46_655)

    # Letters, digits, _ and -, forty at most.
    assert own_id.isalnum() and own_id.isascii() and len(own_id) <= 40


# --- Orders -----------------------------------------------------------------------------------


def test_quantities_are_sent_in_contracts_and_told_in_coins(bench: Bench) -> None:
    request = bench.order("0.015", price=59_000)

    bench.submit(request)

    [held] = bench.world.simulator.ledger.orders.values()
    # Fifteen contracts of a thousandth bitcoin.
    assert (held.base_quantity, held.price) == (Decimal("0.015"), 59_000)
    assert bench.find(request).base_quantity == Decimal("0.015")


def test_parts_of_a_contract_are_never_sent() -> None:
    assert rows.whole(Decimal("15.0")) == 15
    with pytest.raises(ValueError, match="part of a contract"):
        rows.whole(Decimal("15.5"))


def test_order_that_was_filled_in_part_and_ended_is_told_as_canceled() -> None:
    asked = Asked(orders__byClientOid=answered(ORDER))

    found = asked.look_up(OWN_ID, BITCOIN)

    assert (found.status, found.base_quantity) == (VenueOrderStatus.CANCELED, Decimal("0.02"))
    assert (found.filled_base_quantity, found.average_price) == (
        Decimal("0.01"),
        Decimal("60010.5"),
    )
    assert_exact(found)


def test_order_is_unknown_only_where_the_venue_says_so_in_its_words() -> None:
    with pytest.raises(OrderNotFound):
        Asked(orders__byClientOid=NOT_THERE).look_up(OWN_ID, BITCOIN)


@pytest.mark.parametrize(
    "answer",
    [
        # The same code of a parameter that is wrong.
        refusal("100001", "There are invalid parameters"),
        # Of an order that cannot be cancelled, and so was there.
        refusal("100004", "The order cannot be canceled."),
        refusal("500000", "Internal Server Error"),
        refusal("400007", "Access Denied"),
        answered(None),
        answered({}),
        answered(ORDER | {"status": "resting"}),
        answered(ORDER | {"clientOid": "another"}),
        answered({key: value for key, value in ORDER.items() if key != "filledSize"}),
    ],
)
def test_look_up_that_fails_never_says_that_there_is_no_order(answer: Any) -> None:
    with pytest.raises(VenueError) as failure:
        Asked(orders__byClientOid=answer).look_up(OWN_ID, BITCOIN)

    assert not isinstance(failure.value, OrderNotFound)


def test_order_that_shows_late_is_found_once_it_shows(bench: Bench) -> None:
    request = bench.order(price=59_000)
    bench.disturb("hide_order", method="POST", client_order_id=request.client_order_id, seconds=2)
    bench.submit(request)

    with pytest.raises(OrderNotFound):
        bench.find(request)
    bench.world.wait(seconds=3)
    assert bench.find(request).status is VenueOrderStatus.OPEN
    assert bench.placed() == 1


def test_ended_order_is_shown_by_our_id_for_a_week_and_by_its_number_for_longer(
    bench: Bench,
) -> None:
    request = bench.order("0.01")
    report, since = bench.submit(request), bench.world.at - timedelta(hours=1)
    # The settlements of a week are caught up on before anything is asked.
    bench.world.wait(days=8)

    with pytest.raises(OrderNotFound):
        bench.find(request)
    [fill] = call(bench.account.fills(BITCOIN, since=since))
    assert (fill.venue_order_id, fill.client_order_id) == (report.venue_order_id, None)
    assert call(bench.account.trace(fill)).client_order_id == request.client_order_id


def test_working_orders_are_read_page_after_page() -> None:
    def page(query: Mapping[str, str]) -> Any:
        assert (query["status"], query["pageSize"]) == ("active", "1000")
        number = int(query["currentPage"])
        row = ORDER | {"id": str(number), "clientOid": f"a{number}", "status": "open"}
        return answered({"currentPage": number, "totalPage": 3, "items": [row]})

    asked = Asked(orders=page)
    working = asked.of(CcxtTrading(asked.client).open_orders(BITCOIN))

    assert [one.client_order_id for one in working] == ["a1", "a2", "a3"]


def test_number_that_is_missing_leaves_an_order_unknown(bench: Bench) -> None:
    asked = Asked(orders=answered({"clientOid": OWN_ID}))
    request = bench.order("0.01")

    with pytest.raises(OrderOutcomeUnknown, match="no venue id"):
        asked.of(CcxtTrading(asked.client).submit(request))

    assert len(asked.venue.requests("/orders")) == 1


# --- Fills ------------------------------------------------------------------------------------


def test_fill_of_a_moment_ago_is_read_from_the_list_that_is_up_to_date(bench: Bench) -> None:
    bench.submit(bench.order("0.01"))

    [recent] = call(bench.account.fills(BITCOIN, since=bench.world.at - timedelta(hours=1)))
    [of_both] = call(bench.account.fills(BITCOIN, since=bench.world.at - timedelta(days=30)))

    assert recent == of_both
    paths = [entry["path"] for entry in bench.world.simulator.ledger.accesses(after=0, limit=100)]
    assert "/api/v1/fills" in paths


def test_fill_tells_what_was_paid_and_when_by_the_clock_of_the_matching() -> None:
    later = FILL | {"tradeId": "2", "tradeTime": 1772367599001999999, "fee": "-0.01"}
    early = FILL | {"tradeId": "3", "tradeTime": 1700000000000000000}
    asked = Asked(recentFills=answered([later, FILL, early]))
    since = NOW - timedelta(hours=1)

    first, second = asked.of(CcxtAccount(asked.client).fills(BITCOIN, since=since))

    assert (first.fee, second.fee) == (Decimal("0.04045854"), Decimal("-0.01"))
    assert (first.base_quantity, first.is_maker) == (Decimal("0.001"), False)
    assert second.filled_at == datetime(2026, 3, 1, 12, 19, 59, 1000, tzinfo=UTC)
    assert_exact(first)


def test_list_as_long_as_can_be_is_filled_up_from_the_other_one() -> None:
    recent = [FILL | {"tradeId": str(number)} for number in range(1000)]
    older = answered({"totalPage": 1, "items": [FILL | {"tradeId": "older"}]})
    asked = Asked(recentFills=answered(recent), fills=older)

    found = asked.of(CcxtAccount(asked.client).fills(BITCOIN, since=NOW - timedelta(hours=1)))

    assert len(found) == 1001


def test_lists_that_do_not_meet_tell_not_everything() -> None:
    now = milliseconds(NOW)
    at = {"tradeTime": (now - 60_000) * 1_000_000}
    recent = [FILL | at | {"tradeId": str(number)} for number in range(1000)]
    before = {"tradeTime": (now - 120_000) * 1_000_000}
    older = answered({"totalPage": 1, "items": [FILL | before | {"tradeId": "older"}]})

    def read(**ago: float) -> int:
        asked = Asked(recentFills=answered(recent), fills=older)
        since = NOW - timedelta(**ago)
        return len(asked.of(CcxtAccount(asked.client).fills(BITCOIN, since=since)))

    # What was filled between the two may be in neither.
    with pytest.raises(UnexpectedPayload):
        read(hours=1)
    assert read(minutes=1) == 1000


@pytest.mark.parametrize(
    ("word", "cause"),
    [
        ("trade", FillCause.ORDER),
        ("liquid", FillCause.LIQUIDATION),
        ("adl", FillCause.ADL),
        # As older pages write it.
        ("ADL", FillCause.ADL),
        ("settlement", FillCause.SETTLEMENT),
    ],
)
def test_closing_by_the_venue_is_told_by_its_trade_type(word: str, cause: FillCause) -> None:
    assert PROFILE.cause(kind=word) is cause
