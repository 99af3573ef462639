"""An account at the simulated Deribit, through the real adapter, no sockets."""

from __future__ import annotations

from typing import Any

from exchanges.domain import Symbol
from exchanges.simulator.listings import DERIBIT
from exchanges.simulator.wire import Json
from tests.protocol.canned import CannedVenue
from tests.protocol.venue_desk import OWN, VenueDesk
from tests.simulation.transport import InProcessSession
from tests.simulator.nearby import call

SYMBOL, NAME = Symbol("BTC/USDC:USDC"), "BTC_USDC-PERPETUAL"
ROOT = "/api/v2"


def answered(result: Any) -> Json:
    return {"jsonrpc": "2.0", "id": 1, "result": result, "usIn": 1, "usOut": 2, "usDiff": 1}


def refused(code: int, message: str, reason: str = "") -> Json:
    data = {"reason": reason} if reason else None
    return {"jsonrpc": "2.0", "error": {"code": code, "message": message, "data": data}}


def order(**changes: Any) -> Json:
    """Return an order of ours as the documents show one, working."""
    return {
        "order_id": "USDC-104819327443",
        "label": OWN,
        "instrument_name": NAME,
        "direction": "buy",
        "order_state": "open",
        "order_type": "limit",
        "time_in_force": "good_til_cancelled",
        "price": 59_000.0,
        "amount": 0.01,
        "filled_amount": 0.0,
        "average_price": 0.0,
        "reduce_only": False,
        "post_only": False,
        "creation_timestamp": 1767614400000,
        "last_update_timestamp": 1767614400000,
        "api": True,
    } | changes


def trade(**changes: Any) -> Json:
    """Return an execution of that order as the documents show one."""
    return {
        "trade_id": "USDC-1",
        "trade_seq": 1,
        "order_id": "USDC-104819327443",
        "label": OWN,
        "instrument_name": NAME,
        "timestamp": 1767614400000,
        "direction": "buy",
        "liquidity": "T",
        "order_type": "limit",
        "price": 60_000.0,
        "amount": 0.004,
        "fee": 0.12,
        "fee_currency": "USDC",
        "state": "open",
    } | changes


class Desk(VenueDesk):
    venue, symbol = DERIBIT, SYMBOL

    def hear(self, payloads: Json) -> CannedVenue:
        """Let the venue say what a test wrote down from now on, by how a path ends."""
        call(self.client.ready())
        far = CannedVenue(DERIBIT, payloads)
        self.client.exchange.session = InProcessSession(lambda: far)
        return far
