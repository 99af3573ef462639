"""What carry keeps is fitted to each pair once a month; entries and exits count with it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from arbsite.accounts import audit
from arbsite.accounts.models import AuditEntry, User
from exchanges.models import SettledFundingRate
from tests.market import NOW, D, make_rate
from tests.services.scan_market import (
    VALUES,
    Market,
    make_market,
    on_the_board,
    store_mids,
)
from tests.web.rows import make_position
from trading.core.parameters import Parameters
from trading.models import FittedBeta, Opportunity, Position
from trading.selectors.opportunities import ForecastLine, recent_opportunities
from trading.services import configure, evaluate
from trading.services.held_position import held_position
from trading.services.refit_betas import refit_betas
from trading.services.standing import standing_of
from trading.services.staying import staying
from trading.strategies.base import ExitSignal
from trading.strategies.registry import STRATEGIES

pytestmark = pytest.mark.db

EIGHT_HOURS, DAY = timedelta(hours=8), timedelta(days=1)


@pytest.fixture
def market(owner: User) -> Generator[Market]:
    evaluate._shared.cache_clear()
    made = make_market(owner)
    configure.save(
        user=owner,
        values=VALUES | {"carry_estimator": "ewma", "hold_horizon": "168"},
        expected_version=1,
        actor="owner",
        now=NOW,
    )
    yield made
    evaluate._shared.cache_clear()


def settle(market: Market, settlements: int, *, until: datetime = NOW, **rates: str) -> None:
    """Write settlements every 8 h at one rate, the newest at `until`."""
    SettledFundingRate.objects.bulk_create(
        SettledFundingRate(
            instrument=market.instrument(venue),
            settled_at=until - EIGHT_HOURS * back,
            funding_rate=D(rate),
        )
        for venue, rate in rates.items()
        for back in range(settlements)
    )


def expected_funding(market: Market) -> Decimal:
    candidate = market.judge().candidate
    assert candidate is not None
    assert candidate.expected_funding is not None
    return candidate.expected_funding.quantize(D("1e-9"))


def exit_signal(market: Market, position: Position) -> ExitSignal | None:
    """Ask the rules of a position at the facts of now."""
    evaluate._shared.cache_clear()
    legs = list(position.legs.select_related("instrument__exchange", "account__exchange"))
    held = held_position(position, legs, market.seen, NOW)
    assert held is not None
    parameters = Parameters.from_stored(position.parameters)
    return STRATEGIES["funding_spread"].exit_signal(held, parameters=parameters, now=NOW)


def test_an_entry_counts_with_what_is_configured_until_the_pair_is_fitted(market: Market) -> None:
    settle(market, 121, binanceusdm="0.0001", bybit="0.0003")
    # 21 settlements of half of 2 bp.
    assert expected_funding(market) == D("0.0021")

    # 40 days hold 3 and 7 days often enough, 14 not: for each venue alone and for both.
    assert refit_betas(NOW) == 6

    assert expected_funding(market) == D("0.0042")


def test_the_pass_over_the_market_rings_what_only_the_fit_makes_worth_it(market: Market) -> None:
    # 21 settlements of 2 bp are 42 bp, half of them 21; four fees and half of two touches are 20.8.
    values = VALUES | {"carry_estimator": "ewma", "hold_horizon": "168", "min_net_return": "0.001"}
    configure.save(user=market.user, values=values, expected_version=2, actor="owner", now=NOW)
    settle(market, 121, binanceusdm="0.0001", bybit="0.0003")
    assert market.scan().worth_judging("BTC", market.seen, NOW) == []

    refit_betas(NOW)

    assert len(market.scan().worth_judging("BTC", market.seen, NOW)) == 1


def test_an_exit_counts_with_the_fit_too(market: Market) -> None:
    settle(market, 121, binanceusdm="0.0001", bybit="0.00016")
    for venue, rate in (("binanceusdm", "0.0001"), ("bybit", "0.00016")):
        newer = NOW + timedelta(milliseconds=1)
        market.tell(replace(make_rate(venue, rate=rate), observed_at=newer))
    position = make_position(
        market.user, market.instrument("bybit"), market.instrument("binanceusdm"), NOW
    )
    position.parameters = Parameters.from_values({"stop_loss_pct": ""}).to_values()
    # The coming one at its predicted rate, 20 at half: -0.071 %, while leaving costs 0.104 %.
    assert exit_signal(market, position) is None

    refit_betas(NOW)
    found = exit_signal(market, position)

    assert found is not None
    assert "Staying 168.0 h is expected to bring −0.126" in found.sentence


def test_rotation_counts_staying_with_the_fit_too(market: Market) -> None:
    settle(market, 121, binanceusdm="0.0001", bybit="0.0003")
    position = make_position(
        market.user, market.instrument("binanceusdm"), market.instrument("bybit"), NOW
    )

    def kept() -> Decimal:
        evaluate._shared.cache_clear()
        held = staying(position, standing_of(market.user, NOW), NOW)
        assert held is not None
        part: Decimal = held.keeps_usd / position.size_usd
        return part.quantize(D("1e-9"))

    with on_the_board(market):
        # 21 settlements of half of 2 bp, then of 2 bp.
        assert kept() == D("0.0021")
        refit_betas(NOW)
        assert kept() == D("0.0042")


def test_the_other_side_of_a_position_is_counted_with_the_fit_and_its_usual_gap(
    market: Market,
) -> None:
    settle(market, 121, binanceusdm="0.0001", bybit="0.0003")
    store_mids(24, binanceusdm="50000", bybit="50050")
    position = make_position(
        market.user, market.instrument("bybit"), market.instrument("binanceusdm"), NOW
    )
    position.parameters = Parameters.from_values({"funding_flip": True}).to_values()
    refit_betas(NOW)
    evaluate._shared.cache_clear()
    legs = list(position.legs.select_related("instrument__exchange", "account__exchange"))

    held = held_position(position, legs, market.seen, NOW)

    assert held is not None and held.opposite is not None
    assert held.opposite.expected_funding is not None
    assert held.opposite.expected_funding.quantize(D("1e-9")) == D("0.0042")
    # Both stand at 50,000 and are expected to part by 10 bp, to the loss of whoever sold Bybit.
    assert held.opposite.gap_credit == D("-0.001")


def forecast(market: Market) -> ForecastLine:
    """Return what the page says three days later of what is recorded now."""
    Opportunity.objects.all().delete()
    market.record()
    (line,) = recent_opportunities(market.user, NOW + 3 * DAY, limit=1)
    assert line.forecast is not None
    return line.forecast


def test_an_opportunity_says_what_its_funding_was_expected_from(market: Market) -> None:
    settle(market, 121, binanceusdm="0.0001", bybit="0.0003")

    configured = forecast(market)
    assert configured.estimate == "average of settled rates"
    # 2 bp were settled on average, 10 are predicted, half of the average is kept.
    assert {name: value and value.normalize() for name, value in configured.figures.items()} == {
        "settled_8h": D("0.0002"),
        "predicted_8h": D("0.001"),
        "premium_8h": None,
        "beta": D("0.5"),
        "half_life_hours": D("72"),
    }
    assert (configured.settlements, configured.fitted_ago) == (None, None)

    refit_betas(NOW)
    fitted = forecast(market)

    assert fitted.figures["beta"] == 1
    # 121 settlements of each are 120 intervals.
    assert (fitted.settlements, fitted.fitted_ago) == (120, 3 * DAY)


def test_an_estimate_that_believes_the_present_names_no_beta(market: Market) -> None:
    values = VALUES | {"hold_horizon": "168", "carry_estimator": "predicted"}
    configure.save(user=market.user, values=values, expected_version=2, actor="owner", now=NOW)
    settle(market, 121, binanceusdm="0.0001", bybit="0.0003")
    refit_betas(NOW)

    shown = forecast(market)

    assert shown.estimate == "predicted rate, as it stands"
    assert (shown.figures["beta"], shown.settlements, shown.fitted_ago) == (None, None, None)


def test_a_fit_lasts_thirty_days_and_the_audit_log_keeps_the_one_before(market: Market) -> None:
    settle(market, 121, binanceusdm="0.0001", bybit="0.0003")
    refit_betas(NOW)
    later = NOW + 30 * DAY
    # Ten days of the same, then twenty in which both pay nothing.
    settle(market, 30, until=NOW + 10 * DAY, binanceusdm="0.0001", bybit="0.0003")
    settle(market, 60, until=later, binanceusdm="0", bybit="0")

    assert refit_betas(later - timedelta(hours=1)) == 0
    assert refit_betas(later) == 9

    fits = FittedBeta.objects.exclude(other=None).order_by("days")
    assert [fit.days for fit in fits] == [3, 7, 14]
    assert all(0 < fit.beta < 1 and fit.fitted_at == later for fit in fits)
    first, second = AuditEntry.objects.filter(action="betas fitted").order_by("pk")
    assert {old for old, _ in first.details.values()} == {None}
    assert {old for old, _ in second.details.values()} == {"1", None}
    assert (second.actor, second.subject) == ("schedule", "BTC")
    assert audit.faults() == []


def test_too_few_settlements_are_fitted_by_nothing(market: Market) -> None:
    settle(market, 26, binanceusdm="0.0001", bybit="0.0003")

    assert refit_betas(NOW) == 0
    assert not AuditEntry.objects.filter(action="betas fitted").exists()
    assert expected_funding(market) == D("0.0021")
