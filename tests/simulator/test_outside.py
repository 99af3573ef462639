"""What venues and owners do to an account past its key, as the wire tells it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.domain import Side
from exchanges.simulator.accounts import Origin
from exchanges.simulator.events import AccountEvent
from exchanges.simulator.faces.binance_events import usdm_messages
from exchanges.simulator.faces.bybit_events import private_messages
from exchanges.simulator.listings import BYBIT, USDM
from exchanges.simulator.settlement import delist
from tests.simulator.world import World

pytestmark = pytest.mark.core

D = Decimal


def close(world: World, venue: str, origin: Origin, quantity: str | None = None) -> AccountEvent:
    """Let the venue close and return the event of its execution."""
    told: list[AccountEvent] = []
    world.simulator.listeners.append(told.append)
    part = D(quantity) if quantity else None
    world.simulator.engine.close_by_venue(
        world.account(venue), world.listing(venue), origin, base_quantity=part, now=world.at
    )
    [execution] = [event for event in told if event.trade is not None]
    return execution


@pytest.mark.parametrize(
    ("origin", "own_id", "kind"),
    [
        (Origin.LIQUIDATION, "autoclose-", "CALCULATED"),
        (Origin.ADL, "adl_autoclose", "CALCULATED"),
        (Origin.SETTLEMENT, "settlement_autoclose-", "TRADE"),
    ],
)
def test_binance_names_its_closings_in_the_id_of_the_order(
    world: World, origin: Origin, own_id: str, kind: str
) -> None:
    world.place(USDM, Side.BUY, "0.5")

    event = close(world, USDM, origin)

    order = usdm_messages(world.simulator, event)[-1]["o"]
    assert order["c"].startswith(own_id)
    assert (order["x"], order["X"], order["l"]) == (kind, "FILLED", "0.5")
    [*_, trade] = world.private(USDM, "GET", "/fapi/v1/userTrades", symbol="BTCUSDT").body
    assert "clientOrderId" not in trade
    found = world.private(
        USDM, "GET", "/fapi/v1/order", symbol="BTCUSDT", orderId=trade["orderId"]
    ).body
    assert found["clientOrderId"] == order["c"]


@pytest.mark.parametrize(
    ("origin", "kind", "made_by"),
    [
        (Origin.LIQUIDATION, "BustTrade", "CreateByLiq"),
        (Origin.ADL, "AdlTrade", "CreateByAdl_PassThrough"),
        (Origin.SETTLEMENT, "Settle", "CreateBySettle"),
    ],
)
def test_bybit_names_its_closings_in_the_type_of_the_execution(
    world: World, origin: Origin, kind: str, made_by: str
) -> None:
    world.place(BYBIT, Side.SELL, "0.5")

    event = close(world, BYBIT, origin)

    [streamed] = [
        message["data"][0]
        for message in private_messages(world.simulator, event)
        if message["topic"] == "execution"
    ]
    listed = world.private(BYBIT, "GET", "/v5/execution/list", category="linear").body
    for row in (streamed, listed["result"]["list"][0]):
        assert (row["execType"], row["createType"], row["orderLinkId"]) == (kind, made_by, "")


@pytest.mark.parametrize("venue", [USDM, BYBIT])
def test_a_part_is_closed_and_never_more_than_is_held(world: World, venue: str) -> None:
    world.place(venue, Side.SELL, "0.5")

    close(world, venue, Origin.ADL, "0.2")
    assert [row.base_quantity for row in world.simulator.ledger.holdings()] == [D("-0.3")]
    close(world, venue, Origin.ADL, "9")
    assert world.simulator.ledger.holdings() == []


def test_a_delisting_cancels_orders_and_settles_every_holding_at_one_price(world: World) -> None:
    world.pin(USDM, price="60000")
    world.place(USDM, Side.BUY, "0.5")
    resting = world.place(USDM, Side.BUY, "0.1", price="59000")
    ledger, engine = world.simulator.ledger, world.simulator.engine

    orders = delist(ledger, engine, world.listing(USDM), price=D("58000"), now=world.at)

    assert resting.is_final
    assert [order.average_price for order in orders] == [D("58000")]
    assert ledger.holdings() == []


def test_in_hedge_mode_a_position_names_its_side(world: World) -> None:
    world.place(USDM, Side.SELL, "0.5")
    world.account(USDM).is_hedge_mode = True

    [row] = world.private(USDM, "GET", "/fapi/v3/positionRisk").body

    assert row["positionSide"] == "SHORT"
