"""A held contract that leaves its venue's list while no process of ours runs."""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal
from pathlib import Path

import pytest

from exchanges.models import ExchangeAccount
from tests.services.pair_desk import PairDesk, symbol_of
from tests.services.pair_stories import IN_USDC, ONE_COMPANY, planned, standing
from trading.core.states import PositionState
from trading.models import Discrepancy, Position, Trade
from trading.services import resolve

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

# Who goes, and the pair that is held with it. Hyperliquid goes on listing what it has delisted.
MARKED = [
    ("binanceusdm", ("binanceusdm", "bybit")),
    ("bybit", ("binanceusdm", "bybit")),
    ("okx", ("okx", "bybit")),
    ("gate", ("gate", "kucoin")),
    ("kucoin", ("gate", "kucoin")),
    ("bitget", ("kucoin", "bitget")),
]
# No word of their documentation marks a settlement of a perpetual among fills.
UNMARKED = [("krakenfutures", ONE_COMPANY), ("deribit", IN_USDC)]


@pytest.fixture
def desk(tmp_path: Path, db: None) -> Generator[PairDesk]:
    yield from standing(tmp_path / "venues")


def opened(desk: PairDesk, pair: tuple[str, str]) -> Position:
    """Hold 1 ETH long at the first venue and short at the second; by BTC some tell their hours."""
    desk.bases = ["BTC", "ETH"]
    desk.open_accounts(*pair)
    for venue in pair:
        desk.world.pin(venue, symbol_of(venue, "ETH"), price="3000", level_quantity="50")
    position = planned(desk, pair, "1", base="ETH")
    desk.drive_until(position, PositionState.OPEN)
    desk.world.wait(minutes=5)
    return position


def held(desk: PairDesk, pair: tuple[str, str]) -> list[Decimal]:
    """Return what the venues' own ledgers show, of coins where one has no contract."""
    return [
        desk.coins(venue, "ETH") if venue == "kraken" else desk.held(venue, symbol_of(venue, "ETH"))
        for venue in pair
    ]


def compare(desk: PairDesk, *, minutes: int) -> None:
    """Compare the accounts for a while, as the engine does."""
    for _ in range(minutes * 6):
        desk.world.wait(seconds=10)
        desk.feed()
        desk.reconcile()


def assert_both_legs_are_gone_and_booked(
    desk: PairDesk, position: Position, venue: str, pair: tuple[str, str], cause: Trade.Cause
) -> None:
    desk.drive_until(position, PositionState.CLOSED)
    desk.reconcile()
    closing = position.trades.get(cause=cause)
    assert closing.leg.instrument.exchange.code == venue
    assert closing.base_quantity == 1
    assert list(map(round, held(desk, pair))) == [0, 0]
    assert desk.our_fills() == desk.their_fills()
    assert not Discrepancy.objects.confirmed().exists()


def assert_nobody_is_halted() -> None:
    assert not Discrepancy.objects.confirmed().exists()
    assert not ExchangeAccount.objects.exclude(halted_at=None).exists()


@pytest.mark.parametrize(("venue", "pair"), [*MARKED, *UNMARKED])
def test_it_is_held_as_it_is_until_its_venue_settles_it(
    desk: PairDesk, venue: str, pair: tuple[str, str]
) -> None:
    position = opened(desk, pair)

    desk.unlist(venue, "ETH")
    desk.restart()
    compare(desk, minutes=1)

    position.refresh_from_db()
    assert position.state == PositionState.OPEN
    assert sorted(map(round, held(desk, pair))) == [-1, 1]
    assert_nobody_is_halted()


@pytest.mark.parametrize(("venue", "pair"), MARKED)
def test_what_was_settled_meanwhile_is_booked_and_the_other_leg_follows(
    desk: PairDesk, venue: str, pair: tuple[str, str]
) -> None:
    position = opened(desk, pair)

    desk.settle_for_good(venue, "ETH")
    desk.unlist(venue, "ETH")
    desk.world.wait(minutes=20)
    desk.restart()
    desk.reconcile()

    assert_both_legs_are_gone_and_booked(desk, position, venue, pair, Trade.Cause.SETTLEMENT)
    assert_nobody_is_halted()


@pytest.mark.parametrize(("venue", "pair"), UNMARKED)
def test_where_a_settlement_bears_no_mark_a_person_is_asked_and_adopts_it(
    desk: PairDesk, venue: str, pair: tuple[str, str]
) -> None:
    position = opened(desk, pair)
    desk.settle_for_good(venue, "ETH")
    desk.unlist(venue, "ETH")
    desk.restart()
    compare(desk, minutes=1)
    position.refresh_from_db()
    found = Discrepancy.objects.confirmed().get()
    assert (found.account.exchange.code, abs(found.missing)) == (venue, 1)

    assert resolve.adopt(found, actor="trader", now=desk.now, venues=desk.venues) is None

    assert_both_legs_are_gone_and_booked(desk, position, venue, pair, Trade.Cause.MANUAL)
