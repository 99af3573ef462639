"""Funding settlements and liquidations, booked exactly once."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from exchanges.domain import Side
from exchanges.simulator.accounts import Origin
from exchanges.simulator.listings import BYBIT, USDM
from tests.simulator.world import World

pytestmark = pytest.mark.core

D = Decimal


def test_longs_pay_and_shorts_receive_the_pinned_rate_at_the_mark(world: World) -> None:
    for venue in (USDM, BYBIT):
        world.pin(venue, price="60000", funding_rate="0.0015")
    world.place(USDM, Side.BUY, "0.5")
    world.place(BYBIT, Side.SELL, "0.5")

    world.wait(minutes=3, seconds=30)

    # 0.5 x 60,000 x 0.0015 = 45
    paid = {row.venue: row.payment for row in world.simulator.ledger.funding}
    assert paid == {USDM: D("-45"), BYBIT: D("45")}
    assert all(row.settlement_price == D("60000") for row in world.simulator.ledger.funding)


def test_a_settlement_moves_the_wallet_by_the_payment(world: World) -> None:
    world.pin(BYBIT, price="60000", funding_rate="-0.0015")
    world.place(BYBIT, Side.SELL, "0.5")
    before = world.account(BYBIT).balance("unified", "USDT")

    world.wait(minutes=4)

    assert world.account(BYBIT).balance("unified", "USDT") - before == D("-45")


def test_the_position_at_the_instant_counts_not_the_one_after(world: World) -> None:
    world.pin(USDM, price="60000", funding_rate="0.0015")
    world.place(USDM, Side.BUY, "0.5")
    world.wait(minutes=3, seconds=29.9)

    # The next request finds the settlement behind it, before any beat has come.
    world.at = world.at.replace(minute=4, second=0, microsecond=100_000)
    closed = world.private(
        USDM, "POST", "/fapi/v1/order", symbol="BTCUSDT", side="SELL", type="MARKET",
        quantity="0.5", reduceOnly="true",
    )  # fmt: skip

    assert closed.body["status"] == "FILLED"
    assert [row.payment for row in world.simulator.ledger.funding] == [D("-45")]


def test_a_flat_account_is_paid_nothing(world: World) -> None:
    world.place(USDM, Side.BUY, "0.5")
    world.place(USDM, Side.SELL, "0.5", reduce_only=True)

    world.wait(minutes=8)

    assert world.simulator.ledger.funding == []


def test_payments_have_all_digits_of_position_price_and_rate(world: World) -> None:
    world.place(USDM, Side.BUY, "0.137")
    world.wait(minutes=8)

    for row in world.simulator.ledger.funding:
        assert row.payment == -row.position_base * row.settlement_price * row.funding_rate
        listing = world.listing(USDM)
        market = world.simulator.market
        assert row.funding_rate == market.settled_rate(listing, row.settled_at)
        assert row.settlement_price == market.mark(listing, row.settled_at)
    assert len(world.simulator.ledger.funding) == 2


def test_settlements_missed_while_stopped_are_booked_at_the_next_start(world: World) -> None:
    world.place(USDM, Side.BUY, "0.5")
    world.wait(seconds=1)
    world.simulator.ledger.close()

    world.at = world.at.replace(minute=13)
    world.open()

    times = [row.settled_at.minute for row in world.simulator.ledger.funding]
    assert times == [4, 8, 12]


def test_reopening_books_no_settlement_twice(world: World) -> None:
    world.place(USDM, Side.BUY, "0.5")
    world.wait(minutes=4)
    booked = list(world.simulator.ledger.funding)
    world.simulator.ledger.close()

    world.open()

    assert world.simulator.ledger.funding == booked


def test_the_published_history_has_the_interval_as_its_spacing(world: World) -> None:
    rows = world.public(USDM, "/fapi/v1/fundingRate", symbol="BTCUSDT", limit=12).body

    spacing = {after["fundingTime"] - before["fundingTime"] for before, after in pairwise(rows)}
    assert (len(rows), spacing) == (12, {240_000})


def test_what_settled_stays_in_the_history_after_the_pin_is_gone(world: World) -> None:
    world.pin(USDM, funding_rate="0.0015")
    world.wait(minutes=4)
    world.simulator.ledger.pins.clear()
    world.wait(minutes=4)

    history = world.simulator.settled(world.listing(USDM), now=world.at)

    assert history[-2].rate == D("0.0015")
    assert history[-1].rate != D("0.0015")


def test_a_wallet_below_maintenance_is_liquidated_at_the_mark(world: World) -> None:
    world.pin(USDM, price="60000", level_quantity="40")
    world.place(USDM, Side.BUY, "30")

    # 100,000 - 900.0015 fee - 30 x 3,000.1 is below the maintenance of 30 x 57,000 x 0.01 - 2,700.
    world.pin(USDM, price="57000")
    world.wait(seconds=0.25)

    assert world.simulator.ledger.holdings() == []
    order = list(world.simulator.ledger.orders.values())[-1]
    assert (order.origin, order.average_price) == (Origin.LIQUIDATION, D("57000"))
    assert order.client_order_id.startswith("autoclose-")


def test_a_sound_wallet_is_left_alone(world: World) -> None:
    world.pin(USDM, price="60000", level_quantity="40")
    world.place(USDM, Side.BUY, "10")

    world.pin(USDM, price="57000")
    world.wait(seconds=0.25)

    assert len(world.simulator.ledger.holdings()) == 1
