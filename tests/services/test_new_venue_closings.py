"""How positions at venues traded since lately end: by the venue, by hand, in parts, by a kill."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest

from exchanges.domain import Side
from exchanges.simulator.accounts import Origin
from tests.services.pair_desk import PLACES, SYMBOLS, PairDesk, symbol_of
from tests.services.pair_stories import (
    IN_USDC,
    LOST,
    ONE_COMPANY,
    WITHOUT_AN_ANSWER,
    assert_each_order_is_there_once,
    opened,
    planned,
    standing,
)
from tests.services.strategy_desk import D
from tests.services.test_strategies import assert_books_are_the_venues
from trading.core.states import OrderState, PositionState, Purpose
from trading.models import Discrepancy, Event, Order, Trade
from trading.services import resolve
from trading.services.discrepancies import READ_LAG
from trading.services.flatten import flatten

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

CLOSED_BY_THE_VENUE = [
    (venue, pair, origin)
    for venue, pair in (
        ("gate", ("gate", "kucoin")),
        ("kucoin", ("gate", "kucoin")),
        ("bitget", ("kucoin", "bitget")),
        ("krakenfutures", ONE_COMPANY),
    )
    for origin in (Origin.LIQUIDATION, Origin.ADL)
]


@pytest.fixture
def desk(tmp_path: Path, db: None) -> Generator[PairDesk]:
    yield from standing(tmp_path / "venues")


@pytest.mark.parametrize(("venue", "pair", "origin"), CLOSED_BY_THE_VENUE)
def test_a_leg_that_its_venue_closed_takes_the_other_with_it(
    desk: PairDesk, venue: str, pair: tuple[str, str], origin: Origin
) -> None:
    position = opened(desk, pair)
    desk.world.wait(minutes=10)
    desk.close_by_venue(venue, origin, "0.04")
    desk.reconcile()
    desk.reconcile()
    desk.drive_until(position, PositionState.OPEN)
    assert sorted(desk.base(one) for one in pair) == [D("-0.06"), D("0.06")]

    desk.world.wait(minutes=10)
    desk.close_by_venue(venue, origin)
    desk.reconcile()
    desk.drive_until(position, PositionState.CLOSED)
    desk.pass_hours(1)
    desk.pass_time(minutes=4)
    desk.reconcile()

    assert [desk.base(one) for one in pair] == [0, 0]
    cause = Trade.Cause.ADL if origin is Origin.ADL else Trade.Cause.LIQUIDATION
    closings = position.trades.exclude(cause=Trade.Cause.ORDER)
    assert [(t.cause, t.base_quantity) for t in closings] == [
        (cause, D("0.04")),
        (cause, D("0.06")),
    ]
    assert position.close_reason == ("auto_deleveraged" if origin is Origin.ADL else "liquidated")
    assert desk.our_fills() == desk.their_fills()
    assert desk.our_funding() == desk.their_funding()
    assert not Event.objects.filter(kind__startswith="funding.", severity="warning").exists()


@pytest.mark.parametrize("venue", [*PLACES, "deribit"])
def test_a_trade_by_hand_is_adopted_and_the_other_leg_follows(desk: PairDesk, venue: str) -> None:
    pair = next((pair for disturbed, pair in LOST if disturbed == venue), IN_USDC)
    position = opened(desk, pair)
    desk.world.wait(seconds=30)
    side = Side.BUY if desk.base(venue) < 0 else Side.SELL
    desk.world.place(venue, side, "0.04", symbol=SYMBOLS[venue])
    desk.reconcile()
    desk.world.wait(seconds=READ_LAG.total_seconds() + 1)
    desk.reconcile()
    found = Discrepancy.objects.confirmed().get()
    assert (found.account.exchange.code, abs(found.missing)) == (venue, D("0.04"))

    refused = resolve.adopt(found, actor="trader", now=desk.now, venues=desk.venues)
    assert refused is None
    desk.drive_until(position, PositionState.OPEN)
    desk.reconcile()

    assert [desk.base(one) for one in pair] == [D("0.06"), D("-0.06")]
    assert desk.our_fills() == desk.their_fills()
    assert not Discrepancy.objects.confirmed().exists()


@pytest.mark.parametrize("pair", [("gate", "kucoin"), ONE_COMPANY], ids="-".join)
def test_a_position_larger_than_its_venues_take_by_now_is_closed_in_parts(
    desk: PairDesk, pair: tuple[str, str]
) -> None:
    position = opened(desk, pair)
    for venue in pair:
        desk.take_at_most(venue, "0.04")
    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)
    desk.reconcile()

    assert [desk.base(one) for one in pair] == [0, 0]
    closing = Order.objects.filter(position=position, purpose=Purpose.REDUCE)
    assert {order.state for order in closing} == {OrderState.FILLED}
    assert max(order.base_quantity for order in closing) == D("0.04")
    assert_books_are_the_venues(desk)
    assert desk.longest_naked() <= timedelta(seconds=5)


def test_a_kill_flattens_what_is_held_at_all_of_them_though_answers_are_lost(
    desk: PairDesk,
) -> None:
    desk.bases = ["BTC", "ETH", "SOL"]
    desk.open_accounts("gate", "kucoin", "bitget", *ONE_COMPANY)
    began = {base: desk.coins("kraken", base) for base in desk.bases}
    held = {"BTC": ("gate", "kucoin"), "ETH": ONE_COMPANY, "SOL": ("bitget", "gate")}
    positions = [
        planned(desk, pair, quantity, base=base)
        for (base, pair), quantity in zip(held.items(), ("0.1", "2", "20"), strict=True)
    ]
    for position in positions:
        desk.drive_until(position, PositionState.OPEN)

    for venue, action in zip(PLACES, [*WITHOUT_AN_ANSWER, "drop_before_accept"], strict=True):
        desk.disturb(venue, action)
    pressed = desk.kill()
    left = flatten(
        pressed, venues=desk.venues, clock=lambda: desk.now, pause=desk.pass_a_second, lanes=1
    )

    assert left == []
    for position in positions:
        position.refresh_from_db()
        assert (position.state, position.close_reason) == (PositionState.CLOSED, "kill")
    perpetuals = [
        desk.held(venue, symbol_of(venue, base))
        for base, pair in held.items()
        for venue in pair
        if venue != "kraken"
    ]
    assert perpetuals == [0] * 5
    assert {base: desk.coins("kraken", base) for base in desk.bases} == began
    desk.reconcile()
    assert_each_order_is_there_once(desk, *PLACES)
    assert desk.our_fills() == desk.their_fills()
