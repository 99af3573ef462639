"""Days that trade coins against contracts, and contracts that are counted by number."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.domain import Side
from exchanges.simulator.listings import BYBIT, OKX, SPOT, USDM
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
