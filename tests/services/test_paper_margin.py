"""Loans and isolated margin on paper: whole stories through the engine, and care's first remedy."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.domain import Quote, Symbol
from exchanges.errors import SettingRefused, VenueUnavailable
from exchanges.models import AccountBalance, AccountPosition, ExchangeAccount
from exchanges.modes import Mode
from exchanges.paper.isolated import set_margin_mode
from exchanges.paper.margin_rows import PaperInterest, PaperLoan, PaperTopUp
from exchanges.paper.public_side import PublicSide
from exchanges.paper.rows import PaperAccount, PaperBalance, PaperHolding
from exchanges.paper.trading import PaperTrading
from exchanges.paper.venue import PaperVenue
from exchanges.simulator.listings import BYBIT_SPOT
from tests.services.memory_board import board_in_memory
from tests.services.strategy_desk import D, PlannedLeg
from tests.services.test_paper import (
    BINANCE,
    BYBIT,
    PaperStories,
    assert_books_are_the_papers,
    wallet,
)
from tests.services.way_in import enter, set_out
from tests.simulator.nearby import call
from trading.core.states import Goal, PositionState
from trading.models import Discrepancy, Event, Leg, LegSide, MarginTopUp, Position
from trading.services.equity_bridge import equity_bridge
from trading.services.pnl import realised_parts

pytestmark = [pytest.mark.protocol, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(tmp_path: Path) -> Generator[PaperStories]:
    with board_in_memory() as memory:
        desk = PaperStories(tmp_path / "venues", memory)
        yield desk
        desk.close()


def entered(desk: PaperStories) -> Position:
    """Enter as production does: coins at 64,000 against a perpetual 1.5 % below."""
    set_out(desk, BINANCE, BYBIT, strategies="reverse_cash_and_carry")
    desk.world.pin(BYBIT_SPOT, price="64000", level_quantity="5", borrow_rate="0.000004")
    desk.world.pin(BYBIT, price="64000", funding_rate="0", level_quantity="5")
    desk.world.pin(BINANCE, price="63040", funding_rate="-0.00001", level_quantity="5")
    desk.read_equity()
    # What is filled at the moment of a reading would count as before it.
    desk.world.wait(seconds=20)
    return enter(desk)


def short_of(position: Position) -> Leg:
    leg: Leg = position.legs.get(side=LegSide.SHORT)
    return leg


def test_a_reverse_carry_on_paper_owes_coins_and_interest_and_pays_both_back(
    desk: PaperStories,
) -> None:
    position = entered(desk)
    short = short_of(position)
    sold = short.trades.get().base_quantity
    assert (position.mode, short.instrument.kind) == (Mode.PAPER, "spot")
    assert wallet(BYBIT, "BTC") == -sold

    desk.pass_hours(3)
    desk.restart()
    desk.reconcile()
    desk.read_accounts()
    charged = list(PaperInterest.objects.order_by("charged_at"))
    assert [row.hourly_rate for row in charged] == [D("0.000004")] * 3
    # The first on what was sold, the next on that and on what was charged.
    first = (sold * D("0.000004")).quantize(D("1e-12"))
    assert (charged[0].amount, charged[1].borrowed) == (first, sold + first)
    owed = sold + sum((row.amount for row in charged), D(0))
    told = AccountBalance.objects.get(account=short.account, asset="BTC")
    assert (told.total, told.free) == (-owed, 0)

    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)
    desk.read_equity()
    desk.reconcile()

    assert 0 <= wallet(BYBIT, "BTC") < D("0.00001")
    assert not PaperLoan.objects.exists()
    assert desk.our_interest() == [(row.venue_interest_id, row.amount, "BTC") for row in charged]
    assert_books_are_the_papers()
    assert not Discrepancy.objects.exists()
    period = equity_bridge(desk.user, since=None, until=desk.now)
    assert period is not None
    assert period.parts.borrow == realised_parts(position).borrow > 0
    assert abs(period.parts.unexplained) < D("1e-9")


def test_coins_of_a_venue_that_tells_no_rate_are_owed_at_the_one_that_is_assumed(
    desk: PaperStories,
) -> None:
    set_out(desk, BINANCE, "binance", strategies="reverse_cash_and_carry")
    desk.world.pin("binance", price="64000", level_quantity="5")
    desk.world.pin(BINANCE, price="63040", funding_rate="-0.00001", level_quantity="5")
    # 8.76 % a year is 0.001 % an hour.
    PaperAccount.objects.filter(account__exchange__code="binance").update(
        borrow_rates=[["BTC", "0.0876", "year"]]
    )
    desk.read_equity()
    desk.world.wait(seconds=20)
    position = enter(desk)
    sold = short_of(position).trades.get().base_quantity
    assert wallet("binance", "BTC") == -sold

    desk.pass_hours(2)
    desk.restart()
    desk.reconcile()
    charged = list(PaperInterest.objects.order_by("charged_at"))
    assert [row.hourly_rate for row in charged] == [D("0.00001")] * 2
    assert charged[0].amount == (sold * D("0.00001")).quantize(D("1e-12"))
    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)

    assert 0 <= wallet("binance", "BTC") < D("0.00001")
    assert not PaperLoan.objects.exists()
    assert desk.our_interest() == [(row.venue_interest_id, row.amount, "BTC") for row in charged]
    assert_books_are_the_papers()


def test_a_loan_that_outgrows_its_wallet_takes_the_other_leg_with_it(desk: PaperStories) -> None:
    position = entered(desk)
    # The loan brought 6,400 of them.
    PaperBalance.objects.filter(paper=short_of(position).account_id, asset="USDT").update(
        total=D(6_600)
    )

    for venue in (BINANCE, BYBIT, BYBIT_SPOT):
        desk.world.pin(venue, price="70000", level_quantity="5")
    desk.world.wait(seconds=4)
    desk.reconcile()
    desk.drive_until(position, PositionState.CLOSED)

    assert wallet(BYBIT, "BTC") == 0
    assert not PaperHolding.objects.exclude(base_quantity=0).exists()
    assert_books_are_the_papers()


def cornered(desk: PaperStories) -> Position:
    """Hold a hedge whose short at Bybit is isolated at 10x, and let both markets rise by 6 %."""
    desk.open_accounts(BINANCE, BYBIT)
    for venue in (BINANCE, BYBIT):
        desk.world.pin(venue, price="64000", level_quantity="5")
    desk.read_equity()
    legs = [
        PlannedLeg(venue=venue, symbol="BTCUSDT", side=side, leverage="10", kinds=("perpetual",))
        for venue, side in ((BINANCE, LegSide.LONG), (BYBIT, LegSide.SHORT))
    ]
    rules = {"entry_style": "both_at_once", "margin_top_up_cap": "1"}
    position = desk.plan("funding_spread", legs, "0.1", **rules)
    desk.drive_until(position, PositionState.OPEN)
    held = PaperHolding.objects.get(paper__account__exchange__code=BYBIT)
    set_margin_mode(held, is_isolated=True, actor="owner", now=desk.now)
    for venue in (BINANCE, BYBIT):
        desk.world.pin(venue, price="67840", level_quantity="5")
    desk.world.wait(seconds=4)
    desk.read_accounts()
    return position


def test_care_adds_margin_to_an_isolated_leg_on_paper_until_the_warning_ends(
    desk: PaperStories,
) -> None:
    position = cornered(desk)
    short = AccountPosition.objects.get(account__exchange__code=BYBIT)
    # The leg's own margin: 64,000 x 1.1 / 1.004, 3.4 % above the mark.
    assert short.liquidation_price is not None
    assert short.liquidation_price.quantize(D(1)) == D(70_119)

    assert desk.watch() == 1

    [asked], [added] = MarginTopUp.objects.all(), PaperTopUp.objects.all()
    assert (asked.outcome, asked.amount) == (MarginTopUp.Outcome.DONE, added.amount)
    # To 10 % above 67,840 at 0.4 %: 0.1 x 74,624 x 1.004 - 6,400 - 640 = 452.25.
    assert added.amount == pytest.approx(D("452.25"), abs=D("0.1"))
    desk.world.wait(seconds=4)
    desk.read_accounts()
    assert desk.watch() == 0
    short.refresh_from_db()
    assert short.liquidation_price is not None
    assert short.liquidation_price / D(67_840) - 1 == pytest.approx(D("0.1"), abs=D("0.001"))
    position.refresh_from_db()
    assert (position.state, position.goal) == (PositionState.OPEN, Goal.HEDGED)


class LostAnswers(PaperTrading):
    """The port of an account whose answers to an addition of margin are lost on their way."""

    async def add_margin(self, symbol: Symbol, amount: Decimal) -> None:
        await super().add_margin(symbol, amount)
        raise VenueUnavailable("connection reset", venue=BYBIT)


class LostRequests(PaperTrading):
    """The port of an account whose additions of margin are lost on their way."""

    async def add_margin(self, symbol: Symbol, amount: Decimal) -> None:
        raise VenueUnavailable("connection reset", venue=BYBIT)


def lose(desk: PaperStories, losing: type[PaperTrading]) -> None:
    account = ExchangeAccount.objects.get(exchange__code=BYBIT)
    reads = desk._ports[account.pk][1]
    ports: Any = losing(desk.papers[BYBIT]), reads
    desk._ports[account.pk] = ports


def test_margin_on_paper_whose_answer_is_lost_is_found_by_a_look_and_not_added_twice(
    desk: PaperStories,
) -> None:
    cornered(desk)
    lose(desk, LostAnswers)

    desk.watch()
    assert MarginTopUp.objects.get().outcome == MarginTopUp.Outcome.UNKNOWN
    desk.world.wait(seconds=4)
    desk.watch()

    assert MarginTopUp.objects.get().outcome == MarginTopUp.Outcome.DONE
    assert PaperTopUp.objects.count() == 1
    assert Event.objects.filter(kind="care.margin.done").count() == 1


def test_margin_on_paper_that_never_arrived_is_told_so_and_the_position_halved(
    desk: PaperStories,
) -> None:
    position = cornered(desk)
    lose(desk, LostRequests)
    desk.watch()
    desk.world.wait(seconds=4)
    # Too early to say that it will not arrive.
    assert desk.watch() == 0
    desk.world.wait(seconds=12)
    desk.read_accounts()

    assert desk.watch() == 1

    assert MarginTopUp.objects.get().outcome == MarginTopUp.Outcome.NOT_DONE
    assert not PaperTopUp.objects.exists()
    position.refresh_from_db()
    assert position.reduce_to == D("0.05")


def test_margin_that_is_asked_for_too_late_is_not_added(desk: PaperStories) -> None:
    """What waited for the market must not act when it counts as lost."""
    cornered(desk)
    there = desk.papers[BYBIT]

    class Slow(PublicSide):
        async def quotes(self) -> dict[Symbol, Quote]:
            desk.world.at += timedelta(seconds=6)
            return await super().quotes()

    slow = Slow(there.public.data, there.profile, lambda: desk.now)
    venue = PaperVenue(there.account_id, slow)

    with pytest.raises(SettingRefused, match=r"the request came 6\.0 s late"):
        call(PaperTrading(venue).add_margin(Symbol("BTC/USDT:USDT"), D(100)))

    assert not PaperTopUp.objects.exists()
    call(venue.close())
