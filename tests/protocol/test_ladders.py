"""Books kept from changes: when their tops are told, and when they are no longer vouched for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.ccxt_adapter.feeds.ladders import BELIEVED_FOR, Books, Ladder
from exchanges.ccxt_adapter.listing import Listing
from exchanges.domain import Side
from exchanges.errors import UnexpectedPayload
from tests.market import make_instrument

pytestmark = pytest.mark.protocol

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
# A contract of 1,000 coins whose price is told per 1,000 coins.
THOUSANDS = Listing(
    instrument=replace(make_instrument(), contract_base=Decimal(1000)),
    price_multiplier=Decimal(1000),
    market={},
)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Told:
    """Books of two names on one socket, and the tops that came of them."""

    def __init__(self) -> None:
        self.tops: list[Any] = []
        self.books = Books({"A": THOUSANDS, "B": THOUSANDS}, self.tops.append, Ladder)

    def begun(self, name: str, at: datetime) -> None:
        ladder = self.books.begin(name)
        ladder.put(Side.BUY, "10", "2")
        ladder.put(Side.SELL, "11", "3")
        self.books.tell(name, at)


def test_top_is_the_best_of_each_side_in_coins() -> None:
    told = Told()
    ladder = told.books.begin("A")
    for side, price, size in (
        (Side.BUY, "9", "1"),
        (Side.BUY, "10", "2"),
        (Side.SELL, "12", "4"),
        (Side.SELL, "11", "3"),
    ):
        ladder.put(side, price, size)
    told.books.tell("A", START)

    [top] = told.tops
    assert (top.bid, top.bid_quantity) == (Decimal("0.010"), 2000)
    assert (top.ask, top.ask_quantity) == (Decimal("0.011"), 3000)
    assert top.observed_at == START


def test_quiet_book_is_confirmed_once_a_second_by_what_arrives() -> None:
    told = Told()
    told.begun("A", START)
    for tenth in range(1, 31):
        told.books.confirm(after(tenth / 10))

    # Asked ten times a second, it looks whether one is due four times a second.
    assert [top.observed_at for top in told.tops] == [START, after(1), after(2.2)]


def test_book_that_has_just_changed_is_not_told_again() -> None:
    told = Told()
    told.begun("A", START)
    told.begun("B", after(0.9))
    told.books.confirm(after(1))

    assert [top.observed_at for top in told.tops] == [START, after(0.9), after(1)]


def test_change_below_the_top_is_no_news_but_a_sign_of_life() -> None:
    told = Told()
    told.begun("A", START)
    told.books.of("A").put(Side.BUY, "9", "5")
    told.books.tell("A", after(0.5))
    assert len(told.tops) == 1

    told.books.confirm(START + BELIEVED_FOR)
    assert [top.observed_at for top in told.tops] == [START, START + BELIEVED_FOR]


def test_book_that_does_not_move_for_long_is_not_vouched_for() -> None:
    told = Told()
    told.begun("A", START)
    told.books.confirm(START + BELIEVED_FOR - timedelta(seconds=1))
    told.books.confirm(START + BELIEVED_FOR)

    assert len(told.tops) == 2


def test_what_a_new_socket_has_not_told_is_not_confirmed() -> None:
    told = Told()
    told.begun("A", START)
    told.books.restart()
    told.books.confirm(after(5))

    assert len(told.tops) == 1
    with pytest.raises(UnexpectedPayload):
        told.books.of("A")


def test_book_with_an_empty_side_is_not_confirmed() -> None:
    told = Told()
    told.begun("A", START)
    told.books.of("A").put(Side.SELL, "11", "0")
    told.books.tell("A", after(1))
    told.books.confirm(after(3))
    assert len(told.tops) == 1

    told.books.of("A").put(Side.SELL, "11", "3")
    told.books.tell("A", after(4))
    assert [top.observed_at for top in told.tops] == [START, after(4)]


@pytest.mark.parametrize(("price", "size"), [("10", "-1"), ("0", "1"), ("-1", "1")])
def test_level_that_no_book_could_have_is_refused(price: str, size: str) -> None:
    with pytest.raises(UnexpectedPayload):
        Ladder().put(Side.BUY, price, size)
