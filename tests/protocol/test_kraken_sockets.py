"""Kraken's spot socket: its documentation's book with its checksum, and what may follow it.

Source: docs.kraken.com, Spot WebSocket v2, book, heartbeat, and the guide to checksums. The
checksums of what follows are worked out by hand beside it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import pytest

from exchanges.domain import BookTop, MarketFact
from tests.protocol.canned_sockets import CannedSockets
from tests.protocol.conftest import assert_exact
from tests.protocol.test_kraken import BITCOIN, venue
from tests.protocol.test_recorded_payloads import ADAPTERS, recorded

pytestmark = [
    pytest.mark.protocol,
    pytest.mark.skipif(not ADAPTERS.is_dir(), reason="../shared with recorded payloads is absent"),
]

BIDS = """45283.5 0.10000000, 45283.4 1.54582015, 45282.1 0.10000000, 45281.0 0.10000000,
45280.3 1.54592586, 45279.0 0.07990000, 45277.6 0.03310103, 45277.5 0.30000000,
45277.3 1.54602737, 45276.6 0.15445238"""
ASKS = """45285.2 0.00100000, 45286.4 1.54571953, 45286.6 1.54571109, 45289.6 1.54560911,
45290.2 0.15890660, 45291.8 1.54553491, 45294.7 0.04454749, 45296.1 0.35380000,
45297.5 0.09945542, 45299.5 0.18772827"""
# What the documentation joins of the asks.
ASK_DIGITS = (
    "45285210000045286415457195345286615457110945289615456091145290215890660"
    "452918154553491452947445474945296135380000452975994554245299518772827"
)
BID_DIGITS = "".join(
    number.replace(".", "").lstrip("0") for level in BIDS.split(",") for number in level.split()
)
HEARTBEAT = {"channel": "heartbeat"}
ANSWER = recorded("kraken/ws_subscribe_response.json") if ADAPTERS.is_dir() else {}
PONG = recorded("kraken/ws_pong.json") if ADAPTERS.is_dir() else {}


def levels(text: str) -> str:
    """Return JSON whose numbers have all their digits, as the venue writes them."""
    pairs = [level.split() for level in text.split(",") if level.strip()]
    return ", ".join(f'{{"price": {price}, "qty": {size}}}' for price, size in pairs)


def book(kind: str, bids: str, asks: str, checksum: int, symbol: str = "BTC/USDT") -> str:
    return (
        f'{{"channel": "book", "type": "{kind}", "data": [{{"symbol": "{symbol}", '
        f'"bids": [{levels(bids)}], "asks": [{levels(asks)}], "checksum": {checksum}}}]}}'
    )


SNAPSHOT = book("snapshot", BIDS, ASKS, 3310070434)
# A bid of 2 coins stands before the others, whose last falls out of the ten.
BETTER = book(
    "update",
    "45283.6 2.00000000",
    "",
    zlib.crc32(
        (ASK_DIGITS + "452836200000000" + BID_DIGITS.removesuffix("45276615445238")).encode()
    ),
)
# The best ask is gone, and what was the eleventh is told.
WORSE = book(
    "update",
    "",
    "45285.2 0.00000000, 45300.0 5.00000000",
    zlib.crc32((ASK_DIGITS.removeprefix("452852100000") + "453000500000000" + BID_DIGITS).encode()),
)
FRAMES = [SNAPSHOT, BETTER, HEARTBEAT, ANSWER, PONG]


def speaking(frames: Iterable[Any]) -> Callable[[Any], Iterable[Any]]:
    return lambda said: frames if said and said["method"] == "subscribe" else []


def tops(facts: list[MarketFact]) -> list[tuple[Decimal, ...]]:
    found = [fact for fact in facts if isinstance(fact, BookTop)]
    assert found == facts
    for fact in found:
        assert fact.symbol == BITCOIN
        assert_exact(fact)
    return [(one.bid, one.bid_quantity, one.ask, one.ask_quantity) for one in found]


def level(*numbers: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, numbers))


FIRST = level("45283.5", "0.1", "45285.2", "0.001")


def heard(frames: Iterable[Any], enough: int = 1) -> list[tuple[Decimal, ...]]:
    sockets = CannedSockets(venue(), speaking(frames), is_spot=True)
    return tops(sockets.facts(lambda found: len(found) >= enough))


def test_pairs_are_asked_for_by_the_names_of_the_socket() -> None:
    sockets = CannedSockets(venue(), speaking([SNAPSHOT]), is_spot=True)
    sockets.facts(bool)

    asked = {"channel": "book", "symbol": ["BTC/USDT"], "depth": 10}
    assert sockets.said == [{"method": "subscribe", "params": asked}]
    assert sockets.paths == ["/v2"]


def test_touch_of_the_documented_book_whose_checksum_is_right() -> None:
    assert heard([ANSWER, HEARTBEAT, PONG, SNAPSHOT]) == [FIRST]


def test_book_follows_what_changes_within_ten_levels() -> None:
    assert heard([SNAPSHOT, BETTER], enough=2) == [
        FIRST,
        level("45283.6", "2", "45285.2", "0.001"),
    ]
    assert heard([SNAPSHOT, WORSE], enough=2)[-1] == level(
        "45283.5", "0.1", "45286.4", "1.54571953"
    )


def test_pair_that_was_not_asked_for_is_left_out() -> None:
    stranger = book("update", BIDS, ASKS, 1, symbol="DOGE/USD")

    assert heard([stranger, SNAPSHOT]) == [FIRST]


@pytest.mark.parametrize(
    "trouble",
    [
        SNAPSHOT.replace("3310070434", "3310070435"),
        BETTER.replace('"price": 45283.6', '"price": 45283.7'),
        {"method": "subscribe", "success": False, "error": "Currency pair not supported X/Y"},
        {"error": "Exceeded msg rate"},
        BETTER.replace('"update"', '"snapshot"'),
    ],
    ids=["checksum", "another level", "refused", "too many", "half a book"],
)
def test_refusal_and_a_book_that_is_not_theirs_begin_anew(trouble: Any) -> None:
    answers = iter([[SNAPSHOT, trouble], [SNAPSHOT, BETTER]])
    sockets = CannedSockets(venue(), lambda said: next(answers) if said else (), is_spot=True)
    found = tops(sockets.facts(lambda facts: len(facts) == 3))

    assert found == [FIRST, FIRST, level("45283.6", "2", "45285.2", "0.001")]
    assert len(sockets.paths) == 2
