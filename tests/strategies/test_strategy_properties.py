from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.generated import decimals, quick, rates
from tests.market import D
from tests.strategies.legs import (
    book_at,
    configured,
    counted,
    gate,
    make_future,
    make_perp,
    make_spot,
)
from trading.core.policies import KNOWN_STRATEGIES
from trading.strategies.base import Candidate, InstrumentFacts
from trading.strategies.registry import STRATEGIES

pytestmark = pytest.mark.core

LEGS = {
    "funding_spread": (make_perp("bybit"), make_perp("okx", rate="0.0005", carry_8h="0.0005")),
    "cash_and_carry": (make_spot(), make_perp(mid="50300")),
    "reverse_cash_and_carry": (make_perp(mid="49700"), make_spot(borrow="0.00001")),
    "price_convergence": (make_perp("bybit"), make_perp("okx", mid="50300")),
    "calendar_spread": (make_perp("bybit"), make_future(mid="50600")),
    "split_carry": (make_spot(), make_perp("bybit", mid="50100"), make_future(mid="50600")),
}
keys = st.sampled_from(KNOWN_STRATEGIES)
fees = decimals("0", "0.005")
mids = decimals("49000", "51000", places=1)
BARE = configured(entry_policy="spread_only")


def net(candidate: Candidate) -> Decimal:
    assert candidate.net_return is not None
    return candidate.net_return


def test_every_strategy_is_known_by_its_key_and_its_shape_is_hedged() -> None:
    assert tuple(STRATEGIES) == KNOWN_STRATEGIES == tuple(LEGS)
    for key, strategy in STRATEGIES.items():
        assert strategy.key == key
        assert sum(place.side.sign * place.ratio for place in strategy.shape) == 0
        assert max(place.ratio for place in strategy.shape) == 1


@quick
@given(keys, fees, fees, st.integers(0, 2))
def test_a_higher_fee_or_slippage_never_pays(
    key: str, fee: Decimal, slippage: Decimal, which: int
) -> None:
    legs = list(LEGS[key])
    place = which % len(legs)
    before = counted(key, legs)
    known = legs[place]
    legs[place] = replace(
        known, taker_fee=known.taker_fee + fee, slippage=known.slippage + slippage
    )
    after = counted(key, legs)

    ratio = STRATEGIES[key].shape[place].ratio
    # Both returns are rounded in their 28th digit.
    assert abs(net(before) - net(after) - 2 * ratio * (fee + slippage)) < D("1e-24")
    if gate(after) is None:
        assert gate(before) is None


@quick
@given(keys, decimals("100", "200000", places=0), decimals("100", "200000", places=0), rates)
def test_what_opens_a_larger_size_opens_a_smaller_one(
    key: str, one: Decimal, other: Decimal, rate: Decimal
) -> None:
    small, large = sorted((one, other))
    legs = tuple(with_rate(facts, rate) for facts in LEGS[key])

    if gate(counted(key, legs, BARE, size_usd=large), BARE) is None:
        assert gate(counted(key, legs, BARE, size_usd=small), BARE) is None


def with_rate(facts: InstrumentFacts, rate: Decimal) -> InstrumentFacts:
    if facts.funding is None:
        return facts
    return replace(facts, funding=replace(facts.funding, funding_rate=rate))


def funded(facts: InstrumentFacts, rate: Decimal, carry: Decimal) -> InstrumentFacts:
    return replace(with_rate(facts, rate), carry_8h=carry)


@quick
@given(rates, rates, rates, rates)
def test_swapping_the_legs_and_the_signs_of_funding_changes_nothing(
    first: Decimal, second: Decimal, carry: Decimal, other: Decimal
) -> None:
    one, two = make_perp("bybit"), make_perp("okx")
    there = counted("funding_spread", (funded(one, first, carry), funded(two, second, other)))
    back = counted("funding_spread", (funded(two, -second, -other), funded(one, -first, -carry)))

    assert there.spread_8h == back.spread_8h
    assert there.net_return == back.net_return
    assert there.break_even == back.break_even


@quick
@given(mids, rates, rates)
def test_a_reverse_carry_is_a_carry_in_the_mirror(
    perp: Decimal, rate: Decimal, carry: Decimal
) -> None:
    above = replace(funded(make_perp(), rate, carry), book=book_at(str(perp)))
    below = replace(funded(make_perp(), -rate, -carry), book=book_at(str(100_000 - perp)))
    there = counted("cash_and_carry", (make_spot(), above))
    back = counted("reverse_cash_and_carry", (below, make_spot(borrow="0")))

    assert there.opening_gap == back.opening_gap
    assert there.open_reason == back.open_reason
    assert there.spread_8h == back.spread_8h
    assert there.expected_funding == back.expected_funding


@quick
@given(mids, rates)
def test_a_split_of_equal_contracts_is_a_carry_of_half_the_funding(
    perp: Decimal, rate: Decimal
) -> None:
    contract = replace(funded(make_perp(), rate, rate), book=book_at(str(perp)))
    whole = counted("cash_and_carry", (make_spot(), contract))
    split = counted("split_carry", (make_spot(), contract, make_future(mid=str(perp))))

    assert split.entry_gap == whole.entry_gap
    assert split.costs.fees == whole.costs.fees
    assert split.expected_funding is not None and whole.expected_funding is not None
    assert abs(2 * split.expected_funding - whole.expected_funding) < D("1e-20")


@pytest.mark.parametrize("key", KNOWN_STRATEGIES)
def test_facts_that_grow_stale_after_the_count_shut_the_gate(key: str) -> None:
    one = counted(key, LEGS[key])
    stale = replace(one.legs[0], facts=replace(one.legs[0].facts, book=None))

    refusal = gate(replace(one, legs=(stale, *one.legs[1:])))

    assert refusal is not None and refusal.code == "no_data"
