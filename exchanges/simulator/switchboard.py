"""Which socket a client gets for which address, and who is told of what."""

from __future__ import annotations

from urllib.parse import parse_qs

from exchanges.simulator.faces.binance_feeds import BinanceFeed
from exchanges.simulator.faces.binance_sockets import ApiSocket, StreamSocket, UserSocket
from exchanges.simulator.faces.binance_usdm import listen_key_of
from exchanges.simulator.faces.bitget_sockets import PrivateSocket as BitgetPrivateSocket
from exchanges.simulator.faces.bitget_sockets import PublicSocket as BitgetPublicSocket
from exchanges.simulator.faces.bybit_feeds import BybitFeed
from exchanges.simulator.faces.bybit_sockets import PrivateSocket, PublicSocket
from exchanges.simulator.faces.deribit_sockets import Socket as DeribitSocket
from exchanges.simulator.faces.dydx_sockets import Socket as DydxSocket
from exchanges.simulator.faces.gate_sockets import Socket as GateSocket
from exchanges.simulator.faces.hyperliquid_sockets import Socket as HyperliquidSocket
from exchanges.simulator.faces.kraken_futures_sockets import Socket as KrakenFuturesSocket
from exchanges.simulator.faces.kraken_sockets import PrivateSocket as KrakenPrivateSocket
from exchanges.simulator.faces.kraken_sockets import PublicSocket as KrakenPublicSocket
from exchanges.simulator.faces.kucoin_sockets import HOST as KUCOIN_HOST
from exchanges.simulator.faces.kucoin_sockets import socket_of as kucoin_socket_of
from exchanges.simulator.faces.okx_feeds import OkxFeed
from exchanges.simulator.faces.okx_sockets import PrivateSocket as OkxPrivateSocket
from exchanges.simulator.faces.okx_sockets import PublicSocket as OkxPublicSocket
from exchanges.simulator.faces.sockets import VenueSocket
from exchanges.simulator.listings import SPOT, USDM
from exchanges.simulator.venues import Venues

BITGET_HOSTS = "ws.bitget.com", "wspap.bitget.com"
GATE_DOORS = ("fx-ws.gateio.ws", "/v4/ws/usdt"), ("ws-testnet.gate.com", "/v4/ws/futures/usdt")
DERIBIT_HOSTS = "www.deribit.com", "test.deribit.com"
KRAKEN_FUTURES_HOSTS = "futures.kraken.com", "demo-futures.kraken.com"
HYPERLIQUID_HOSTS = "api.hyperliquid.xyz", "api.hyperliquid-testnet.xyz"


class Switchboard:
    """Opens venue sockets; feeds are shared by all of them."""

    def __init__(self, venues: Venues) -> None:
        self._simulator = venues.simulator
        self._binance = {
            "stream.binance.com": (SPOT, BinanceFeed(self._simulator, SPOT)),
            "fstream.binance.com": (USDM, BinanceFeed(self._simulator, USDM)),
        }
        self._bybit = {
            f"/v5/public/{category}": BybitFeed(self._simulator, category)
            for category in ("linear", "inverse", "spot")
        }
        self._okx = OkxFeed(self._simulator)

    def open(self, host: str, path: str, query: str) -> VenueSocket | None:
        """Return the venue's end of a new socket, or None where no socket answers."""
        if host == "ws-api.binance.com":
            return ApiSocket(self._simulator)
        if host in self._binance:
            return self._binance_socket(host, path, query)
        if host == "stream.bybit.com" and path == "/v5/private":
            return PrivateSocket(self._simulator)
        if host == "stream.bybit.com" and path in self._bybit:
            return PublicSocket(self._bybit[path])
        if host in HYPERLIQUID_HOSTS and path == "/ws":
            return HyperliquidSocket(self._simulator)
        if host == "indexer.dydx.trade" and path == "/v4/ws":
            return DydxSocket(self._simulator)
        if host == "ws.okx.com" and path == "/ws/v5/public":
            return OkxPublicSocket(self._okx)
        if host == "ws.okx.com" and path == "/ws/v5/private":
            return OkxPrivateSocket(self._simulator)
        if host in BITGET_HOSTS and path == "/v2/ws/public":
            return BitgetPublicSocket(self._simulator)
        if host in BITGET_HOSTS and path == "/v2/ws/private":
            return BitgetPrivateSocket(self._simulator)
        if (host, path) in GATE_DOORS:
            return GateSocket(self._simulator, host)
        if host in DERIBIT_HOSTS and path == "/ws/api/v2":
            return DeribitSocket(self._simulator, host)
        if host in KRAKEN_FUTURES_HOSTS and path == "/ws/v1":
            return KrakenFuturesSocket(self._simulator)
        if host == "ws.kraken.com" and path == "/v2":
            return KrakenPublicSocket(self._simulator)
        if host == "ws-auth.kraken.com" and path == "/v2":
            return KrakenPrivateSocket(self._simulator)
        if host == KUCOIN_HOST:
            return kucoin_socket_of(self._simulator, query)
        return None

    def _binance_socket(self, host: str, path: str, query: str) -> VenueSocket | None:
        venue, feed = self._binance[host]
        parameters = parse_qs(query)
        last = path.rpartition("/")[2]
        if path.endswith("/stream"):
            streams = parameters.get("streams", [""])[0].split("/")
            return StreamSocket(feed, venue, filter(None, streams), is_combined=True)
        listen_key = parameters.get("listenKey", [last])[0]
        for account in self._simulator.ledger.accounts.values():
            if venue == USDM and listen_key == listen_key_of(account):
                return UserSocket(self._simulator, account)
        if "listenKey" in parameters:
            return None
        streams = [last] if "@" in last or last.startswith("!") else []
        return StreamSocket(feed, venue, streams, is_combined=False)
