"""What a poll is asked for beside live sockets: dead topics, and never what no list tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from exchanges.board import Board, Channel
from exchanges.domain import BookTop, InstrumentKind, MarketFact, Symbol
from exchanges.market_poll import silence_at
from exchanges.models import Exchange, Instrument
from exchanges.unheard import Topic, Unheard, has_moved
from tests.market import NOW, PERP, make_book, make_quote, make_rate
from tests.simulation.memory import MemoryRedis

VENUE = "bybit"
QUIET, BOOKLESS = Symbol("ETH/USDT:USDT"), Symbol("ODD/USDT:USDT")
EXCHANGE = Exchange(code=VENUE)
LISTED = [
    Instrument(exchange=EXCHANGE, symbol=symbol, kind=InstrumentKind.PERPETUAL)
    for symbol in (PERP, QUIET, BOOKLESS)
]
DEAD: Topic = (QUIET, Channel.BOOK)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def observed(fact: Any, symbol: Symbol, seconds: float) -> Any:
    return replace(fact, symbol=symbol, observed_at=at(seconds))


def board(*facts: MarketFact, live_at: float) -> Board:
    """Return a board on which bitcoin is told all the time, and all marks and rates are."""
    made = Board()
    for symbol in (PERP, QUIET, BOOKLESS):
        made.apply(observed(make_rate(VENUE), symbol, live_at))
        made.apply(observed(make_quote(VENUE), symbol, live_at))
    made.apply(observed(make_book(VENUE), PERP, live_at))
    for fact in facts:
        made.apply(fact)
    return made


def silent(held: Board, unheard: Unheard, seconds: float, *, streamed: bool = True) -> set[Topic]:
    pks = {row.pk for row in LISTED} if streamed else set()
    return set(silence_at(held, EXCHANGE, LISTED, pks, unheard, at(seconds)).topics)


def book(symbol: Symbol, seconds: float, *, bid: str = "49999", ask: str = "50001") -> BookTop:
    top: BookTop = observed(make_book(VENUE, bid=bid, ask=ask), symbol, seconds)
    return top


def test_one_book_on_a_live_channel_is_asked_for_before_it_is_five_seconds_old() -> None:
    held = board(book(QUIET, 0), book(BOOKLESS, 4), live_at=4)

    assert silent(held, Unheard(VENUE), 3.4) == set()
    # Polls come once a second: the one after 3.5 s is not later than 4.5.
    assert silent(held, Unheard(VENUE), 3.6) == {DEAD}


def test_what_a_list_finds_moved_is_asked_for_each_second_until_a_socket_tells_of_it() -> None:
    held, unheard = board(book(QUIET, 0), book(BOOKLESS, 5), live_at=5), Unheard(VENUE)
    told = book(QUIET, 5, bid="50001", ask="50003")

    unheard.learn(held, [told], {DEAD}, {DEAD}, at(5))
    held.apply(told)

    assert silent(held, unheard, 5.7) == set()
    assert silent(held, unheard, 6) == {DEAD}
    assert not unheard.forget_heard(held)
    held.apply(book(QUIET, 6.1))
    assert unheard.forget_heard(held)
    assert silent(held, unheard, 6.4) == set()


def test_a_market_that_rests_is_read_again_and_not_taken_for_dead() -> None:
    held, unheard = board(book(QUIET, 0), book(BOOKLESS, 5), live_at=5), Unheard(VENUE)
    # A list may tell the price of a larger size: another touch alone proves nothing.
    told = book(QUIET, 5, bid="49900", ask="50100")

    unheard.learn(held, [told], {DEAD}, {DEAD}, at(5))
    held.apply(told)

    assert unheard.topics == {}
    assert silent(held, unheard, 6) == set()


@pytest.mark.parametrize("told", [[], [("50001", "49999")]], ids=["none", "crossed"])
def test_a_contract_that_never_has_a_book_keeps_no_poll_running(
    told: list[tuple[str, str]],
) -> None:
    held, unheard = board(book(QUIET, 0), live_at=0), Unheard(VENUE)
    topic = (BOOKLESS, Channel.BOOK)
    assert silent(held, unheard, 0.5) == {topic}

    books = [book(BOOKLESS, 0.5, bid=bid, ask=ask) for bid, ask in told]
    unheard.learn(held, [book(QUIET, 0.5), *books], {topic}, {topic}, at(0.5))

    assert silent(held, unheard, 1.4) == set()
    late = board(book(QUIET, 59), live_at=59)
    assert silent(late, unheard, 60) == set()
    assert silent(late, unheard, 60.5) == {topic}


def test_a_channel_that_is_silent_as_a_whole_is_read_at_once_and_nothing_is_called_dead() -> None:
    held = board(book(QUIET, 0), book(BOOKLESS, 0), live_at=0)

    found = silence_at(held, EXCHANGE, LISTED, {r.pk for r in LISTED}, Unheard(VENUE), at(2))

    assert {channel for _, channel in found.topics} == set(Channel)
    assert found.missed == frozenset()


def test_what_is_streamed_nowhere_is_read_every_quarter_minute() -> None:
    held = board(book(QUIET, 0), book(BOOKLESS, 14), live_at=14)

    assert silent(held, Unheard(VENUE), 14.5, streamed=False) == set()
    late = board(book(QUIET, 0), book(BOOKLESS, 15), live_at=15)
    assert silent(late, Unheard(VENUE), 15.1, streamed=False) == {DEAD}


def test_it_is_kept_for_all_processes_and_old_news_is_no_reason_to_reopen() -> None:
    redis: Any = MemoryRedis()
    held, unheard = board(book(QUIET, 0), live_at=20), Unheard(VENUE)
    for second in (1, 20):
        told = book(QUIET, second, bid=str(50_001 + second), ask="50100")
        unheard.learn(held, [told], {DEAD, (BOOKLESS, Channel.BOOK)}, {DEAD}, at(second))
        held.apply(told)
    unheard.save(redis)

    kept = Unheard.load(redis, VENUE)

    assert kept == unheard
    assert kept.dead_for(timedelta(seconds=15), at(21)) == [DEAD]
    assert kept.dead_for(timedelta(seconds=15), at(26)) == []


def test_a_list_that_was_asked_for_before_a_socket_told_proves_nothing() -> None:
    """The list was asked for at 5, a socket told at 6, and the answer came at 8."""
    held, unheard = board(book(QUIET, 6), live_at=6), Unheard(VENUE)
    told = book(QUIET, 5, bid="50001", ask="50003")

    unheard.learn(held, [told], {DEAD}, {DEAD}, at(8))

    assert unheard.topics == {}
    assert not held.apply(told)


def test_a_topic_that_is_read_by_slow_answers_is_still_being_read() -> None:
    """Each answer takes four seconds: what came last was asked for at 16 and came at 20."""
    held, unheard = board(book(QUIET, 0), live_at=20), Unheard(VENUE)
    for asked, came in ((4, 8), (16, 20)):
        told = book(QUIET, asked, bid=str(50_001 + asked), ask="50100")
        unheard.learn(held, [told], {DEAD}, {DEAD}, at(came))
        held.apply(told)

    assert unheard.dead_for(timedelta(seconds=15), at(24)) == [DEAD]
    assert unheard.dead_for(timedelta(seconds=15), at(25.5)) == []


@pytest.mark.parametrize(
    ("mark", "moved"), [("50000", False), ("50024", False), ("50026", True), ("49974", True)]
)
def test_a_mark_has_moved_by_more_than_five_basis_points(mark: str, moved: bool) -> None:
    known, told = make_quote(VENUE, mark="50000"), make_quote(VENUE, mark=mark)

    # 5 bp of 50,000 are 25.
    assert has_moved(known, told) is moved
