"""Accounts with a history: new keys, venues that stay away, quantities that nobody can explain."""

from __future__ import annotations

from datetime import timedelta

import pytest

from exchanges.account_keys import store_account
from exchanges.domain import Side
from exchanges.matching import Holding
from exchanges.models import ExchangeAccount
from exchanges.simulator.accounts import Origin
from tests.services.strategy_desk import D, PlannedLeg, StrategyDesk
from trading.core.states import PositionState
from trading.models import Discrepancy, Event, LegSide, Position, Trade
from trading.services import resolve
from trading.services.check_keys import check_keys
from trading.services.discrepancies import READ_LAG
from trading.services.equity_bridge import equity_bridge
from trading.services.own_book import own_book, own_orders
from trading.services.pnl import realised_parts
from trading.services.reconcile import reconcile_accounts, reconcile_due

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]


@pytest.fixture
def desk(strategy_desk: StrategyDesk) -> StrategyDesk:
    return strategy_desk


def account_at(venue: str) -> ExchangeAccount:
    return ExchangeAccount.objects.select_related("exchange").get(exchange__code=venue)


def look_until_lasting(desk: StrategyDesk) -> Discrepancy:
    """Compare, and compare again once no read can lag any more; return what is confirmed."""
    desk.reconcile()
    desk.world.wait(seconds=READ_LAG.total_seconds() + 1)
    desk.reconcile()
    return Discrepancy.objects.confirmed().get()


def spot_and_perpetual(desk: StrategyDesk) -> Position:
    """Return an open position of 0.1 BTC spot at Binance, sold as a perpetual there."""
    desk.open_accounts("binance", "binanceusdm")
    desk.read_equity()
    legs = [
        PlannedLeg(venue="binance", symbol="BTCUSDT", side=LegSide.LONG),
        PlannedLeg(venue="binanceusdm", symbol="BTCUSDT", side=LegSide.SHORT, leverage="2"),
    ]
    position = desk.plan("cash_and_carry", legs, "0.1")
    desk.drive_until(position, PositionState.OPEN)
    return position


def withdraw(desk: StrategyDesk, quantity: str) -> None:
    """Let the owner take coins out of the spot wallet."""
    desk.world.account("binance").credit("spot", "BTC", -D(quantity))


def test_a_new_key_does_not_lift_the_halt_of_a_difference_that_still_stands(
    desk: StrategyDesk,
) -> None:
    desk.open_accounts("bybit")
    desk.world.place("bybit", Side.BUY, "0.05")
    difference = look_until_lasting(desk)
    account = account_at("bybit")

    account = store_account(
        user=desk.user, exchange=account.exchange, label=account.label, api_key="a", secret="b"
    )
    assert account.checked_at is None
    assert check_keys(venues=desk.venues, now=desk.now) == 0

    account.refresh_from_db()
    assert account.is_halted
    assert account.halted_reason == difference.sentence[:300]
    assert account.checked_at == desk.now
    assert resolve.ignore(difference, actor="trader", now=desk.now + timedelta(seconds=1)) is None
    assert not account_at("bybit").is_halted


def test_an_account_switched_off_is_watched_until_what_is_open_on_it_has_ended(
    desk: StrategyDesk,
) -> None:
    position = spot_and_perpetual(desk)
    ExchangeAccount.objects.filter(exchange__code="binanceusdm").update(is_active=False)
    account = desk.world.account("binanceusdm")
    perpetual = desk.world.listing("binanceusdm")

    desk.world.simulator.engine.close_by_venue(account, perpetual, Origin.LIQUIDATION, now=desk.now)
    desk.world.wait(minutes=1)
    assert reconcile_due(venues=desk.venues, now=desk.now) == 2
    desk.drive_until(position, PositionState.CLOSED)

    assert position.close_reason == "liquidated"
    assert desk.coins("binance", "BTC") < D("0.00001")
    assert reconcile_accounts(venues=desk.venues, now=desk.now) == 1


def test_coins_that_were_withdrawn_are_written_off_and_the_other_leg_follows(
    desk: StrategyDesk,
) -> None:
    position = spot_and_perpetual(desk)
    withdraw(desk, "0.1")
    difference = look_until_lasting(desk)
    position.refresh_from_db()
    assert position.state == PositionState.HELD
    refused = resolve.adopt(difference, actor="trader", now=desk.now, venues=desk.venues)
    assert refused is not None and "write them off" in refused.sentence
    desk.world.wait(minutes=2)
    desk.feed()

    assert resolve.write_off(difference, actor="trader", now=desk.now, venues=desk.venues) is None

    gone = Trade.objects.get(cause=Trade.Cause.WRITTEN_OFF)
    mid = desk.world.simulator.market.mid(desk.world.listing("binance"), desk.now)
    assert gone.base_quantity == difference.ours - difference.theirs
    assert (gone.order, gone.fee, gone.order_side, gone.action) == (None, 0, "sell", "CLOSE")
    assert abs(gone.price - mid) < D(1)
    assert gone.filled_at == difference.found_at
    assert not account_at("binance").is_halted
    desk.drive_until(position, PositionState.CLOSED)
    assert desk.held("binanceusdm", "BTCUSDT") == 0
    assert difference.resolution == Discrepancy.Resolution.WRITTEN_OFF
    told = Event.objects.get(kind="discrepancy.resolved").sentence
    assert f"worth {gone.base_quantity * gone.price:.2f} USD" in told.replace(",", "")


def test_what_was_written_off_is_money_moved_out_and_every_part_adds_up(
    desk: StrategyDesk,
) -> None:
    position = spot_and_perpetual(desk)
    withdraw(desk, "0.1")
    difference = look_until_lasting(desk)
    desk.feed()
    assert resolve.write_off(difference, actor="trader", now=desk.now, venues=desk.venues) is None
    desk.drive_until(position, PositionState.CLOSED)
    desk.reconcile()
    desk.read_equity()

    gone = Trade.objects.get(cause=Trade.Cause.WRITTEN_OFF)
    period = equity_bridge(desk.user, since=None, until=desk.now)
    assert period is not None
    # The dust that the leg leaves is its owner's too: less than a lot of 0.00001.
    dust = -period.parts.transfers - gone.base_quantity * gone.price
    assert 0 <= dust < D("0.00001") * gone.price
    assert abs(period.parts.unexplained) < D("1e-9")
    assert abs(period.parts.net_pnl - realised_parts(position).total) < D("0.01")


def test_only_what_no_trade_explains_is_written_off(desk: StrategyDesk) -> None:
    spot_and_perpetual(desk)
    desk.world.place("binance", Side.SELL, "0.04")
    withdraw(desk, "0.03")
    difference = look_until_lasting(desk)
    desk.feed()

    assert resolve.write_off(difference, actor="trader", now=desk.now, venues=desk.venues) is None

    sold = Trade.objects.get(cause=Trade.Cause.MANUAL)
    gone = Trade.objects.get(cause=Trade.Cause.WRITTEN_OFF)
    assert (sold.base_quantity, sold.fee > 0) == (D("0.04"), True)
    assert gone.base_quantity == difference.missing - D("0.04")


def test_what_trades_explain_wholly_and_what_has_come_back_is_not_written_off(
    desk: StrategyDesk,
) -> None:
    spot_and_perpetual(desk)
    desk.world.place("binance", Side.SELL, "0.04")
    difference = look_until_lasting(desk)
    desk.feed()

    explained = resolve.write_off(difference, actor="trader", now=desk.now, venues=desk.venues)
    withdraw(desk, "-0.04")
    changed = resolve.write_off(difference, actor="trader", now=desk.now, venues=desk.venues)

    assert explained is not None and changed is not None
    assert "Adopt books them" in explained.sentence
    assert "Reconcile now" in changed.sentence
    assert not Trade.objects.filter(order=None).exists()


def test_a_contract_that_is_gone_without_a_fill_is_written_off_once(desk: StrategyDesk) -> None:
    position = spot_and_perpetual(desk)
    key = desk.world.account("binanceusdm").api_key
    perpetual = desk.world.listing("binanceusdm")
    desk.world.simulator.ledger.put_holding(key, perpetual.key, Holding(), now=desk.now)
    difference = look_until_lasting(desk)
    desk.world.wait(minutes=1)
    no_price = resolve.write_off(difference, actor="trader", now=desk.now, venues=desk.venues)
    desk.feed()

    assert resolve.write_off(difference, actor="trader", now=desk.now, venues=desk.venues) is None
    again = resolve.write_off(difference, actor="trader", now=desk.now, venues=desk.venues)

    assert no_price is not None and "no price of BTC" in no_price.sentence
    assert again is not None and "written off by trader already" in again.sentence
    gone = Trade.objects.get(cause=Trade.Cause.WRITTEN_OFF)
    assert (gone.base_quantity, gone.order_side) == (D("0.1"), "buy")
    assert gone.price == desk.world.simulator.market.mark(perpetual, desk.now)
    desk.drive_until(position, PositionState.CLOSED)
    assert desk.coins("binance", "BTC") < D("0.00001")


def test_trades_that_no_read_can_bring_again_are_not_loaded(desk: StrategyDesk) -> None:
    desk.open_accounts("binance", "binanceusdm")
    legs = [
        PlannedLeg(venue="binance", symbol="BTCUSDT", side=LegSide.LONG),
        PlannedLeg(venue="binanceusdm", symbol="BTCUSDT", side=LegSide.SHORT, leverage="2"),
    ]
    positions = []
    for _ in range(2):
        position = desk.plan("cash_and_carry", legs, "0.1")
        desk.drive_until(position, PositionState.OPEN)
        positions.append(position)
        if len(positions) == 1:
            desk.ask_to_close(position)
            desk.drive_until(position, PositionState.CLOSED)
            desk.world.wait(hours=2)
    account = account_at("binanceusdm")

    book = own_book(account, own_orders(account), now=desk.now)

    later = Trade.objects.filter(position=positions[1], account=account)
    assert {trade_id for _, trade_id in book.booked_trades} == {
        trade.venue_trade_id for trade in later
    }
    desk.reconcile()
    assert not Discrepancy.objects.exists()
