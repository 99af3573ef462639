"""An account at the simulated Kraken Futures, through the real adapter, no sockets."""

from __future__ import annotations

from exchanges.domain import Symbol
from exchanges.simulator.listings import KRAKEN_FUTURES
from tests.protocol.venue_desk import VenueDesk

SYMBOL, PF = Symbol("BTC/USD:USD"), "PF_XBTUSD"
NUMBER = "179f9af8-e45e-469d-b3e9-2fd4675cb7d0"


class Desk(VenueDesk):
    venue, symbol = KRAKEN_FUTURES, SYMBOL
