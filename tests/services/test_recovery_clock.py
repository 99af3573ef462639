"""A worker's clock jumps by an hour between the legs: nobody waits an hour, nothing goes twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.services.conftest import Desk
from tests.services.failing_database import (
    ENDS,
    Owner,
    assert_nothing_lost_and_nothing_twice,
    bring_the_market,
    close,
)
from trading.core.states import PositionState
from trading.models import FundingEvent

pytestmark = pytest.mark.protocol

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
def test_a_first_leg_that_filled_before_the_clock_jumped_is_hedged_or_flat_at_once(
    desk: Desk, jump: timedelta
) -> None:
    position = desk.plan(base_quantity="0.01")
    owner = Owner(desk, position)
    owner.drive()
    bring_the_market(desk, position)

    owner.drive_until(PositionState.OPEN, *ENDS, later=jump)

    if position.state == PositionState.OPEN:
        close(position)
        owner.drive_until(*ENDS, later=jump)
    assert owner.failures == []
    assert_nothing_lost_and_nothing_twice(desk, position)
    assert not FundingEvent.objects.filter(position=position).exists()
