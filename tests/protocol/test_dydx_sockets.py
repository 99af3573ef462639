"""dYdX's indexer socket: recorded frames, and others as its documentation and source have them.

Source of what is written here: docs.dydx.xyz, Indexer, WebSockets, and the guide to uncrossing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import pytest

from exchanges.ccxt_adapter import polled
from exchanges.domain import BookTop, FundingRate, IntervalSource, MarketFact, Quote
from tests.protocol.canned_sockets import CannedSockets
from tests.protocol.conftest import assert_exact
from tests.protocol.test_dydx import BITCOIN, recorded_venue
from tests.protocol.test_recorded_payloads import ADAPTERS, recorded

pytestmark = [
    pytest.mark.protocol,
    pytest.mark.skipif(not ADAPTERS.is_dir(), reason="../shared with recorded payloads is absent"),
]

CONNECTED = {"type": "connected", "connection_id": "c", "message_id": 0}
BLOCK = {
    "type": "channel_data",
    "channel": "v4_block_height",
    "id": "v4_block_height",
    "contents": {"blockHeight": "1", "time": "2025-12-08T16:12:01.000Z"},
}
SNAPSHOT = recorded("dydx/ws_orderbook_subscribed.json") if ADAPTERS.is_dir() else {}
# The best ask of 1.2 coins at 43,250 is gone, 3 coins stand at 43,252; the best bid holds 2.
CHANGED = recorded("dydx/ws_orderbook_update.json") if ADAPTERS.is_dir() else {}


def change(*contents: dict[str, Any], name: str = "BTC-USD") -> dict[str, Any]:
    return {
        "type": "channel_batch_data",
        "connection_id": "c",
        "message_id": 9,
        "channel": "v4_orderbook",
        "id": name,
        "version": "1.0.0",
        "contents": list(contents),
    }


FRAMES = (
    [
        CONNECTED,
        recorded("dydx/ws_markets_subscribed.json"),
        SNAPSHOT,
        CHANGED,
        recorded("dydx/ws_markets_update.json"),
        change({"bids": [["43256", "0.4"]]}, {"asks": [["43256", "1"]]}),
        BLOCK,
    ]
    if ADAPTERS.is_dir()
    else []
)


def speaking(frames: Iterable[Any], of: str = "BTC-USD") -> Callable[[Any], Iterable[Any]]:
    """Return a socket that greets, and says the frames once that book or channel is asked for."""

    def speech(said: Any) -> Iterable[Any]:
        if said is None:
            return [CONNECTED]
        return frames if said.get("id", said["channel"]) == of else []

    return speech


def tops(facts: list[MarketFact]) -> list[tuple[Decimal, ...]]:
    return [
        (one.bid, one.bid_quantity, one.ask, one.ask_quantity)
        for one in facts
        if isinstance(one, BookTop)
    ]


def heard(frames: Iterable[Any], enough: int = 1) -> list[tuple[Decimal, ...]]:
    sockets = CannedSockets(recorded_venue(), speaking(frames))
    facts = sockets.facts(lambda found: len(tops(found)) >= enough)
    for fact in facts:
        assert_exact(fact)
    return tops(facts)


def level(*numbers: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, numbers))


def test_what_is_subscribed_is_the_markets_and_each_book_in_batches() -> None:
    sockets = CannedSockets(recorded_venue(), speaking([SNAPSHOT], of="SOL-USD"))
    sockets.facts(lambda found: len(sockets.said) == 5)

    def asked(**more: Any) -> dict[str, Any]:
        return {"type": "subscribe", **more}

    books = [
        asked(channel="v4_orderbook", id=name, batched=True)
        for name in ("BTC-USD", "ETH-USD", "SOL-USD")
    ]
    markets = asked(channel="v4_markets")
    assert [one for one in sockets.said if one != markets] == [
        asked(channel="v4_block_height"),
        *books,
    ]
    assert sockets.said.count(markets) == 1
    assert sockets.paths == ["/v4/ws"] * 2


def test_top_of_a_recorded_snapshot_and_of_what_changed_since() -> None:
    assert heard([SNAPSHOT, CHANGED], enough=2) == [
        level("43240", "1.5", "43250", "1.2"),
        level("43240", "2", "43252", "3"),
    ]


def test_changes_that_come_together_count_in_their_order() -> None:
    first, then = {"bids": [["43241", "7"]]}, {"bids": [["43241", "0"], ["43240", "1"]]}

    assert heard([SNAPSHOT, change(first, then)], enough=2)[-1] == level(
        "43240", "1", "43250", "1.2"
    )


def test_of_levels_that_cross_the_one_told_last_stands() -> None:
    # A bid above two asks that were there before it.
    crossing = change({"bids": [["43256", "0.4"]]})
    assert heard([SNAPSHOT, crossing], enough=2)[-1] == level("43256", "0.4", "43260", "0.9")
    # An ask below all bids but one.
    crossing = change({"asks": [["43231", "5"]]})
    assert heard([SNAPSHOT, crossing], enough=2)[-1] == level("43230", "0.8", "43231", "5")


def test_of_levels_that_cross_at_once_the_larger_stands_by_the_difference() -> None:
    both = change({"bids": [["43258", "2"]], "asks": [["43258", "0.5"]]})

    # Against 1.2 at 43,250 and 2 at 43,255, both older; then 0.5 of those told of with it.
    assert heard([SNAPSHOT, both], enough=2)[-1] == level("43258", "1.5", "43260", "0.9")


def test_a_level_that_was_crossed_out_comes_back_when_it_is_told_of_again() -> None:
    crossing, again = change({"bids": [["43250", "1"]]}), change({"asks": [["43250", "3"]]})

    assert heard([SNAPSHOT, crossing, again], enough=3)[1:] == [
        level("43250", "1", "43255", "2"),
        level("43240", "1.5", "43250", "3"),
    ]


def test_an_empty_side_has_no_top_until_somebody_stands_there() -> None:
    gone = change({"asks": [["43250", "0"], ["43255", "0"], ["43260", "0"]]})
    back = change({"asks": [["43261", "0.25"]]})

    assert heard([SNAPSHOT, gone, back], enough=2)[1:] == [level("43240", "1.5", "43261", "0.25")]


def test_what_others_say_is_no_top() -> None:
    strangers = [
        BLOCK,
        SNAPSHOT | {"id": "DOGE-USD"},
        change({"bids": [["1", "1"]]}, name="DOGE-USD"),
        {"type": "unsubscribed", "channel": "v4_orderbook", "id": "BTC-USD"},
    ]
    assert heard([*strangers, SNAPSHOT]) == [level("43240", "1.5", "43250", "1.2")]


@pytest.mark.parametrize(
    "trouble",
    [
        recorded("dydx/ws_error.json") if ADAPTERS.is_dir() else None,
        change({"bids": [["43241", "-1"]]}),
        change({"bids": [["43241"]]}),
        change({"bids": [[43241.5, "1"]]}),
        {"type": "channel_data", "channel": "v4_orderbook", "id": "ETH-USD", "contents": {}},
        "<html>",
    ],
    ids=["refused", "less than nothing", "no size", "float", "before its snapshot", "no JSON"],
)
def test_refusal_and_what_is_not_understood_begin_with_a_new_snapshot(trouble: Any) -> None:
    answers = iter([[SNAPSHOT, trouble], [SNAPSHOT, CHANGED]])

    def speech(said: Any) -> Iterable[Any]:
        return next(answers) if said and said.get("id") == "BTC-USD" else ()

    sockets = CannedSockets(recorded_venue(), speech)
    found = tops(sockets.facts(lambda facts: len(tops(facts)) == 3))

    # The trouble of the first socket is forgotten with it.
    snapshot = level("43240", "1.5", "43250", "1.2")
    assert found == [snapshot, snapshot, level("43240", "2", "43252", "3")]
    assert len(sockets.paths) == 3


def test_marks_are_the_oracle_s_and_rates_those_of_this_hour() -> None:
    frames = [
        recorded("dydx/ws_markets_subscribed.json"),
        recorded("dydx/ws_markets_update.json"),
        recorded("dydx/ws_markets_status_update.json"),
    ]
    sockets = CannedSockets(recorded_venue(), speaking(frames, of="v4_markets"))
    facts = sockets.facts(lambda found: len(found) == 12)

    bitcoin = [fact for fact in facts if fact.symbol == BITCOIN]
    quotes = [fact for fact in bitcoin if isinstance(fact, Quote)]
    rates = [fact for fact in bitcoin if isinstance(fact, FundingRate)]
    # What changes renews the rest.
    assert [one.mark_price for one in quotes] == [43_250, 43_300, 43_300]
    assert [one.index_price for one in quotes] == [43_250, 43_300, 43_300]
    assert {one.funding_rate for one in rates} == {Decimal("0.0001")}
    assert [one.mark_price for one in rates] == [43_250, 43_300, 43_300]
    # Neither its spacing nor its settlement is said here.
    assert {(one.interval_seconds, one.interval_source, one.next_funding_at) for one in rates} == {
        (None, IntervalSource.UNKNOWN, None)
    }
    for fact in facts:
        assert_exact(fact)


def test_changed_rate_is_that_of_the_message() -> None:
    message = {
        "type": "channel_data",
        "channel": "v4_markets",
        "contents": {"trading": {"BTC-USD": {"nextFundingRate": "-0.00006821875"}}},
    }
    sockets = CannedSockets(recorded_venue(), speaking([message], of="v4_markets"))
    [rate] = sockets.facts(bool)

    assert isinstance(rate, FundingRate)
    assert (rate.symbol, rate.funding_rate) == (BITCOIN, Decimal("-0.00006821875"))
    assert rate.mark_price is None


def test_book_whose_socket_falls_silent_is_read_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polled, "TOLD_WITHIN", 0.5)
    monkeypatch.setattr(polled, "LOOK_SECONDS", 0.1)
    read = {"bids": [{"price": "43000", "size": "1"}], "asks": [{"price": "43001", "size": "1"}]}
    at = recorded_venue()
    at.payloads["/v4/orderbooks/perpetualMarket/BTC-USD"] = read
    # One snapshot, and not a word more.
    sockets = CannedSockets(at, speaking([SNAPSHOT]))

    def bids(facts: list[MarketFact]) -> list[Decimal]:
        return [fact.bid for fact in facts if isinstance(fact, BookTop)]

    def was_read_after_it_was_told(facts: list[MarketFact]) -> bool:
        told = [number for number, bid in enumerate(bids(facts)) if bid != 43_000]
        return bool(told) and 43_000 in bids(facts)[told[0] :]

    facts = sockets.market({BITCOIN}, was_read_after_it_was_told)

    assert set(bids(facts)) == {Decimal(43_000), Decimal("43240")}
