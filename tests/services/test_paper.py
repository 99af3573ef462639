"""A whole trade on paper: the production path on real books, money held against the market's own.

The simulator's public side stands for the real venues'; it holds no account of ours.
"""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Surroundings
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import Side
from exchanges.matching import tiers_from
from exchanges.models import Exchange, ExchangeAccount
from exchanges.modes import Mode
from exchanges.paper.account import PaperReads
from exchanges.paper.accounts import open_paper_account
from exchanges.paper.market_data import PaperMarketData
from exchanges.paper.public_side import PublicSide
from exchanges.paper.rows import PaperBalance, PaperFill, PaperFunding, PaperHolding, PaperOrder
from exchanges.paper.trading import PaperTrading
from exchanges.paper.venue import PaperVenue
from exchanges.services import store_listing
from exchanges.venues import PROFILES
from exchanges.venues.profile import VenueProfile
from tests.services.memory_board import board_in_memory
from tests.services.strategy_desk import (
    CATALOGUES,
    LISTED,
    SHORT_CODES,
    D,
    PlannedLeg,
    StrategyDesk,
)
from tests.services.way_in import enter, set_out
from tests.simulation.memory import MemoryRedis
from tests.simulation.transport import InProcessSession
from tests.simulator.nearby import Nearby, call
from tests.simulator.world import World
from trading.core.states import PositionState
from trading.models import FundingEvent, LegSide, Trade
from trading.selectors.engine import Identity, engine_status
from trading.services.check_keys import check_keys
from trading.services.pnl import realised_parts
from trading.services.refresh_tiers import refresh_tiers

pytestmark = [pytest.mark.protocol, pytest.mark.django_db(transaction=True)]

BINANCE, BYBIT = "binanceusdm", "bybit"
STARTS_WITH = D(100_000)


def public_client(world: World, venue: str) -> VenueClient:
    """Return a client that has no key and asks only what everybody may."""
    far = Nearby(world)
    return VenueClient(
        CATALOGUES.setdefault(venue, Catalogue(PROFILES[venue])),
        surroundings=Surroundings(
            now=lambda: world.at, session=lambda: InProcessSession(lambda: far)
        ),
    )


class PaperStories(StrategyDesk):
    """The desk of the strategies with paper accounts on the same venues' markets."""

    def __init__(
        self, folder: Path, redis: MemoryRedis, *, asset: str = "USDT", watched: bool = False
    ) -> None:
        super().__init__(folder, redis, watched=watched)
        self.asset = asset
        self.papers: dict[str, PaperVenue] = {}
        self.profiles: dict[str, VenueProfile] = {}

    def _open_account(self, venue: str) -> None:
        exchange = Exchange.objects.create(
            code=venue, short_code=SHORT_CODES[venue], name=venue, mode=Mode.PAPER
        )
        paper = open_paper_account(
            user=self.user,
            exchange=exchange,
            label="main",
            starting_balance=STARTS_WITH,
            asset=self.asset,
            actor="test",
            now=self.now,
        )
        client = public_client(self.world, venue)
        data = PaperMarketData(CcxtMarketData(client))
        self._clients[venue] = client
        self.lenders[venue] = data
        self.reopen(venue, str(paper.pk), data)
        if venue not in LISTED:
            LISTED[venue] = call(data.instruments(), 60), call(data.funding_rates(), 60)
        store_listing(exchange, *LISTED[venue], self.now)
        assert check_keys(venues=self.venues, now=self.now) == 1

    def reopen(self, venue: str, account_id: str, data: Any = None) -> None:
        """Start the account's ports anew, as another process has them."""
        data = data or PaperMarketData(CcxtMarketData(self._clients[venue]))
        profile = self.profiles.get(venue, PROFILES[venue])
        side = PublicSide(data, profile, lambda: self.now)
        if venue in self.papers:
            call(self.papers[venue].close())
        self.papers[venue] = PaperVenue(account_id, side)
        account = ExchangeAccount.objects.get(pk=account_id)
        ports: Any = PaperTrading(self.papers[venue]), PaperReads(self.papers[venue])
        self._ports[account.pk] = ports

    def restart(self) -> None:
        """Forget all that processes keep in memory."""
        for account in ExchangeAccount.objects.select_related("exchange"):
            self.reopen(account.exchange.code, str(account.pk))

    def close(self) -> None:
        for paper in self.papers.values():
            call(paper.close())
        super().close()


@pytest.fixture
def desk(tmp_path: Path) -> Generator[PaperStories]:
    with board_in_memory() as memory:
        desk = PaperStories(tmp_path / "venues", memory)
        yield desk
        desk.close()


def wallet(venue: str, asset: str = "USDT") -> Decimal:
    rows = PaperBalance.objects.filter(paper__account__exchange__code=venue, asset=asset)
    return sum((row.total for row in rows), D(0))


def paid_to(venue: str) -> list[Decimal]:
    rows = PaperFunding.objects.filter(paper__account__exchange__code=venue)
    return [row.payment for row in rows]


def test_a_trade_on_paper_ends_with_the_money_worked_by_hand(desk: PaperStories) -> None:
    set_out(desk, BINANCE, BYBIT, strategies="funding_spread")
    desk.world.pin(BINANCE, price="64000", funding_rate="0.0001", level_quantity="5")
    desk.world.pin(BYBIT, price="64000", funding_rate="0.0005", level_quantity="5")
    desk.world.wait(minutes=40)

    position = enter(desk)
    accounts = [*desk.user.exchange_accounts.active()]
    identity = engine_status(desk.user, accounts, desk.world.at).identity
    assert (position.mode, identity) == (Mode.PAPER, Identity.PAPER)
    quantity = position.legs.get(index=0).trades.get().base_quantity
    desk.restart()
    desk.pass_hours(3)
    desk.restart()
    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)

    # Three settlements at 64,000: the long pays 0.0001, the short receives 0.0005.
    assert paid_to(BINANCE) == [-quantity * D("6.4")] * 3
    assert paid_to(BYBIT) == [quantity * D("32")] * 3
    funding = quantity * (D("32") - D("6.4")) * 3
    trades = [one for leg in position.legs.all() for one in leg.trades.all()]
    paid = sum((one.price * one.base_quantity * sign(one) for one in trades), D(0))
    fees = sum(
        (
            one.price * one.base_quantity * PROFILES[one.account.exchange.code].fallback_taker
            for one in trades
        ),
        D(0),
    )
    assert len(trades) == 4
    assert wallet(BINANCE) + wallet(BYBIT) == 2 * STARTS_WITH - paid - fees + funding
    assert realised_parts(position).total == -paid - fees + funding
    assert not PaperHolding.objects.exclude(base_quantity=0).exists()
    assert_books_are_the_papers()
    assert desk.their_fills() == []


def sign(trade: Trade) -> int:
    return Side(trade.order_side).sign


def assert_books_are_the_papers() -> None:
    """Compare our fills and payments with the paper venue's, each once."""
    ours = sorted((row.venue_trade_id, row.price, row.fee) for row in Trade.objects.all())
    theirs = sorted(
        (row.venue_trade_id, row.price, row.fee)
        for row in PaperFill.objects.select_related("order")
    )
    assert ours == theirs
    booked = sorted((row.venue_payment_id, row.payment) for row in FundingEvent.objects.all())
    paid = sorted((row.venue_payment_id, row.payment) for row in PaperFunding.objects.all())
    assert booked == paid


def test_a_leg_that_is_liquidated_on_paper_takes_the_other_with_it(desk: PaperStories) -> None:
    desk.open_accounts(BINANCE, BYBIT)
    for venue in (BINANCE, BYBIT):
        desk.world.pin(venue, price="64000", level_quantity="5")
    desk.read_equity()
    legs = [
        PlannedLeg(venue=venue, symbol="BTCUSDT", side=side, leverage="10", kinds=("perpetual",))
        for venue, side in ((BINANCE, LegSide.LONG), (BYBIT, LegSide.SHORT))
    ]
    position = desk.plan("funding_spread", legs, "0.1", entry_style="both_at_once")
    desk.drive_until(position, PositionState.OPEN)
    # What carries the long is 330 USDT: 0.1 x 3,100 leave less of it than the contract needs.
    PaperBalance.objects.filter(paper__account__exchange__code=BINANCE).update(total=D(330))

    for venue in (BINANCE, BYBIT):
        desk.world.pin(venue, price="60900")
    desk.world.wait(seconds=4)
    desk.reconcile()
    desk.drive_until(position, PositionState.CLOSED)

    closed = Trade.objects.get(cause="liquidation")
    assert (closed.leg.index, closed.price, closed.base_quantity) == (0, D(60_900), D("0.1"))
    assert not PaperHolding.objects.exclude(base_quantity=0).exists()
    assert_books_are_the_papers()


def test_a_large_position_on_paper_is_liquidated_by_the_tier_that_its_venue_tells(
    desk: PaperStories,
) -> None:
    desk.open_accounts(BINANCE, BYBIT)
    for venue in (BINANCE, BYBIT):
        desk.world.pin(venue, price="64000", level_quantity="5")
    tiers = tiers_from([("50000", "100", "0.004"), ("1000000", "5", "0.2")])
    desk.world.simulator.set_tiers(desk.world.listing(BYBIT), tiers)
    desk.read_equity()
    # Of three bases at Bybit; Binance tells none without a key.
    assert refresh_tiers(venues=desk.venues, now=desk.now) == 3
    legs = [
        PlannedLeg(venue=venue, symbol="BTCUSDT", side=side, leverage="5", kinds=("perpetual",))
        for venue, side in ((BINANCE, LegSide.LONG), (BYBIT, LegSide.SHORT))
    ]
    position = desk.plan("funding_spread", legs, "2", entry_style="both_at_once")
    desk.drive_until(position, PositionState.OPEN)

    # A fifth less 50,000 x (0.2 - 0.004) must stay: with 100,000 less the fee of 70.40 this is met
    # at (99,929.60 + 128,000 + 9,800) / 2.4 = 99,054. By the lowest tier alone it were 113,510.
    for venue in (BINANCE, BYBIT):
        desk.world.pin(venue, price="99000")
    desk.world.wait(seconds=4)
    desk.reconcile()
    assert not Trade.objects.filter(cause="liquidation").exists()
    for venue in (BINANCE, BYBIT):
        desk.world.pin(venue, price="99100")
    desk.world.wait(seconds=4)
    desk.reconcile()
    desk.drive_until(position, PositionState.CLOSED)

    closed = Trade.objects.get(cause="liquidation")
    assert (closed.leg.index, closed.base_quantity) == (1, D(2))
    assert_books_are_the_papers()


def test_after_a_restart_nothing_is_lost_or_done_twice(desk: PaperStories) -> None:
    set_out(desk, BINANCE, BYBIT, strategies="funding_spread")
    desk.world.pin(BINANCE, price="64000", funding_rate="0.0001")
    desk.world.pin(BYBIT, price="64000", funding_rate="0.0005")
    desk.world.wait(minutes=40)
    position = enter(desk)
    before = list(PaperOrder.objects.values_list("client_order_id", "status", "filled"))

    desk.restart()
    desk.reconcile()

    assert list(PaperOrder.objects.values_list("client_order_id", "status", "filled")) == before
    position.refresh_from_db()
    assert position.state == PositionState.OPEN
    assert_books_are_the_papers()
