"""A risk tier that its venue lowers under a position: told of before the venue acts on it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.matching import notional_limit, tiers_from
from exchanges.models import AccountPosition
from tests.services.strategy_desk import PlannedLeg, StrategyDesk
from trading.core.liquidation import Danger
from trading.core.states import PositionState
from trading.models import Event, LegSide, Position
from trading.services.changed_facts import heed_changes
from trading.services.danger import Judged, judge
from trading.services.market import board_of
from trading.services.refresh_tiers import refresh_tiers

pytestmark = [pytest.mark.protocol, pytest.mark.django_db(transaction=True)]

D = Decimal
BINANCE, BYBIT = "binanceusdm", "bybit"
LEGS = (
    PlannedLeg(
        venue=BINANCE, symbol="BTCUSDT", side=LegSide.LONG, leverage="2", kinds=("perpetual",)
    ),
    PlannedLeg(
        venue=BYBIT, symbol="BTCUSDT", side=LegSide.SHORT, leverage="2", kinds=("perpetual",)
    ),
)
# Nearly all of a position must stay behind it.
LOWERED = tiers_from([("50000", "100", "0.004"), ("100000000", "1", "0.97")])


@pytest.fixture
def position(strategy_desk: StrategyDesk) -> Position:
    """Return 2 BTC at 64,000 held by accounts of 100,000 each: care sees nothing amiss."""
    desk = strategy_desk
    desk.open_accounts(BINANCE, BYBIT)
    for venue in (BINANCE, BYBIT):
        desk.world.pin(venue, price="64000", level_quantity="5")
    held = desk.plan("funding_spread", LEGS, "2", entry_style="both_at_once")
    desk.drive_until(held, PositionState.OPEN)
    look(desk)
    assert dangers(held) == []
    return held


def look(desk: StrategyDesk) -> None:
    """Let ten minutes pass, read what the venues say, and take care of it."""
    desk.world.wait(minutes=10)
    refresh_tiers(venues=desk.venues, now=desk.now)
    heed_changes(now=desk.now)
    desk.read_accounts()
    desk.watch()


def dangers(position: Position) -> list[str]:
    events = Event.objects.filter(position=position, kind__startswith="care.liquidation")
    return list(events.values_list("sentence", flat=True))


def lower(desk: StrategyDesk) -> None:
    desk.world.simulator.set_tiers(desk.world.listing(BYBIT), LOWERED)


def test_a_lowered_tier_alarms_before_the_venue_liquidates(
    strategy_desk: StrategyDesk, position: Position
) -> None:
    lower(strategy_desk)

    look(strategy_desk)

    # Of 128,000 must stay 0.97 less 50,000 x (0.97 - 0.004), 75,860; with 99,929.60 it is met at
    # (99,929.60 + 128,000 + 48,300) / (2 x 1.97) = 70,109.
    assert dangers(position) == [
        "BTC: the short leg at bybit is 9.55 % from its liquidation, less than 10 %"
    ]
    (told,) = Event.objects.filter(position=position, kind="fact.risk_tier")
    assert "BTC/USDT:USDT: risk tier is now 2: up to 100000000 at 1x, 97 % less 48300" in (
        told.sentence
    )
    assert strategy_desk.held(BYBIT, "BTCUSDT") == -2
    for venue in (BINANCE, BYBIT):
        strategy_desk.world.pin(venue, price="70200")
    strategy_desk.world.wait(seconds=1)
    assert strategy_desk.held(BYBIT, "BTCUSDT") == 0


def test_without_a_price_of_liquidation_the_account_is_judged_by_what_must_stay(
    strategy_desk: StrategyDesk, position: Position
) -> None:
    desk, leg = strategy_desk, strategy_desk.leg(position, 1)

    def judged() -> Judged | None:
        desk.feed()
        desk.read_accounts()
        row = AccountPosition.objects.get(account=leg.account)
        row.liquidation_price = None
        leg.refresh_from_db()
        board = board_of([leg.instrument])
        return judge(leg, row, board, venues=desk.venues, may_ask=False, now=desk.now)

    before = judged()
    lower(desk)
    desk.world.wait(minutes=10)
    refresh_tiers(venues=desk.venues, now=desk.now)
    after = judged()

    # 99,929.60 by the 64,000 that are in use at 2x, then by the 75,860 that must stay.
    assert before is not None
    assert before.danger is Danger.NONE
    assert after is not None
    assert (after.danger, after.sentence) == (
        Danger.WARNING,
        "the account at bybit has a margin ratio of 1.32, below 1.5",
    )


def test_an_order_that_a_venue_refuses_as_too_much_has_its_tiers_asked_for_anew(
    strategy_desk: StrategyDesk,
) -> None:
    desk = strategy_desk
    desk.open_accounts(BINANCE, BYBIT)
    for venue in (BINANCE, BYBIT):
        desk.world.pin(venue, price="64000", level_quantity="5")
    desk.read_accounts()
    refresh_tiers(venues=desk.venues, now=desk.now)
    planned = desk.plan("funding_spread", LEGS, "2", entry_style="both_at_once")

    # At 2x no more than 50,000 are taken now.
    lower(desk)
    desk.drive_until(planned, PositionState.CLOSED)
    assert refresh_tiers(venues=desk.venues, now=desk.now) == 1

    refused = planned.orders.filter(state="rejected").select_related("leg__instrument__exchange")
    assert {order.leg.instrument.exchange.code for order in refused} == {BYBIT}
    ladder = refused[0].leg.instrument.ladder
    assert ladder is not None
    assert notional_limit(D(2), ladder.tiers) == 50_000
