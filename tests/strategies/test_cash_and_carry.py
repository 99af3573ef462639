from __future__ import annotations

from dataclasses import replace

import pytest

from exchanges.domain import Side
from tests.market import NOW, D, make_rate
from tests.strategies.legs import (
    HOUR,
    configured,
    counted,
    evaluated,
    gate,
    make_held,
    make_perp,
    make_spot,
    prices,
    reason,
    refused,
    signal,
)
from trading.core.funding import SettledRate, payment
from trading.strategies.base import Candidate, ExitReason, InstrumentFacts, OpenReason, PairHistory

pytestmark = pytest.mark.core

KEY = "cash_and_carry"


def carried(*, perp: str = "50000", rate: str = "0.0001", carry: str = "0.0001") -> Candidate:
    return counted(KEY, (make_spot(), make_perp(mid=perp, rate=rate, carry_8h=carry)))


def test_spot_is_bought_and_the_perpetual_sold_and_counted_as_worked_by_hand() -> None:
    one = carried(perp="50600", rate="0.0002", carry="0.0001")

    assert [(leg.side, leg.facts.instrument.kind.value) for leg in one.legs] == [
        (Side.BUY, "spot"),
        (Side.SELL, "perpetual"),
    ]
    assert one.entry_gap == one.opening_gap == D("0.012")
    # spot pays no funding: 21 settlements at half of the average 0.0001
    assert one.expected_funding == D("0.00105")
    # half of the gap, without the four fees: 2 x 0.001 and 2 x 0.0005
    assert one.gap_credit == D("0.006")
    assert one.costs.fees == D("0.003")
    assert one.net_return == D("0.00405")
    assert one.spread_8h == D("0.0002")


def test_the_expected_gap_at_exit_is_never_credited() -> None:
    history = PairHistory(expected_exit_gap=D("0.002"))
    wide = counted(KEY, (make_spot(), make_perp(mid="50600")), history=history)
    narrow = counted(KEY, (make_spot(), make_perp(mid="50050")), history=history)

    # a gain of 1.0 % counts half, a loss of 0.1 % whole
    assert wide.gap_credit == D("0.005")
    assert narrow.gap_credit == D("-0.001")


@pytest.mark.parametrize(
    ("perp", "rate", "opens", "why"),
    [
        ("50500", "0", True, OpenReason.BASIS),
        ("50499.9", "0", False, OpenReason.FUNDING),
        ("50000", "0.00011", True, OpenReason.FUNDING),
        ("50000", "0.000109", False, OpenReason.FUNDING),
        ("50500", "0.00011", True, OpenReason.BASIS),
    ],
)
def test_it_opens_on_one_percent_of_basis_or_on_funding(
    perp: str, rate: str, opens: bool, why: OpenReason
) -> None:
    parameters = configured(entry_policy="spread_only")
    one = carried(perp=perp, rate=rate)

    assert one.open_reason is why
    assert (gate(one, parameters) is None) is opens


def test_too_little_of_both_is_refused_with_both_values() -> None:
    assert refused(carried(perp="50200", rate="0.00005")) == (
        "spread_too_small: The price gap is 0.4000 %; 1.0000 % are needed. The 8 h spread is "
        "0.0050 %; 10,000.00 USD need 0.0110 %."
    )


def test_a_strategy_that_is_switched_off_opens_nothing() -> None:
    off = configured(strategies="funding_spread")

    assert refused(carried(perp="50600"), off) == (
        "strategy_off: The strategy cash_and_carry is switched off."
    )


def test_the_net_test_binds_a_basis_too() -> None:
    # half of 1 % and 21 x 0.00005, less 0.3 % of fees: paid; at 2 x 0.4 % of fees it is not
    dear = (make_spot(fee="0.004"), make_perp(mid="50500"))

    assert gate(carried(perp="50500")) is None
    assert refused(counted(KEY, dear)).startswith("net_return_too_small: Held 168.0 h it would")


def test_there_is_no_entry_window() -> None:
    early = replace(make_perp(mid="50600"), funding=make_rate(wait=5 * HOUR))

    assert gate(counted(KEY, (make_spot(), early))) is None


@pytest.mark.parametrize(
    ("legs", "code"),
    [
        ((make_perp(), make_perp()), "not_tradable"),
        ((make_spot(), make_spot()), "not_tradable"),
        ((replace(make_spot(), book=None), make_perp()), "no_data"),
        ((make_spot(), replace(make_perp(), funding=None)), "no_data"),
        ((make_spot(), make_perp(mid="53000")), "implausible"),
    ],
)
def test_legs_that_cannot_be_trusted_make_no_candidate(
    legs: tuple[InstrumentFacts, ...], code: str
) -> None:
    assert refused(evaluated(KEY, legs)).startswith(f"{code}: ")


def test_spot_and_perpetual_of_one_company_need_no_transfer() -> None:
    parameters = configured(transfer_cost_usd="25", planned_round_trips="1")
    spot, perp = make_spot(), make_perp(mid="50600")
    apart = counted(KEY, (spot, perp), parameters, size_usd=D(5_000))
    together = counted(
        KEY,
        (replace(spot, company="Binance"), replace(perp, company="Binance")),
        parameters,
        size_usd=D(5_000),
    )

    # $25 on $5,000
    assert apart.costs.transfer == D("0.005")
    assert together.costs.transfer == 0
    shared = configured(transfer_cost_usd="25", planned_round_trips="10")
    assert counted(KEY, (spot, perp), shared, size_usd=D(5_000)).costs.transfer == D("0.0005")


def test_a_maker_rebate_counts_as_nothing() -> None:
    rebated = (make_spot(fee="-0.0001"), make_perp(mid="50600"))

    assert counted(KEY, rebated).costs.fees == D("0.001")


def test_leverage_against_spot_is_a_setting_of_its_own() -> None:
    def moving(**values: object) -> str:
        perp = replace(make_perp(mid="50600"), daily_volatility=D("0.15"))
        legs = (make_spot(), perp)
        found = gate(counted(KEY, legs), configured(**values))
        return "" if found is None else found.code

    # 15 % a day recommends 1x: the 2x of two perpetuals does not bind a hedge of spot
    assert moving(leverage="2") == ""
    assert moving(spot_perp_leverage="2") == "leverage_too_high"


def test_a_past_full_of_margin_warnings_is_refused() -> None:
    def warned(probability: str) -> Candidate:
        history = PairHistory(warning_probability=D(probability))
        return counted(KEY, (make_spot(), make_perp(mid="50600")), history=history)

    assert gate(warned("0.05")) is None
    assert refused(warned("0.21")) == (
        "warning_likely: In 21.0 % of the recorded past a leg of BTC came near its liquidation "
        "within 168.0 h at 1x; the most is 5.0 %."
    )


@pytest.mark.parametrize(
    ("perp", "closes"), [("50000", False), ("49950", True), ("49950.1", False), ("49900", True)]
)
def test_opened_on_basis_it_closes_at_minus_a_tenth_of_a_percent(perp: str, closes: bool) -> None:
    held = make_held(entered=("50000", "50600"), now_at=("50000", perp))

    assert (reason(KEY, held) is ExitReason.GAP_CLOSED) is closes


def test_the_sentence_of_a_closed_gap_names_both_values() -> None:
    found = signal(KEY, make_held(now_at=("50000", "49900")))

    assert found is not None
    assert found.sentence == "The price gap is −0.2000 %, at or below the −0.1000 % that closes."


def test_opened_on_funding_no_basis_closes_it() -> None:
    held = make_held(reason=OpenReason.FUNDING, now_at=("50000", "49000"))

    assert reason(KEY, held) is None
    against = replace(held, spread_8h=D("-0.0001"))
    assert reason(KEY, against, configured(negative_spread_tolerance="conservative")) is (
        ExitReason.NEGATIVE_SPREAD
    )


def test_a_carry_opened_on_funding_is_left_moderately_unless_chosen_otherwise() -> None:
    held = replace(
        make_held(reason=OpenReason.FUNDING),
        spread_24h=D("-0.00011"),
        opened_at=NOW - 73 * HOUR,
    )

    # Below -1 bp over the last day, after three days: a cost-aware tolerance would stay.
    assert reason(KEY, held) is ExitReason.NEGATIVE_SPREAD
    assert reason(KEY, replace(held, opened_at=NOW - 71 * HOUR)) is None
    assert reason(KEY, held, configured(negative_spread_tolerance="cost_aware")) is None


def test_opened_on_basis_funding_against_us_is_borne_until_its_regime_turns() -> None:
    held = make_held(now_at=("50000", "50300"), spread_8h="-0.0010")

    assert reason(KEY, held, configured(negative_spread_tolerance="conservative")) is None


def test_opened_on_basis_a_funding_regime_that_turned_closes_it() -> None:
    turned = tuple(
        SettledRate(settled_at=NOW - hours * HOUR, rate_8h=D("-0.0003"), interval_seconds=28_800)
        for hours in (16, 8, 0)
    )
    held = make_held(now_at=("50000", "50300"), rate="-0.0003", carry="-0.0003")

    assert reason(KEY, held) is None
    assert reason(KEY, replace(held, settled=turned)) is ExitReason.FUNDING_REGIME


def test_a_basis_needs_no_persistent_funding() -> None:
    believing = configured(carry_estimator="predicted")
    on_basis = counted(KEY, (make_spot(), make_perp(mid="50600")), believing)
    on_funding = counted(KEY, (make_spot(), make_perp(rate="0.0010")), believing)

    assert gate(on_basis, believing) is None
    assert refused(on_funding, believing).startswith("not_persistent: ")


def test_an_unknown_price_closes_nothing() -> None:
    assert reason(KEY, make_held(now_at=None)) is None


def test_a_loss_and_a_profit_close_whatever_opened_it() -> None:
    for why in OpenReason:
        assert reason(KEY, make_held(reason=why, pnl="-200")) is ExitReason.STOP_LOSS
        profit = configured(take_profit_usd="100")
        assert reason(KEY, make_held(reason=why, pnl="100"), profit) is ExitReason.TAKE_PROFIT


def test_worked_convergence_of_the_source() -> None:
    # 10,000 ADA: spot 0.3640 → 0.3650, perpetual 0.3665 → 0.3651
    entered, left = prices("0.3640", "0.3665"), prices("0.3650", "0.3651")

    assert entered.gap.quantize(D("0.000001")) == D("0.006868")
    earned = (entered.short - entered.long) - (left.short - left.long)
    assert earned * 10_000 == 24


def test_worked_funding_hold_of_the_source() -> None:
    # The source prints -1,635.94: it takes the gain of spot away and counts the entry gap twice.
    entered, left = prices("50000", "50200"), prices("51000", "51051")
    price = (entered.short - entered.long) - (left.short - left.long)
    funding = 3 * payment(D(-1), entered.short, D("0.0001"))

    assert (price, funding, price + funding) == (149, D("15.06"), D("164.06"))
