"""The generated market: repeatable, calibrated, and with episodes worth trading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import fmean

import pytest

from exchanges.simulator.listings import BYBIT, EPISODE_ORDER, USDM
from exchanges.simulator.market import GeneratedMarket, next_settlement, previous_settlement

pytestmark = pytest.mark.core

EPOCH = datetime(2026, 1, 5, 12, 0, 30, tzinfo=UTC)
INTERVAL = timedelta(minutes=4)
BP = Decimal("0.0001")


def market(seed: int = 7) -> GeneratedMarket:
    return GeneratedMarket(seed=seed, epoch=EPOCH, interval=INTERVAL)


def spread(source: GeneratedMarket, symbol: str, at: datetime) -> Decimal:
    listings = source.listings
    return source.settled_rate(listings[(USDM, symbol)], at) - source.settled_rate(
        listings[(BYBIT, symbol)], at
    )


def settlements(count: int, *, since: datetime = EPOCH) -> list[datetime]:
    first = next_settlement(since, INTERVAL)
    return [first + number * INTERVAL for number in range(count)]


def test_settlements_fall_on_wall_clock_multiples() -> None:
    assert next_settlement(EPOCH, INTERVAL) == datetime(2026, 1, 5, 12, 4, tzinfo=UTC)
    assert previous_settlement(EPOCH, INTERVAL) == datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
    on_time = datetime(2026, 1, 5, 12, 4, tzinfo=UTC)
    assert next_settlement(on_time, INTERVAL) == on_time + INTERVAL


def test_the_same_seed_is_the_same_market_at_any_moment() -> None:
    at = EPOCH + timedelta(hours=3, seconds=0.3)
    first, again, other = market(), market(), market(seed=8)

    for key, listing in first.listings.items():
        assert first.mid(listing, at) == again.mid(again.listings[key], at)
        assert first.mid(listing, at) != other.mid(other.listings[key], at)


def test_prices_move_a_little_each_beat() -> None:
    source = market()
    listing = source.listings[(USDM, "BTCUSDT")]
    mids = [source.mid(listing, EPOCH + timedelta(seconds=n / 4)) for n in range(400)]

    steps = [abs(after / before - 1) for before, after in pairwise(mids)]

    assert max(steps) < 3 * BP
    assert sum(step > 0 for step in steps) > 390


def test_the_gap_between_venues_is_small_and_returns() -> None:
    source = market()
    near, far = source.listings[(USDM, "ETHUSDT")], source.listings[(BYBIT, "ETHUSDT")]
    moments = [EPOCH + timedelta(seconds=7 * n) for n in range(600)]
    gaps = [source.mid(near, at) / source.mid(far, at) - 1 for at in moments]

    assert max(map(abs, gaps)) < 3 * BP
    assert min(gaps) < 0 < max(gaps)


def test_calm_funding_differs_by_less_than_a_basis_point_between_venues() -> None:
    before_episodes = EPOCH - 2000 * INTERVAL
    spreads = [spread(market(), "BTCUSDT", at) for at in settlements(600, since=before_episodes)]

    assert 0.2 < fmean(abs(value) for value in spreads) / 0.0001 < 0.7


def test_calm_funding_persists_from_one_settlement_to_the_next() -> None:
    source = market()
    listing = source.listings[(BYBIT, "BTCUSDT")]
    times = settlements(800, since=EPOCH - 2000 * INTERVAL)
    rates = [float(source.settled_rate(listing, at)) for at in times]
    mean = fmean(rates)

    variance = fmean((rate - mean) ** 2 for rate in rates)
    covariance = fmean((a - mean) * (b - mean) for a, b in pairwise(rates))

    assert covariance / variance > 0.8


@pytest.mark.parametrize("seed", [1, 7, 20250701])
def test_the_first_episode_is_seen_within_a_minute_on_an_early_symbol(seed: int) -> None:
    source, at = market(seed), EPOCH + timedelta(seconds=60)

    paying = {
        listing.base
        for listing in source.listings.values()
        if listing.is_perpetual and abs(source.predicted_rate(listing, at)) >= 15 * BP
    }

    assert len(paying) == 1
    assert paying <= set(EPISODE_ORDER[:3])


@pytest.mark.parametrize("seed", [1, 7, 20250701])
def test_each_episode_pays_15_to_30_bp_for_at_least_eight_settlements(seed: int) -> None:
    source = market(seed)
    for base in EPISODE_ORDER:
        paid = [abs(spread(source, f"{base}USDT", at)) > 12 * BP for at in settlements(40)]
        longest = max(map(len, "".join("x" if row else " " for row in paid).split()))
        assert longest >= 8


def test_a_new_episode_begins_about_every_five_minutes() -> None:
    source = market()
    begun = 0
    for base in EPISODE_ORDER:
        paid = [abs(spread(source, f"{base}USDT", at)) > 12 * BP for at in settlements(50)]
        begun += sum(now and not before for before, now in pairwise([False, *paid]))

    # 200 minutes hold 40 beginnings, give or take the grid.
    assert 36 <= begun <= 42


def test_an_episode_is_predicted_from_its_beginning_and_does_not_waver() -> None:
    source = market()
    settlement_at = settlements(3)[2]
    moments = [settlement_at - INTERVAL + timedelta(seconds=n) for n in range(1, 240, 13)]
    paying = [
        listing
        for listing in source.listings.values()
        if listing.is_perpetual and abs(source.settled_rate(listing, settlement_at)) >= 15 * BP
    ]

    assert paying
    for listing in paying:
        seen = {source.predicted_rate(listing, at) for at in moments}
        assert seen == {source.settled_rate(listing, settlement_at)}


def test_a_calm_prediction_ends_at_the_settled_rate() -> None:
    source = market()
    listing = source.listings[(USDM, "AVAXUSDT")]
    settlement_at = settlements(1)[0]

    late = source.predicted_rate(listing, settlement_at - timedelta(milliseconds=1))

    assert late == source.settled_rate(listing, settlement_at)
