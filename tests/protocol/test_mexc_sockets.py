"""MEXC's tickers and books through the real feeds.

Written after its documentation (futures, WebSocket API) and the library's sample of `push.tickers`;
a recorded book of linear contracts is read as it is where present.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.domain import BookTop, MarketFact, Quote
from tests.protocol.canned_sockets import CannedSockets
from tests.protocol.conftest import assert_exact
from tests.protocol.test_mexc import BITCOIN, CONTRACT, answered, venue

pytestmark = pytest.mark.protocol

RAW = Path(__file__).resolve().parents[3] / "shared/data/raw_ws/crypto_msg_parser/mexc.jsonl"
BOOK = {
    "channel": "push.depth.full",
    "data": {
        "asks": [[60010.0, 2500, 1], [60010.5, 9, 2]],
        "bids": [[60009.5, 100, 1], [60009.0, 7, 1]],
        "version": 96801927,
    },
    "symbol": "BTC_USDT",
    "ts": 1587442022003,
}
REFUSAL = {"channel": "rs.error", "data": "Contract [BTC_USDT] not exists", "ts": 1587442022003}
PONG = {"channel": "pong", "data": 1587453241453}


def tickers(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"channel": "push.tickers", "data": list(rows), "ts": 1587442022003}


def ticker(**changes: Any) -> dict[str, Any]:
    row = {
        "symbol": "BTC_USDT",
        "lastPrice": 60010.0,
        "riseFallRate": 0.0356,
        "fairPrice": 60011.2,
        "indexPrice": 60001.7,
        "volume24": 4045530,
        "timestamp": 1725872514111,
    }
    return row | changes


def many(count: int) -> Any:
    """Return a venue of as many contracts, bitcoin's among them."""
    others = [f"C{number}" for number in range(count - 1)]
    listed = [CONTRACT, *(CONTRACT | {"symbol": f"{o}_USDT", "baseCoin": o} for o in others)]
    return venue(**{"/contract/detail": answered(listed)})


def speaking(*frames: Any, contracts: int = 1) -> CannedSockets:
    """Return a venue that says a frame where its channel was asked for."""

    def speech(said: Any) -> Any:
        if said is None or said["method"] == "ping":
            return []
        channel = said["method"].removeprefix("sub.")
        asked = [frame for frame in frames if frame["channel"] == f"push.{channel}"]
        return [{"channel": f"rs.sub.{channel}", "data": "success", "ts": 1}, PONG, *asked]

    return CannedSockets(many(contracts), speech)


def of_kind(facts: list[MarketFact], kind: type) -> Any:
    [found] = [fact for fact in facts if isinstance(fact, kind)]
    assert_exact(found)
    return found


def test_mark_of_a_list_and_touch_in_coins() -> None:
    facts = speaking(tickers(ticker()), BOOK).facts(lambda found: len(found) >= 2)
    mark, top = of_kind(facts, Quote), of_kind(facts, BookTop)

    assert (mark.symbol, mark.mark_price, mark.index_price) == (
        BITCOIN,
        Decimal("60011.2"),
        Decimal("60001.7"),
    )
    # 100 and 2500 contracts of a ten-thousandth of a coin.
    assert (top.bid, top.bid_quantity) == (Decimal("60009.5"), Decimal("0.01"))
    assert (top.ask, top.ask_quantity) == (Decimal("60010.0"), Decimal("0.25"))


def test_row_without_an_index_and_contracts_that_were_not_asked_for_are_passed_over() -> None:
    unknown, without = ticker(symbol="GONE_USDT"), ticker()
    del without["indexPrice"]
    facts = speaking(
        tickers(unknown, without),
        tickers(ticker(fairPrice=60012.5)),
        BOOK | {"symbol": "GONE_USDT"},
        BOOK,
    ).facts(lambda found: len(found) >= 2)

    assert of_kind(facts, Quote).mark_price == Decimal("60012.5")
    assert {fact.symbol for fact in facts} == {BITCOIN}


def test_book_with_one_side_is_no_touch() -> None:
    empty = BOOK | {"data": {"asks": [], "bids": [[60009.5, 100, 1]], "version": 1}}
    facts = speaking(empty, BOOK).facts(lambda found: len(found) >= 1)

    assert of_kind(facts, BookTop).ask_quantity == Decimal("0.25")


def test_one_subscription_asks_for_all_marks_and_one_for_each_book_as_text() -> None:
    at = speaking(tickers(ticker()), BOOK)
    at.facts(lambda found: len(found) >= 2)

    assert sorted(at.said, key=lambda said: str(said["method"])) == [
        {"method": "sub.depth.full", "param": {"symbol": "BTC_USDT", "limit": 5}, "gzip": False},
        {"method": "sub.tickers", "param": {}, "gzip": False},
    ]
    assert at.paths == ["/edge", "/edge"]


def test_no_socket_has_more_than_thirty_books() -> None:
    at = speaking(BOOK, contracts=31)

    at.facts(lambda found: len(found) >= 31)

    assert len(at.paths) == 3
    assert sum(said["method"] == "sub.depth.full" for said in at.said) == 31


@pytest.mark.parametrize(
    "refusal", [REFUSAL, {"channel": "rs.sub.depth.full", "data": "frequency limit", "ts": 1}]
)
def test_refusal_closes_the_socket_which_is_opened_again(refusal: dict[str, Any]) -> None:
    answers = [[refusal], [BOOK]]

    def speech(said: Any) -> Any:
        is_book = said is not None and said["method"] == "sub.depth.full"
        return answers.pop(0) if is_book and answers else []

    at = CannedSockets(many(1), speech)
    at.facts(lambda found: len(found) >= 1)

    # One of marks, and two of books.
    assert len(at.paths) == 3


@pytest.mark.skipif(not RAW.is_file(), reason="../shared with recorded messages is absent")
def test_recorded_book_is_read_and_those_of_inverse_contracts_are_passed_over() -> None:
    rows = [json.loads(line) for line in RAW.read_text().splitlines()]
    books = [row["raw"] for row in rows if row["topic"] == "l2_topk" and row["case"] != "spot"]
    top = of_kind(speaking(*books).facts(lambda found: len(found) >= 1), BookTop)

    assert (top.bid, top.bid_quantity) == (31708, Decimal("0.321"))
    assert (top.ask, top.ask_quantity) == (Decimal("31708.5"), Decimal("7.495"))
