from __future__ import annotations

import pytest

from tests.market import D
from trading.core.allocation import Claimant, Held, allocate, rotation

pytestmark = pytest.mark.core


def claimant(key: str, size: str, *venues: str, least: str = "0") -> Claimant:
    uses = {"user": D(1)} | {f"margin:{venue}": D("0.5") for venue in venues}
    return Claimant(key=key, size_usd=D(size), uses=uses, least_usd=D(least))


def test_the_first_takes_all_it_can_use_and_the_next_what_is_left() -> None:
    pools = {"user": D(100_000), "margin:bybit": D(20_000), "margin:okx": D(50_000)}

    sizes = allocate(
        [claimant("BTC", "30000", "bybit"), claimant("ETH", "30000", "bybit", "okx")],
        pools,
        most=10,
    )

    # 30,000 at 2x use 15,000 of the 20,000 at Bybit; 5,000 carry 10,000 more.
    assert sizes == {"BTC": D(30_000), "ETH": D(10_000)}


def test_what_is_left_below_the_least_is_left_for_others() -> None:
    claimants = [
        claimant("BTC", "30000", "bybit"),
        claimant("ETH", "30000", "bybit", least="5000"),
        claimant("SOL", "30000", "okx"),
    ]

    sizes = allocate(claimants, {"margin:bybit": D(16_000)}, most=10)

    assert sizes == {"BTC": D(30_000), "SOL": D(30_000)}


def test_no_more_are_served_than_may_be_open() -> None:
    claimants = [claimant(base, "100") for base in ("BTC", "ETH", "SOL")]

    assert list(allocate(claimants, {}, most=2)) == ["BTC", "ETH"]
    assert allocate(claimants, {}, most=0) == {}
    assert allocate(claimants, {"user": D(0)}, most=3) == {}


def held(key: str, keeps: str, cost: str = "10") -> Held:
    return Held(key=key, keeps_usd=D(keeps), exit_cost_usd=D(cost))


def test_rotation_leaves_the_worst_when_the_gain_is_clearly_above_both_switches() -> None:
    positions = [held("BTC", "40"), held("ETH", "5")]

    found = rotation(positions, better_usd=D(60), entry_cost_usd=D(20), gain_multiple=D("1.5"))

    # 60 - 5 = 55 gained against 1.5 x (10 + 20) = 45.
    assert found is not None
    assert (found.key, found.gain_usd, found.cost_usd) == ("ETH", D(55), D(30))


def test_rotation_stays_where_the_gain_is_not_clear_or_nothing_is_held() -> None:
    assert (
        rotation([held("ETH", "5")], better_usd=D(50), entry_cost_usd=D(20), gain_multiple=D("1.5"))
        is None
    )
    assert rotation([], better_usd=D(50), entry_cost_usd=D(0), gain_multiple=D(1)) is None
