"""Each strategy the whole production way: scan, gates, plan, OPEN, its own exit rule, CLOSED."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from tests.services.strategy_desk import D, StrategyDesk
from tests.services.test_strategies import FAR, NEAR, assert_books_are_the_venues
from tests.services.way_in import enter, set_out
from trading.core.states import PositionState
from trading.models import Leg, Position

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

SPOT, PERP, BYBIT = "binance", "binanceusdm", "bybit"
SPOT_OF_BYBIT = "bybitspot"
FAR_AT_BINANCE = "BTCUSDT_260327"
NEAR_AT_BYBIT = "BTCUSDT-06JAN26"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A market in which a strategy pays, and the change of it on which it leaves.

    `pins` and `turn` are by venue and symbol. `legs` are venue, kind and side as they are held.
    """

    strategy: str
    venues: tuple[str, ...]
    pins: Mapping[tuple[str, str], Mapping[str, str]]
    turn: Mapping[tuple[str, str], Mapping[str, str]]
    legs: tuple[tuple[str, str, str], ...]
    open_reason: str
    close_reason: str
    minutes: int = 0
    values: Mapping[str, object] = field(default_factory=dict)


BTC = "BTCUSDT"
STORIES = (
    Story(
        strategy="funding_spread",
        venues=(PERP, BYBIT),
        pins={
            (PERP, BTC): {"price": "64000", "funding_rate": "0"},
            (BYBIT, BTC): {"price": "64000", "funding_rate": "0.0005"},
        },
        # The next settlements would cost more than leaving does.
        turn={(BYBIT, BTC): {"funding_rate": "-0.0005"}},
        legs=((PERP, "perpetual", "LONG"), (BYBIT, "perpetual", "SHORT")),
        open_reason="funding",
        close_reason="cost_of_staying",
        minutes=40,
    ),
    Story(
        strategy="cash_and_carry",
        venues=(SPOT, PERP),
        pins={
            (SPOT, BTC): {"price": "64000"},
            (PERP, BTC): {"price": "64960", "funding_rate": "0.00001"},
        },
        turn={(PERP, BTC): {"price": "63900"}},
        legs=((SPOT, "spot", "LONG"), (PERP, "perpetual", "SHORT")),
        open_reason="basis",
        close_reason="gap_closed",
    ),
    Story(
        strategy="reverse_cash_and_carry",
        venues=(PERP, BYBIT),
        pins={
            (SPOT_OF_BYBIT, BTC): {"price": "64000"},
            (BYBIT, BTC): {"price": "64000", "funding_rate": "0"},
            (PERP, BTC): {"price": "63040", "funding_rate": "-0.00001"},
        },
        turn={(PERP, BTC): {"price": "64100"}},
        legs=((PERP, "perpetual", "LONG"), (BYBIT, "spot", "SHORT")),
        open_reason="basis",
        close_reason="gap_closed",
    ),
    Story(
        strategy="price_convergence",
        venues=(PERP, BYBIT),
        pins={
            (PERP, BTC): {"price": "64000", "funding_rate": "0"},
            (BYBIT, BTC): {"price": "64640", "funding_rate": "0"},
        },
        turn={(BYBIT, BTC): {"price": "64010"}},
        legs=((PERP, "perpetual", "LONG"), (BYBIT, "perpetual", "SHORT")),
        open_reason="basis",
        close_reason="gap_captured",
    ),
    Story(
        strategy="calendar_spread",
        venues=(PERP, BYBIT),
        pins={
            (PERP, BTC): {"price": "64000", "funding_rate": "0"},
            (BYBIT, BTC): {"price": "64000", "funding_rate": "0"},
            (BYBIT, FAR): {"price": "65600"},
            (PERP, FAR_AT_BINANCE): {"price": "64000"},
            (PERP, NEAR): {"price": "64000"},
            (BYBIT, NEAR_AT_BYBIT): {"price": "64000"},
        },
        # Funding is what is fair: at none, no gap is.
        turn={(BYBIT, FAR): {"price": "63990"}},
        legs=((PERP, "perpetual", "LONG"), (BYBIT, "future", "SHORT")),
        open_reason="basis",
        close_reason="gap_closed",
    ),
    Story(
        strategy="split_carry",
        venues=(SPOT, PERP, BYBIT),
        pins={
            (SPOT, BTC): {"price": "64000"},
            (SPOT_OF_BYBIT, BTC): {"price": "65600"},
            (PERP, BTC): {"price": "65600", "funding_rate": "0.00001"},
            (BYBIT, BTC): {"price": "64000", "funding_rate": "0.00001"},
            (BYBIT, FAR): {"price": "65600"},
            (PERP, FAR_AT_BINANCE): {"price": "64000"},
            (PERP, NEAR): {"price": "64000"},
            (BYBIT, NEAR_AT_BYBIT): {"price": "64000"},
        },
        turn={(PERP, BTC): {"price": "63900"}, (BYBIT, FAR): {"price": "63900"}},
        legs=((SPOT, "spot", "LONG"), (PERP, "perpetual", "SHORT"), (BYBIT, "future", "SHORT")),
        open_reason="basis",
        close_reason="gap_closed",
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.strategy)
def test_a_strategy_goes_from_the_scan_to_closed_by_its_own_rule(
    strategy_desk: StrategyDesk, story: Story
) -> None:
    desk = strategy_desk
    set_out(desk, *story.venues, strategies=story.strategy, **story.values)
    pin(desk, story.pins)
    desk.world.wait(minutes=story.minutes)

    position = enter(desk)

    held = {(leg.instrument.exchange.code, leg.instrument.kind, leg.side) for leg in legs(position)}
    assert (position.strategy, position.open_reason) == (story.strategy, story.open_reason)
    assert held == set(story.legs)
    assert desk.watch() == 0
    desk.pass_hours(2)
    assert desk.watch() == 0

    pin(desk, story.turn)
    desk.world.wait(seconds=1)
    assert desk.watch() == 1
    desk.drive_until(position, PositionState.CLOSED)

    assert position.close_reason == story.close_reason
    assert_nothing_is_left(desk)
    assert_books_are_the_venues(desk)
    perpetuals = sum(kind == "perpetual" for _, kind, _ in story.legs)
    borrowed = sum((kind, side) == ("spot", "SHORT") for _, kind, side in story.legs)
    assert len(desk.our_funding()) == 2 * perpetuals
    assert len(desk.our_interest()) == 2 * borrowed


def pin(desk: StrategyDesk, pins: Mapping[tuple[str, str], Mapping[str, str]]) -> None:
    for (venue, symbol), values in pins.items():
        desk.world.pin(venue, symbol, **values)


def legs(position: Position) -> list[Leg]:
    return list(position.legs.select_related("instrument__exchange"))


def assert_nothing_is_left(desk: StrategyDesk) -> None:
    """Ask the venues' ledgers: no contract, and of coins less than a lot, none of them owed."""
    for leg in Leg.objects.select_related("instrument__exchange"):
        venue, instrument = leg.instrument.exchange.code, leg.instrument
        if instrument.kind == "spot":
            assert 0 <= desk.coins(venue, instrument.base) < D("0.00001")
        else:
            assert desk.held(venue, instrument.venue_symbol) == 0
