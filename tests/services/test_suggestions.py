from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from arbsite.accounts.models import User
from exchanges.models import Exchange, HourlyMid, Instrument, SettledFundingRate
from tests.market import NOW, D
from tests.web.rows import make_account, make_exchange, make_instrument
from trading.core.history import Frequency
from trading.core.parameters import Parameters
from trading.services import configure
from trading.services.pair_statistics import pair_statistics
from trading.services.suggestions import suggestions_for
from trading.strategies.hindsight import CHOICES

pytestmark = pytest.mark.db

EIGHT_HOURS = timedelta(hours=8)
STEADY = ["0.0001"] * 121
# 30 settlements of 1, 2, 3 and 4 bp each, after the first, whose interval nobody knows.
RISING = ["0.0002", *[str(D("0.0001") * (2 + index // 30)) for index in range(120)]]


@pytest.fixture
def venues(db: None) -> list[Exchange]:
    return [make_exchange(*names) for names in (("a", "A", "Alpha"), ("b", "B", "Beta"))]


def settle(
    exchange: Exchange, rates: Sequence[str], prices: Sequence[str] | None = None
) -> Instrument:
    """Write settlements every 8 h, the newest now."""
    instrument = make_instrument(exchange, "BTC", NOW)
    SettledFundingRate.objects.bulk_create(
        SettledFundingRate(
            instrument=instrument,
            settled_at=NOW - EIGHT_HOURS * (len(rates) - 1 - index),
            funding_rate=D(rate),
            settlement_price=Decimal(prices[index]) if prices else None,
        )
        for index, rate in enumerate(rates)
    )
    return instrument


def test_three_quarters_of_the_spreads_are_below_what_is_suggested(venues: list[Exchange]) -> None:
    settle(venues[0], STEADY)
    settle(venues[1], RISING)

    found = suggestions_for("BTC", parameters=Parameters(), now=NOW)["min_spread_base"]

    # spreads of 1, 2, 3, 4 bp, 30 each: place 89.25 of 0 … 119 is between 3 and 4 bp
    assert found.value == "0.000325"
    assert found.observations == 120
    assert found.sentence == (
        "Three quarters of the 8 h spreads of BTC were below 0.0325 % "
        "(120 observations, 2026-01-20 to 2026-03-01)."
    )


def test_a_calm_price_allows_the_cap_and_a_jumpy_one_less(venues: list[Exchange]) -> None:
    calm = [str(50_000 + 10 * (index % 2)) for index in range(121)]
    settle(venues[0], STEADY, calm)
    settle(venues[1], STEADY)
    assert suggestions_for("BTC", parameters=Parameters(), now=NOW)["leverage"].value == "5"

    # three moves of 3 % a day, up and down: sqrt(1.5 x 0.03² + 1.5 x 0.029126²) = 5.12 %
    jumpy = [str(50_000 + 1_500 * (index % 2)) for index in range(121)]
    SettledFundingRate.objects.all().delete()
    Instrument.objects.all().delete()
    settle(venues[0], STEADY, jumpy)
    found = suggestions_for("BTC", parameters=Parameters(), now=NOW)["leverage"]

    assert found.value == "4"
    assert "moves 5.12 % a day; half of the safe 9.76x, within the cap, is 4x" in found.sentence
    assert "at 4x 0.0 % of the windows of 168.0 h reached a margin warning" in found.sentence


def test_price_gaps_are_compared_where_both_venues_settled_at_once(
    venues: list[Exchange],
) -> None:
    settle(venues[0], STEADY, ["50000"] * 121)
    settle(venues[1], STEADY, ["50100"] * 121)

    found = suggestions_for("BTC", parameters=Parameters(), now=NOW)["min_price_gap"]

    assert D(found.value).quantize(D("0.0001")) == D("0.0020")


def keep_hours(instrument: Instrument, mids: Sequence[str]) -> None:
    HourlyMid.objects.bulk_create(
        HourlyMid(instrument=instrument, hour_at=NOW - timedelta(hours=len(mids) - at), mid=D(mid))
        for at, mid in enumerate(mids)
    )


def test_the_opening_gap_is_what_spot_and_perpetual_rarely_are_apart(
    venues: list[Exchange],
) -> None:
    spot, perpetual = (make_instrument(venue, "BTC", NOW) for venue in venues)
    spot.symbol, spot.kind = "BTC/USDT", "spot"
    spot.save()
    # Ten hours each of 0.1, 0.2, 0.3 and 0.4 %, one half of them below spot.
    keep_hours(spot, ["50000"] * 40)
    keep_hours(
        perpetual, [str(50_000 + sign * 50 * n) for n in range(1, 5) for sign in (1, -1) * 5]
    )

    found = suggestions_for("BTC", parameters=Parameters(), now=NOW)["min_opening_arbitrage_pct"]

    # Place 29.25 of 0 ... 39 is a quarter of the way from 0.3 to 0.4 %; the field is in percent.
    assert found.value == "0.325"
    assert found.sentence == (
        "Spot and perpetuals of BTC were less than 0.3250 % apart in three quarters of the hours "
        "(40 observations, 2026-02-27 to 2026-03-01)."
    )


def test_a_day_of_hours_suggests_no_opening_gap(venues: list[Exchange]) -> None:
    spot, perpetual = (make_instrument(venue, "BTC", NOW) for venue in venues)
    spot.symbol, spot.kind = "BTC/USDT", "spot"
    spot.save()
    for instrument in (spot, perpetual):
        keep_hours(instrument, ["50000"] * 29)

    assert suggestions_for("BTC", parameters=Parameters(), now=NOW) == {}


def test_a_lasting_spread_suggests_that_all_of_it_is_kept(venues: list[Exchange]) -> None:
    settle(venues[0], STEADY)
    settle(venues[1], ["0.0003"] * 121)

    found = suggestions_for("BTC", parameters=Parameters(), now=NOW)

    assert found["carry_beta_3d"].value == "1"
    assert found["carry_beta_7d"].value == "1"
    # 40 days hold 14 days less than three times
    assert "carry_beta_14d" not in found


def test_too_little_history_suggests_nothing(venues: list[Exchange]) -> None:
    settle(venues[0], STEADY[:20])
    settle(venues[1], RISING[:20])

    assert suggestions_for("BTC", parameters=Parameters(), now=NOW) == {}
    assert suggestions_for("ETH", parameters=Parameters(), now=NOW) == {}


def test_a_pair_is_told_with_its_odds_and_every_tolerance(
    owner: User, venues: list[Exchange]
) -> None:
    long = settle(venues[0], STEADY, ["50000"] * 121)
    short = settle(venues[1], ["0.0003"] * 121, ["50000"] * 121)
    for venue in venues:
        make_account(owner, venue, NOW)
    # Every two hours the gap is half of what it was: 2^(-1/2) an hour.
    for hour in range(60):
        gap = D("0.01") * D("0.5") ** (D(hour) / 2)
        for instrument, mid in ((long, D(50_000)), (short, 50_000 * (1 + gap))):
            at = NOW - timedelta(hours=60 - hour)
            HourlyMid.objects.create(instrument=instrument, hour_at=at, mid=mid)
    configure.save(
        user=owner, values={"hold_horizon": "72"}, expected_version=0, actor="owner", now=NOW
    )

    (pair,) = pair_statistics(owner, "BTC", NOW)

    assert (pair.long, pair.short) == (long, short)
    assert pair.cost == D("0.002")
    # 9 settlements of 2 bp are 18 bp, four fees of 5 bp are 20
    assert pair.break_even == Frequency(hits=0, windows=111)
    assert pair.warning == Frequency(hits=0, windows=112)
    assert pair.gap_half_life_hours is not None
    assert round(pair.gap_half_life_hours, 6) == 2
    assert pair.stability is not None
    assert (pair.stability.score, pair.stability.persistence) == (1, 1)
    assert [each.tolerance for each in pair.tolerances] == [*CHOICES, None]
    assert {each.funding for each in pair.tolerances} == {119 * D("0.0002")}
