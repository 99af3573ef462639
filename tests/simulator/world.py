"""A simulator in this process, with a clock that tests move by hand, and signed requests to it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus, urlencode
from zlib import crc32

import orjson

from exchanges.domain import OrderType, Side, TimeInForce
from exchanges.simulator.accounts import Account, Pin
from exchanges.simulator.admission import OrderIntent
from exchanges.simulator.core import Simulator
from exchanges.simulator.deliveries import Delivery
from exchanges.simulator.faces.kraken_calls import signature as kraken_signature
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import (
    BITGET,
    BYBIT,
    DERIBIT,
    DYDX,
    GATE,
    HABITS,
    HYPERLIQUID,
    KRAKEN,
    KRAKEN_FUTURES,
    KUCOIN,
    OKX,
    OWNERS,
    SPOT,
    USDM,
    Listing,
    wallet_names,
)
from exchanges.simulator.market import GeneratedMarket
from exchanges.simulator.storage import Storage
from exchanges.simulator.venues import Venues
from exchanges.simulator.wire import WireRequest, milliseconds
from tests.wallets import wallet_of

START = datetime(2026, 1, 5, 12, 0, 30, tzinfo=UTC)
HOSTS = {
    SPOT: "api.binance.com",
    USDM: "fapi.binance.com",
    BYBIT: "api.bybit.com",
    OKX: "www.okx.com",
    HYPERLIQUID: "api.hyperliquid.xyz",
    DYDX: "indexer.dydx.trade",
    BITGET: "api.bitget.com",
    KRAKEN: "api.kraken.com",
    GATE: "api.gateio.ws",
    KRAKEN_FUTURES: "futures.kraken.com",
    KUCOIN: "api-futures.kucoin.com",
    DERIBIT: "www.deribit.com",
}


def bitcoin(venue: str) -> str:
    """Return what a venue calls its contract, or spot market, of BTC against its dollar."""
    names = {
        OKX: "BTC-USDT-SWAP",
        HYPERLIQUID: "BTC",
        DYDX: "BTC-USD",
        GATE: "BTC_USDT",
        KRAKEN: "XBTUSDT",
        KRAKEN_FUTURES: "PF_XBTUSD",
        KUCOIN: "XBTUSDTM",
        DERIBIT: "BTC_USDC-PERPETUAL",
    }
    return names.get(venue, "BTCUSDT")


def signed(secret: str, payload: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A venue's answer as a client reads it."""

    status: int
    body: Any


class World:
    """All venues over one state directory; `at` is the venues' clock."""

    def __init__(
        self,
        directory: Path,
        *,
        seed: int = 7,
        interval_minutes: int = 4,
        expiries: tuple[datetime, ...] = (),
        stablecoins: tuple[str, ...] = (),
        watched: bool = False,
    ) -> None:
        self.directory = directory
        self.at = START
        self._market = GeneratedMarket(
            seed=seed,
            epoch=START,
            interval=timedelta(minutes=interval_minutes),
            expiries=expiries,
            stablecoins=stablecoins,
            watched=watched,
        )
        self._seed = seed
        self._numbers = 0
        self.open()

    def open(self) -> None:
        """Open the state directory, as a new process would."""
        ledger = Ledger(Storage(self.directory))
        self.simulator = Simulator(
            ledger=ledger, market=self._market, seed=self._seed, now=lambda: self.at
        )
        self.venues = Venues(self.simulator)

    def wait(self, **span: float) -> None:
        """Let time pass and one beat happen at its end."""
        self.at += timedelta(**span)
        self.simulator.tick()

    def listing(self, venue: str, symbol: str | None = None) -> Listing:
        return self.simulator.market.listings[(venue, symbol or bitcoin(venue))]

    def account(self, venue: str, *, usdt: str = "100000") -> Account:
        """Return the venue's account with as much of its dollar in each wallet."""
        owner = OWNERS[venue]
        key, secret = f"{owner}-key", f"{owner}-secret"
        if owner == HYPERLIQUID:
            key, secret = wallet_of(owner)
        if owner == KRAKEN:
            # Numbers of a key's requests only grow in a process, and each world begins anew.
            key = f"{key}-{crc32(bytes(self.directory))}"
        if owner == KRAKEN_FUTURES:
            secret = base64.b64encode(secret.encode()).decode()
        if key not in self.simulator.ledger.accounts:
            dollar = HABITS[owner].margin_asset
            wallets = {name: {dollar: Decimal(usdt)} for name in wallet_names(owner)}
            account = Account(
                venue=owner,
                api_key=key,
                secret=secret,
                passphrase=f"{owner}-passphrase",
                uid=1,
                wallets=wallets,
                created_at=self.at,
            )
            self.simulator.ledger.put_account(account)
        return self.simulator.ledger.accounts[key]

    def pin(self, venue: str, symbol: str | None = None, **values: str) -> None:
        """Set price, funding_rate or level_quantity of one listing by hand."""
        symbol = symbol or bitcoin(venue)
        before = self.simulator.ledger.pins.get((venue, symbol), Pin(venue=venue, symbol=symbol))
        changes: Any = {name: Decimal(text) for name, text in values.items()}
        self.simulator.ledger.put_pin(replace(before, **changes))
        self.simulator.books.forget(self.listing(venue, symbol))

    def intent(self, venue: str, side: Side, quantity: str, **changes: Any) -> OrderIntent:
        """Return an order that is a market order unless it has a price."""
        price = changes.pop("price", None)
        intent = OrderIntent(
            listing=self.listing(venue, changes.pop("symbol", None)),
            client_order_id="",
            side=side,
            order_type=OrderType.LIMIT if price else OrderType.MARKET,
            time_in_force=TimeInForce.GTC if price else TimeInForce.IOC,
            base_quantity=Decimal(quantity),
            price=Decimal(price) if price else None,
            reduce_only=False,
        )
        return replace(intent, **changes)

    def place(self, venue: str, side: Side, quantity: str, **changes: Any) -> Any:
        account = self.account(venue)
        intent = self.intent(venue, side, quantity, **changes)
        return self.simulator.place(account, intent, now=self.at)

    def public(self, venue: str, path: str, **parameters: Any) -> Reply:
        request = WireRequest(
            host=HOSTS[venue], method="GET", path=path, query=urlencode(parameters)
        )
        return _reply(self.venues.answer(request))

    def private(self, venue: str, method: str, path: str, **parameters: Any) -> Reply:
        return _reply(self.deliver(venue, method, path, **parameters))

    def deliver(self, venue: str, method: str, path: str, **parameters: Any) -> Delivery:
        """Send a signed request past the fault rules and return how it is delivered."""
        request = self.request(venue, method, path, **parameters)
        return self.venues.answer(request, self.venues.disturbance(request))

    def request(self, venue: str, method: str, path: str, **parameters: Any) -> WireRequest:
        account = self.account(venue)
        if venue == BYBIT:
            return self._bybit_request(account, method, path, parameters)
        if venue == KRAKEN:
            return self._kraken_spot_request(account, method, path, parameters)
        if venue == KRAKEN_FUTURES:
            return _kraken_request(account, method, path, parameters)
        if venue in (OKX, BITGET):
            written = self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            is_okx = venue == OKX
            return self._passphrase_request(
                account,
                method,
                path,
                parameters,
                venue=venue,
                prefix="ok-access" if is_okx else "access",
                stamp=written if is_okx else str(milliseconds(self.at)),
            )
        if venue == GATE:
            return self._gate_request(account, method, path, parameters)
        if venue == KUCOIN:
            return self._kucoin_request(account, method, path, parameters)
        parameters = {"timestamp": milliseconds(self.at), "recvWindow": 5000} | parameters
        payload = urlencode(parameters)
        text = f"{payload}&signature={signed(account.secret, payload)}"
        is_post = method == "POST"
        return WireRequest(
            host=HOSTS[venue],
            method=method,
            path=path,
            query="" if is_post else text,
            body=text.encode() if is_post else b"",
            headers={"x-mbx-apikey": account.api_key},
        )

    def _bybit_request(
        self, account: Account, method: str, path: str, parameters: dict[str, Any]
    ) -> WireRequest:
        stamp = str(milliseconds(self.at))
        is_post = method == "POST"
        payload = orjson.dumps(parameters).decode() if is_post else urlencode(parameters)
        headers = {
            "x-bapi-api-key": account.api_key,
            "x-bapi-timestamp": stamp,
            "x-bapi-recv-window": "5000",
            "x-bapi-sign": signed(account.secret, f"{stamp}{account.api_key}5000{payload}"),
        }
        return WireRequest(
            host=HOSTS[BYBIT],
            method=method,
            path=path,
            query="" if is_post else payload,
            body=payload.encode() if is_post else b"",
            headers=headers,
        )

    def _kraken_spot_request(
        self, account: Account, method: str, path: str, parameters: dict[str, Any]
    ) -> WireRequest:
        self._numbers += 1
        number = milliseconds(self.at) * 1000 + self._numbers
        form = {"nonce": number} | parameters
        body = urlencode(form)
        sign = kraken_signature(account.secret, path, str(form["nonce"]), body)
        return WireRequest(
            host=HOSTS[KRAKEN],
            method=method,
            path=path,
            body=body.encode(),
            headers={"api-key": account.api_key, "api-sign": sign},
        )

    def _gate_request(
        self, account: Account, method: str, path: str, parameters: dict[str, Any]
    ) -> WireRequest:
        stamp = str(milliseconds(self.at) // 1000)
        in_body = method == "POST" and "/positions/" not in path
        query = "" if in_body else urlencode(parameters)
        body = orjson.dumps(parameters) if in_body else b""
        hashed = hashlib.sha512(body).hexdigest()
        text = "\n".join((method, path, unquote_plus(query), hashed, stamp))
        made = hmac.new(account.secret.encode(), text.encode(), hashlib.sha512).hexdigest()
        return WireRequest(
            host=HOSTS[GATE],
            method=method,
            path=path,
            query=query,
            body=body,
            headers={
                "key": account.api_key,
                "timestamp": stamp,
                "sign": made,
                "x-gate-size-decimal": "1",
            },
        )

    def _kucoin_request(
        self, account: Account, method: str, path: str, parameters: dict[str, Any]
    ) -> WireRequest:
        request = self._passphrase_request(
            account,
            method,
            path,
            parameters,
            venue=KUCOIN,
            prefix="kc-api",
            stamp=str(milliseconds(self.at)),
        )
        headers = {
            **request.headers,
            "kc-api-passphrase": base64_of(account.secret, account.passphrase),
            "kc-api-key-version": "3",
        }
        return replace(request, headers=headers)

    def _passphrase_request(
        self,
        account: Account,
        method: str,
        path: str,
        parameters: dict[str, Any],
        *,
        venue: str,
        prefix: str,
        stamp: str,
    ) -> WireRequest:
        is_post = method == "POST"
        payload = orjson.dumps(parameters).decode() if is_post else urlencode(parameters)
        asked = path if is_post or not payload else f"{path}?{payload}"
        text = f"{stamp}{method}{asked}{payload if is_post else ''}"
        return WireRequest(
            host=HOSTS[venue],
            method=method,
            path=path,
            query="" if is_post else payload,
            body=payload.encode() if is_post else b"",
            headers={
                f"{prefix}-key": account.api_key,
                f"{prefix}-passphrase": account.passphrase,
                f"{prefix}-timestamp": stamp,
                f"{prefix}-sign": base64_of(account.secret, text),
            },
        )


def _kraken_request(
    account: Account, method: str, path: str, parameters: dict[str, Any]
) -> WireRequest:
    query = urlencode(parameters)
    text = f"{query}{path.removeprefix('/derivatives')}"
    digest = hmac.new(
        base64.b64decode(account.secret), hashlib.sha256(text.encode()).digest(), hashlib.sha512
    )
    proof = base64.b64encode(digest.digest()).decode()
    headers = {"apikey": account.api_key, "authent": proof}
    return WireRequest(
        host=HOSTS[KRAKEN_FUTURES], method=method, path=path, query=query, headers=headers
    )


def base64_of(secret: str, text: str) -> str:
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _reply(delivery: Delivery) -> Reply:
    response = delivery.response
    assert response is not None
    return Reply(status=response.status, body=orjson.loads(response.body))
