"""A whole trade on paper at a venue to which no real order is sent: dYdX against Hyperliquid.

The simulator's public side stands for the real venues'; dYdX has no other there.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from exchanges.modes import Mode
from exchanges.paper.rows import PaperHolding
from exchanges.venues import PROFILES
from tests.services.memory_board import board_in_memory
from tests.services.strategy_desk import D
from tests.services.test_paper import (
    STARTS_WITH,
    PaperStories,
    assert_books_are_the_papers,
    paid_to,
    sign,
    wallet,
)
from tests.services.way_in import enter, scan, set_out
from trading.core.states import PositionState
from trading.services.pnl import realised_parts

pytestmark = [pytest.mark.protocol, pytest.mark.django_db(transaction=True)]

DYDX, HYPERLIQUID = "dydx", "hyperliquid"


@pytest.fixture
def desk(tmp_path: Path) -> Generator[PaperStories]:
    with board_in_memory() as memory:
        desk = PaperStories(tmp_path / "venues", memory, asset="USDC", watched=True)
        yield desk
        desk.close()


@pytest.fixture
def ready(desk: PaperStories) -> PaperStories:
    set_out(desk, HYPERLIQUID, DYDX, strategies="funding_spread", symbols=["BTC-USDC"])
    desk.world.pin(HYPERLIQUID, price="64000", funding_rate="0.0001", level_quantity="5")
    desk.world.pin(DYDX, price="64000", funding_rate="0.0005", level_quantity="5")
    desk.world.wait(minutes=40)
    return desk


def test_a_trade_at_dydx_on_paper_ends_with_the_money_worked_by_hand(ready: PaperStories) -> None:
    position = enter(ready)
    assert position.mode == Mode.PAPER
    legs = {leg.instrument.exchange.code: leg for leg in position.legs.all()}
    assert {venue: leg.side for venue, leg in legs.items()} == {HYPERLIQUID: "LONG", DYDX: "SHORT"}
    quantity = legs[DYDX].trades.get().base_quantity

    ready.restart()
    ready.pass_hours(3)
    ready.reconcile()
    ready.ask_to_close(position)
    ready.drive_until(position, PositionState.CLOSED)

    # Three hours at 64,000: the long pays 0.0001, the short receives 0.0005.
    assert paid_to(HYPERLIQUID) == [-quantity * D("6.4")] * 3
    assert paid_to(DYDX) == [quantity * D("32")] * 3
    funding = quantity * (D("32") - D("6.4")) * 3
    trades = [one for leg in position.legs.all() for one in leg.trades.all()]
    paid = sum((one.price * one.base_quantity * sign(one) for one in trades), D(0))
    rates = {venue: PROFILES[venue].fallback_taker for venue in (HYPERLIQUID, DYDX)}
    fees = sum(
        (one.price * one.base_quantity * rates[one.account.exchange.code] for one in trades), D(0)
    )
    assert len(trades) == 4
    in_wallets = wallet(HYPERLIQUID, "USDC") + wallet(DYDX, "USDC")
    assert in_wallets == 2 * STARTS_WITH - paid - fees + funding
    assert realised_parts(position).total == -paid - fees + funding
    assert not PaperHolding.objects.exclude(base_quantity=0).exists()
    assert_books_are_the_papers()


def test_the_gates_ask_of_it_what_they_ask_of_every_venue(ready: PaperStories) -> None:
    desk = ready
    desk.world.pin(DYDX, price="64000", funding_rate="0.0001", level_quantity="5")

    _, found = scan(desk, "BTC")

    assert [one.refusal.code for one in found if one.refusal is not None] == ["spread_too_small"]
