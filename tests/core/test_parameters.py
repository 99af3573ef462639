from __future__ import annotations

from datetime import timedelta

import pytest

from tests.market import D
from trading.core.funding import CarryEstimator
from trading.core.parameter_field import Unit
from trading.core.parameters import PARAMETER_FIELDS, ParameterErrors, Parameters, Tolerance
from trading.core.policies import KNOWN_STRATEGIES
from trading.core.symbols import parse_pair, shown_pair
from trading.strategies.registry import STRATEGIES

pytestmark = pytest.mark.core


def errors_of(values: dict[str, object]) -> dict[str, str]:
    with pytest.raises(ParameterErrors) as caught:
        Parameters.from_values(values)
    return caught.value.errors


def test_defaults_are_those_of_the_table() -> None:
    p = Parameters.from_values({})

    assert p.symbols == ("BTC/USDT", "ETH/USDT", "SOL/USDT")
    assert p.bases == {"BTC", "ETH", "SOL"}
    assert (p.min_spread_base, p.min_spread_per_10k) == (D("0.0001"), D("0.00001"))
    assert p.hold_horizon == timedelta(days=7)
    assert p.stop_loss == p.daily_stop == D("0.02")
    assert p.take_profit is None
    assert p.negative_spread_tolerance is Tolerance.BY_STRATEGY
    assert not p.auto_entry


def test_percent_is_divided_by_a_hundred_once_at_the_border() -> None:
    p = Parameters.from_values({"stop_loss_pct": "0.3"})

    assert p.stop_loss == D("0.003")
    assert p.perpetual_market_slippage_buffer == D("0.0005")
    assert p.to_values()["stop_loss_pct"] == "0.3"


def test_values_come_back_as_they_went_in() -> None:
    values: dict[str, object] = {
        "auto_entry": "on",
        "symbols": "BTC-USDT, ETHUSDT",
        "carry_estimator": "predicted",
        "hold_horizon": "0.5",
        "persistence": 1,
        "take_profit_usd": "1,500.50",
        "stop_loss_pct": "",
        "max_venue_latency_ms": 1500,
    }
    p = Parameters.from_values(values)

    assert p.hold_horizon == timedelta(minutes=30)
    assert p.carry_estimator is CarryEstimator.PREDICTED
    assert p.take_profit_usd == D("1500.50")
    assert p.stop_loss is None
    assert p.max_venue_latency == timedelta(seconds=1.5)
    assert Parameters.from_values(p.to_values()) == p
    assert p.to_values()["symbols"] == ["BTC-USDT", "ETH-USDT"]


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("leverage", "7", "7x is above the most, 5x"),
        ("stop_loss_pct", "200", "200 %"),
        ("hold_horizon", "soon", "'soon' is not a number"),
        ("hold_horizon", True, "True is not a number"),
        ("min_net_return", "NaN", "'NaN' is not a number"),
        ("persistence", "1.5", "1.5 must be a whole number"),
        ("order_fill_timeout_seconds", "-1", "-1 s is below the least, 1 s"),
        ("ranking", "luck", "'luck' is not one of net_profit, net_bps, spread"),
        ("auto_entry", "maybe", "'maybe' is neither true nor false"),
        ("symbols", ["DOGE/EUR"], "'DOGE/EUR' is not a pair"),
        ("symbols", "", "The list is empty"),
        ("symbols", 5, "5 is not a list"),
        ("strategies", "luck", "'luck' is not one of funding_spread"),
        ("strategies", "", "name at least one"),
        ("leverage_overrides", "okx BTC-USDT", "is not a venue, a pair and a leverage"),
        ("leverage_overrides", "okx BTC-USDT x", "'x' in 'okx BTC-USDT x' is not a number"),
        ("leverage_overrides", "okx BTC-USDT 9", "9x is above the most, 5x"),
        ("foo", "1", "no parameter 'foo'"),
    ],
)
def test_bad_value_gets_a_sentence_that_names_it(key: str, value: object, named: str) -> None:
    assert named in errors_of({key: value})[key]


def test_all_errors_are_reported_at_once() -> None:
    errors = errors_of({"leverage": "9", "persistence": "x", "active_fraction": "0.9"})

    assert set(errors) == {"leverage", "persistence", "active_fraction"}


@pytest.mark.parametrize(
    ("values", "key", "named"),
    [
        (
            {"entry_window_opens_minutes": "10"},
            "entry_window_closes_minutes",
            "close 15 min before the settlement, and open only 10 min",
        ),
        ({"entry_buffer_minutes": "40"}, "entry_buffer_minutes", "40 min before"),
        ({"leverage_cap": "1.5"}, "leverage", "2x is above the leverage cap, 1.5x"),
        (
            {"leverage_cap": "1.5", "leverage": "1", "leverage_overrides": "okx * 2"},
            "leverage_overrides",
            "okx * 2: above the leverage cap, 1.5x",
        ),
        ({"leverage_overrides": "okx * 2, okx * 3"}, "leverage_overrides", "okx *: given more"),
        ({"buffer_fraction": "0.5"}, "active_fraction", "add up to 1.3"),
        ({"max_position_per_user_usd": "100"}, "max_position_per_user_usd", "100 USD is less"),
        ({"max_position_per_venue_usd": "9"}, "max_position_per_venue_usd", "one pair, 50000 USD"),
        (
            {"max_position_per_venue_usd": "300000"},
            "max_position_per_user_usd",
            "250000 USD is less than the limit of one venue, 300000 USD",
        ),
        ({"max_basis_exposure_usd": "300000"}, "max_basis_exposure_usd", "limit in all, 250000"),
        ({"order_amount_usd": "99"}, "order_amount_usd", "the least position, 100 USD"),
        ({"min_position_usd": "50001"}, "min_position_usd", "The limit of one pair, 50000 USD"),
        ({"order_amount_usd": "50001"}, "order_amount_usd", "the limit of one pair, 50000 USD"),
        (
            {"min_opening_arbitrage_pct": "0.2", "min_closing_arbitrage_pct": "0.2"},
            "min_closing_arbitrage_pct",
            "close at a gap of 0.2 % and open only from 0.2 %",
        ),
        ({"dynamic_close_low_pct": "0.9"}, "dynamic_close_low_pct", "open only from 0.8 %"),
        ({"dynamic_funding_low": "0.001"}, "dynamic_funding_low", "high already above 0.0005"),
        ({"min_price_gap": "0.05"}, "min_price_gap", "not below 0.05"),
        ({"trim_drift": "0.03"}, "trim_drift", "above 0.02"),
    ],
)
def test_values_that_contradict_each_other_are_refused_together(
    values: dict[str, object], key: str, named: str
) -> None:
    assert named in errors_of(values)[key]


def test_carry_kept_over_the_hold_time_is_interpolated() -> None:
    model = Parameters.from_values({"hold_horizon": "120"}).carry_model

    assert model.beta == D("0.575")  # 5 days: half way from 0.65 (3 d) to 0.5 (7 d)


def test_every_field_can_be_shown_in_a_form() -> None:
    for described in PARAMETER_FIELDS:
        assert described.label and described.help.endswith(".")
        assert (described.choices is not None) == (described.unit is Unit.CHOICE)
        numeric = described.unit not in (Unit.CHOICE, Unit.BOOL, Unit.SYMBOLS, Unit.WORDS)
        assert (described.minimum is not None) == numeric


@pytest.mark.parametrize("text", ["BTC-USDT", "BTCUSDT", "BTC/USDT:USDT", " btc/usdt "])
def test_every_form_of_a_pair_is_understood(text: str) -> None:
    assert parse_pair(text) == "BTC/USDT"
    assert shown_pair("BTC/USDT:USDT") == "BTC-USDT"


def test_every_registered_strategy_can_be_chosen() -> None:
    assert set(STRATEGIES) <= set(KNOWN_STRATEGIES)


def test_leverage_of_a_named_venue_and_pair_rules_over_stars() -> None:
    p = Parameters.from_values(
        {"leverage_overrides": ["okx BTC-USDT 4", "okx * 3", "* BTC-USDT 1.5"]}
    )

    def at(venue: str, pair: str, *, against_spot: bool = False) -> object:
        return p.leverage_at(venue=venue, pair=pair, against_spot=against_spot)

    assert at("okx", "BTC/USDT") == at("okx", "BTC/USDT", against_spot=True) == 4
    assert at("okx", "ETH/USDT") == 3
    assert at("bybit", "BTC/USDT") == D("1.5")
    assert (at("bybit", "ETH/USDT"), at("bybit", "ETH/USDT", against_spot=True)) == (2, 1)
    assert p.to_values()["leverage_overrides"] == ["okx BTC-USDT 4", "okx * 3", "* BTC-USDT 1.5"]
    assert Parameters.from_values(p.to_values()) == p


def test_no_venue_named_allows_every_venue() -> None:
    assert Parameters().uses_venue("okx")
    assert not Parameters.from_values({"venues": "bybit"}).uses_venue("okx")


def test_a_stored_row_that_newer_rules_contradict_is_still_read() -> None:
    stored = {"max_position_per_user_usd": "100"}

    assert Parameters.from_stored(stored).max_position_per_user_usd == 100


def test_a_stored_row_with_a_setting_that_was_removed_since_is_still_read() -> None:
    stored = {**Parameters.from_values({"leverage": "3"}).to_values(), "borrow_fallback": "0.01"}

    assert Parameters.from_stored(stored) == Parameters.from_values({"leverage": "3"})


def test_a_stored_value_that_is_allowed_no_more_counts_as_the_default() -> None:
    stored = {"leverage": "40", "negative_spread_tolerance": "stoic", "stop_loss_pct": "1"}

    read = Parameters.from_stored(stored)

    assert (read.leverage, read.stop_loss) == (Parameters().leverage, D("0.01"))
    assert read.negative_spread_tolerance is Parameters().negative_spread_tolerance


def test_a_person_is_told_of_a_parameter_that_does_not_exist() -> None:
    assert errors_of({"borrow_fallback": "1"}) == {
        "borrow_fallback": "There is no parameter 'borrow_fallback'."
    }
