"""Bitfinex's public socket; frames after its documentation.

Source: docs.bitfinex.com, WebSocket: general (flags, info codes, heartbeats), channel of books.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import pytest

from exchanges.domain import BookTop, MarketFact
from tests.protocol.canned_sockets import CannedSockets
from tests.protocol.conftest import assert_exact
from tests.protocol.test_bitfinex import BITCOIN, BOUNDS, venue

pytestmark = pytest.mark.protocol

WELCOME = {"event": "info", "version": 2, "serverId": "s", "platform": {"status": 1}}
CONFIGURED = {"event": "conf", "status": "OK"}
SUBSCRIBED = {
    "event": "subscribed",
    "channel": "book",
    "chanId": 17082,
    "symbol": "tBTCUSD",
    "prec": "P0",
    "freq": "F0",
    "len": "25",
    "pair": "BTCUSD",
}
# Price, how many orders, amount: > 0 bids, < 0 asks; last the number of the message.
SNAPSHOT = "[17082, [[60009, 3, 0.5], [60008, 1, 1.25], [60010, 2, -0.75], [60012, 1, -2.0]], 1]"
BEGUN = [WELCOME, CONFIGURED, SUBSCRIBED, SNAPSHOT]
FIRST = ("60009", "0.5", "60010", "0.75")
FRAMES = [*BEGUN, '[17082, "hb", 2]', "[17082, [60009, 0, 1], 3]", "[17082, [60011, 1, -1e-7], 4]"]


def speaking(frames: Iterable[Any]) -> Callable[[Any], Iterable[Any]]:
    """Return a socket that says the frames once the book of bitcoin is asked for."""
    return lambda said: frames if said and said.get("symbol") == "tBTCUSD" else []


def level(*numbers: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, numbers))


def tops(facts: list[MarketFact]) -> list[tuple[Decimal, ...]]:
    found = [fact for fact in facts if isinstance(fact, BookTop)]
    assert found == facts
    for fact in found:
        assert fact.symbol == BITCOIN
        assert_exact(fact)
    return [(one.bid, one.bid_quantity, one.ask, one.ask_quantity) for one in found]


def heard(frames: Iterable[Any], enough: int = 1) -> list[tuple[Decimal, ...]]:
    sockets = CannedSockets(venue(), speaking(frames), is_spot=True)
    return tops(sockets.facts(lambda found: len(found) >= enough))


def test_messages_are_numbered_and_each_book_is_asked_for() -> None:
    sockets = CannedSockets(venue(), speaking(BEGUN), is_spot=True)
    sockets.facts(lambda found: bool(found) and len(sockets.said) == 3)

    conf, *books = sockets.said
    assert conf == {"event": "conf", "flags": 65536}
    asked = {"event": "subscribe", "channel": "book", "prec": "P0", "freq": "F0", "len": "25"}
    assert books == [asked | {"symbol": "tBTCUSD"}, asked | {"symbol": "tAAVE:UST"}]
    assert sockets.paths == ["/ws/2"]


def test_of_more_than_25_books_another_socket_hears() -> None:
    bounds = BOUNDS
    names = [f"COIN{chr(65 + number)}:UST" for number in range(26)]
    configured = [[[name, bounds] for name in names], [], [], []]
    path = next(key for key in venue().payloads if key.startswith("/v2/conf"))

    def speech(said: Any) -> Iterable[Any]:
        # What each socket asks for last.
        if said and said.get("symbol") in ("tCOINY:UST", "tCOINZ:UST"):
            return [SUBSCRIBED | {"symbol": said["symbol"]}, SNAPSHOT]
        return ()

    sockets = CannedSockets(venue(**{path: configured}), speech, is_spot=True)
    sockets.facts(lambda found: len(found) == 2)

    assert len(sockets.paths) == 2
    assert len(sockets.said) == 2 + 26


def test_touch_of_a_snapshot_and_of_what_changes() -> None:
    gone, better = "[17082, [60009, 0, 1], 2]", "[17082, [60009.5, 1, -0.00000002], 3]"

    assert heard([*BEGUN, gone, better], enough=3) == [
        level(*FIRST),
        level("60008", "1.25", "60010", "0.75"),
        level("60008", "1.25", "60009.5", "0.00000002"),
    ]


def test_channel_that_was_not_asked_for_is_left_out() -> None:
    strangers = [SUBSCRIBED | {"chanId": 9, "symbol": "tDOGE:USD"}, "[9, [[1, 1, 1]], 1]"]

    assert heard([*strangers, SUBSCRIBED, SNAPSHOT.replace(", 1]", ", 2]")]) == [level(*FIRST)]


@pytest.mark.parametrize(
    "trouble",
    [
        "[17082, [60011, 1, -1], 3]",
        {"event": "error", "msg": "symbol: invalid", "code": 10300},
        {"event": "conf", "status": "FAILED"},
        {"event": "info", "code": 20051, "msg": "Stopping. Please try to reconnect"},
        {"event": "info", "code": 20061, "msg": "Maintenance ended"},
        "[17082, [60011, 1], 2]",
        "[17082]",
    ],
    ids=["gap", "refused", "not numbered", "stopping", "maintained", "no amount", "nothing"],
)
def test_gap_refusal_and_notice_begin_with_a_new_snapshot(trouble: Any) -> None:
    answers = iter([[*BEGUN, trouble], [*BEGUN, "[17082, [60009, 0, 1], 2]"]])

    def speech(said: Any) -> Iterable[Any]:
        return next(answers) if said and said.get("symbol") == "tBTCUSD" else []

    sockets = CannedSockets(venue(), speech, is_spot=True)
    found = tops(sockets.facts(lambda facts: len(facts) == 3))

    assert found == [level(*FIRST), level(*FIRST), level("60008", "1.25", "60010", "0.75")]
    assert len(sockets.paths) == 2


def test_heartbeat_of_a_channel_is_no_gap() -> None:
    frames = [*BEGUN, '[17082, "hb", 2]', "[17082, [60009, 0, 1], 3]"]

    assert heard(frames, enough=2)[-1] == level("60008", "1.25", "60010", "0.75")
