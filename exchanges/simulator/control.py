"""The control port: accounts, faults, market controls, and the books for an outside observer."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Protocol

from aiohttp import web

from exchanges.simulator.accounts import Account, Pin
from exchanges.simulator.control_wire import (
    ControlRefusal,
    answer,
    named_listing,
    number,
    read_json,
    refusals,
    text,
    wallets,
)
from exchanges.simulator.listings import OWNERS, wallet_names
from exchanges.simulator.observer import ledger_view
from exchanges.simulator.outside import OutsideDoor
from exchanges.simulator.venues import Venues

FIRST_UID = 700_000


class SocketLists(Protocol):
    """What the door of the sockets tells of them."""

    def listed(self) -> list[dict[str, object]]: ...

    def openings(self) -> list[dict[str, object]]: ...


class ControlDoor:
    """Handlers of the control port."""

    def __init__(self, venues: Venues, sockets: SocketLists) -> None:
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
                web.get("/socket-openings", self._socket_openings),
                web.post("/accounts", self._add_account),
                web.get("/faults", self._list_faults),
                web.post("/faults", self._add_fault),
                web.delete("/faults", self._clear_faults),
                web.post("/market", self._pin),
                *OutsideDoor(self._simulator).routes(),
            ]
        )
        return app

    async def _health(self, request: web.Request) -> web.Response:
        listings = self._simulator.market.listings.values()
        symbols = sorted(
            f"{row.venue}:{row.symbol}"
            for row in listings
            if self._simulator.expiry_clock.is_listed(row)
        )
        now = self._simulator.now().isoformat()
        return answer({"time": now, "listings": symbols, "sockets": self._sockets.listed()})

    async def _ledger(self, request: web.Request) -> web.Response:
        now = self._simulator.now()
        self._simulator.advance(now)
        return answer(ledger_view(self._simulator, now, api_key=request.query.get("api_key")))

    async def _access_log(self, request: web.Request) -> web.Response:
        ledger, asked = self._simulator.ledger, request.query
        entries = ledger.accesses(
            after=int(asked.get("after", 0)),
            limit=int(asked.get("limit", 1000)),
            of_order=asked.get("client_order_id", ""),
        )
        return answer({"entries": entries, "last": ledger.last_access()})

    async def _socket_openings(self, request: web.Request) -> web.Response:
        return answer({"openings": self._sockets.openings()})

    async def _add_account(self, request: web.Request) -> web.Response:
        body = await read_json(request)
        api_key = text(body, "api_key")
        known = self._simulator.ledger.accounts.get(api_key)
        if known is not None:
            return answer({"created": False, "uid": known.uid})
        venue = text(body, "venue")
        owner = OWNERS.get(venue)
        if owner is None:
            owners = ", ".join(dict.fromkeys(OWNERS.values()))
            raise ControlRefusal(f"venue {venue!r} is none of {owners}")
        fresh_uid = FIRST_UID + len(self._simulator.ledger.accounts)
        days = number(body, "key_days")
        account = Account(
            venue=owner,
            api_key=api_key,
            secret=text(body, "api_secret"),
            uid=int(number(body, "uid") or fresh_uid),
            wallets=wallets(body.get("balances", {}), wallet_names(owner)),
            is_hedge_mode=bool(body.get("hedge_mode", False)),
            may_withdraw=bool(body.get("may_withdraw", False)),
            practices=bool(body.get("practices", False)),
            may_transfer=bool(body.get("may_transfer", False)),
            is_bound_to_address=bool(body.get("bound_to_address", True)),
            key_expires_at=(
                None if days is None else self._simulator.now() + timedelta(days=float(days))
            ),
            passphrase=str(body.get("api_passphrase", "")),
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
        listing = named_listing(self._simulator, body)
        ledger, now = self._simulator.ledger, self._simulator.now()
        self._simulator.advance(now)
        before = ledger.pins.get(listing.key, Pin(venue=listing.venue, symbol=listing.symbol))
        if body.get("release"):
            before = Pin(venue=listing.venue, symbol=listing.symbol)
            # Else the price would be frozen where it was pinned.
            ledger.put_pin(before)
        frozen = self._simulator.market.mark(listing, now) if body.get("freeze") else None
        pin = Pin(
            venue=listing.venue,
            symbol=listing.symbol,
            price=number(body, "price") or before.price or frozen,
            funding_rate=_either(number(body, "funding_rate"), before.funding_rate),
            level_quantity=number(body, "level_quantity") or before.level_quantity,
            borrow_rate=_either(number(body, "borrow_rate"), before.borrow_rate),
            open_interest=_either(number(body, "open_interest"), before.open_interest),
            day_volume=_either(number(body, "day_volume"), before.day_volume),
            funding_skew=_either(number(body, "funding_skew"), before.funding_skew),
        )
        ledger.put_pin(pin)
        ledger.commit()
        self._simulator.books.forget(listing)
        return answer({"pin": pin})


def _either(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return second if first is None else first
