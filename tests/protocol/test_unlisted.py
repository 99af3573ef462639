"""What is held of a contract that its venue lists no more: read as it is, never as nothing."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges import registry
from exchanges.domain import Instrument, Side, Symbol
from exchanges.errors import InvalidOrder, UnexpectedPayload
from tests.protocol.conftest import DERIVATIVES, DOLLARS, Desk, OpenDesk, Simulator, run

pytestmark = pytest.mark.protocol

HELD = Decimal("-0.2")
# Hyperliquid goes on listing what it has delisted, marked so.
UNLISTING = tuple(venue for venue in DERIVATIVES if venue != "hyperliquid")


@pytest.fixture(params=UNLISTING)
def holder(
    request: pytest.FixtureRequest, simulator: Simulator, open_desk: OpenDesk
) -> Generator[Desk]:
    """An account with 0.2 ETH short and an order that rests, at each venue in turn."""
    dollar = DOLLARS.get(request.param, "USDT")
    desk = replace(open_desk(request.param), symbol=Symbol(f"ETH/{dollar}:{dollar}"))
    run(desk.trading.submit(desk.order("0.2", Side.SELL)))
    run(desk.trading.submit(desk.resting("0.1")))
    yield desk
    unlist(simulator, desk, again=True)
    run(registry.market_data(desk.venue, desk.key.mode).instruments())


def unlist(simulator: Simulator, desk: Desk, **more: Any) -> None:
    simulator.ask("POST", "/unlist", venue=desk.venue, symbol=desk.symbol, **more)


def listed(desk: Desk) -> Instrument | None:
    known = run(desk.market.instruments())
    return next((one for one in known if one.symbol == desk.symbol), None)


def after_restart(desk: Desk) -> Desk:
    """Return the desk of a process that has just begun."""
    registry.close_all()
    return replace(
        desk,
        market=registry.market_data(desk.venue, desk.key.mode),
        trading=registry.trading(desk.key),
        account=registry.account(desk.key),
    )


def test_what_left_the_list_is_held_told_of_and_cancelled_as_before(
    simulator: Simulator, holder: Desk
) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    unlist(simulator, holder)
    assert listed(holder) is None

    assert [held.base_quantity for held in run(holder.account.positions())] == [HELD]
    [resting] = run(holder.trading.open_orders(holder.symbol))
    assert [fill.base_quantity for fill in run(holder.account.fills(holder.symbol, since=since))]
    assert resting.client_order_id is not None
    with pytest.raises(InvalidOrder, match="is not listed here"):
        run(holder.trading.submit(holder.order("0.2")))


def test_a_process_that_never_saw_it_listed_reads_it_by_what_was_kept_or_not_at_all(
    simulator: Simulator, holder: Desk
) -> None:
    instrument = listed(holder)
    assert instrument is not None
    unlist(simulator, holder)
    desk = after_restart(holder)

    with pytest.raises(UnexpectedPayload, match="which is not listed"):
        run(desk.account.positions())

    registry.remember(desk.key, lambda: [instrument])
    assert [held.base_quantity for held in run(desk.account.positions())] == [HELD]
    assert len(run(desk.trading.open_orders(desk.symbol))) == 1


def test_after_a_restart_all_that_was_done_with_it_is_told(
    simulator: Simulator, holder: Desk
) -> None:
    """What is asked until it is settled: fills, orders by our own id, margin, payments."""
    instrument, since = listed(holder), datetime.now(UTC) - timedelta(minutes=1)
    assert instrument is not None
    [resting] = run(holder.trading.open_orders(holder.symbol))
    unlist(simulator, holder)
    desk = after_restart(holder)
    registry.remember(desk.key, lambda: [instrument])

    [fill] = run(desk.account.fills(desk.symbol, since=since))
    assert fill.base_quantity == -HELD
    assert run(desk.account.trace(fill)).venue_order_id == fill.venue_order_id
    assert run(desk.account.isolated_margin(desk.symbol)) is None
    assert resting.client_order_id is not None
    found = run(desk.trading.find_order(resting.client_order_id, desk.symbol))
    assert found.base_quantity == resting.base_quantity
    if desk.venue != "kucoin":
        # Of it alone each contract is asked by name.
        run(desk.account.funding_payments({instrument.venue_symbol: desk.symbol}, since=since))
