"""What a real book that never saw our order would have given it, by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from exchanges.domain import (
    Depth,
    Level,
    Side,
    Symbol,
)
from exchanges.matching import take
from exchanges.paper.book import Place, left_of, look, place_in, slipped
from tests.position_views import make_instrument

pytestmark = pytest.mark.core

D = Decimal
AT = datetime(2026, 1, 5, 12, tzinfo=UTC)


def depth(bids: dict[str, str], asks: dict[str, str]) -> Depth:
    def levels(side: dict[str, str]) -> list[Level]:
        return [Level(price=D(price), base_quantity=D(size)) for price, size in side.items()]

    return Depth(
        venue="bybit",
        symbol=Symbol("BTC/USDT:USDT"),
        bids=levels(bids),
        asks=levels(asks),
        observed_at=AT,
    )


BOOK = depth(
    bids={"60000": "2", "59999": "3", "59990": "5"},
    asks={"60001": "0.4", "60002": "0.6", "60010": "4"},
)


def test_a_larger_order_pays_more_for_each_coin() -> None:
    def average(quantity: str) -> Decimal:
        taken = take(BOOK.asks, side=Side.BUY, base_quantity=D(quantity), limit=None)
        paid = sum((one.price * one.base_quantity for one in taken), D(0))
        return paid / D(quantity)

    # 0.4 at 60,001; then 0.6 more at 60,002; then 1 more at 60,010.
    assert average("0.4") == D("60001")
    assert average("1") == D("60001.6")
    assert average("2") == D("60005.8")


def test_what_we_took_is_not_there_for_the_next_order() -> None:
    taken = {D("60001"): D("0.4"), D("60002"): D("0.1")}

    left = left_of(BOOK.asks, taken)

    assert [(one.price, one.base_quantity) for one in left] == [
        (D("60002"), D("0.5")),
        (D("60010"), D(4)),
    ]


@pytest.mark.parametrize(
    ("side", "limit", "paid"),
    [
        # 60,001 x 1.0001 = 60,007.0001, up to the tick.
        (Side.BUY, None, "60007.1"),
        (Side.BUY, D("60005"), "60005"),
        # 60,001 x 0.9999 = 59,994.9999, down to the tick.
        (Side.SELL, None, "59994.9"),
        (Side.SELL, D("59999"), "59999"),
    ],
)
def test_slippage_makes_a_price_worse_up_to_the_limit(
    side: Side, limit: Decimal | None, paid: str
) -> None:
    price = slipped(
        D("60001"),
        side=side,
        slippage=D("0.0001"),
        instrument=make_instrument("bybit"),
        limit=limit,
    )

    assert price == D(paid)


@pytest.mark.parametrize(
    ("side", "price", "place"),
    [
        (Side.BUY, "60000", Place(D(2), D(2))),
        (Side.BUY, "60000.5", Place(D(0), D(0))),
        (Side.BUY, "59995", Place(D(0), D(0))),
        (Side.BUY, "59000", Place(None, None)),
        (Side.SELL, "60002", Place(D("0.6"), D("0.6"))),
        (Side.SELL, "61000", Place(None, None)),
    ],
)
def test_a_resting_order_stands_behind_what_its_level_shows(
    side: Side, price: str, place: Place
) -> None:
    assert place_in(BOOK, side=side, price=D(price)) == place


def looked(
    book: Depth, place: Place, *, price: str = "60000", quantity: str = "1"
) -> tuple[list[tuple[Decimal, Decimal]], Place]:
    fills, after = look(book, place, side=Side.BUY, price=D(price), base_quantity=D(quantity))
    return [(one.price, one.base_quantity) for one in fills], after


def test_the_queue_is_served_before_us() -> None:
    place = Place(D(2), D(2))

    # 1.5 of the two ahead were traded: nothing for us yet.
    fills, place = looked(depth({"60000": "0.5"}, {"60001": "1"}), place)
    assert (fills, place) == ([], Place(D("0.5"), D("0.5")))

    # Somebody came behind us: 0.5 stay ahead of us.
    fills, place = looked(depth({"60000": "3"}, {"60001": "1"}), place)
    assert (fills, place) == ([], Place(D("0.5"), D(3)))

    # 0.7 were traded: 0.5 of them were ahead, 0.2 are ours.
    fills, place = looked(depth({"60000": "2.3"}, {"60001": "1"}), place)
    assert (fills, place) == ([(D(60000), D("0.2"))], Place(D(0), D("2.3")))


def test_a_level_that_is_not_the_best_is_cancelled_not_traded() -> None:
    fills, place = looked(depth({"60001": "1", "60000": "0.5"}, {"60002": "1"}), Place(D(2), D(2)))

    assert (fills, place) == ([], Place(D("0.5"), D("0.5")))


def test_a_market_that_trades_through_fills_by_what_stands_there() -> None:
    through = depth({"59980": "1"}, {"59990": "0.3", "60000": "0.2", "60001": "9"})

    fills, place = looked(through, Place(D(2), D(2)))

    # What stands at the price and below it: 0.3 and 0.2, at our own price.
    assert fills == [(D("59990"), D("0.3")), (D("60000"), D("0.2"))]
    assert place == Place(D(0), D(0))


def test_the_same_book_read_twice_fills_once() -> None:
    book = depth({"60000": "1.5"}, {"60001": "1"})
    fills, place = looked(book, Place(D(0), D(2)))
    assert fills == [(D(60000), D("0.5"))]

    again, _ = looked(book, place)

    assert again == []


def test_an_unseen_level_joins_the_queue_at_its_end_when_it_comes_in_sight() -> None:
    deep = depth({"60000": "2"}, {"60001": "1"})
    fills, place = looked(deep, Place(None, None), price="59000")
    assert (fills, place) == ([], Place(None, None))

    near = depth({"59001": "1", "59000": "7"}, {"59002": "1"})
    fills, place = looked(near, place, price="59000")

    assert (fills, place) == ([], Place(D(7), D(7)))


def test_the_first_in_an_empty_gap_has_nobody_ahead() -> None:
    fills, place = looked(depth({"59999": "1"}, {"60001": "1"}), Place(D(2), D(2)))

    assert (fills, place) == ([], Place(D(0), D(0)))
