"""What the simulated Deribit tells everybody of funding: hours, and any span within."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.domain import Side
from exchanges.simulator.listings import DERIBIT
from tests.simulator.world import START, World, bitcoin

pytestmark = pytest.mark.protocol

D = Decimal
HOUR = START.replace(minute=0, second=0)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An hour owes 0.0009, all the more the later it is; it is 13:10."""
    world = World(tmp_path, interval_minutes=60, watched=True)
    world.pin(DERIBIT, price="60000", funding_rate="0.0009", funding_skew="1")
    world.wait(minutes=69.5)
    return world


def value(world: World, since: datetime, until: datetime, **named: Any) -> Any:
    asked = {"instrument_name": bitcoin(DERIBIT)} | named
    span = {"start_timestamp": stamp(since), "end_timestamp": stamp(until)}
    return world.public(DERIBIT, "/api/v2/public/get_funding_rate_value", **asked, **span).body


def stamp(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def owed(world: World, since: float, until: float) -> Decimal:
    """Return what was owed between two minutes after 12:00."""
    ends = (HOUR + timedelta(minutes=one) for one in (since, until))
    return D(str(value(world, *ends)["result"]))


def test_the_parts_of_an_hour_make_up_what_the_history_tells_of_it(world: World) -> None:
    path = "/api/v2/public/get_funding_rate_history"
    span = {"start_timestamp": stamp(HOUR), "end_timestamp": stamp(world.at)}
    rows = world.public(DERIBIT, path, instrument_name=bitcoin(DERIBIT), **span).body["result"]
    [told] = [row for row in rows if row["timestamp"] == stamp(HOUR + timedelta(hours=1))]

    # A ninth of it is owed in the first third, where the rate rises from nothing.
    assert (owed(world, 0, 20), owed(world, 20, 60)) == (D("0.0001"), D("0.0008"))
    assert D(str(told["interest_1h"])) == owed(world, 0, 60) == D("0.0009")
    # Ten minutes of the next hour are a thirty-sixth.
    assert owed(world, 50, 70) == D("0.000275") + D("0.000025")


def test_nothing_is_owed_in_what_is_to_come(world: World) -> None:
    assert owed(world, 60, 130) == owed(world, 60, 70) == D("0.000025")


def test_an_account_is_paid_what_everybody_is_told(world: World) -> None:
    world.place(DERIBIT, Side.SELL, "0.1")
    world.wait(minutes=15)
    world.place(DERIBIT, Side.BUY, "0.1")

    [row] = world.simulator.ledger.funding
    assert row.payment == D("0.1") * 60_000 * owed(world, 70, 85) == D("0.7875")


def test_a_contract_that_is_not_listed_and_a_span_without_an_end_are_refused(world: World) -> None:
    assert value(world, HOUR, HOUR, instrument_name="BTC-27MAR26")["error"]["code"] == 13020
    path = "/api/v2/public/get_funding_rate_value"
    answer = world.public(DERIBIT, path, instrument_name=bitcoin(DERIBIT), start_timestamp=1)
    assert answer.body["error"]["code"] == -32602
