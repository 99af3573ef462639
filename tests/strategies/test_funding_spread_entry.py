from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from exchanges.domain import InstrumentKind, IntervalSource, SettlementKind, Side
from tests.market import NOW, D, make_book, make_facts, make_instrument, make_rate
from trading.core.funding import SettledRate
from trading.core.parameters import Parameters
from trading.core.refusal import Refusal
from trading.strategies.base import (
    NO_HISTORY,
    Candidate,
    EntryTrigger,
    InstrumentFacts,
    OpenReason,
    PairHistory,
    Strategy,
)
from trading.strategies.funding_spread import FundingSpread

pytestmark = pytest.mark.core

STRATEGY: Strategy = FundingSpread()
SIZE = D(10_000)
MINUTE = timedelta(minutes=1)
LOW = make_facts("bybit", rate="0.0001", carry_8h="0.0001")
HIGH = make_facts("binanceusdm", rate="0.0010", carry_8h="0.0010")


def evaluated(
    long: InstrumentFacts = LOW,
    short: InstrumentFacts = HIGH,
    parameters: Parameters | None = None,
    history: PairHistory = NO_HISTORY,
) -> Candidate | Refusal:
    return FundingSpread().evaluate(
        (long, short),
        history,
        size_usd=SIZE,
        parameters=parameters or Parameters(),
        now=NOW,
    )


def candidate(
    long: InstrumentFacts = LOW,
    short: InstrumentFacts = HIGH,
    parameters: Parameters | None = None,
    history: PairHistory = NO_HISTORY,
) -> Candidate:
    found = evaluated(long, short, parameters, history)
    assert isinstance(found, Candidate)
    return found


def ranked(
    instruments: Sequence[InstrumentFacts], parameters: Parameters | None = None
) -> list[Candidate]:
    parameters = parameters or Parameters()
    counted = [evaluated(long, short, parameters) for long, short in permutations(instruments, 2)]
    paying = [one for one in counted if isinstance(one, Candidate) and one.spread_8h > 0]
    return sorted(paying, key=lambda one: one.rank(parameters.ranking), reverse=True)


def gate(
    one: Candidate,
    parameters: Parameters | None = None,
    *,
    trigger: EntryTrigger = EntryTrigger.SCHEDULE,
) -> Refusal | None:
    return STRATEGY.entry_gate(one, parameters=parameters or Parameters(), now=NOW, trigger=trigger)


def refused(one: Candidate, values: dict[str, object] | None = None) -> str:
    refusal = gate(one, Parameters.from_values(values or {}))
    assert refusal is not None
    return f"{refusal.code}: {refusal.sentence}"


def test_candidate_is_counted_through_as_worked_by_hand() -> None:
    one = candidate()

    assert [(leg.side, leg.facts.instrument.venue) for leg in one.legs] == [
        (Side.BUY, "bybit"),
        (Side.SELL, "binanceusdm"),
    ]
    assert one.spread_8h == D("0.0009")
    assert one.threshold == D("0.00011")
    # 21 settlements at half of 0.0009, the long leg's first at its predicted 0.0001.
    assert one.expected_funding == D("0.0094")
    # Four taker fees of 0.0005.
    assert one.net_return == D("0.0074")
    assert one.net_profit_usd == 74
    assert one.break_even is not None and one.break_even.settlements == 5
    assert one.open_reason is OpenReason.FUNDING


def test_candidates_are_the_favourable_pairs_best_first() -> None:
    middle = make_facts("okx", rate="0.0006", carry_8h="0.0006")

    found = ranked([LOW, middle, HIGH])

    assert [[leg.facts.instrument.venue for leg in one.legs] for one in found] == [
        ["bybit", "binanceusdm"],
        ["bybit", "okx"],
        ["okx", "binanceusdm"],
    ]


@pytest.mark.parametrize("ranking", ["net_profit", "net_bps", "spread"])
def test_candidate_without_an_estimate_is_ranked_last_but_by_spread(ranking: str) -> None:
    parameters = Parameters.from_values({"ranking": ranking})
    unknown = make_facts("okx", rate="0.0030")

    found = ranked([LOW, HIGH, unknown], parameters)

    first = "okx" if ranking == "spread" else "binanceusdm"
    assert found[0].legs[1].facts.instrument.venue == first


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(HIGH, funding=None), "no_data"),
        (replace(HIGH, book=None), "no_data"),
        (replace(HIGH, book=make_book(age=4)), "stale"),
        (replace(HIGH, book=make_book(bid="60000", ask="60001")), "implausible"),
        (replace(HIGH, funding=make_rate(rate="0.06")), "implausible"),
        (replace(HIGH, funding=make_rate(age=11)), "stale"),
        (
            replace(HIGH, funding=make_rate(interval=None, source=IntervalSource.CONFLICTING)),
            "conflicting_interval",
        ),
        (replace(HIGH, latency=timedelta(seconds=3)), "slow_venue"),
        (replace(HIGH, instrument=make_instrument(is_active=False)), "not_tradable"),
        (replace(HIGH, instrument=replace(make_instrument(), limits_only=True)), "limits_only"),
        (replace(HIGH, instrument=make_instrument(kind=InstrumentKind.SPOT)), "not_tradable"),
    ],
)
def test_data_that_cannot_be_trusted_makes_no_candidate(facts: InstrumentFacts, code: str) -> None:
    refusal = evaluated(short=facts)

    assert isinstance(refusal, Refusal) and refusal.code == code


def test_sound_candidate_in_its_window_passes() -> None:
    assert gate(candidate()) is None


def test_pair_outside_the_whitelist_is_refused() -> None:
    assert refused(candidate(), {"symbols": "ETH-USDT"}) == (
        "not_whitelisted: BTC is not among the configured symbols."
    )


def test_spread_below_the_threshold_names_both() -> None:
    thin = candidate(short=make_facts("okx", rate="0.0002", carry_8h="0.0010"))

    assert refused(thin) == (
        "spread_too_small: The 8 h spread is 0.0100 %; 10,000.00 USD need 0.0110 %."
    )


def test_spread_that_does_not_pay_its_costs_is_refused() -> None:
    weak = candidate(short=make_facts("okx", rate="0.0010", carry_8h="0.0002"))

    # 20 x 0.00005 + 0 - 0.0020
    assert refused(weak) == (
        "net_return_too_small: Held 168.0 h it would bring −0.1000 % after costs; the least is "
        "0.0000 %."
    )
    assert gate(weak, Parameters.from_values({"entry_policy": "spread_only"})) is None


def test_break_even_needs_an_interval_to_spare() -> None:
    # Paid off at the fifth settlement, after 32.3 h; one more interval is 40.3 h.
    values: dict[str, object] = {"hold_horizon": "40"}
    one = candidate(parameters=Parameters.from_values({**values, "carry_beta_3d": "0.5"}))

    assert refused(one, values) == (
        "breaks_even_too_late: It breaks even after 32.3 h; with one more settlement that is "
        "beyond the hold time of 40.0 h."
    )


def test_carry_is_not_invented_without_history() -> None:
    assert "no settled funding" in refused(candidate(short=make_facts("okx", rate="0.001")))


def test_believing_predictions_needs_persistence() -> None:
    values: dict[str, object] = {"carry_estimator": "predicted", "persistence": "2"}
    parameters = Parameters.from_values(values)

    def seen(*rates: str) -> PairHistory:
        return PairHistory(
            spreads=[
                SettledRate(settled_at=NOW, rate_8h=D(rate), interval_seconds=28_800)
                for rate in rates
            ]
        )

    once = candidate(parameters=parameters, history=seen("0.0009", "0.0001", "0.0009"))
    twice = candidate(parameters=parameters, history=seen("0.0009", "0.0009"))

    assert "above the threshold: 1; it takes 2" in refused(once, values)
    assert gate(twice, parameters) is None


@pytest.mark.parametrize(
    ("minutes", "schedule", "prompt"),
    [
        (31, False, False),
        (30, False, True),
        (21, False, True),
        (20, True, True),
        (14, False, False),
    ],
)
def test_entry_keeps_to_the_window_before_a_settlement_we_receive(
    minutes: int, schedule: bool, prompt: bool
) -> None:
    wait = minutes * MINUTE
    one = candidate(
        make_facts("bybit", wait=wait, carry_8h="0.0001"),
        make_facts("okx", rate="0.001", wait=wait, carry_8h="0.0010"),
    )

    assert (gate(one) is None) is schedule
    assert (gate(one, trigger=EntryTrigger.PROMPT) is None) is prompt
    assert gate(one, trigger=EntryTrigger.MANUAL) is None


def test_entry_waits_until_after_a_settlement_we_would_pay() -> None:
    def versus_hourly(wait: timedelta) -> Candidate:
        # The lump leg is the long one and pays; the hourly one receives much more.
        return candidate(
            make_facts("bybit", rate="0.0004", wait=wait, carry_8h="0.0001"),
            make_facts(
                "hyperliquid",
                rate="0.0002",
                interval=3_600,
                carry_8h="0.0016",
                settlement=SettlementKind.HOURLY,
            ),
        )

    assert "would be paid by us; entry is after it" in refused(versus_hourly(20 * MINUTE))
    assert gate(versus_hourly(31 * MINUTE)) is None


def test_pairs_of_hourly_venues_have_no_window() -> None:
    hourly = SettlementKind.HOURLY
    one = candidate(
        make_facts("dydx", interval=3_600, carry_8h="0.0001", settlement=hourly, wait=50 * MINUTE),
        make_facts(
            "hyperliquid", rate="0.0005", interval=3_600, carry_8h="0.001", settlement=hourly
        ),
    )

    assert gate(one) is None


def test_leverage_above_half_of_what_the_moves_allow_is_refused() -> None:
    # 3 % a day: 1 / 0.06 = 16.67, half 8, capped at 5; 9 %: 5.56, half in whole steps 2
    def moving(volatility: str) -> Candidate:
        one = candidate()
        legs = tuple(
            replace(leg, facts=replace(leg.facts, daily_volatility=D(volatility)))
            for leg in one.legs
        )
        return replace(one, legs=legs)

    def at(leverage: str) -> Parameters:
        return Parameters.from_values({"leverage": leverage})

    assert gate(moving("0.03"), at("5")) is None
    assert gate(moving("0.09"), at("2")) is None
    assert refused(moving("0.09"), {"leverage": "3"}) == (
        "leverage_too_high: BTC moves 9.00 % a day: 5.56x is the most that is safe, half of it, "
        "2x, is recommended; 3x is set."
    )
