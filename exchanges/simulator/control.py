"""The control port: accounts, faults, market controls, and the books for an outside observer."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson
from aiohttp import web

from exchanges.domain import OrderType, Side, TimeInForce
from exchanges.simulator.accounts import Account, Origin, Pin
from exchanges.simulator.admission import OrderIntent, Refusal
from exchanges.simulator.listings import BYBIT, USDM, Listing
from exchanges.simulator.observer import ledger_view
from exchanges.simulator.venues import Venues
from exchanges.simulator.wire import Json, decimal_of

FIRST_UID = 700_000


class ControlRefusal(Exception):
    """A control request that cannot be done; becomes HTTP 400 with its sentence."""


class ControlDoor:
    """Handlers of the control port."""

    def __init__(self, venues: Venues, sockets: Callable[[], list[dict[str, object]]]) -> None:
        self._venues = venues
        self._sockets = sockets
        self._simulator = venues.simulator

    def app(self) -> web.Application:
        app = web.Application(middlewares=[refusals])
        app.add_routes(
            [
                web.get("/health", self._health),
                web.get("/ledger", self._ledger),
                web.get("/access-log", self._access_log),
                web.post("/accounts", self._add_account),
                web.get("/faults", self._list_faults),
                web.post("/faults", self._add_fault),
                web.delete("/faults", self._clear_faults),
                web.post("/market", self._pin),
                web.post("/foreign-order", self._foreign_order),
                web.post("/liquidate", self._liquidate),
            ]
        )
        return app

    async def _health(self, request: web.Request) -> web.Response:
        listings = self._simulator.market.listings
        symbols = sorted({f"{venue}:{symbol}" for venue, symbol in listings})
        now = self._simulator.now().isoformat()
        return answer({"time": now, "listings": symbols, "sockets": self._sockets()})

    async def _ledger(self, request: web.Request) -> web.Response:
        now = self._simulator.now()
        self._simulator.advance(now)
        return answer(ledger_view(self._simulator, now, api_key=request.query.get("api_key")))

    async def _access_log(self, request: web.Request) -> web.Response:
        after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", 1000))
        entries = self._simulator.ledger.accesses(after=after, limit=limit)
        return answer({"entries": entries})

    async def _add_account(self, request: web.Request) -> web.Response:
        body = await read_json(request)
        api_key = text(body, "api_key")
        known = self._simulator.ledger.accounts.get(api_key)
        if known is not None:
            return answer({"created": False, "uid": known.uid})
        venue = text(body, "venue")
        names = {"binance": ("spot", "usdm"), "binanceusdm": ("spot", "usdm"), BYBIT: ("unified",)}
        if venue not in names:
            raise ControlRefusal(f"venue {venue!r} is none of binance, bybit")
        account = Account(
            venue=BYBIT if venue == BYBIT else "binance",
            api_key=api_key,
            secret=text(body, "api_secret"),
            uid=FIRST_UID + len(self._simulator.ledger.accounts),
            wallets=wallets(body.get("balances", {}), names[venue]),
            is_hedge_mode=bool(body.get("hedge_mode", False)),
            may_withdraw=bool(body.get("may_withdraw", False)),
            created_at=self._simulator.now(),
        )
        self._simulator.ledger.put_account(account)
        self._simulator.ledger.commit()
        return answer({"created": True, "uid": account.uid})

    async def _list_faults(self, request: web.Request) -> web.Response:
        return answer({"faults": self._venues.faults.listed()})

    async def _add_fault(self, request: web.Request) -> web.Response:
        try:
            rule = self._venues.faults.add(await read_json(request))
        except (ValueError, TypeError) as error:
            raise ControlRefusal(str(error)) from error
        return answer({"rule_id": rule.rule_id})

    async def _clear_faults(self, request: web.Request) -> web.Response:
        return answer({"cleared": self._venues.faults.clear()})

    async def _pin(self, request: web.Request) -> web.Response:
        body = await read_json(request)
        listing = self._listing(body)
        ledger, now = self._simulator.ledger, self._simulator.now()
        self._simulator.advance(now)
        before = ledger.pins.get(listing.key, Pin(venue=listing.venue, symbol=listing.symbol))
        if body.get("release"):
            before = Pin(venue=listing.venue, symbol=listing.symbol)
        frozen = self._simulator.market.mark(listing, now) if body.get("freeze") else None
        pin = Pin(
            venue=listing.venue,
            symbol=listing.symbol,
            price=number(body, "price") or before.price or frozen,
            funding_rate=_either(number(body, "funding_rate"), before.funding_rate),
            level_quantity=number(body, "level_quantity") or before.level_quantity,
        )
        ledger.put_pin(pin)
        ledger.commit()
        self._simulator.books.forget(listing)
        return answer({"pin": pin})

    async def _foreign_order(self, request: web.Request) -> web.Response:
        """Trade by hand on an account, as if its owner had used the venue's own page."""
        body = await read_json(request)
        account, listing = self._account(body), self._listing(body)
        price = number(body, "price")
        intent = OrderIntent(
            listing=listing,
            client_order_id=str(body.get("client_order_id", "")),
            side=Side(text(body, "side").lower()),
            order_type=OrderType.LIMIT if price else OrderType.MARKET,
            time_in_force=TimeInForce.GTC if price else TimeInForce.IOC,
            base_quantity=number(body, "base_quantity") or Decimal(0),
            price=price,
            reduce_only=bool(body.get("reduce_only", False)),
            origin=Origin.FOREIGN,
        )
        now = self._simulator.now()
        self._simulator.advance(now)
        result = self._simulator.place(account, intent, now=now)
        self._simulator.ledger.commit()
        if isinstance(result, Refusal):
            raise ControlRefusal(result.detail)
        return answer({"order": result})

    async def _liquidate(self, request: web.Request) -> web.Response:
        body = await read_json(request)
        account, listing = self._account(body), self._listing(body)
        now = self._simulator.now()
        self._simulator.advance(now)
        order = self._simulator.engine.close_at_mark(account, listing, now=now)
        self._simulator.ledger.commit()
        if order is None:
            raise ControlRefusal(f"{account.api_key} holds no {listing.symbol}")
        return answer({"order": order})

    def _account(self, body: Json) -> Account:
        account = self._simulator.ledger.accounts.get(text(body, "api_key"))
        if account is None:
            raise ControlRefusal(f"no account has the key {body['api_key']!r}")
        return account

    def _listing(self, body: Json) -> Listing:
        """Accept the venue's own symbol or the unified one."""
        symbol = text(body, "symbol").split(":")[0].replace("/", "")
        listing = self._simulator.market.listings.get((body.get("venue", USDM), symbol))
        if listing is None:
            raise ControlRefusal(f"{body.get('venue')} lists no {body['symbol']!r}")
        return listing


def _either(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return second if first is None else first


@web.middleware
async def refusals(
    request: web.Request, handler: Callable[[web.Request], Any]
) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except (ControlRefusal, ValueError) as refusal:
        return answer({"detail": str(refusal)}, status=400)
    return response


async def read_json(request: web.Request) -> Json:
    found = orjson.loads(await request.read())
    if not isinstance(found, dict):
        raise ControlRefusal("the body is no JSON object")
    return found


def text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ControlRefusal(f"{name} is missing")
    return value


def number(body: Json, name: str) -> Decimal | None:
    if body.get(name) is None:
        return None
    value = decimal_of(body[name])
    if value is None:
        raise ControlRefusal(f"{name} {body[name]!r} is no number")
    return value


def wallets(balances: Json, names: tuple[str, ...]) -> dict[str, dict[str, Decimal]]:
    """Read balances given per wallet, or flat for every wallet alike."""
    per_wallet = balances if set(balances) & set(names) else dict.fromkeys(names, balances)
    return {
        name: {asset: Decimal(str(amount)) for asset, amount in per_wallet.get(name, {}).items()}
        for name in names
    }


def answer(payload: object, *, status: int = 200) -> web.Response:
    body = orjson.dumps(payload, default=str)
    return web.Response(status=status, body=body, content_type="application/json")
