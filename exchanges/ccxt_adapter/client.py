"""Builds ccxt.pro instances the way money needs them, and keeps what they list.

No retries by the library, Decimal numbers, own keep-alive connections, strict JSON, and every error
carries the answer that caused it. In rehearsal the session alone is redirected to the simulator:
the library keeps the venues' real host names, on which its error tables depend.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from time import monotonic
from typing import Any

import aiohttp
import ccxt.pro
import certifi
import yarl
from ccxt.async_support.base.exchange import Exchange

from exchanges.ccxt_adapter.faults import Answer, reading
from exchanges.ccxt_adapter.listing import Listing, Listings, read_listings
from exchanges.ccxt_adapter.parse import exact
from exchanges.ccxt_adapter.rows import fetch_rows
from exchanges.domain import Symbol
from exchanges.errors import InvalidOrder, VenueError
from exchanges.venues.profile import VenueProfile

# Venues close idle connections after 15 s and more; a ping in time keeps one open for the order.
KEEP_ALIVE_SECONDS = 60.0
PING_SECONDS = 10.0
ORDER_TIMEOUT_SECONDS = 4.0
READ_TIMEOUT_SECONDS = 10.0
SOCKET_KEEP_ALIVE_MS = 10_000
# Ticks, lots and limits change now and then; a symbol we do not know may just have been listed.
RELIST_SECONDS = 3600.0
RELIST_MISSING_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One API key. Nothing of it is shown."""

    api_key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)


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

    def open(self, lazy: bool = False) -> None:
        if self.session is None and not (lazy and self.closed_by_user):
            self.session = _new_session(self.simulator_url)
        super().open(lazy)

    def sign(self, *args: Any, **kwargs: Any) -> Any:
        """Sign as the library does, without naming its author as our broker."""
        request = super().sign(*args, **kwargs)
        if request["headers"]:
            request["headers"].pop("Referer", None)
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
            secrets = (self.apiKey, self.secret, self.password)
            error.answer = Answer.read(code, headers, response, secrets=secrets)
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
    profile: VenueProfile, *, credential: Credential | None = None, simulator_url: str | None = None
) -> Any:
    """Return a ccxt.pro instance. With a credential it is one for orders: no queue before them."""
    base = getattr(ccxt.pro, profile.ccxt_class)
    timeout = ORDER_TIMEOUT_SECONDS if credential else READ_TIMEOUT_SECONDS
    config: dict[str, Any] = {
        "number": Decimal,
        "enableRateLimit": credential is None,
        "timeout": int(timeout * 1000),
        "has": {"fetchCurrencies": False},
        "streaming": {"keepAlive": SOCKET_KEEP_ALIVE_MS},
        "options": {**profile.options, "maxRetriesOnFailure": 0},
    }
    if credential is not None:
        config |= {
            "apiKey": credential.api_key,
            "secret": credential.secret,
            "password": credential.passphrase,
        }
    exchange = type(f"Careful{profile.ccxt_class}", (_Careful, base), {})(config)
    exchange.simulator_url = simulator_url
    _refuse_retries(exchange.options)
    return exchange


def _refuse_retries(options: Mapping[str, Any]) -> None:
    """Raise where any option would make the library send an order again by itself."""
    nested = [value for value in options.values() if isinstance(value, dict)]
    if any(part.get("maxRetriesOnFailure", 0) != 0 for part in [options, *nested]):
        raise RuntimeError("the library must not retry: an order could be placed twice")


class Catalogue:
    """What one venue lists, loaded once per process and shared by all its clients."""

    def __init__(self, profile: VenueProfile) -> None:
        self.profile = profile
        self.listings = Listings()
        self.generation = 0
        self.loaded_at = -math.inf
        self.source: Any = None
        self._lock = asyncio.Lock()

    async def load(self, exchange: Any, *, newer_than: int) -> None:
        """Read what the venue lists unless another client did since `newer_than`."""
        async with self._lock:
            if self.generation > newer_than:
                return
            markets = await exchange.load_markets(True)
            maintenance = await self._maintenance_rates(exchange)
            self.listings = read_listings(self.profile, markets.values(), maintenance)
            self.source = exchange
            self.loaded_at = monotonic()
            self.generation += 1

    def is_older_than(self, seconds: float) -> bool:
        """Tell whether the venue was last asked longer ago than that."""
        return monotonic() - self.loaded_at > seconds

    async def _maintenance_rates(self, exchange: Any) -> dict[str, Decimal]:
        tiers = self.profile.leverage_tiers
        if tiers is None:
            return {}
        columns = tiers.columns
        return {
            row[columns["symbol"]]: exact(row[columns["maintenance"]])
            for row in await fetch_rows(exchange, tiers)
            if row[columns["is_lowest"]]
        }


class VenueClient:
    """One ccxt instance of one credential (or none) with the listings of its venue."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        credential: Credential | None = None,
        simulator_url: str | None = None,
    ) -> None:
        self.profile = catalogue.profile
        self.exchange = create_exchange(
            self.profile, credential=credential, simulator_url=simulator_url
        )
        self._catalogue = catalogue
        self._generation = 0
        self._pings: asyncio.Task[None] | None = None

    async def ready(self) -> Listings:
        """Return the listings; load them, or take them from another client, where needed."""
        if self._catalogue.generation == 0:
            await reading(self.profile, self._catalogue.load(self.exchange, newer_than=0))
        if self._generation != self._catalogue.generation:
            if self._catalogue.source is not self.exchange:
                self.exchange.set_markets_from_exchange(self._catalogue.source)
            self._generation = self._catalogue.generation
        return self._catalogue.listings

    async def refresh(self) -> Listings:
        """Read anew what the venue lists, for all clients of this venue."""
        load = self._catalogue.load(self.exchange, newer_than=self._catalogue.generation)
        await reading(self.profile, load)
        return await self.ready()

    async def listing(self, symbol: Symbol) -> Listing:
        """Return one listing. Raise InvalidOrder with the symbol where there is none."""
        found = (await self.ready()).by_symbol.get(symbol)
        # It may be new: what we know is from when this process last asked.
        if found is None and self._catalogue.is_older_than(RELIST_MISSING_SECONDS):
            found = (await self.refresh()).by_symbol.get(symbol)
        if found is None:
            raise InvalidOrder(
                f"{symbol} is not listed here as spot or linear contract", venue=self.profile.name
            )
        return found

    def keep_warm(self) -> None:
        """Keep a connection open and the listings fresh from now on, for the order to come."""
        if self._pings is None:
            self._pings = asyncio.create_task(self._ping_forever())

    async def close(self) -> None:
        if self._pings is not None:
            self._pings.cancel()
            self._pings = None
        await self.exchange.close()

    async def _ping_forever(self) -> None:
        while True:
            # A venue that is down is noticed by those who ask it something.
            with contextlib.suppress(VenueError):
                await reading(self.profile, self.exchange.fetch_time())
                if self._catalogue.is_older_than(RELIST_SECONDS):
                    await self.refresh()
            await asyncio.sleep(PING_SECONDS)
