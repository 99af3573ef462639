"""Margin mode, added margin and the countdown of Binance USD-M."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.simulator.accounts import Account
from exchanges.simulator.core import Simulator
from exchanges.simulator.countdowns import start_countdown
from exchanges.simulator.faces.binance import Call
from exchanges.simulator.listings import USDM, Listing
from exchanges.simulator.margin import margin_state
from exchanges.simulator.wire import Json, VenueRefusal

ADD = 1


def set_margin_type(simulator: Simulator, call: Call, listing: Listing) -> Json:
    wants_isolated = call.required("marginType") == "ISOLATED"
    if wants_isolated == call.owner.is_isolated(USDM, listing.symbol):
        raise VenueRefusal(-4046, "No need to change margin type.")
    if simulator.ledger.holding(call.owner.api_key, listing.key).base_quantity:
        message = "Margin type cannot be changed if there exists position."
        raise VenueRefusal(-4048, message)
    if wants_isolated:
        call.owner.isolate(USDM, listing.symbol)
    else:
        call.owner.isolated.pop(f"{USDM}:{listing.symbol}")
    simulator.ledger.put_account(call.owner)
    return {"code": 200, "msg": "success"}


def add_position_margin(simulator: Simulator, call: Call, listing: Listing) -> Json:
    amount = call.decimal("amount")
    _refuse_margin(simulator, call.owner, listing, amount)
    state = margin_state(simulator.ledger, simulator.market, call.owner, venue=USDM, now=call.now)
    if call.number("type") != ADD or amount > state.available:
        raise VenueRefusal(-4050, "Cross balance insufficient.")
    call.owner.add_margin(USDM, listing.symbol, amount)
    simulator.ledger.put_account(call.owner)
    return {
        "amount": float(amount),
        "code": 200,
        "msg": "Successfully modify position margin.",
        "type": ADD,
    }


def count_down(simulator: Simulator, call: Call, listing: Listing) -> Json:
    milliseconds = call.number("countdownTime")
    if milliseconds is None or milliseconds < 0:
        raise VenueRefusal(-1102, "Mandatory parameter 'countdownTime' was not sent.")
    after = timedelta(milliseconds=milliseconds)
    start_countdown(
        simulator.ledger, call.owner, listing.venue, listing.symbol, after=after, now=call.now
    )
    return {"symbol": listing.symbol, "countdownTime": str(milliseconds)}


def _refuse_margin(simulator: Simulator, owner: Account, listing: Listing, amount: Decimal) -> None:
    if amount <= 0:
        raise VenueRefusal(-4055, "Amount must be positive.")
    if not simulator.ledger.holding(owner.api_key, listing.key).base_quantity:
        raise VenueRefusal(-4054, "Cannot add position margin: position is 0.")
    if not owner.is_isolated(USDM, listing.symbol):
        raise VenueRefusal(-4053, "Margin is added to isolated positions only.")
