"""An account's capital is given out once, however fast entries follow each other."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from arbsite.accounts.models import User
from exchanges.domain import Side, Symbol
from exchanges.models import AccountBalance, ExchangeAccount, Instrument
from tests.market import NOW, D, make_book, make_quote, make_rate
from tests.services.scan_market import VALUES, VENUES, Market, make_market, on_the_board
from tests.services.test_scan_rows import rung_entries
from trading.core.states import PositionState
from trading.models import Leg, LegSide, Order, Position, Trade
from trading.services import configure, plan_entry
from trading.services.entry_legs import long_short
from trading.services.evaluate import evaluate
from trading.services.limits import LimitReached
from trading.services.scan import LiveScan, MarketScan
from trading.services.standing import Standing, standing_of
from trading.strategies.base import EntryTrigger

pytestmark = pytest.mark.db

ETH = Symbol("ETH/USDT:USDT")


@pytest.fixture
def market(owner: User) -> Market:
    """BTC and ETH pay alike at two venues with 10,000 USD each."""
    market = make_market(owner)
    AccountBalance.objects.update(free=D(10_000), total=D(10_000), equity=D(10_000))
    for venue in VENUES:
        listed = market.instrument(venue)
        listed.pk, listed.base, listed.symbol, listed.venue_symbol = None, "ETH", ETH, "ETHUSDT"
        listed._state.adding = True
        listed.save(force_insert=True)
        market.tell(replace(make_book(venue), symbol=ETH), replace(make_quote(venue), symbol=ETH))
    market.tell(
        replace(make_rate("binanceusdm", rate="0"), symbol=ETH),
        replace(make_rate("bybit", rate="0.001"), symbol=ETH),
    )
    values = {**VALUES, "symbols": ["BTC-USDT", "ETH-USDT"]}
    configure.save(user=owner, values=values, expected_version=1, actor="owner", now=NOW)
    return market


def plan_btc(market: Market, *, quantity: str, seconds: float) -> Position:
    """Write a position of BTC that was planned some seconds after the balances were read."""
    at = NOW + timedelta(seconds=seconds)
    position = Position.objects.create(
        user=market.user,
        mode="rehearsal",
        base="BTC",
        strategy="funding_spread",
        open_reason="funding",
        size_usd=D(quantity) * 50_000,
        target_base_quantity=D(quantity),
        parameters={},
        configuration_version=1,
        entry_funding_spread=D("0.001"),
        opened_by="test",
        created_at=at,
        entry_deadline=at,
    )
    for index, (venue, side) in enumerate(zip(VENUES, LegSide.values, strict=True)):
        Leg.objects.create(
            position=position,
            index=index,
            side=side,
            account=ExchangeAccount.objects.get(exchange__code=venue),
            instrument=Instrument.objects.get(exchange__code=venue, base="BTC"),
            leverage=D(2),
            decision_entry_mid=D(50_000),
            taker_fee=D("0.0005"),
        )
    return position


def fill(leg: Leg, quantity: str, *, seconds: float) -> None:
    at = NOW + timedelta(seconds=seconds)
    order = Order.objects.create(
        position=leg.position,
        leg=leg,
        purpose="open",
        sequence=Order.objects.count(),
        client_order_id=f"order {Order.objects.count()}",
        side=Side.BUY if leg.sign > 0 else Side.SELL,
        order_type="limit",
        base_quantity=D(quantity),
        time_in_force="gtc",
        created_at=at,
    )
    Trade.objects.create(
        position=leg.position,
        leg=leg,
        order=order,
        account=leg.account,
        venue_trade_id=f"trade {order.sequence}",
        venue_order_id=f"order {order.sequence}",
        side=leg.side,
        action="OPEN",
        order_side=order.side,
        order_type="limit",
        price=D(50_000),
        base_quantity=D(quantity),
        size=D(quantity) * 50_000,
        fee=D(0),
        fee_asset="USDT",
        filled_at=at,
        booked_at=at,
    )


def standing(market: Market) -> Standing:
    return standing_of(market.user, NOW + timedelta(seconds=30))


def test_two_updates_within_a_minute_share_one_purse(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def publish() -> None:
        pass

    async def story() -> None:
        live.changed({"BTC"})
        live.changed({"ETH"})
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0)

    rung_entries()
    live = LiveScan(market.board, publish)
    live.market.adopt(live.market.load(NOW))
    monkeypatch.setattr(timezone, "now", lambda: NOW)

    asyncio.run(story())

    # 0.8 x 0.7 x 10,000 at 2x are 11,200 and all of it is BTC's.
    assert [(args[2], D(args[4])) for args in rung_entries()] == [("BTC", D(11_200))]


def test_what_was_rung_keeps_its_part_until_it_is_a_position_or_refused(market: Market) -> None:
    scan = MarketScan()
    scan.adopt(scan.load(NOW))
    (user,) = scan.users

    def ring(base: str, seconds: float) -> list[str]:
        found = replace(market.judge(), base=base)
        at = NOW + timedelta(seconds=seconds)
        return [one.base for one in scan.to_ring(user.standing.user_id, [found], at)]

    assert ring("BTC", 0) == ["BTC"]
    scan.adopt(scan.load(NOW))
    assert ring("ETH", 1) == []
    assert ring("BTC", 4) == []
    assert ring("ETH", 5) == ["ETH"]


def test_margin_of_a_position_planned_after_the_reading_is_not_free(market: Market) -> None:
    plan_btc(market, quantity="0.1", seconds=10)

    for venue in VENUES:
        capital = standing(market).capital[venue]
        # 0.1 x 50,000 / 2
        assert (capital.free, capital.used_margin) == (D(7_500), D(2_500))


def test_what_was_filled_before_the_reading_is_in_the_reading(market: Market) -> None:
    position = plan_btc(market, quantity="0.1", seconds=-20)
    Position.objects.update(state=PositionState.ENTERING)
    long, short = position.legs.all()
    fill(long, "0.06", seconds=-10)
    fill(long, "0.01", seconds=5)

    # 0.04 of the long leg and all of the short one is still to come: 1,000 and 2,500.
    assert standing(market).capital[long.instrument.exchange.code].free == D(9_000)
    assert standing(market).capital[short.instrument.exchange.code].free == D(7_500)


def test_what_is_being_added_to_an_open_position_is_not_free(market: Market) -> None:
    position = plan_btc(market, quantity="0.1", seconds=-20)
    for leg in position.legs.all():
        fill(leg, "0.1", seconds=-10)
    Order.objects.update(filled_base_quantity=D("0.1"))
    Position.objects.update(state=PositionState.OPEN)
    frees = [standing(market).capital[venue].free for venue in VENUES]
    Position.objects.update(add_quantity=D("0.025"), target_base_quantity=D("0.125"))

    # 0.025 x 50,000 / 2 more on each leg.
    assert [standing(market).capital[venue].free for venue in VENUES] == [
        free - 625 for free in frees
    ]


def test_open_position_takes_what_was_filled_since_the_reading_and_no_more(
    market: Market,
) -> None:
    position = plan_btc(market, quantity="0.1", seconds=-20)
    Position.objects.update(state=PositionState.OPEN)
    for leg in position.legs.all():
        fill(leg, "0.06", seconds=-10)
        fill(leg, "0.02", seconds=5)

    assert standing(market).capital["bybit"].free == D(9_500)

    AccountBalance.objects.update(observed_at=NOW + timedelta(seconds=6))
    assert standing(market).capital["bybit"].free == D(10_000)


def test_of_two_entries_counted_at_once_the_second_is_refused(market: Market) -> None:
    legs = long_short(*(Instrument.objects.get(exchange__code=v, base="ETH") for v in VENUES))
    with on_the_board(market):
        found = evaluate(
            user=market.user,
            strategy="funding_spread",
            base="ETH",
            legs=legs,
            size_usd=D(50_000),
            trigger=EntryTrigger.PROMPT,
            now=NOW,
        )
    assert found.refusals == ()
    assert found.size is not None
    # While it was counted another entry was written.
    plan_btc(market, quantity="0.2", seconds=1)

    with pytest.raises(LimitReached) as refused:
        plan_entry.refuse_overdrawn(found, found.size)

    assert refused.value.refusal.code == "capital_taken"
    assert "not the 11,200.00 USD that were planned" in refused.value.refusal.sentence
