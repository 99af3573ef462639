"""Deribit on paper, through the whole of Carry: paid and booked as an account there is.

A second account at the simulated venue trades the same at the same moments; its ledger judges. The
rate rises within each hour, so that a part of one pays anything but its part of the hour's.
"""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal
from pathlib import Path

import pytest

from exchanges import selectors
from exchanges.domain import Side
from exchanges.modes import Mode
from exchanges.paper.rows import PaperFill, PaperHolding
from tests.services.strategy_desk import PlannedLeg
from tests.services.test_paper import PaperStories, assert_books_are_the_papers, paid_to
from tests.simulation.memory import MemoryRedis
from tests.simulator.world import bitcoin
from trading.core.states import PositionState
from trading.models import Discrepancy, Event, ExpectedFunding, FundingEvent, LegSide, Position
from trading.services import evaluate

pytestmark = [pytest.mark.protocol, pytest.mark.django_db(transaction=True)]

HYPERLIQUID, DERIBIT = "hyperliquid", "deribit"
CENT, NOTHING = Decimal("0.01"), Decimal("1e-7")


@pytest.fixture
def desk(tmp_path: Path) -> Generator[PaperStories]:
    """An hour of a coin pays 60 dollars, little of it in its first half; it is 05:20:30."""
    memory = MemoryRedis()
    selectors.stand_in_for_board(memory)  # type: ignore[arg-type]  # what is used of it
    evaluate._shared.cache_clear()
    desk = PaperStories(tmp_path / "venues", memory, asset="USDC", watched=True)
    desk.world.wait(hours=17, minutes=20)
    desk.open_accounts(HYPERLIQUID, DERIBIT)
    desk.world.pin(HYPERLIQUID, price="60000", funding_rate="0.0001", level_quantity="5")
    pins = {"funding_rate": "0.001", "funding_skew": "1"}
    desk.world.pin(DERIBIT, price="60000", level_quantity="5", **pins)
    yield desk
    desk.close()
    selectors.stand_in_for_board(None)
    evaluate._shared.cache_clear()


def mirror(desk: PaperStories, seen: set[str]) -> None:
    """Let the account at the venue itself trade what was filled on paper just now."""
    for fill in PaperFill.objects.filter(paper__account__exchange__code=DERIBIT):
        if fill.venue_trade_id not in seen:
            assert fill.filled_at == desk.now
            seen.add(fill.venue_trade_id)
            desk.world.place(DERIBIT, Side(fill.side), str(fill.base_quantity))


def opened(desk: PaperStories, seen: set[str]) -> Position:
    legs = [
        PlannedLeg(venue=HYPERLIQUID, symbol=bitcoin(HYPERLIQUID), side=LegSide.LONG, leverage="2"),
        PlannedLeg(venue=DERIBIT, symbol=bitcoin(DERIBIT), side=LegSide.SHORT, leverage="2"),
    ]
    position = desk.plan("funding_spread", legs, "0.1", entry_style="both_at_once")
    Position.objects.filter(pk=position.pk).update(mode=Mode.PAPER)
    desk.drive_until(position, PositionState.OPEN)
    mirror(desk, seen)
    return position


def closed(desk: PaperStories, position: Position, seen: set[str]) -> None:
    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)
    mirror(desk, seen)


def ledger(desk: PaperStories) -> list[Decimal]:
    """Return what the venue's own books say that its account was paid."""
    rows = desk.world.simulator.ledger.funding
    return [row.payment for row in rows if row.venue == DERIBIT]


def test_two_positions_over_the_day_s_settlement_are_paid_what_the_venue_s_ledger_says(
    desk: PaperStories,
) -> None:
    seen: set[str] = set()
    first = opened(desk, seen)
    desk.pass_time(minutes=20)
    closed(desk, first, seen)
    desk.pass_time(minutes=10)
    second = opened(desk, seen)
    desk.restart()
    desk.pass_time(minutes=35)
    desk.pass_hours(2)
    desk.restart()
    closed(desk, second, seen)
    for _ in range(3):
        desk.pass_time(minutes=30)
    desk.reconcile()

    paid = paid_to(DERIBIT)
    # Of 6 dollars an hour, by the squares of the minutes: 40.5² - 20.5², 60² - 50.5², two hours
    # whole, and 25.5²; by their length 2, 0.95, 6, 6 and 2.55.
    assert [payment.quantize(CENT) for payment in paid] == [
        *(Decimal("2.03"), Decimal("1.75")),
        *(Decimal(6), Decimal(6), Decimal("1.08")),
    ]
    # The ledger paid at each trade and at 08:00.
    of_first, by_the_day, by_the_fill = ledger(desk)
    assert abs(paid[0] - of_first) < NOTHING
    assert abs(sum(paid[1:4]) - by_the_day) < NOTHING
    assert abs(paid[4] - by_the_fill) < NOTHING
    booked = {
        position: list(FundingEvent.objects.filter(leg__position=position).order_by("paid_at"))
        for position in (first, second)
    }
    at_deribit = {
        position: [one.payment for one in rows if one.account.exchange.code == DERIBIT]
        for position, rows in booked.items()
    }
    assert (at_deribit[first], at_deribit[second]) == (paid[:1], paid[1:])
    assert not PaperHolding.objects.exclude(base_quantity=0).exists()
    assert_books_are_the_papers()

    desk.pass_hours(24)
    desk.pass_time(minutes=4)
    expected = ExpectedFunding.objects.filter(leg__account__exchange__code=DERIBIT)
    assert {row.status for row in expected} == {ExpectedFunding.Status.MATCHED}
    assert not Event.objects.filter(kind__startswith="funding.").exists()
    assert not Discrepancy.objects.exists()
