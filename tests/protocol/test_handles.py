"""A process that can open no further file or connection: what is open still closes positions."""

from __future__ import annotations

import os
import resource
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from exchanges.domain import Side
from exchanges.errors import OrderOutcomeUnknown, VenueUnavailable
from tests.protocol.conftest import OpenDesk, run

pytestmark = pytest.mark.protocol


@contextmanager
def no_handle_left() -> Generator[None]:
    """Fill every number that a new handle could get, as a leak would have."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, before[1]))
    fillers: list[int] = []
    try:
        while True:
            try:
                fillers.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                break
        yield
    finally:
        for filler in fillers:
            os.close(filler)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("venue", ["binanceusdm", "bybit"])
def test_a_close_goes_over_the_connection_that_is_kept_open(
    open_desk: OpenDesk, venue: str
) -> None:
    desk = open_desk(venue)
    run(desk.trading.submit(desk.order("0.02")))
    closing = replace(desk.order("0.02", Side.SELL), reduce_only=True)

    with no_handle_left():
        run(desk.trading.submit(closing))

    assert run(desk.account.positions()) == []


@pytest.mark.parametrize("venue", ["binanceusdm", "bybit"])
def test_without_a_connection_a_read_says_so_and_an_order_is_looked_up(
    open_desk: OpenDesk, venue: str
) -> None:
    desk = open_desk(venue)
    run(desk.market.instruments())
    order = desk.order("0.02")

    with no_handle_left():
        with pytest.raises(VenueUnavailable, match="connection"):
            run(desk.account.positions())
        with pytest.raises(OrderOutcomeUnknown, match="looked up"):
            run(desk.trading.submit(order))

    assert run(desk.account.positions()) == []
