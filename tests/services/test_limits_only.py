"""Kraken's limit-only mode: coins are still sold, and the other leg is not closed before them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from exchanges.domain import Side, VenueOrderStatus
from exchanges.errors import InvalidOrder
from exchanges.models import Exchange, Instrument
from tests.conformance.bench import Bench
from tests.protocol.kraken_told import SUBJECT
from tests.services.pair_desk import SYMBOLS, PairDesk
from tests.services.pair_stories import ONE_COMPANY, opened, planned, standing
from tests.services.strategy_desk import D
from tests.simulator.nearby import call
from tests.simulator.world import World
from trading.core.states import PositionState
from trading.models import Order
from trading.services.drive import drive

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

COINS, CONTRACTS = ONE_COMPANY


@contextmanager
def limits_only(world: World, symbol: str) -> Iterator[None]:
    """Let Kraken refuse market orders of a pair for a while."""
    listed = world.simulator.listings_at("kraken")
    assert isinstance(listed, dict)
    before = listed[symbol]
    listed[symbol] = replace(before, limits_only=True)
    yield
    listed[symbol] = before


@pytest.fixture
def desk(tmp_path: Path, db: None) -> Generator[PairDesk]:
    yield from standing(tmp_path / "venues")


def relist(desk: PairDesk) -> list[str]:
    return desk.relist(Exchange.objects.get(code="kraken"), desk.now)


def sold(desk: PairDesk) -> list[str]:
    """Return the kinds of the orders that sold coins, as the venue has them."""
    orders = desk.world.simulator.ledger.orders.values()
    return [str(o.order_type) for o in orders if (o.venue, o.side) == (COINS, Side.SELL)]


def test_a_market_order_goes_as_a_limit_that_ends_at_once_and_the_touch_bounds_it(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, interval_minutes=60, watched=True)
    bench = Bench.at(world, SUBJECT)
    call(bench.client.refresh())
    with limits_only(world, SUBJECT.venue_symbol):
        # What was listed before does not say so yet: the venue refuses, and nothing was placed.
        with pytest.raises(InvalidOrder, match="Market in limit_only mode"):
            bench.submit(bench.order())
        call(bench.client.refresh())
        report = bench.submit(request := bench.order())
        found = bench.find(request)

    [order] = [row for row in world.simulator.ledger.orders.values() if row.venue == "kraken"]
    assert (found.status, report.venue_order_id) == (VenueOrderStatus.FILLED, found.venue_order_id)
    assert (order.order_type, order.time_in_force) == ("limit", "ioc")
    # The ask is at most half a hundredth above the middle of 60,000.
    assert order.price is not None
    assert D(60_300) < order.price < D(61_000)
    call(bench.client.refresh())
    bench.close()


def test_an_exit_sells_the_coins_by_limits_first_and_then_closes_the_contracts(
    desk: PairDesk,
) -> None:
    position = opened(desk, ONE_COMPANY)
    with limits_only(desk.world, SYMBOLS[COINS]):
        assert [said for said in relist(desk) if "limit orders only" in said]
        # A closing order that fails is followed by one at market.
        desk.disturb(COINS, "reject", code=0, message="EOrder:Orders limit exceeded")
        desk.ask_to_close(position)
        desk.drive_until(position, PositionState.CLOSED)
    relist(desk)

    assert set(sold(desk)) == {"limit"}
    assert Order.objects.filter(order_type="market", leg__index=0).exists()
    assert (desk.base(COINS), desk.base(CONTRACTS)) == (0, 0)
    ends = position.orders.filter(purpose="reduce", state="filled").order_by("sent_at")
    assert [order.leg.index for order in ends] == [0, 1]
    assert desk.our_fills() == desk.their_fills()


def test_the_contracts_are_kept_while_no_limit_is_matched(desk: PairDesk) -> None:
    position = opened(desk, ONE_COMPANY)
    with limits_only(desk.world, SYMBOLS[COINS]):
        relist(desk)
        desk.disturb(COINS, "reject", code=0, message="EOrder:Orders limit exceeded", count=None)
        desk.ask_to_close(position)
        for _ in range(20):
            desk.feed()
            drive(position.pk, venues=desk.venues, clock=lambda: desk.now)
            desk.world.wait(seconds=1)
        held = desk.base(COINS), desk.base(CONTRACTS)
    relist(desk)

    assert held == (D("0.1"), D("-0.1"))


def test_nothing_is_opened_where_market_orders_are_refused(desk: PairDesk) -> None:
    desk.open_accounts(*ONE_COMPANY)
    with limits_only(desk.world, SYMBOLS[COINS]):
        relist(desk)
        position = planned(desk, ONE_COMPANY)
        desk.drive_until(position, PositionState.ABANDONED)
    relist(desk)

    pair = Instrument.objects.get(exchange__code=COINS, venue_symbol=SYMBOLS[COINS])
    assert not pair.limits_only
    assert desk.orders_at(COINS) == desk.orders_at(CONTRACTS) == []
    ended = position.changes.order_by("-pk")[0]
    assert "BTC/USD takes limit orders only at kraken" in ended.cause
