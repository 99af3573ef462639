from __future__ import annotations

from dataclasses import replace

import pytest

from exchanges.domain import Side
from tests.market import D
from tests.strategies.legs import configured, counted, gate, make_held, make_perp, reason, refused
from trading.strategies.base import Candidate, ExitReason, OpenReason, PairHistory

pytestmark = pytest.mark.core

KEY = "price_convergence"
BARE = {"entry_policy": "spread_only"}


def converging(dear: str, *, fee: str = "0.0005", rate: str = "0.0001") -> Candidate:
    legs = (make_perp("bybit", fee=fee), make_perp("binanceusdm", mid=dear, rate=rate, fee=fee))
    return counted(KEY, legs)


def test_the_cheap_venue_is_bought_and_half_of_the_gap_counts() -> None:
    one = converging("50500")

    assert [(leg.side, leg.facts.instrument.venue) for leg in one.legs] == [
        (Side.BUY, "bybit"),
        (Side.SELL, "binanceusdm"),
    ]
    assert one.open_reason is OpenReason.BASIS
    # 1 % of gap, half of it counted; both legs fund alike; four fees of 0.0005
    assert (one.entry_gap, one.gap_credit, one.costs.fixed) == (D("0.01"), D("0.005"), D("0.002"))
    # the long leg pays the coming 0.0001 as predicted, the short one receives half of it
    assert one.expected_funding == D("-0.00005")
    assert one.net_return == D("0.00295")
    assert gate(one) is None


def test_worked_price_gap_of_the_source() -> None:
    # 50,100 at 0.015 % against 49,950 at 0.005 %: $150 and a hundredth of a percent of funding
    one = counted(
        KEY,
        (
            make_perp("bybit", mid="49950", rate="0.00005"),
            make_perp("okx", mid="50100", rate="0.00015"),
        ),
    )

    assert one.entry_gap * 49_950 == 150
    assert one.spread_8h == D("0.0001")


@pytest.mark.parametrize(
    ("dear", "fee", "opens"),
    [
        ("50150", "0.0005", True),
        ("50149.9", "0.0005", False),
        ("50250", "0.001", True),
        ("50249.9", "0.001", False),
    ],
)
def test_a_tenth_of_a_percent_must_be_left_after_costs(dear: str, fee: str, opens: bool) -> None:
    assert (gate(converging(dear, fee=fee), configured(**BARE)) is None) is opens


def test_a_gap_that_is_too_small_names_both_values() -> None:
    assert refused(converging("50100")) == (
        "gap_too_small: The price gap is 0.2000 %; 0.3000 % are needed."
    )


def test_funding_alone_never_opens_it() -> None:
    assert refused(converging("50000", rate="0.0050")).startswith("gap_too_small: ")


def test_a_gap_that_always_was_there_brings_nothing() -> None:
    legs = (make_perp("bybit"), make_perp("okx", mid="50500"))
    lasting = counted(KEY, legs, history=PairHistory(expected_exit_gap=D("0.01")))

    assert lasting.gap_credit == 0
    assert refused(lasting).startswith("net_return_too_small: ")


@pytest.mark.parametrize(
    ("short", "why"),
    [
        ("50501", None),
        ("50051", None),
        ("50050", ExitReason.GAP_CAPTURED),
        ("50000", ExitReason.GAP_CAPTURED),
        ("49999", ExitReason.GAP_CLOSED),
    ],
)
def test_it_closes_at_nine_tenths_of_the_gap_or_beyond_it(
    short: str, why: ExitReason | None
) -> None:
    held = make_held(entered=("50000", "50500"), now_at=("50000", short))

    assert reason(KEY, held) is why


def test_what_is_to_be_captured_is_a_setting() -> None:
    held = make_held(entered=("50000", "50500"), now_at=("50000", "50250"))

    assert reason(KEY, held) is None
    assert reason(KEY, held, configured(gap_capture="0.5")) is ExitReason.GAP_CAPTURED


def test_funding_closes_nothing_and_a_loss_does() -> None:
    held = make_held(
        entered=("50000", "50500"), now_at=("50000", "50500"), spread_8h="-0.01", carry="-0.01"
    )

    assert reason(KEY, held, configured(negative_spread_tolerance="conservative")) is None
    assert reason(KEY, replace(held, net_pnl_usd=D(-200))) is ExitReason.STOP_LOSS


def test_unknown_prices_close_nothing() -> None:
    assert reason(KEY, make_held(entered=("50000", "50500"))) is None
    assert reason(KEY, make_held(now_at=("50000", "49000"))) is None
