"""The vectorised scan counts as strategies do, whole hold times and those that end early."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from exchanges.domain import InstrumentKind as Kind
from tests.market import NOW, D
from tests.strategies.legs import DAY, configured, counted, make_future, make_perp, make_spot
from trading.core.funding import rate_8h
from trading.core.parameters import Parameters
from trading.core.scan.bundles import Bundle, BundleLeg, bundle_candidates
from trading.core.scan.candidates import candidates, pairs
from trading.core.scan.facts import ALWAYS, ScanFacts, Slot
from trading.core.scan.scanner import Scanner
from trading.core.scan.settings import ScanSettings
from trading.strategies.base import InstrumentFacts, PairHistory
from trading.strategies.registry import STRATEGIES

pytestmark = pytest.mark.core

LEFT = [3 * DAY, 5 * DAY, 8 * DAY - timedelta(hours=3), 40 * DAY]
USUAL = PairHistory(spreads=(), expected_exit_gap=D("0.0005"))


def scanner_of(legs: Sequence[InstrumentFacts], parameters: Parameters) -> Scanner:
    """Scan some legs, each in a slot of its own, in their order."""
    slots = [Slot(leg.instrument.venue, leg.instrument.kind) for leg in legs]
    facts = ScanFacts(slots, ["BTC"])
    for slot, leg in zip(slots, legs, strict=True):
        at = (facts.slots.index(slot), 0)
        assert leg.book is not None
        facts.book_at[at] = leg.book.observed_at.timestamp()
        facts.bid[at], facts.ask[at] = leg.book.bid, leg.book.ask
        facts.cost[at] = 2 * (leg.taker_fee + leg.slippage)
        facts.borrow[at] = leg.borrow_rate_per_hour or 0
        facts.room[at] = 1_000
        facts.rate_at[at] = facts.next_funding[at] = ALWAYS
        facts.interval[at], facts.carry_8h[at], facts.predicted_8h[at] = 3_600, 0, 0
        if leg.funding is not None and leg.funding.interval_seconds:
            assert leg.funding.next_funding_at is not None
            facts.rate_at[at] = leg.funding.observed_at.timestamp()
            facts.next_funding[at] = leg.funding.next_funding_at.timestamp()
            facts.interval[at] = leg.funding.interval_seconds
            facts.carry_8h[at] = leg.carry_8h
            facts.predicted_8h[at] = rate_8h(leg.funding.funding_rate, leg.funding.interval_seconds)
        if leg.instrument.expires_at is not None:
            facts.expires[at] = leg.instrument.expires_at.timestamp()
    scanner = Scanner(facts, ScanSettings.of(parameters))
    scanner.scan_full(NOW.timestamp())
    return scanner


@pytest.mark.parametrize("left", LEFT)
@pytest.mark.parametrize("hours", ["96", "168", "720"])
@pytest.mark.parametrize("estimator", ["ewma", "predicted"])
@pytest.mark.parametrize("future", ["50200", "51000", "49100"])
def test_dated_leg_against_a_perpetual(
    left: timedelta, hours: str, estimator: str, future: str
) -> None:
    parameters = configured(hold_horizon=hours, carry_estimator=estimator)
    perpetual = make_perp("bybit", rate="0.0003", carry_8h="0.0002")
    dated = make_future("okx", mid=future, left=left)

    for legs in (perpetual, dated), (dated, perpetual):
        scanner = scanner_of(legs, parameters)
        places = [0 if leg is perpetual else 1 for leg in legs]
        one = counted("calendar_spread", legs, parameters)
        found = candidates(scanner, least_net=-1, limit=9, most_usd=1, base=0)
        row = found.long.tolist().index(places[0])

        assert one.net_return is not None
        assert found.net[row] == pytest.approx(float(one.net_return), abs=1e-12)
        assert found.spread_8h[row] == pytest.approx(float(one.spread_8h), abs=1e-12)


def test_borrowed_spot_against_a_perpetual() -> None:
    perpetual = make_perp("bybit", rate="-0.0003", carry_8h="-0.0002")
    legs = (perpetual, make_spot("okx", mid="50100", borrow="0.000002"))
    scanner = scanner_of([legs[1], legs[0]], configured())

    one = counted("reverse_cash_and_carry", legs, configured())
    (found,) = pairs(scanner, candidates(scanner, least_net=-1, limit=1, most_usd=1), most_usd=1)

    assert one.net_return is not None
    assert found.net_return == pytest.approx(float(one.net_return), abs=1e-12)
    # 3 bp of funding less 8 hours of borrowing at 0.02 bp.
    assert float(one.spread_8h) == pytest.approx(0.000284, abs=1e-15)
    assert found.spread_8h == pytest.approx(0.000284, abs=1e-15)


@pytest.mark.parametrize("left", LEFT)
@pytest.mark.parametrize("estimator", ["ewma", "predicted"])
@pytest.mark.parametrize("future", ["50200", "51000", "49100"])
@pytest.mark.parametrize("history", [PairHistory(), USUAL])
def test_spot_against_half_a_perpetual_and_half_a_dated_leg(
    left: timedelta, estimator: str, future: str, history: PairHistory
) -> None:
    parameters = configured(carry_estimator=estimator)
    perpetual = make_perp("bybit", mid="50050", rate="0.0003", carry_8h="0.0002")
    legs = (make_spot("okx"), perpetual, make_future("okx", mid=future, left=left))
    scanner = scanner_of(legs, parameters)
    # Half the short side is the perpetual: usually twice the gap of the three lies in it.
    usual = 1 + 2 * float(history.expected_exit_gap)
    scanner.facts.exit_ratio[0, 1, 0] = usual
    split = Bundle.of(
        "split_carry",
        (
            BundleLeg(side=leg.side, kinds=leg.kinds, ratio=leg.ratio)
            for leg in STRATEGIES["split_carry"].shape
        ),
    )

    found = bundle_candidates(scanner, split, least_net=-1, limit=9, most_usd=1_000, base=0)

    one = counted("split_carry", legs, parameters, history=history)
    assert one.net_return is not None
    assert [scanner.facts.slots[leg[0]].kind for leg in found.legs] == [
        Kind.SPOT,
        Kind.PERPETUAL,
        Kind.FUTURE,
    ]
    assert found.net.tolist() == pytest.approx([float(one.net_return)], abs=1e-12)
    assert found.spread_8h.tolist() == pytest.approx([float(one.spread_8h)], abs=1e-12)
    assert found.gap.tolist() == pytest.approx([float(one.entry_gap)], abs=1e-12)
    # Half a leg takes its thousand of the position's two.
    assert found.room.tolist() == [1_000]
