"""A contract that leaves its venue's list while a paper account holds it."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from exchanges import selectors
from exchanges.domain import Side, Symbol
from exchanges.errors import InvalidOrder
from exchanges.models import ExchangeAccount
from exchanges.paper.rows import PaperFill
from tests.paper_desk import order, resting
from tests.services.strategy_desk import CATALOGUES, LISTED, PlannedLeg
from tests.services.test_paper import BINANCE, BYBIT, PaperStories, assert_books_are_the_papers
from tests.simulation.memory import MemoryRedis
from tests.simulator.nearby import call
from trading.core.states import PositionState
from trading.models import Discrepancy, LegSide, Position, Trade
from trading.services import evaluate

pytestmark = [pytest.mark.protocol, pytest.mark.django_db(transaction=True)]

PERPETUAL = Symbol("BTC/USDT:USDT")


@pytest.fixture
def desk(tmp_path: Path) -> Generator[PaperStories]:
    """A desk whose venues' lists no other test sees."""
    memory = MemoryRedis()
    selectors.stand_in_for_board(memory)  # type: ignore[arg-type]  # what is used of it
    evaluate._shared.cache_clear()
    catalogue, listed = CATALOGUES.pop(BYBIT, None), LISTED.pop(BYBIT, None)
    desk = PaperStories(tmp_path / "venues", memory)
    yield desk
    desk.close()
    del CATALOGUES[BYBIT], LISTED[BYBIT]
    if catalogue is not None and listed is not None:
        CATALOGUES[BYBIT], LISTED[BYBIT] = catalogue, listed
    selectors.stand_in_for_board(None)
    evaluate._shared.cache_clear()


def opened(desk: PaperStories) -> Position:
    desk.open_accounts(BINANCE, BYBIT)
    for venue in (BINANCE, BYBIT):
        desk.world.pin(venue, price="64000", level_quantity="5")
    legs = [
        PlannedLeg(venue=venue, symbol="BTCUSDT", side=side, kinds=("perpetual",))
        for venue, side in ((BINANCE, LegSide.LONG), (BYBIT, LegSide.SHORT))
    ]
    position = desk.plan("funding_spread", legs, "0.1", entry_style="both_at_once")
    desk.drive_until(position, PositionState.OPEN)
    return position


def unlist(desk: PaperStories) -> None:
    desk.world.simulator.unlist(desk.world.listing(BYBIT, "BTCUSDT"))
    call(desk._clients[BYBIT].refresh())


@pytest.mark.parametrize("begins_anew", [False, True], ids=["alive", "restarted"])
def test_it_is_read_and_settled_and_the_other_leg_follows(
    desk: PaperStories, begins_anew: bool
) -> None:
    position = opened(desk)
    unlist(desk)
    if begins_anew:
        desk.restart()

    # Longer than a list is believed.
    for _ in range(5):
        desk.pass_hours(1)
        desk.feed()
        desk.reconcile()
    assert not Discrepancy.objects.confirmed().exists()
    desk.drive_until(position, PositionState.CLOSED)

    settled = position.trades.get(cause=Trade.Cause.SETTLEMENT)
    assert (settled.leg.instrument.exchange.code, settled.fee) == (BYBIT, 0)
    assert_books_are_the_papers()


# A list is believed for an hour; the venue refuses its book and its payments at once.
@pytest.mark.parametrize("minutes", [1, 61])
def test_nothing_is_sent_to_it_and_what_rests_on_it_is_read_and_ended(
    desk: PaperStories, minutes: int
) -> None:
    opened(desk)
    trading = desk.venues.trading(ExchangeAccount.objects.get(exchange__code=BYBIT))
    waiting = resting(Side.BUY, "0.1", "50000")
    call(trading.submit(waiting))
    filled = PaperFill.objects.count()
    unlist(desk)
    desk.world.wait(minutes=minutes)

    desk.reconcile()
    [report] = call(trading.open_orders(PERPETUAL))
    assert report.client_order_id == waiting.client_order_id
    with pytest.raises(InvalidOrder, match="is not listed here"):
        call(trading.submit(order(Side.BUY, "0.1")))
    call(trading.cancel(waiting.client_order_id, PERPETUAL))

    assert call(trading.open_orders()) == []
    assert PaperFill.objects.count() == filled
