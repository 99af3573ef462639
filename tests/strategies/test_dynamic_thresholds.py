from __future__ import annotations

import pytest

from tests.market import D
from tests.strategies.legs import (
    configured,
    counted,
    gate,
    make_held,
    make_perp,
    make_spot,
    reason,
)
from trading.core.gap_thresholds import GapThresholds, dynamic_thresholds
from trading.strategies.base import ExitReason, OpenReason

pytestmark = pytest.mark.core

ON = configured(dynamic_thresholds="on", entry_policy="spread_only")


@pytest.mark.parametrize(
    ("funding", "opens", "closes"),
    [
        ("0.0010", "0.002", "-0.002"),
        ("0.0005", "0.002", "-0.002"),
        ("0.0003", "0.005", "0"),
        ("0.0001", "0.008", "0.002"),
        ("-0.0020", "0.008", "0.002"),
    ],
)
def test_thresholds_follow_funding_in_a_straight_line(
    funding: str, opens: str, closes: str
) -> None:
    assert dynamic_thresholds(D(funding), configured()) == GapThresholds(
        opening=D(opens), closing=D(closes)
    )


@pytest.mark.parametrize(
    ("perp", "rate", "why"),
    [
        ("50100", "0.0005", OpenReason.BASIS),
        ("50099", "0.0005", OpenReason.FUNDING),
        ("50250", "0.0003", OpenReason.BASIS),
        ("50400", "0.0001", OpenReason.BASIS),
        ("50399", "0.0001", OpenReason.FUNDING),
    ],
)
def test_a_basis_opens_earlier_while_funding_is_high(perp: str, rate: str, why: OpenReason) -> None:
    legs = (make_spot(), make_perp(mid=perp, rate=rate))

    assert counted("cash_and_carry", legs, ON).open_reason is why
    assert counted("cash_and_carry", legs).open_reason is OpenReason.FUNDING


def test_a_gap_of_two_perpetuals_opens_by_the_regime_after_costs() -> None:
    def opens(dear: str, rate: str) -> bool:
        legs = (make_perp("bybit", rate="0"), make_perp("okx", mid=dear, rate=rate))
        return gate(counted("price_convergence", legs, ON), ON) is None

    # 0.2 % and 0.2 % of fees while funding is high, 0.8 % and 0.2 % while it is low
    assert opens("50200", "0.0005") and not opens("50199", "0.0005")
    assert opens("50500", "0.0001") and not opens("50499", "0.0001")


@pytest.mark.parametrize("key", ["cash_and_carry", "price_convergence"])
def test_a_gap_closes_later_while_funding_is_high(key: str) -> None:
    # at 0.2 % while funding is low, at -0.2 % while it is high
    def closes(short: str, funding: str | None) -> bool:
        held = make_held(entered=("50000", "50600"), now_at=("50000", short), spread_8h=funding)
        return reason(key, held, ON) is ExitReason.GAP_CLOSED

    assert closes("50100", "0.0001") and not closes("50100", "0.0005")
    assert closes("49900", "0.0005") and not closes("49901", "0.0005")
    assert not closes("50099", None)


def test_opened_on_funding_no_dynamic_gap_closes_it() -> None:
    held = make_held(reason=OpenReason.FUNDING, now_at=("50000", "49000"))

    assert reason("cash_and_carry", held, ON) is None
