"""Hypothesis strategies for domain values."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st

from exchanges.domain import Side
from tests.market import NOW
from trading.core.funding import FundingLeg

# The core tests run at every save: few examples each, and a busy machine is no failure.
quick = settings(max_examples=20, deadline=None)

INTERVALS = (240, 3_600, 7_200, 14_400, 28_800)


def decimals(least: str, most: str, places: int = 8) -> st.SearchStrategy[Decimal]:
    return st.decimals(least, most, places=places, allow_nan=False, allow_infinity=False)


lots = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(-exponent),
    st.sampled_from([1, 2, 5, 25, 3]),
    st.integers(0, 5),
)
prices = decimals("0.01", "100000", places=4)
quantities = decimals("0.001", "1000", places=5)
rates = decimals("-0.003", "0.003")
intervals = st.sampled_from(INTERVALS)
sides = st.sampled_from(Side)


@st.composite
def funding_legs(draw: st.DrawFn, side: Side, interval: int | None = None) -> FundingLeg:
    """Draw a leg whose next settlement is within its interval, at a whole second."""
    seconds = draw(intervals) if interval is None else interval
    return FundingLeg(
        side=side,
        predicted_rate=draw(rates),
        interval_seconds=seconds,
        next_funding_at=NOW + timedelta(seconds=draw(st.integers(1, seconds))),
        carry_8h=draw(rates),
    )
