"""The client library the way money needs it.

No retries by the library, Decimal numbers, own keep-alive connections, strict JSON, and every error
carries the answer that caused it. In rehearsal the session alone is redirected to the simulator:
the library keeps the venues' real host names, on which its error tables depend.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from types import MappingProxyType
from typing import Any

import aiohttp
import ccxt.pro
import certifi
import yarl
from ccxt.async_support.base.exchange import Exchange
from ccxt.base.decimal_to_precision import decimal_to_precision

from exchanges.ccxt_adapter.calls.binance import BinanceUsdmCalls
from exchanges.ccxt_adapter.calls.bitget import BitgetCalls
from exchanges.ccxt_adapter.calls.deribit import DeribitCalls
from exchanges.ccxt_adapter.calls.dydx import DydxCalls
from exchanges.ccxt_adapter.calls.gate import GateCalls
from exchanges.ccxt_adapter.calls.hyperliquid import HyperliquidCalls
from exchanges.ccxt_adapter.calls.kraken import KrakenCalls
from exchanges.ccxt_adapter.calls.kraken_futures import KrakenFuturesCalls
from exchanges.ccxt_adapter.calls.kucoin import KucoinCalls
from exchanges.ccxt_adapter.calls.mexc import MexcCalls
from exchanges.ccxt_adapter.calls.spot_legs import BitfinexCalls, CoinbaseCalls
from exchanges.ccxt_adapter.faults import RATE_LIMIT_STATUSES, Answer
from exchanges.ccxt_adapter.pace import Asker, Pace
from exchanges.ccxt_adapter.parse import milliseconds
from exchanges.ccxt_adapter.sent import note_sent
from exchanges.errors import Block
from exchanges.limits.buckets import Use
from exchanges.limits.limiter import Limiter
from exchanges.venues.practice import Practice
from exchanges.venues.profile import VenueProfile

# Venues close idle connections after 15 s and more; a ping in time keeps one open for the order.
KEEP_ALIVE_SECONDS = 60.0
ORDER_TIMEOUT_SECONDS = 4.0
READ_TIMEOUT_SECONDS = 10.0
SOCKET_KEEP_ALIVE_MS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One API key. Nothing of it is shown but its name and the tenant it belongs to."""

    name: str = ""
    tenant: str = ""
    api_key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The clock of a client and what carries its requests; the simulation hands in its own.

    `now` may be set, `monotonic` only counts seconds. `session` returns what the library uses like
    an aiohttp session; None opens a real one.
    `limiter` paces the requests, None lets them all pass; `address` is where they come from.
    `note` hears of each call's symptom, empty for a proper answer, `note_block` of a venue that
    refuses everything from this address.
    """

    now: Callable[[], datetime] = _now
    monotonic: Callable[[], float] = time.monotonic
    session: Callable[[], Any] | None = None
    limiter: Limiter | None = None
    address: str = ""
    note: Callable[[str], None] = lambda symptom: None
    note_block: Callable[[Block], None] = lambda block: None


REAL = Surroundings()

# Between our base and the library's class, where one venue's calls are made otherwise.
OWN_CALLS: dict[str, type[Exchange]] = {
    "binanceusdm": BinanceUsdmCalls,
    "bitfinex": BitfinexCalls,
    "bitget": BitgetCalls,
    "coinbase": CoinbaseCalls,
    "deribit": DeribitCalls,
    "dydx": DydxCalls,
    "gate": GateCalls,
    "hyperliquid": HyperliquidCalls,
    "kraken": KrakenCalls,
    "krakenfutures": KrakenFuturesCalls,
    "kucoin": KucoinCalls,
    "mexc": MexcCalls,
}

# In which the library names its author as our broker.
BROKER_HEADERS = (
    *("Referer", "X-CHANNEL-API-CODE", "X-Gate-Channel-Id"),
    *("KC-API-PARTNER", "KC-API-PARTNER-SIGN", "KC-API-PARTNER-VERIFY"),
)

# What the request that is under way counts in, for the answer's headers to be compared with.
_uses: ContextVar[Sequence[Use]] = ContextVar("uses", default=())


class RedirectedSession:
    """An aiohttp session whose every request and socket goes to the simulator instead.

    The venue's host becomes the first part of the path; signatures do not cover it.
    """

    def __init__(self, session: aiohttp.ClientSession, simulator_url: str) -> None:
        self._session = session
        self._simulator = yarl.URL(simulator_url)

    def get(self, url: str | yarl.URL, **options: Any) -> Any:
        return self._session.get(self._redirect(url), **options)

    def post(self, url: str | yarl.URL, **options: Any) -> Any:
        return self._session.post(self._redirect(url), **options)

    def put(self, url: str | yarl.URL, **options: Any) -> Any:
        return self._session.put(self._redirect(url), **options)

    def delete(self, url: str | yarl.URL, **options: Any) -> Any:
        return self._session.delete(self._redirect(url), **options)

    def ws_connect(self, url: str | yarl.URL, **options: Any) -> Any:
        return self._session.ws_connect(self._redirect(url), **options)

    @property
    def headers(self) -> Mapping[str, str]:
        return self._session.headers

    @property
    def cookie_jar(self) -> aiohttp.abc.AbstractCookieJar:
        return self._session.cookie_jar

    @property
    def closed(self) -> bool:
        return self._session.closed

    async def close(self) -> None:
        await self._session.close()

    def _redirect(self, url: str | yarl.URL) -> yarl.URL:
        asked = yarl.URL(url)
        scheme = "ws" if asked.scheme in ("ws", "wss") else "http"
        address = f"{scheme}://{self._simulator.authority}/{asked.host}{asked.raw_path_qs}"
        return yarl.URL(address, encoded=True)


class _Careful(Exchange):  # type: ignore[misc]  # the library has no types
    """Goes before a ccxt.pro class: own connections, strict JSON, errors that carry the answer."""

    session: Any
    simulator_url: str | None = None
    surroundings: Surroundings = REAL
    deadline_header: str = ""
    receive_window: timedelta = timedelta(0)
    pace: Pace | None = None
    resets_header = waits_header = ""
    practice: Practice | None = None

    async def fetch2(
        self,
        path: str,
        api: Any = "public",
        method: str = "GET",
        params: Any = MappingProxyType({}),
        config: Any = MappingProxyType({}),
    ) -> Any:
        """Send one request when the venue's quotas have room for it; sign it only then."""
        group, uses = api if isinstance(api, str) else api[0], []
        if self.pace is not None:
            uses = await self.pace.wait(group, method, path, params)
        note_sent(self.surroundings.now())
        asked, sent_at = _uses.set(uses), time.monotonic()
        try:
            return await super().fetch2(path, api, method, params, config)
        except ccxt.BaseError as error:
            answer = getattr(error, "answer", None)
            if answer is not None and self.pace is not None:
                await self._keep_silence(self.pace, group, answer)
            raise
        except asyncio.CancelledError:
            # Whoever asked gave up before the library did.
            if time.monotonic() - sent_at >= ORDER_TIMEOUT_SECONDS:
                self.surroundings.note("the venue did not answer in time")
            raise
        finally:
            _uses.reset(asked)

    async def _keep_silence(self, pace: Pace, group: str, answer: Answer) -> None:
        if blocked := await pace.refused(group, answer):
            self.surroundings.note_block(blocked)

    def open(self, lazy: bool = False) -> None:
        if self.session is None and not (lazy and self.closed_by_user):
            session = self.surroundings.session
            self.session = session() if session else _new_session(self.simulator_url)
        super().open(lazy)

    def milliseconds(self) -> int:
        """Return the moment that requests are signed with."""
        return milliseconds(self.surroundings.now())

    def sign(self, *args: Any, **kwargs: Any) -> Any:
        """Sign as the library does, without naming its author as our broker.

        What changes something is not to be done late: a header bounds it where signing does not.
        """
        request = super().sign(*args, **kwargs)
        headers = request["headers"]
        for name in BROKER_HEADERS if headers else ():
            headers.pop(name, None)
        if headers and self.deadline_header and request["method"] == "POST":
            until = int(self.nonce()) + self.receive_window // timedelta(milliseconds=1)
            headers[self.deadline_header] = str(until)
        return request

    def handle_errors(
        self,
        code: int,
        reason: str,
        url: str,
        method: str,
        headers: Mapping[str, str],
        body: str,
        response: object,
        request_headers: object,
        request_body: object,
    ) -> None:
        """Raise as the library does, keep the answer with the error, refuse what is not JSON."""
        # What is refused for its number is told how long to wait: the count is over by then.
        if self.pace is not None and code not in RATE_LIMIT_STATUSES:
            self.pace.heard(_uses.get(), headers)
        try:
            super().handle_errors(
                code,
                reason,
                url,
                method,
                headers,
                body,
                response,
                request_headers,
                request_body,
            )
            self.handle_http_status_code(code, reason, url, method, body)
            if response is None:
                raise ccxt.BadResponse("not JSON")
        except ccxt.BaseError as error:
            secrets = (self.apiKey, self.secret, self.password, self.privateKey)
            error.answer = Answer.read(
                code,
                headers,
                response,
                body=body,
                secrets=secrets,
                now=self.surroundings.now(),
                resets_header=self.resets_header,
                waits_header=self.waits_header,
            )
            raise


def _new_session(simulator_url: str | None) -> Any:
    """Return a session of the running loop that keeps its connections open."""
    if simulator_url:
        connector = aiohttp.TCPConnector(keepalive_timeout=KEEP_ALIVE_SECONDS)
        session = aiohttp.ClientSession(connector=connector)
        return RedirectedSession(session, simulator_url)
    context = ssl.create_default_context(cafile=certifi.where())
    connector = aiohttp.TCPConnector(ssl=context, keepalive_timeout=KEEP_ALIVE_SECONDS)
    return aiohttp.ClientSession(connector=connector)


def create_exchange(
    profile: VenueProfile,
    *,
    credential: Credential | None = None,
    simulator_url: str | None = None,
    surroundings: Surroundings = REAL,
    practice: Practice | None = None,
) -> Any:
    """Return a ccxt.pro instance, for orders with a credential; the library itself queues nothing.

    With `practice` it speaks to that place alone.

    Its own limiter knows neither the other processes nor what the venue has counted.
    """
    base = getattr(ccxt.pro, profile.ccxt_class)
    timeout = ORDER_TIMEOUT_SECONDS if credential else READ_TIMEOUT_SECONDS
    config: dict[str, Any] = {
        "number": Decimal,
        "enableRateLimit": False,
        "timeout": int(timeout * 1000),
        "has": {"fetchCurrencies": False},
        "streaming": {"keepAlive": SOCKET_KEEP_ALIVE_MS},
        "options": {**profile.options, "maxRetriesOnFailure": 0},
    }
    if credential is not None:
        given = (credential.api_key, credential.secret, credential.passphrase)
        config |= dict(zip(profile.key_names, given, strict=False))
    bases = (_Careful, *filter(None, [OWN_CALLS.get(profile.ccxt_class)]), base)
    exchange = type(f"Careful{profile.ccxt_class}", bases, {})(config)
    exchange.simulator_url, exchange.surroundings = simulator_url, surroundings
    exchange.decimal_to_precision = _to_precision
    for name in BROKER_HEADERS:
        exchange.headers.pop(name, None)
    if practice is not None:
        exchange.urls["api"] = dict(practice.addresses)
        exchange.headers = {**exchange.headers, **practice.headers}
        exchange.practice = practice
    exchange.deadline_header = profile.deadline_header
    exchange.receive_window = profile.receive_window
    exchange.resets_header = profile.quotas.resets_header
    exchange.waits_header = profile.quotas.waits_header
    exchange.pace = _pace(profile, credential, surroundings)
    if simulator_url is not None or surroundings.session is not None:
        # The library lets TLS say goodbye for as long, and here is none.
        exchange.timeout_on_exit = 0
    # At DEBUG the library logs whole requests, keys and signatures included.
    exchange.logger.setLevel(logging.INFO)
    _refuse_retries(exchange.options)
    return exchange


def _to_precision(*args: Any, **kwargs: Any) -> Any:
    """Round as the library does, which leaves its own rounding and traps to all that come after."""
    with localcontext():
        return decimal_to_precision(*args, **kwargs)


def _pace(
    profile: VenueProfile, credential: Credential | None, surroundings: Surroundings
) -> Pace | None:
    if surroundings.limiter is None:
        return None
    asker = Asker(address=surroundings.address)
    if credential is not None:
        asker = replace(asker, key=credential.name, tenant=credential.tenant)
    return Pace(profile, surroundings.limiter, asker)


def _refuse_retries(options: Mapping[str, Any]) -> None:
    """Raise where any option would make the library send an order again by itself."""
    nested = [value for value in options.values() if isinstance(value, dict)]
    if any(part.get("maxRetriesOnFailure", 0) != 0 for part in [options, *nested]):
        raise RuntimeError("the library must not retry: an order could be placed twice")
