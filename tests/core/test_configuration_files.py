"""Presets, imported files and mistaken units."""

from __future__ import annotations

import pytest

from tests.market import D
from trading.core.importing import ImportErrors, read_configuration
from trading.core.parameters import Parameters, Tolerance
from trading.core.presets import EXAMPLES, PRESETS
from trading.core.unit_doubts import unit_doubts

pytestmark = pytest.mark.core

TRADING = {
    "trading": {
        "symbols": ["BTC-USDT", "ETH-USDT", "SOL-USDT"],
        "min_spread_base": "0.0001",
        "min_spread_per_10k": "0.00001",
        "entry_buffer_minutes": "20",
        "order_fill_timeout_seconds": "30",
        "max_position_per_pair_usd": "50000",
        "negative_spread_tolerance": "-0.0001",
        "leverage": {"default": "5", "BTC-USDT": "3", "ETH-USDT": "5"},
    }
}


def errors_of(raw: dict[str, object]) -> dict[str, str]:
    with pytest.raises(ImportErrors) as caught:
        read_configuration(raw)
    return caught.value.errors


@pytest.mark.parametrize(
    ("name", "symbols", "amount", "leverage", "opens", "closes", "buffer", "delay"),
    [
        ("Basic", ("BTC/USDT",), "0.01", 3, "0.005", "0.001", "0.0005", 300),
        ("Aggressive", ("ETH/USDT",), "0.5", 5, "0.002", "-0.0005", "0.001", 60),
        ("Conservative", ("BTC/USD", "BTC/USDT"), "0.05", 2, "0.01", "0.003", "0.002", 600),
    ],
)
def test_presets_carry_the_three_examples(
    name: str,
    symbols: tuple[str, ...],
    amount: str,
    leverage: int,
    opens: str,
    closes: str,
    buffer: str,
    delay: int,
) -> None:
    p = Parameters.from_values(PRESETS[name])

    assert p.symbols == symbols
    assert p.order_amount == D(amount)
    assert p.spot_perp_leverage == leverage
    assert (p.min_opening_arbitrage, p.min_closing_arbitrage) == (D(opens), D(closes))
    assert p.spot_market_slippage_buffer == p.perpetual_market_slippage_buffer == D(buffer)
    assert p.next_arbitrage_opening_delay.total_seconds() == delay
    assert unit_doubts(Parameters(), p) == {}


def test_connectors_become_venues() -> None:
    assert Parameters.from_values(PRESETS["Basic"]).venues == ("binance", "binanceusdm")
    assert Parameters.from_values(PRESETS["Conservative"]).venues == ("coinbase", "bybit")


def test_a_trading_file_keeps_its_fractions_and_its_leverage_per_pair() -> None:
    p = Parameters.from_values(read_configuration(TRADING).values)

    assert (p.min_spread_base, p.min_spread_per_10k) == (D("0.0001"), D("0.00001"))
    assert p.negative_spread_tolerance is Tolerance.MODERATE  # which tolerates up to -0.01 %
    at = {
        pair: p.leverage_at(venue="bybit", pair=pair, against_spot=False)
        for pair in ("BTC/USDT", "ETH/USDT", "SOL/USDT")
    }
    assert at == {"BTC/USDT": 3, "ETH/USDT": 5, "SOL/USDT": 5}


def test_leverage_per_exchange_names_its_perpetual_venue() -> None:
    raw = {
        "leverage": {
            "binance": {"default": "5", "BTC-USDT": "3", "ETH-USDT": "5"},
            "bybit": {"default": "5"},
        }
    }

    assert read_configuration(raw).values == {
        "leverage_overrides": [
            "binanceusdm * 5",
            "binanceusdm BTC-USDT 3",
            "binanceusdm ETH-USDT 5",
            "bybit * 5",
        ]
    }


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("0", {"negative_spread_tolerance": "conservative"}),
        ("aggressive", {"negative_spread_tolerance": "aggressive"}),
        (
            "-0.0005",
            {"negative_spread_tolerance": "aggressive", "aggressive_tolerance": "-0.0005"},
        ),
    ],
)
def test_a_tolerance_in_numbers_is_the_policy_that_closes_there(
    said: str, expected: dict[str, str]
) -> None:
    raw = {"trading": {"negative_spread_tolerance": said}}

    assert read_configuration(raw).values == expected


def test_empty_keys_of_a_template_change_nothing() -> None:
    raw = {**EXAMPLES["Basic"], "template_version": "4", "order_amount": "null"}

    values = read_configuration(raw).values

    assert "order_amount" not in values
    assert values["spot_perp_leverage"] == "3"


@pytest.mark.parametrize(
    ("raw", "key", "sentence"),
    [
        ({**EXAMPLES["Basic"], "levrage": "3"}, "levrage", "has no key 'levrage'"),
        ({**EXAMPLES["Basic"], "strategy": "pure_market_making"}, "strategy", "only spot_perp"),
        ({**EXAMPLES["Basic"], "spot_connector": "ftx"}, "spot_connector", "'ftx' is not known"),
        ({"trading": {"max_risk": "1"}}, "max_risk", "trading has no key 'max_risk'"),
        ({"trading": "yes"}, "trading", "'yes' is not a block"),
        ({"trading": {}, "exchanges": {"okx": "k"}}, "exchanges", "API keys are not imported"),
        ({"trading": {"negative_spread_tolerance": "a bit"}}, "negative_spread_tolerance", "a bit"),
        ({"foo": "1"}, "", "neither a hummingbot"),
    ],
)
def test_what_a_file_may_not_say_is_refused_by_name(
    raw: dict[str, object], key: str, sentence: str
) -> None:
    assert sentence in errors_of(raw)[key]


@pytest.mark.parametrize(
    ("values", "key", "question"),
    [
        (
            {"min_opening_arbitrage_pct": "0.01"},
            "min_opening_arbitrage_pct",
            "0.01 % is far from the usual 1 %. Did you mean 1 %?",
        ),
        (
            {"min_spread_base": "0.01"},
            "min_spread_base",
            "0.01 (1 %) is far from the usual 0.0001 (0.01 %). Did you mean 0.0001 (0.01 %)?",
        ),
        (
            {"negative_spread_tolerance": "aggressive", "aggressive_tolerance": "-0.01"},
            "aggressive_tolerance",
            "-0.01 (-1 %) is far from the usual -0.0001 (-0.01 %). Did you mean -0.0001 (-0.01 %)?",
        ),
        ({"take_profit_pct": "0.02"}, "take_profit_pct", "Did you mean 2 %?"),
        ({"min_net_return": "1"}, "min_net_return", "Did you mean 0.01 (1 %)?"),
    ],
)
def test_a_value_a_hundred_times_off_is_asked_about(
    values: dict[str, object], key: str, question: str
) -> None:
    after = Parameters.from_values({"min_closing_arbitrage_pct": "-0.1", **values})

    assert question in unit_doubts(Parameters(), after)[key]


def test_an_unusual_value_that_is_in_force_is_not_asked_about_again() -> None:
    before = Parameters.from_values({"min_spread_base": "0.01"})

    assert unit_doubts(before, Parameters.from_values({"min_spread_base": "0.012"})) == {}
    assert unit_doubts(before, Parameters()) == {}
