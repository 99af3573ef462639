"""A better pair is entered in place of a worse one, one at a time, and only where it pays."""

from __future__ import annotations

import pytest

from exchanges.models import ExchangeAccount
from tests.services.strategy_desk import D, StrategyDesk
from tests.services.test_strategies import assert_books_are_the_venues
from tests.services.way_in import enter, scan, set_out
from trading.core.states import Goal, PositionState
from trading.models import Position
from trading.services.rotate import rotate
from trading.services.staying import staying

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

PERP, BYBIT = "binanceusdm", "bybit"


@pytest.fixture
def desk(strategy_desk: StrategyDesk) -> StrategyDesk:
    """Two perpetuals of three bases in step, none of which pays; in the entry window."""
    desk = strategy_desk
    desk.bases = ["BTC", "ETH", "SOL"]
    for symbol, price in (("BTCUSDT", "64000"), ("ETHUSDT", "3200"), ("SOLUSDT", "150")):
        for venue in (PERP, BYBIT):
            desk.world.pin(venue, symbol, price=price, funding_rate="0")
    desk.world.wait(minutes=40)
    return desk


def run(desk: StrategyDesk, **values: object) -> None:
    usual = {
        "symbols": ["BTC-USDT", "ETH-USDT", "SOL-USDT"],
        "strategies": "funding_spread, price_convergence",
        "capital_rotation": True,
    }
    set_out(desk, PERP, BYBIT, **{**usual, **values})


def pays(desk: StrategyDesk, base: str, rate: str) -> None:
    desk.world.pin(BYBIT, f"{base}USDT", funding_rate=rate)


def a_round(desk: StrategyDesk) -> Position | None:
    """Scan and rotate, as the end of each round of the scan does."""
    desk.world.wait(seconds=1)
    standing, found = scan(desk, *desk.bases)
    return rotate(standing, found, now=desk.now)


def test_one_position_makes_room_for_a_better_pair_which_is_entered_after_it(
    desk: StrategyDesk,
) -> None:
    run(desk, max_open_positions="2")
    pays(desk, "BTC", "0.0002")
    pays(desk, "ETH", "0.0003")
    worse, kept = enter(desk, "BTC"), enter(desk, "ETH")
    assert a_round(desk) is None
    pays(desk, "SOL", "0.001")

    assert a_round(desk) == worse
    worse.refresh_from_db()
    assert (worse.close_reason, worse.goal) == ("rotation", Goal.FLAT)
    assert worse.close_sentence.startswith("SOL is expected to earn")
    # While it leaves nothing else does, nor before its collateral is known to be free.
    assert a_round(desk) is None
    desk.drive_until(worse, PositionState.CLOSED)
    better = enter(desk, "SOL")
    assert (better.base, better.strategy) == ("SOL", "funding_spread")
    # BTC pays more by now than ETH does, and has rested.
    pays(desk, "BTC", "0.001")
    desk.world.wait(seconds=120)
    assert a_round(desk) is None
    desk.read_accounts()
    assert a_round(desk) == kept
    assert_books_are_the_venues(desk)


def test_what_is_left_of_a_fresh_gap_keeps_its_position(desk: StrategyDesk) -> None:
    run(desk, max_open_positions="1")
    desk.world.pin(BYBIT, "BTCUSDT", price="64640")
    position = enter(desk)
    assert position.strategy == "price_convergence"
    standing, _ = scan(desk, "BTC")

    known = staying(position, standing, desk.now)

    # 640 of 64,000 are 1 %, of which half is counted; taker fees of 0.05 and 0.055 % leave it.
    assert known is not None
    assert known.keeps_usd == position.size_usd * D("0.005")
    fees = position.size_usd * D("0.00105")
    assert fees < known.exit_cost_usd < fees * D("1.02")
    # 48 x 0.0001 on ETH would bring 0.48 % before 0.21 % of costs: less than staying does.
    pays(desk, "ETH", "0.0001")
    assert a_round(desk) is None


def test_a_gap_that_is_gone_keeps_nothing(desk: StrategyDesk) -> None:
    run(desk, max_open_positions="1")
    desk.world.pin(BYBIT, "BTCUSDT", price="64640")
    position = enter(desk)
    desk.world.pin(BYBIT, "BTCUSDT", price="64000")
    # 0.0003 x 48 = 1.44 % on ETH, beyond 1.5 times 0.105 and 0.21 %.
    pays(desk, "ETH", "0.0003")

    assert a_round(desk) == position


def test_a_position_is_not_left_where_its_collateral_is_of_no_use(desk: StrategyDesk) -> None:
    # 0.101 BTC, all that may be held.
    limits = [f"max_position_per_{whole}_usd" for whole in ("pair", "venue", "user")]
    run(desk, **dict.fromkeys([*limits, "order_amount_usd"], "6464"))
    pays(desk, "BTC", "0.0001")
    worse = enter(desk, "BTC")
    pays(desk, "ETH", "0.001")
    desk.world.wait(seconds=1)
    _, found = scan(desk, *desk.bases)
    (eth,) = [one for one in found if one.base == "ETH" and one.strategy == "funding_spread"]
    assert eth.refusal is not None and eth.refusal.code == "no_room"

    desk.open_accounts("binance")
    rows = worse.legs.filter(account__exchange__code=BYBIT)
    bybit, elsewhere = rows.get().account, ExchangeAccount.objects.get(exchange__code="binance")
    worse.legs.filter(account=bybit).update(account=elsewhere)
    assert a_round(desk) is None

    worse.legs.filter(account=elsewhere).update(account=bybit)
    assert a_round(desk) == worse


def test_nothing_is_left_while_rotation_is_off(desk: StrategyDesk) -> None:
    run(desk, max_open_positions="1", capital_rotation=False)
    pays(desk, "BTC", "0.0002")
    enter(desk, "BTC")
    pays(desk, "SOL", "0.001")

    assert a_round(desk) is None
