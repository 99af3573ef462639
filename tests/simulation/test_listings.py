"""What venues do to their lists while something of ours is held or entered there."""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal

import pytest

from exchanges.models import ExchangeAccount, Instrument
from exchanges.simulator.listings import BYBIT, USDM
from tests.simulation.drill import FLAT, Drill
from tests.simulation.laboratory import Laboratory
from trading.models import Discrepancy, Event, Order, Trade

pytestmark = pytest.mark.simulation


@pytest.fixture
def drill(laboratory: Laboratory) -> Generator[Drill]:
    """A day whose venues list for the days to come what they did before."""
    drill = Drill(laboratory)
    kept = {venue: drill.far.listing(venue, "BTC") for venue in (USDM, BYBIT)}
    yield drill
    for venue, listing in kept.items():
        drill.far.simulator.list_again(listing)
        drill.world.relist(venue)


def read_list(drill: Drill, venue: str) -> None:
    """Store what a venue lists, as the hourly refresh does."""
    exchange = drill.world.instrument(venue, "BTC").exchange
    drill.world.venues.relist(exchange, drill.world.clock())


def test_a_held_contract_that_leaves_the_list_is_kept_whole_and_closed_once_it_is_back(
    drill: Drill,
) -> None:
    drill.enter()
    before = drill.held()

    drill.far.simulator.unlist(drill.far.listing(BYBIT, "BTC"))
    read_list(drill, BYBIT)
    drill.do("time", amount="90")
    drill.world.reconcile()
    assert (drill.held(), drill.state()) == (before, "open")
    assert not Discrepancy.objects.exists()
    assert not ExchangeAccount.objects.exclude(halted_at=None).exists()

    drill.leave()
    assert (drill.held(), drill.state()) == (before, "exiting")
    stuck = Event.objects.filter(kind="exit.unreachable").latest("id")
    assert "BTC/USDT:USDT is not traded at bybit now, so the exit waits" in stuck.sentence

    drill.far.simulator.list_again(drill.far.listing(BYBIT, "BTC"))
    drill.do("time", amount="90")
    assert (drill.held(), drill.state()) == (FLAT, "closed")
    drill.rest()


def test_what_is_held_under_an_unlisted_name_halts_its_account_and_is_never_flat(
    drill: Drill,
) -> None:
    drill.enter()
    sent, (long, _) = drill.sent(), drill.held()

    drill.far.rename("alice", BYBIT, "BTC", "BTCOLDUSDT")
    for _ in range(6):
        drill.do("time", amount="20")
        drill.world.reconcile()

    account = ExchangeAccount.objects.get(user__username="alice", exchange__code=BYBIT)
    assert account.halted_reason.startswith(
        f"what it holds cannot be read: it holds {long} BTCOLDUSDT, which is not listed"
    )
    assert drill.state() == "open"
    assert (drill.sent(), drill.held()[0]) == (sent, long)
    assert not Discrepancy.objects.exists()


def test_an_entry_refused_for_a_changed_lot_is_planned_anew_in_the_new_one(drill: Drill) -> None:
    """Binance trades hundredths of a bitcoin from now on; what we knew was thousandths."""
    drill.far.list_as(USDM, "BTC", lot=Decimal("0.01"))

    drill.enter()

    refused, *_, filled = Order.objects.filter(leg__instrument__exchange__code=USDM).order_by(
        "created_at"
    )
    assert (refused.state, filled.state) == ("rejected", "filled")
    assert refused.base_quantity % Decimal("0.01") != 0
    assert Instrument.objects.get(pk=refused.leg.instrument_id).lot == Decimal("0.01")
    long, short = drill.held()
    assert long == -short > 0
    assert long % Decimal("0.01") == 0
    assert drill.state() == "open"
    drill.leave()
    drill.rest()


def test_fees_that_rise_in_a_trade_are_booked_as_the_venues_charged_them(drill: Drill) -> None:
    drill.enter()
    drill.far.list_as(USDM, "BTC", taker_fee=Decimal("0.002"))
    drill.far.list_as(BYBIT, "BTC", taker_fee=Decimal("0.003"))

    drill.leave()
    drill.rest()

    assert drill.state() == "closed"
    booked = {trade.venue_trade_id: trade for trade in Trade.objects.all()}
    charged = {fill.venue_trade_id: fill for fill in drill.far.ledger.trades}
    assert {key: (trade.fee, trade.fee_asset) for key, trade in booked.items()} == {
        key: (fill.fee, fill.fee_asset) for key, fill in charged.items()
    }
    rates = {
        (fill.venue, fill.fee / (fill.price * fill.base_quantity)) for fill in charged.values()
    }
    assert {(USDM, Decimal("0.002")), (BYBIT, Decimal("0.003"))} < rates
