"""Token buckets: never more than a venue allows, closing first, every tenant his part."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.limits.buckets import Buckets, Size, Use
from exchanges.limits.lanes import CLAIMS, Lane
from exchanges.venues import PROFILES
from exchanges.venues.quotas import Quota

pytestmark = pytest.mark.core

# 1,000 a minute: 200 at once and 10 a second, 800 in any minute.
SIZE = Size(capacity=200, rate=10, target=800, window=60)
LANES = list(Lane)
ROUNDING = 1e-6


def use(cost: float, scope: str = "venue", size: Size = SIZE) -> Use:
    return Use(scope=scope, size=size, cost=cost)


def take(
    buckets: Buckets, cost: float, lane: Lane = Lane.CLOSE, *, at: float = 0.0, tenant: str = "a"
) -> bool:
    return buckets.take([use(cost)], CLAIMS[lane], tenant, at) == 0


def drained(buckets: Buckets, lane: Lane, *, at: float = 0.0, tenant: str = "a") -> int:
    """Return how many single tokens a lane takes at one moment."""
    taken = 0
    while take(buckets, 1, lane, at=at, tenant=tenant):
        taken += 1
    return taken


@dataclass(frozen=True)
class Ask:
    after: float
    cost: int
    lane: Lane
    tenant: str


ASKS = st.lists(
    st.builds(
        Ask,
        after=st.sampled_from([0.0, 0.0, 0.1, 1.0, 5.0, 30.0]),
        cost=st.integers(1, 60),
        lane=st.sampled_from(LANES),
        tenant=st.sampled_from("abc"),
    ),
    max_size=150,
)


def test_a_full_bucket_and_what_a_window_brings_are_four_fifths_of_the_limit() -> None:
    size = Size.of(1000, 60, at_once=0.2)

    assert (size.capacity, size.rate, size.target) == pytest.approx((200, 10, 800))


@given(ASKS)
def test_no_window_ever_sees_more_than_four_fifths_of_the_limit(asks: list[Ask]) -> None:
    buckets = Buckets()
    times = list(accumulate(ask.after for ask in asks))
    granted = [
        (at, ask.cost)
        for at, ask in zip(times, asks, strict=True)
        if take(buckets, ask.cost, ask.lane, at=at, tenant=ask.tenant)
    ]

    for start, _ in granted:
        used = sum(cost for at, cost in granted if start <= at < start + SIZE.window)
        assert used <= SIZE.target + ROUNDING


@given(ASKS)
def test_a_bucket_holds_between_nothing_and_its_capacity(asks: list[Ask]) -> None:
    buckets, at = Buckets(), 0.0
    for ask in asks:
        at += ask.after
        take(buckets, ask.cost, ask.lane, at=at, tenant=ask.tenant)

        assert -ROUNDING <= buckets.states["venue"].tokens <= SIZE.capacity


@given(ASKS)
def test_whatever_else_was_asked_the_last_fifth_is_there_to_close(asks: list[Ask]) -> None:
    buckets, at = Buckets(), 0.0
    for ask in asks:
        at += ask.after
        lane = Lane.POLL if ask.lane is Lane.CLOSE else ask.lane
        take(buckets, ask.cost, lane, at=at, tenant=ask.tenant)

    assert take(buckets, SIZE.capacity / 5 - ROUNDING, Lane.CLOSE, at=at, tenant="d") or asks == []


@pytest.mark.parametrize(
    ("lane", "tokens"),
    [
        (Lane.CLOSE, 200),
        (Lane.LOOK_UP, 160),
        (Lane.ENTRY, 140),
        (Lane.POLL, 100),
        (Lane.HISTORY, 60),
    ],
)
def test_a_lane_leaves_to_those_before_it_what_is_theirs(lane: Lane, tokens: int) -> None:
    assert drained(Buckets(), lane) == tokens


def test_what_the_past_has_emptied_still_serves_the_present_and_closing_in_this_order() -> None:
    buckets = Buckets()
    drained(buckets, Lane.HISTORY)

    assert [drained(buckets, lane) for lane in reversed(LANES)] == [0, 40, 40, 20, 40]


@given(ASKS, st.integers(1, 200))
def test_what_a_lane_may_take_every_lane_before_it_may_take_too(asks: list[Ask], cost: int) -> None:
    buckets, at = Buckets(), 0.0
    for ask in asks:
        at += ask.after
        take(buckets, ask.cost, ask.lane, at=at, tenant=ask.tenant)
    waits = [buckets._wait(use(cost), CLAIMS[lane], "a", at) for lane in LANES]

    assert waits == sorted(waits)


def test_a_refused_request_is_told_how_long_to_wait_and_is_served_then() -> None:
    buckets = Buckets()
    drained(buckets, Lane.CLOSE)

    wait = buckets.take([use(30)], CLAIMS[Lane.CLOSE], "a", 0.0)

    assert wait == pytest.approx(3.0)
    assert not take(buckets, 30, at=2.9)
    assert take(buckets, 30, at=3.1)


def test_a_request_takes_of_all_its_buckets_or_of_none() -> None:
    buckets = Buckets()
    scarce = Size.of(10, 1, at_once=0.2)

    assert buckets.take([use(5), use(2, "key", scarce)], CLAIMS[Lane.CLOSE], "a", 0.0) == 0
    assert buckets.take([use(5), use(1, "key", scarce)], CLAIMS[Lane.CLOSE], "a", 0.0) > 0

    assert buckets.states["venue"].tokens == 195


@settings(max_examples=20)
@given(greedy=st.sampled_from(LANES), every=st.sampled_from([0.25, 0.5, 1.0, 2.5]))
def test_a_tenant_within_his_part_waits_for_no_greedy_one(greedy: Lane, every: float) -> None:
    """Two ask: each has 5 tokens a second. B wants one now and then, A whatever he gets."""
    buckets, late = Buckets(), []
    for quarter in range(1, 200):
        at = quarter / 4
        drained(buckets, greedy, at=at, tenant="a")
        if at % every == 0 and not take(buckets, 1, greedy, at=at, tenant="b"):
            late.append(at)

    # When B asks for the first time A has taken everything, as he may who asks alone, and has
    # a second's part of his own saved up.
    assert all(at <= every + 1 for at in late)


def test_who_asks_alone_has_all_of_it() -> None:
    buckets = Buckets()
    drained(buckets, Lane.ENTRY, tenant="a")

    taken = sum(drained(buckets, Lane.ENTRY, at=float(second)) for second in range(1, 61))

    assert taken == 600


def test_two_greedy_tenants_have_about_as_much() -> None:
    buckets, taken = Buckets(), {"a": 0, "b": 0}
    for tenth in range(1200):
        for tenant in taken:
            taken[tenant] += drained(buckets, Lane.ENTRY, at=tenth / 10, tenant=tenant)

    assert taken["b"] / (taken["a"] + taken["b"]) == pytest.approx(0.5, abs=0.1)


def test_the_venues_own_count_is_believed_where_it_is_higher() -> None:
    buckets = Buckets()

    # 700 of 800 are used with half a minute to come, which alone brings 300.
    buckets.correct(use(1), 700, 0.0, left=30.0)

    assert buckets.states["venue"].tokens == pytest.approx(-200)
    assert not take(buckets, 1, at=20.0)
    assert drained(buckets, Lane.CLOSE, at=30.0) == 100


def test_a_window_that_others_used_up_leaves_no_debt_behind_it() -> None:
    buckets = Buckets()

    buckets.correct(use(1), 5000, 0.0, left=10.0)

    assert take(buckets, 1, at=10.11)


@given(used=st.integers(0, 800), left=st.floats(0, 60))
def test_after_a_correction_the_window_ends_within_the_target(used: int, left: float) -> None:
    buckets = Buckets()
    buckets.correct(use(1), used, 0.0, left=left)

    taken = drained(buckets, Lane.CLOSE) + drained(buckets, Lane.CLOSE, at=left)

    assert used + taken <= SIZE.target + ROUNDING


QUOTAS = {quota.name: quota for profile in PROFILES.values() for quota in profile.quotas.all}


@pytest.mark.parametrize("quota", QUOTAS.values(), ids=QUOTAS.keys())
def test_every_request_of_a_venue_fits_into_its_bucket_in_any_lane(quota: Quota) -> None:
    size = Size.of(quota.limit, quota.window.total_seconds(), quota.at_once)
    heaviest = max(*quota.weights.values(), quota.other, 1)

    assert heaviest <= size.capacity
    for lane in LANES:
        assert Buckets().take([use(heaviest, size=size)], CLAIMS[lane], "a", 0.0) == 0


def test_weights_know_the_page_and_whether_a_symbol_is_named() -> None:
    quota = QUOTAS["binance.fapi"]

    assert quota.weight("GET", "openOrders", {}) == 40
    assert quota.weight("GET", "openOrders", {"symbol": "BTCUSDT"}) == 1
    assert quota.weight("GET", "depth", {"symbol": "BTCUSDT", "limit": 1000}) == 20
    assert quota.weight("GET", "depth", {"symbol": "BTCUSDT", "limit": 50}) == 2
    assert quota.weight("POST", "order", {"symbol": "BTCUSDT"}) == 0
    assert QUOTAS["binance.fapi.orders.10s"].weight("POST", "order", {"symbol": "BTCUSDT"}) == 1
