"""Margin warnings are seen in lows and highs, and hourly venues are looked back at as far."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from arbsite.accounts.models import User
from exchanges.board import Board
from exchanges.domain import BookTop, Side
from exchanges.mids import sample_mids
from exchanges.models import MidBar, SettledFundingRate
from exchanges.selectors import bar_start
from tests.market import NOW, PERP, D
from tests.services.scan_market import Market, make_market
from trading.core.history import Frequency
from trading.core.parameters import Parameters
from trading.services.pair_statistics import pair_statistics
from trading.services.settled_past import settled_past
from trading.services.suggestions import suggestions_for
from trading.services.universe import PairedLeg, Universe

pytestmark = pytest.mark.db

EIGHT_HOURS, DAY, MINUTE = timedelta(hours=8), timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def market(owner: User) -> Market:
    return make_market(owner)


def settle(market: Market, venue: str, every: timedelta, days: int) -> None:
    SettledFundingRate.objects.bulk_create(
        SettledFundingRate(
            instrument=market.instrument(venue),
            settled_at=NOW - back * every,
            funding_rate=D("0.0001"),
            settlement_price=D(50_000),
        )
        for back in range(days * DAY // every)
    )


def keep_bars(market: Market, venue: str, bars: int, *, low: str = "50000") -> None:
    """Write calm bars up to now; the lowest of the one in the middle is `low`."""
    last = bar_start(NOW) - EIGHT_HOURS
    MidBar.objects.bulk_create(
        MidBar(
            instrument=market.instrument(venue),
            starts_at=last - back * EIGHT_HOURS,
            first=D(50_000 + 10 * (back % 2)),
            low=D(low) if back == bars // 2 else D(50_000),
            high=D(50_010),
        )
        for back in range(bars)
    )


def warning(market: Market, venue: str, universe: Universe) -> Decimal | None:
    (paired,) = [one for one in universe.by_base["BTC"].values() if one.key[0] == venue]
    return universe.warning_probability([PairedLeg(paired=paired, side=Side.BUY)], D(5), DAY)


def board_with(mid: str, at: timedelta) -> Board:
    board = Board()
    board.apply(
        BookTop(
            venue="bybit",
            symbol=PERP,
            bid=D(mid) - 1,
            bid_quantity=D(1),
            ask=D(mid) + 1,
            ask_quantity=D(1),
            observed_at=NOW + at,
        )
    )
    return board


def test_a_bar_keeps_its_first_mid_and_how_far_it_went(market: Market) -> None:
    for minutes, mid in ((0, "50000"), (5, "48000"), (10, "51000"), (15, "50500")):
        at = minutes * MINUTE
        sample_mids(board_with(mid, at), NOW + at)
    later = 4 * timedelta(hours=1)
    sample_mids(board_with("50600", later), NOW + later)

    bars = MidBar.objects.values_list("starts_at", "first", "low", "high")
    # 12:00 is within the bar of 08:00; 16:00 begins the next.
    assert list(bars) == [
        (NOW.replace(hour=8), 50_000, 48_000, 51_000),
        (NOW.replace(hour=16), 50_600, 50_600, 50_600),
    ]


def test_a_low_between_settlements_counts_as_a_warning(market: Market) -> None:
    settle(market, "bybit", EIGHT_HOURS, 40)
    universe = Universe()
    universe = universe.refreshed(NOW)
    assert warning(market, "bybit", universe) == 0

    # Liquidated at 80 % of the entry, warned within 10 % of that.
    keep_bars(market, "bybit", 60, low="44000")
    universe = Universe()
    universe = universe.refreshed(NOW)

    # 58 bars and 59 settlements before them have a whole day after them; 4 of those days see it.
    assert warning(market, "bybit", universe) == D(4) / 117


def test_a_bar_that_has_ended_is_read_by_and_by(market: Market) -> None:
    keep_bars(market, "bybit", 60)
    universe = Universe()
    universe = universe.refreshed(NOW)
    assert warning(market, "bybit", universe) == 0
    MidBar.objects.create(
        instrument=market.instrument("bybit"),
        starts_at=bar_start(NOW),
        first=D(50_000),
        low=D(40_000),
        high=D(50_000),
    )

    universe = universe.refreshed(NOW)
    assert warning(market, "bybit", universe) == 0
    universe = universe.refreshed(bar_start(NOW) + EIGHT_HOURS)
    assert (warning(market, "bybit", universe) or 0) > 0


def test_a_venue_of_hourly_settlements_is_looked_back_at_as_far(market: Market) -> None:
    settle(market, "bybit", timedelta(hours=1), 110)
    settle(market, "binanceusdm", EIGHT_HOURS, 110)
    universe = Universe()
    universe = universe.refreshed(NOW)

    first = {
        one.key[0]: universe.settled(one)[0].settled_at for one in universe.by_base["BTC"].values()
    }

    # The first settlement within 100 days has no known interval.
    assert first["bybit"] == NOW - 100 * DAY + 2 * timedelta(hours=1)
    assert first["binanceusdm"] == NOW - 100 * DAY + 2 * EIGHT_HOURS


def test_pages_and_suggestions_see_the_lows_too(market: Market) -> None:
    for venue in ("bybit", "binanceusdm"):
        settle(market, venue, EIGHT_HOURS, 40)
        keep_bars(market, venue, 119, low="25000")

    past = settled_past("BTC", NOW)[0]
    (pair,) = pair_statistics(market.user, "BTC", NOW)

    assert min(bar.lowest for bar in past.prices) == 25_000
    # At 2x a leg is warned below 27,920; the bar itself and the six before it see it in 48 hours.
    assert pair.warning == Frequency(hits=7, windows=114)
    leverage = suggestions_for("BTC", parameters=Parameters(), now=NOW)["leverage"]
    assert leverage.value == "1"
