"""Paper accounts at venues that were only watched when they were opened, and are traded now."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from exchanges.models import ExchangeAccount, Instrument
from exchanges.modes import Mode
from exchanges.paper.rows import PaperHolding, PaperOrder
from exchanges.venues import PROFILES
from tests.services.memory_board import board_in_memory
from tests.services.strategy_desk import D, PlannedLeg
from tests.services.test_paper import PaperStories, assert_books_are_the_papers, paid_to
from tests.simulator.world import bitcoin
from trading.core.states import PositionState
from trading.models import DeadManSwitch, Discrepancy, LegSide, Position
from trading.services.dead_man import COUNTDOWN, tend_switches
from trading.services.drive import drive

pytestmark = [pytest.mark.protocol, pytest.mark.django_db(transaction=True)]

PAIR = ("gate", "kucoin")
WATCHED = "Its market is watched: no real order is sent there."


@pytest.fixture
def desk(tmp_path: Path) -> Generator[PaperStories]:
    with board_in_memory() as memory:
        desk = PaperStories(tmp_path / "venues", memory, watched=True)
        desk.profiles = {
            venue: replace(PROFILES[venue], read_only=WATCHED, dead_man=None) for venue in PAIR
        }
        desk.bases = ["BTC", "ETH"]
        desk.open_accounts(*PAIR)
        for venue, rate in zip(PAIR, ("0.0001", "0.0005"), strict=True):
            pins = {"price": "64000", "funding_rate": rate, "level_quantity": "5"}
            desk.world.pin(venue, **pins)
        yield desk
        desk.close()


def planned(desk: PaperStories, symbols: tuple[str, str], quantity: str, **how: str) -> Position:
    legs = [
        PlannedLeg(venue=venue, symbol=symbol, side=side, leverage="2")
        for venue, symbol, side in zip(PAIR, symbols, LegSide, strict=True)
    ]
    position = desk.plan("funding_spread", legs, quantity, **how)
    Position.objects.filter(pk=position.pk).update(mode=Mode.PAPER)
    return position


def ids_of(position: Position) -> list[str]:
    return list(position.orders.values_list("client_order_id", flat=True))


def test_what_was_opened_on_paper_while_a_venue_was_watched_goes_on_once_it_is_traded(
    desk: PaperStories,
) -> None:
    held = planned(desk, (bitcoin("gate"), bitcoin("kucoin")), "0.1", entry_style="both_at_once")
    desk.drive_until(held, PositionState.OPEN)
    # As many as one order took then; since it is traded the venue's own limit of one counts.
    Instrument.objects.filter(exchange__code="gate", base="BTC").update(max_base_quantity=D("0.04"))
    desk.pass_hours(1)
    entering = planned(desk, ("ETH_USDT", "ETHUSDTM"), "1", base="ETH", entry_style="maker")
    drive(entering.pk, venues=desk.venues, clock=lambda: desk.now)
    assert [order.state for order in entering.orders.all()] == ["open"]

    desk.profiles.clear()
    desk.restart()
    desk.reconcile()
    # Gate counts down now what rests there, on paper too.
    assert tend_switches(venues=desk.venues, clock=lambda: desk.now) == 1
    assert DeadManSwitch.objects.get().account.exchange.code == "gate"
    desk.world.wait(seconds=COUNTDOWN.total_seconds() + 1)
    desk.reconcile()
    assert PaperOrder.objects.get(client_order_id__in=ids_of(entering)).status == "canceled"
    desk.ask_to_close(entering)
    desk.drive_until(entering, PositionState.ABANDONED)
    desk.pass_hours(1)
    desk.ask_to_close(held)
    desk.drive_until(held, PositionState.CLOSED)
    desk.reconcile()

    # 6,400 dollars, twice.
    assert (paid_to("gate"), paid_to("kucoin")) == ([D("-0.64")] * 2, [D("3.2")] * 2)
    assert not PaperHolding.objects.exclude(base_quantity=0).exists()
    assert_books_are_the_papers()
    assert not Discrepancy.objects.exists()
    assert not ExchangeAccount.objects.exclude(halted_at=None).exists()
