"""Days that trade coins against contracts, and contracts that are counted by number."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from decimal import Decimal

import pytest

from exchanges.ccxt_adapter.client import Catalogue
from exchanges.domain import Side
from exchanges.simulator.listings import BYBIT, OKX, SPOT, USDM
from exchanges.venues import PROFILES
from tests.simulation.drill import Drill
from tests.simulation.laboratory import Laboratory
from tests.simulation.markets import MARKETS
from trading.models import Discrepancy, Order, Position

pytestmark = pytest.mark.simulation

# The smallest part of a coin that Binance trades, and one more for what is below it.
SPOT_DUST = Decimal("0.00002")


@pytest.mark.parametrize("market", MARKETS)
def test_a_position_is_entered_and_left_to_the_last_lot(
    laboratory: Laboratory, market: str
) -> None:
    drill = Drill(laboratory, market)

    drill.enter()
    assert drill.state() == "open"
    # What the observer judges requests by sees all of them.
    assert sorted(drill.sent()) == sorted(
        order.client_order_id for order in drill.far.ledger.orders.values()
    )
    assert {sight.venue for sight in drill.far.sights} == set(drill.far.market.venues)
    assert all(sight.intent and sight.api_key for sight in drill.far.sights)
    long, short = drill.held()
    assert long > Decimal("0.08")
    assert abs(long + short) < Decimal("0.001")

    drill.leave()
    drill.rest()
    assert drill.state() == "closed"
    assert all(0 <= held < SPOT_DUST for held in drill.held())


def test_coins_are_held_net_of_the_fee_they_paid(laboratory: Laboratory) -> None:
    """Binance takes a thousandth of what is bought; the short covers what is left, in its lots."""
    drill = Drill(laboratory, "cash and carry")

    drill.enter()

    [bought] = [trade for trade in drill.far.ledger.trades if trade.venue == SPOT]
    coins, short = drill.held()
    assert bought.fee == bought.base_quantity / 1000
    assert coins == bought.base_quantity - bought.fee
    assert drill.observer.case.chronicle.own["alice", SPOT, "BTC"] == coins
    assert short == -(coins // Decimal("0.001") * Decimal("0.001"))


def test_coins_whose_hedge_is_refused_are_sold_again(laboratory: Laboratory) -> None:
    drill = Drill(laboratory, "cash and carry apart")
    refused = "create-refused"
    drill.fault(refused, BYBIT)

    drill.enter()
    drill.rest()

    first = {order.purpose for order in Order.objects.filter(leg__index=0)}
    assert drill.state() in ("closed", "abandoned")
    assert "open" in first
    assert all(0 <= held < SPOT_DUST for held in drill.held())


def test_coins_that_a_person_sells_hold_the_position(laboratory: Laboratory) -> None:
    drill = Drill(laboratory, "cash and carry")
    drill.enter()

    drill.do("foreign", venue=USDM, amount="0.05", number=0)
    drill.do("time", amount="90")

    found = Discrepancy.objects.confirmed().get()
    assert (found.account.exchange.code, found.kind) == (SPOT, "missing")
    assert Position.objects.get().state == "held"
    drill.rest()


def test_coins_beyond_ours_are_nobodys_business(laboratory: Laboratory) -> None:
    drill = Drill(laboratory, "cash and carry")
    drill.enter()

    assert drill.far.trade_by_hand("alice", SPOT, "BTC", Side.BUY, Decimal("0.5"))
    drill.do("time", amount="90")

    assert not Discrepancy.objects.exists()
    drill.leave()
    drill.rest()
    assert drill.state() == "closed"
    assert Decimal("0.4995") <= drill.held()[0] < Decimal("0.4995") + SPOT_DUST


def test_a_deadline_that_is_over_at_once_sets_the_clock_of_the_next_order(
    laboratory: Laboratory,
) -> None:
    """OKX drops an order that comes after its own deadline, as all do of a clock that is behind."""
    drill = Drill(laboratory, "contracts by number")
    drill.enter()

    drill.do("skew", amount="-8")
    drill.leave()

    assert drill.state() == "closed"
    closings = Order.objects.filter(leg__instrument__exchange__code=OKX, purpose="reduce")
    assert [order.state for order in closings.order_by("created_at")] == ["rejected", "filled"]
    drill.rest()


@pytest.fixture(params=["contracts by number", "contracts at Gate", "contracts at KuCoin"])
def counted(request: pytest.FixtureRequest, laboratory: Laboratory) -> Generator[Drill]:
    """A day where contracts have a size, whose list is read anew for the days to come."""
    drill = Drill(laboratory, request.param)
    venue = drill.far.market.venues[1]
    value = drill.far.listing(venue, "BTC").contract_value
    yield drill
    drill.far.resize_contract(venue, "BTC", value)
    drill.world.relist(venue)


def test_a_contract_that_became_smaller_is_closed_in_base_units(counted: Drill) -> None:
    """A venue makes ten contracts of one: what is held stays the same, its number does not."""
    counted.enter()
    before, venue = counted.held(), counted.far.market.venues[1]

    value = counted.far.listing(venue, "BTC").contract_value
    counted.far.resize_contract(venue, "BTC", value / 10)
    counted.world.relist(venue)
    counted.do("time", amount="90")
    assert (counted.held(), counted.state()) == (before, "open")
    assert not Discrepancy.objects.exists()

    counted.leave()
    assert (counted.state(), counted.held()) == ("closed", (Decimal(0), Decimal(0)))
    assert [v.sentence for v in counted.observer.violations] == []
    counted.rest()


def test_where_contracts_have_a_size_the_list_is_read_again_within_a_minute() -> None:
    assert PROFILES["okx"].relisted_every == timedelta(minutes=1)
    assert Catalogue(PROFILES["okx"]).is_due
    assert PROFILES["bybit"].relisted_every == timedelta(hours=1)


def test_a_contract_that_is_counted_by_number_is_hedged_in_base_units(
    laboratory: Laboratory,
) -> None:
    """One contract of BTC at OKX is a hundredth of a bitcoin: ten of them hedge 0.1."""
    drill = Drill(laboratory, "contracts by number")

    drill.enter()

    long, short = drill.held()
    value = drill.far.listing(OKX, "BTC").contract_value
    assert long == -short
    assert value == Decimal("0.01")
    assert -short / value == long * 100
