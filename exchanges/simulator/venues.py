"""All venues behind one door: which host is whose, faults, and the access log.

A request passes in two steps, so that a transport can wait between them: `disturbance` picks the
fault, `answer` lets the venue act. The access log says what the venue saw and what it answered.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from exchanges.simulator.core import Simulator
from exchanges.simulator.deliveries import Delivery, Ending, early_delivery, late_delivery
from exchanges.simulator.faces.binance_spot import BinanceSpotFace
from exchanges.simulator.faces.binance_usdm import BinanceUsdmFace
from exchanges.simulator.faces.bitget import BitgetFace
from exchanges.simulator.faces.bybit import BybitFace
from exchanges.simulator.faces.deribit import DeribitFace
from exchanges.simulator.faces.dydx import DydxFace
from exchanges.simulator.faces.gate import GateFace
from exchanges.simulator.faces.hyperliquid import HyperliquidFace
from exchanges.simulator.faces.kraken import KrakenFace
from exchanges.simulator.faces.kraken_futures import KrakenFuturesFace
from exchanges.simulator.faces.kucoin import KucoinFace
from exchanges.simulator.faces.okx import OkxFace
from exchanges.simulator.faults import Action, FaultRule, Faults
from exchanges.simulator.listings import (
    BITGET,
    BYBIT,
    BYBIT_SPOT,
    DERIBIT,
    DYDX,
    GATE,
    HYPERLIQUID,
    KRAKEN,
    KRAKEN_FUTURES,
    KUCOIN,
    OKX,
    SPOT,
    USDM,
)
from exchanges.simulator.usage import Meter, usage_headers
from exchanges.simulator.wire import Face, WireRequest

VENUE_OF_HOST = {
    "api.binance.com": SPOT,
    "stream.binance.com": SPOT,
    "ws-api.binance.com": SPOT,
    "fapi.binance.com": USDM,
    "fstream.binance.com": USDM,
    "ws-fapi.binance.com": USDM,
    "api.bybit.com": BYBIT,
    "stream.bybit.com": BYBIT,
    "www.okx.com": OKX,
    "ws.okx.com": OKX,
    # Where practice keys are taken.
    "demo-api.binance.com": SPOT,
    "demo-ws-api.binance.com": SPOT,
    "demo-fapi.binance.com": USDM,
    "fstream.binancefuture.com": USDM,
    "api-demo.bybit.com": BYBIT,
    "stream-demo.bybit.com": BYBIT,
    "wspap.okx.com": OKX,
    "api.hyperliquid.xyz": HYPERLIQUID,
    "api.hyperliquid-testnet.xyz": HYPERLIQUID,
    "indexer.dydx.trade": DYDX,
    "api.bitget.com": BITGET,
    "ws.bitget.com": BITGET,
    "wspap.bitget.com": BITGET,
    "api.kraken.com": KRAKEN,
    "ws.kraken.com": KRAKEN,
    "ws-auth.kraken.com": KRAKEN,
    "api.gateio.ws": GATE,
    "fx-ws.gateio.ws": GATE,
    "api-testnet.gateapi.io": GATE,
    "ws-testnet.gate.com": GATE,
    "futures.kraken.com": KRAKEN_FUTURES,
    "demo-futures.kraken.com": KRAKEN_FUTURES,
    "www.deribit.com": DERIBIT,
    "test.deribit.com": DERIBIT,
    "api-futures.kucoin.com": KUCOIN,
    "ws-api-futures.kucoin.com": KUCOIN,
    # Where the rights of a key are told.
    "api.kucoin.com": KUCOIN,
}
# Under which venue's name the requests for another are known.
HOMES = {BYBIT_SPOT: BYBIT}


class Venues:
    """The venues' REST interfaces over one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.faults = Faults()
        self.meter = Meter()
        self.bybit = BybitFace(simulator)
        self.spot = BinanceSpotFace(simulator)
        self.usdm = BinanceUsdmFace(simulator)
        self.okx = OkxFace(simulator)
        self.hyperliquid = HyperliquidFace(simulator)
        self._faces: dict[str, Face] = {
            SPOT: self.spot,
            USDM: self.usdm,
            BYBIT: self.bybit,
            OKX: self.okx,
            HYPERLIQUID: self.hyperliquid,
            DYDX: DydxFace(simulator),
            BITGET: BitgetFace(simulator),
            KRAKEN: KrakenFace(simulator),
            GATE: GateFace(simulator),
            KRAKEN_FUTURES: KrakenFuturesFace(simulator),
            KUCOIN: KucoinFace(simulator),
            DERIBIT: DeribitFace(simulator),
        }

    def knows(self, host: str) -> bool:
        return host in VENUE_OF_HOST

    def disturbance(self, request: WireRequest) -> FaultRule | None:
        """Return the fault that strikes this request, if any; each call counts as one match."""
        venue = VENUE_OF_HOST[request.host]
        client_order_id = self._faces[venue].client_order_id(request)
        return self.faults.of_request(request, venue, client_order_id)

    def answer(self, request: WireRequest, rule: FaultRule | None = None) -> Delivery:
        """Let the venue act on a request, disturbed by `rule`, and return what to deliver."""
        venue = VENUE_OF_HOST[request.host]
        now, dialect = self.simulator.now(), self._faces[venue].dialect
        early = early_delivery(rule, dialect, now) if rule else None
        if early is not None:
            outcome = early.response.outcome if early.response else "dropped"
            self._log(venue, request, outcome=outcome, ending=early.ending)
            return early
        self.simulator.advance(now)
        response = self._faces[venue].handle(request, now=now)
        key = request.headers.get(self._faces[venue].key_header, "")
        usage = usage_headers(self.meter, venue, request, key, now)
        response = replace(response, headers={**response.headers, **usage})
        delivery = Delivery(ending=Ending.ANSWER, response=response)
        if rule is not None:
            hidden = rule.seconds if rule.action is Action.HIDE_ORDER else rule.hidden_seconds
            if hidden:
                self._hide_order(venue, request, seconds=hidden)
            delivery = late_delivery(rule, response)
        self._log(venue, request, outcome=response.outcome, ending=delivery.ending)
        # Market data is read many times a second; only what concerns money must be on disk now.
        if key:
            self.simulator.ledger.commit()
        return delivery

    def _hide_order(self, venue: str, request: WireRequest, *, seconds: float) -> None:
        client_order_id = self._faces[venue].client_order_id(request)
        for order in self.simulator.ledger.orders.values():
            home = HOMES.get(order.venue, order.venue)
            if home == venue and order.client_order_id == client_order_id:
                order.visible_at = order.created_at + timedelta(seconds=seconds)
                self.simulator.ledger.put_order(order)

    def _log(self, venue: str, request: WireRequest, *, outcome: str, ending: Ending) -> None:
        client_order_id = self._faces[venue].client_order_id(request)
        entry = {
            "time": self.simulator.now().isoformat(),
            "venue": venue,
            "method": request.method,
            "path": request.path,
            "client_order_id": client_order_id,
            "outcome": outcome,
            "delivery": ending.value,
        }
        self.simulator.ledger.append_access(client_order_id, entry)
